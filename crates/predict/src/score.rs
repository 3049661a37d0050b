//! Two types, so that nobody averages the wrong one.

/// A calibrated probability that the sample is *not* normal behaviour of its own series: `0.999` is exceeded by
/// one in a thousand samples of normal behaviour, whatever the distribution of the values.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub struct Score(f64);

impl Score {
    /// From a tail probability (p-value) in 0..=1; what is outside is moved to the nearer end.
    #[must_use]
    pub fn from_tail(p: f64) -> Self {
        Self(1.0 - p.clamp(0.0, 1.0))
    }

    /// The score, in 0..=1.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }
}
