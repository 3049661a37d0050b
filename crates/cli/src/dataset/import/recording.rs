//! One recording, ready to be replayed.

use std::ops::Range;
use std::sync::Arc;

use series::SeriesKey;

/// A recording that meets an engine of its own.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Recording {
    /// Its series.
    pub(super) keys: Vec<Arc<SeriesKey>>,
    /// Its samples in order of time.
    pub(super) rows: Vec<Sample>,
    /// Picks its series, and no others.
    pub(super) selector: String,
    /// When something was wrong, as half-open intervals in microseconds since the epoch.
    pub(super) faults: Vec<Range<i64>>,
}

/// One sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sample {
    /// Microseconds since the epoch.
    pub(super) time_us: i64,
    /// Which of the recording's series.
    pub(super) series: u32,
    /// In the unit of the series.
    pub(super) value: f64,
}
