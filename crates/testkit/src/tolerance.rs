//! Tolerances by name: a comparison of floats says which error it forgives.

/// How far two numbers may be apart, and why.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tolerance {
    /// What the error comes from; printed when it is exceeded.
    pub name: &'static str,
    /// Allowed whatever the size.
    pub absolute: f64,
    /// Allowed as a share of the larger of the two.
    pub relative: f64,
}

/// A few dozen operations in `f32`, each off by half a unit in the last place (6e-8).
pub const ROUNDING: Tolerance = Tolerance {
    name: "rounding of f32",
    absolute: 1e-6,
    relative: 1e-5,
};

/// Sigmas by which a residual may move when the series is lifted by 400 of its standard deviations: the least change
/// that counts, 1e-5 of the level, is then 0.4 % of a sigma, and takes part while the scales are young.
pub const SHIFTED: Tolerance = Tolerance {
    name: "a floor that grows with the level",
    absolute: 1e-2,
    relative: 1e-2,
};

/// Raw scores below this are nothing: the calibrator's lowest bin ends here, so it tells none of them from 0.
pub const NOTHING: Tolerance = Tolerance {
    name: "lowest bin of the calibrator",
    absolute: 1.0 / 512.0,
    relative: 0.0,
};

impl Tolerance {
    /// Whether the two are near enough. Never with a NaN; equal infinities are.
    #[must_use]
    pub fn allows(self, a: f64, b: f64) -> bool {
        let apart = (a - b).abs();
        a.total_cmp(&b).is_eq()
            || (apart.is_finite() && apart <= self.absolute + self.relative * a.abs().max(b.abs()))
    }

    /// Panics, at the caller's line, unless `got` is near `want`.
    #[track_caller]
    pub fn assert(self, got: f64, want: f64) {
        assert!(
            self.allows(got, want),
            "got {got}, want {want}: beyond {self:?}"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_is_near() {
        assert!(ROUNDING.allows(1e9, 1e9 + 1e3));
        assert!(!ROUNDING.allows(1.0, 1.001));
        assert!(ROUNDING.allows(f64::INFINITY, f64::INFINITY));
        assert!(!ROUNDING.allows(f64::INFINITY, f64::NEG_INFINITY));
        assert!(!ROUNDING.allows(f64::NAN, 0.0));
    }
}
