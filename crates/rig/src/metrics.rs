//! Numbers that a process shows of itself: gauges, counters and histograms, as Prometheus has them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

/// One value of one series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// The metric's name.
    pub metric: String,
    /// Label text without braces, such as `le="0.5"`; may be empty.
    pub labels: String,
    /// The value.
    pub value: f64,
}

impl Sample {
    pub(crate) fn new(metric: &str, labels: &str, value: f64) -> Self {
        Self {
            metric: metric.to_owned(),
            labels: labels.to_owned(),
            value,
        }
    }
}

/// Upper bounds of the buckets of a histogram of seconds: those of the Prometheus clients.
const BUCKETS: [(f64, &str); 11] = [
    (0.005, "0.005"),
    (0.01, "0.01"),
    (0.025, "0.025"),
    (0.05, "0.05"),
    (0.1, "0.1"),
    (0.25, "0.25"),
    (0.5, "0.5"),
    (1.0, "1"),
    (2.5, "2.5"),
    (5.0, "5"),
    (f64::INFINITY, "+Inf"),
];

/// Metrics of one process, shared by its threads.
#[derive(Debug, Clone, Default)]
pub(crate) struct Metrics(Arc<Mutex<BTreeMap<(&'static str, String), f64>>>);

impl Metrics {
    fn change(&self, metric: &'static str, labels: &str, change: impl FnOnce(&mut f64)) {
        let mut values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(values.entry((metric, labels.to_owned())).or_default());
    }

    pub(crate) fn set(&self, metric: &'static str, value: f64) {
        self.change(metric, "", |old| *old = value);
    }

    pub(crate) fn add(&self, metric: &'static str, labels: &str, more: f64) {
        self.change(metric, labels, |old| *old += more);
    }

    /// Adds a duration to the histogram with these three names. A bucket appears with its first hit, as with a client
    /// that makes series when they are needed.
    pub(crate) fn observe(&self, [bucket, sum, count]: [&'static str; 3], s: f64) {
        for (_, label) in BUCKETS.iter().filter(|(bound, _)| s <= *bound) {
            self.add(bucket, &format!("le=\"{label}\""), 1.0);
        }
        self.add(sum, "", s);
        self.add(count, "", 1.0);
    }

    /// All values now, by name and labels.
    pub(crate) fn samples(&self) -> Vec<Sample> {
        let values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        values
            .iter()
            .map(|((metric, labels), value)| Sample::new(metric, labels, *value))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_count_all_below_them() {
        let metrics = Metrics::default();
        let names = ["d_bucket", "d_sum", "d_count"];
        metrics.observe(names, 0.3);
        metrics.observe(names, 7.0);
        metrics.set("level", 2.0);
        let shown: Vec<_> = metrics
            .samples()
            .iter()
            .map(|s| format!("{}{{{}}} {}", s.metric, s.labels, s.value))
            .collect();
        assert_eq!(
            shown,
            [
                "d_bucket{le=\"+Inf\"} 2",
                "d_bucket{le=\"0.5\"} 1",
                "d_bucket{le=\"1\"} 1",
                "d_bucket{le=\"2.5\"} 1",
                "d_bucket{le=\"5\"} 1",
                "d_count{} 2",
                "d_sum{} 7.3",
                "level{} 2"
            ]
        );
    }
}
