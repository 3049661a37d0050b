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
}
