//! Time is always an argument. Only the edge of the process owns a [`Clock`].

use std::fmt;
use std::ops::Sub;

use serde::{Deserialize, Serialize};

/// An instant, in microseconds since 1970-01-01T00:00:00Z.
///
/// Microseconds because that is what Parquet and most exporters carry; `i64` spans 292,000 years either way.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From microseconds since the epoch.
    #[must_use]
    pub const fn from_micros(us: i64) -> Self {
        Self(us)
    }

    /// From milliseconds since the epoch; saturates at the ends of the range.
    #[must_use]
    pub const fn from_millis(ms: i64) -> Self {
        Self(ms.saturating_mul(1_000))
    }

    /// From seconds since the epoch; `None` if not finite or out of range.
    #[must_use]
    pub fn from_secs_f64(s: f64) -> Option<Self> {
        let us = (s * 1e6).round();
        (us.is_finite() && us.abs() < 9.2e18).then_some(Self(us as i64))
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Seconds since the epoch.
    #[must_use]
    pub fn secs_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// Seconds from `earlier` to `self`; negative if `earlier` is later.
    #[must_use]
    pub fn seconds_since(self, earlier: Self) -> f64 {
        (self.0.saturating_sub(earlier.0)) as f64 / 1e6
    }

    /// The instant `us` microseconds later; saturates.
    #[must_use]
    pub const fn plus_micros(self, us: i64) -> Self {
        Self(self.0.saturating_add(us))
    }
}

impl Sub for Timestamp {
    type Output = i64;
    /// Microseconds between two instants; saturates.
    fn sub(self, other: Self) -> i64 {
        self.0.saturating_sub(other.0)
    }
}

impl fmt::Display for Timestamp {
    /// Seconds since the epoch with microseconds: what log lines carry. The command line prints dates.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}.{:06}",
            self.0.div_euclid(1_000_000),
            self.0.rem_euclid(1_000_000)
        )
    }
}

/// Where the time comes from. The system's clock in `serve`; the recording's in `replay`; fixed in tests.
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Timestamp;
}
