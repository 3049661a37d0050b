//! One value, one series, one instant.

use crate::{SeriesId, Timestamp};

/// One value of one series at one instant.
///
/// `value` is in the unit of the series. A `NaN` or an infinity may be carried this far, and is refused by the
/// hot path with [`crate::Refusal::NotFinite`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// Which series.
    pub series: SeriesId,
    /// When it was measured.
    pub at: Timestamp,
    /// What was measured.
    pub value: f64,
}
