//! The distribution of the time that is left: how likely it is that the resource still lasts after each of some times.

/// What people ask about, in seconds: 5, 15 and 30 minutes, 2 hours, a day.
pub const HORIZONS_S: [f64; 5] = [300.0, 900.0, 1_800.0, 7_200.0, 86_400.0];

/// Where the distribution is known.
pub const KNOTS: usize = 26;

/// The times at which it is known, in seconds; between them the hazard is even.
pub const KNOT_S: [f64; KNOTS] = [
    20.0, 40.0, 60.0, 90.0, 120.0, 180.0, 240.0, 300.0, 420.0, 540.0, 720.0, 900.0, 1_080.0,
    1_260.0, 1_500.0, 1_800.0, 2_160.0, 2_700.0, 3_600.0, 5_400.0, 7_200.0, 10_800.0, 18_000.0,
    32_400.0, 54_000.0, 86_400.0,
];

/// A time to exhaustion is told when exhaustion within a day is at least so likely: where one in five ends, a person wants to
/// know when.
const FORESEEN: f64 = 0.2;

/// P(the resource lasts at least this long), at each of [`KNOT_S`]; falls from at most 1 to at least 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Survival(pub [f32; KNOTS]);

impl Survival {
    /// Nothing is foreseen.
    pub const CERTAIN: Self = Self([1.0; KNOTS]);

    /// P(exhausted within `s` seconds), 0 to 1. Between two knots the hazard is even; beyond the last it is that of the last.
    #[must_use]
    pub fn within(&self, s: f64) -> f64 {
        let place = KNOT_S.partition_point(|&knot| knot < s);
        let at = |place: usize| f64::from(self.0[place]).max(1e-9);
        let (from_s, from) = match place {
            0 => (0.0, 1.0),
            _ => (KNOT_S[place - 1], at(place - 1)),
        };
        if place == KNOTS {
            return 1.0 - from;
        }
        let share = ((s - from_s) / (KNOT_S[place] - from_s)).clamp(0.0, 1.0);
        1.0 - (from.ln() + share * (at(place).ln() - from.ln())).exp()
    }

    /// The time in seconds by which it is exhausted with probability `p`; infinite when that is not foreseen within a day.
    #[must_use]
    pub fn quantile_s(&self, p: f64) -> f64 {
        let left = 1.0 - p;
        let (mut from_s, mut from) = (0.0, 1.0_f64);
        for (&to_s, &to) in KNOT_S.iter().zip(&self.0) {
            let to = f64::from(to).max(1e-9);
            if to <= left {
                let share = if from > to {
                    (from.ln() - left.max(1e-9).ln()) / (from.ln() - to.ln())
                } else {
                    1.0
                };
                return from_s + share.clamp(0.0, 1.0) * (to_s - from_s);
            }
            (from_s, from) = (to_s, to);
        }
        f64::INFINITY
    }

    /// P(exhausted within each of [`HORIZONS_S`]); never falls from one to the next.
    #[must_use]
    pub fn within_horizons(&self) -> [f32; 5] {
        HORIZONS_S.map(|s| self.within(s) as f32)
    }

    /// 5, 50 and 95 % quantiles of the time to exhaustion in seconds, if there is an end within a day and that is likely
    /// enough to tell a time; else infinite.
    #[must_use]
    pub fn ttf_s(&self) -> [f64; 3] {
        if f64::from(1.0 - self.0[KNOTS - 1]) < FORESEEN {
            return [f64::INFINITY; 3];
        }
        let given = self.given_an_end();
        [0.05, 0.5, 0.95].map(|p| given.quantile_s(p))
    }

    /// The distribution if there is an end within a day at all: what a time to exhaustion is told of.
    #[must_use]
    pub fn given_an_end(&self) -> Self {
        let lasting = self.0[KNOTS - 1];
        let ends = (1.0 - lasting).max(1e-6);
        Self(self.0.map(|s| ((s - lasting) / ends).clamp(0.0, 1.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An even hazard: half of what is left goes in each of these seconds.
    fn halving(half_life_s: f64) -> Survival {
        Survival(KNOT_S.map(|s| 0.5_f64.powf(s / half_life_s) as f32))
    }

    #[test]
    fn quantiles_undo_probabilities() {
        let survival = halving(1_000.0);
        for p in [0.05, 0.3, 0.5, 0.9] {
            let s = survival.quantile_s(p);
            assert!((survival.within(s) - p).abs() < 1e-5, "{p} {s}");
        }
        assert!((survival.quantile_s(0.5) - 1_000.0).abs() < 0.1);
        assert!((survival.within(10.0) - (1.0 - 0.5_f64.powf(0.01))).abs() < 1e-6);
        assert!(Survival::CERTAIN.quantile_s(0.01).is_infinite());
        assert!(Survival::CERTAIN.within(1e9) < 1e-12);
    }

    #[test]
    fn what_may_never_end_is_told_as_if_it_did() {
        let mut survival = halving(1_000.0);
        for s in &mut survival.0 {
            *s = 0.6 + 0.4 * *s;
        }
        assert!(survival.quantile_s(0.5).is_infinite());
        assert!((survival.given_an_end().quantile_s(0.5) - 1_000.0).abs() < 1.0);
    }
}
