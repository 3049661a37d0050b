//! Why a sample was not taken.

use std::fmt;

/// Why a sample was not taken. Every refused sample is counted under exactly one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Refusal {
    /// The value is NaN or infinite.
    NotFinite = 0,
    /// Older than the last sample taken of the same series.
    OutOfOrder = 1,
    /// The same instant as the last sample taken of the same series.
    Duplicate = 2,
    /// Further ahead of this engine's clock than the configuration allows.
    TooFarAhead = 3,
    /// The reference or id was never declared.
    UnknownSeries = 4,
    /// The engine watches as many series as it may.
    SeriesLimit = 5,
    /// The metric name or a label is malformed.
    BadKey = 6,
}

/// All reasons, in the order of their discriminants; for tables of counters.
pub const REFUSALS: [Refusal; 7] = [
    Refusal::NotFinite,
    Refusal::OutOfOrder,
    Refusal::Duplicate,
    Refusal::TooFarAhead,
    Refusal::UnknownSeries,
    Refusal::SeriesLimit,
    Refusal::BadKey,
];

impl Refusal {
    /// A stable name for telemetry labels: lower case with underscores.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotFinite => "not_finite",
            Self::OutOfOrder => "out_of_order",
            Self::Duplicate => "duplicate",
            Self::TooFarAhead => "too_far_ahead",
            Self::UnknownSeries => "unknown_series",
            Self::SeriesLimit => "series_limit",
            Self::BadKey => "bad_key",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFinite => "the value is not a finite number",
            Self::OutOfOrder => "older than the last sample of this series",
            Self::Duplicate => "same time as the last sample of this series",
            Self::TooFarAhead => "too far ahead of the engine's clock",
            Self::UnknownSeries => "the series was never declared",
            Self::SeriesLimit => "the limit on the number of series is reached",
            Self::BadKey => "the metric name or a label is malformed",
        })
    }
}
