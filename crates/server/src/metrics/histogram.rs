//! Counts of values up to fixed bounds, which many threads add to without a lock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::text::{Labels, Text};

/// Bounds of times, in nanoseconds: from what a small model takes to what nobody waits for.
const TIMES_NS: [u64; 16] = [
    20_000,
    50_000,
    100_000,
    200_000,
    500_000,
    1_000_000,
    2_000_000,
    5_000_000,
    10_000_000,
    20_000_000,
    50_000_000,
    100_000_000,
    200_000_000,
    500_000_000,
    1_000_000_000,
    5_000_000_000,
];
/// Bounds of sizes.
const SIZES: [u64; 11] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];

/// A histogram of whole numbers.
#[derive(Debug)]
pub(crate) struct Histogram {
    bounds: &'static [u64],
    /// What one unit is on the page.
    scale: f64,
    /// One more than there are bounds: the last is for what is above all of them.
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

impl Histogram {
    /// Of durations; seconds on the page.
    pub(crate) fn of_times() -> Self {
        Self::new(&TIMES_NS, 1e-9)
    }

    /// Of numbers of things.
    pub(crate) fn of_sizes() -> Self {
        Self::new(&SIZES, 1.0)
    }

    fn new(bounds: &'static [u64], scale: f64) -> Self {
        Self {
            bounds,
            scale,
            counts: (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect(),
            sum: AtomicU64::new(0),
        }
    }

    pub(crate) fn add(&self, value: u64) {
        let place = self.bounds.partition_point(|&bound| bound < value);
        if let Some(count) = self.counts.get(place) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.sum.fetch_add(value, Ordering::Relaxed);
    }

    pub(crate) fn add_time(&self, time: Duration) {
        self.add(nanos(time));
    }

    /// How many values, and their sum in units.
    pub(crate) fn total(&self) -> (u64, u64) {
        let counts = self
            .counts
            .iter()
            .map(|count| count.load(Ordering::Relaxed));
        (counts.sum(), self.sum.load(Ordering::Relaxed))
    }

    /// Its samples; the family's head has been written.
    pub(crate) fn write(&self, text: &mut Text, name: &str, labels: Labels<'_>) {
        let bucket = format!("{name}_bucket");
        let mut up_to = 0;
        for (place, count) in self.counts.iter().enumerate() {
            up_to += count.load(Ordering::Relaxed);
            let bound = match self.bounds.get(place) {
                // Through the shortest text: 0.00002 and not 0.000020000000000000002.
                Some(&bound) => format!("{}", (bound as f64 * self.scale) as f32),
                None => "+Inf".to_owned(),
            };
            let labels = [labels, &[("le", bound.as_str())]].concat();
            text.sample(&bucket, &labels, up_to as f64);
        }
        let sum = self.sum.load(Ordering::Relaxed) as f64 * self.scale;
        text.sample(&format!("{name}_sum"), labels, sum);
        text.sample(&format!("{name}_count"), labels, up_to as f64);
    }
}

/// Nanoseconds; saturates after 584 years.
pub(crate) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_up_to_each_bound() {
        let histogram = Histogram::of_sizes();
        for value in [1, 2, 3, 2000] {
            histogram.add(value);
        }
        let mut text = Text::default();
        histogram.write(&mut text, "rows", &[("model", "m")]);
        let text = text.finish();
        for line in [
            "rows_bucket{model=\"m\",le=\"1\"} 1\n",
            "rows_bucket{model=\"m\",le=\"2\"} 2\n",
            "rows_bucket{model=\"m\",le=\"4\"} 3\n",
            "rows_bucket{model=\"m\",le=\"1024\"} 3\n",
            "rows_bucket{model=\"m\",le=\"+Inf\"} 4\n",
            "rows_sum{model=\"m\"} 2006\n",
            "rows_count{model=\"m\"} 4\n",
        ] {
            assert!(text.contains(line), "{line} in\n{text}");
        }
        assert_eq!(histogram.total(), (4, 2006));
    }

    #[test]
    fn times_are_in_seconds() {
        let histogram = Histogram::of_times();
        histogram.add_time(Duration::from_micros(30));
        let mut text = Text::default();
        histogram.write(&mut text, "t_seconds", &[]);
        let text = text.finish();
        assert!(
            text.contains("t_seconds_bucket{le=\"0.00002\"} 0\n"),
            "{text}"
        );
        assert!(
            text.contains("t_seconds_bucket{le=\"0.00005\"} 1\n"),
            "{text}"
        );
        assert!(text.contains("t_seconds_sum 0.00003"), "{text}");
    }
}
