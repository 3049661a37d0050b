//! What was measured of one series, and when.

use std::ops::Range;

use series::{Kind, Sample, SeriesId, Timestamp};

use crate::Noise;

/// When every synthetic series begins: Monday, 1 January 2024, midnight UTC.
pub const START: Timestamp = Timestamp::from_millis(1_704_067_200_000);
/// Seconds between samples of a regular series: a day has 288 of them, a week 2,016.
pub const STEP_S: i64 = 300;

/// One series from its first sample to its last, in order of time.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// Level or running total.
    pub kind: Kind,
    /// Time and value of each sample.
    pub points: Vec<(Timestamp, f64)>,
}

impl Trace {
    /// A gauge sampled every [`STEP_S`] seconds from [`START`] on.
    pub fn gauge(values: impl IntoIterator<Item = f64>) -> Self {
        let at = |i: usize| START.plus_micros(i as i64 * STEP_S * 1_000_000);
        Self {
            kind: Kind::Gauge,
            points: values
                .into_iter()
                .enumerate()
                .map(|(i, value)| (at(i), value))
                .collect(),
        }
    }

    /// How many samples.
    #[must_use]
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// As samples of `series`.
    pub fn samples(&self, series: SeriesId) -> impl Iterator<Item = Sample> + '_ {
        self.points
            .iter()
            .map(move |&(at, value)| Sample { series, at, value })
    }

    /// The same with each value in `range` (places, not times) changed: how a test plants an anomaly.
    #[must_use]
    pub fn bent(mut self, range: Range<usize>, change: impl Fn(f64) -> f64) -> Self {
        for (_, value) in &mut self.points[range] {
            *value = change(*value);
        }
        self
    }

    /// The same up to sample `n`, and noise of another size from there on: for tests that nothing looks ahead.
    #[must_use]
    pub fn with_noise_from(mut self, n: usize, seed: u64) -> Self {
        let mut noise = Noise::new(seed);
        for (_, value) in &mut self.points[n..] {
            *value = 1e6 * noise.normal();
        }
        self
    }
}
