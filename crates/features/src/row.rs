//! What the detectors read about one sample.

use crate::N_COLUMNS;

/// One sample as the detectors see it.
///
/// `x` is the level less the series' first value, in a unit (a power of two) that the first values set, so that `f32`
/// keeps its precision whatever the magnitude of the metric: gigabytes and nanoseconds look alike from here.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Row {
    /// The level, shifted and scaled; at most 1e18 either way.
    pub x: f32,
    /// One robust standard deviation in units of `x`; above 0.
    pub sigma: f32,
    /// The least change that counts, in units of `x`: rounding and jitter of a constant series stay below it.
    pub floor: f32,
    /// The least range to measure novelty against, in units of `x`: a change below it is less than wholly novel.
    pub least_range: f32,
    /// What was expected, in units of `x`.
    pub expected: f32,
    /// Samples of this series before this one.
    pub n: u32,
    /// Time since the last sample in usual steps, at least 0; 1 when regular.
    pub gap: f32,
    /// Second of the week, Monday 0:00 UTC = 0, under 604,800.
    pub week_s: u32,
    /// Usual seconds between samples.
    pub step_s: f32,
    /// Means, spreads and lags over the last samples, in units of `x`.
    pub windows: Windows,
    /// What is usual at this time of day and week, in units of `x`; NaN while unknown.
    pub usual: f32,
    /// The feature columns, in the order of [`crate::SCHEMA`].
    pub columns: [f32; N_COLUMNS],
}

/// Statistics of the last samples, this one included, all in units of `x`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Windows {
    /// Mean of 6 samples.
    pub mean_6: f32,
    /// Mean of 24 samples.
    pub mean_24: f32,
    /// Standard deviation of 12 samples.
    pub spread_12: f32,
    /// Standard deviation of 48 samples.
    pub spread_48: f32,
    /// The values 1, 2, 12 and 24 samples ago; the first value where there are fewer.
    pub lags: [f32; 4],
}
