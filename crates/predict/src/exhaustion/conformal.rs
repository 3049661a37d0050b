//! Intervals that hold: the 90 % interval of the time to exhaustion, made wider or narrower by how often it held so far.
//!
//! Each exhaustion that comes shows for every interval told before it whether the instant lay inside. The interval of a
//! family is stretched on the scale of log time after a miss and drawn in after a hit, by steps that balance at one miss in
//! ten (adaptive conformal inference: Gibbs & Candès, NeurIPS 2021).

use super::{FAMILIES, Family};

/// The share of misses that is aimed at.
const MISSES: f32 = 0.1;
/// How far one exhaustion moves the logarithm of the stretch, at most.
const STEP: f32 = 0.15;
/// Bounds of the stretch: whatever happens, an interval says something, and something that can be wrong.
const BOUNDS: (f32, f32) = (0.5, 3.0);

/// How much the intervals of each family are stretched.
#[derive(Debug, Clone, PartialEq)]
pub struct Conformal {
    stretch: [f32; FAMILIES.len()],
}

impl Default for Conformal {
    fn default() -> Self {
        Self {
            stretch: [1.0; FAMILIES.len()],
        }
    }
}

impl Conformal {
    /// The factor by which intervals of a family are stretched in log time; 1 before anything was exhausted.
    #[must_use]
    pub const fn stretch(&self, family: Family) -> f32 {
        self.stretch[family as usize]
    }

    /// The quantiles of a time to exhaustion as they should be told; infinite ones stay.
    #[must_use]
    pub fn apply(&self, family: Family, ttf_s: [f64; 3]) -> [f64; 3] {
        let [early, middle, late] = ttf_s;
        if !middle.is_finite() || middle <= 0.0 {
            return ttf_s;
        }
        let stretch = f64::from(self.stretch(family));
        let moved = |end: f64| {
            if end.is_finite() && end > 0.0 {
                middle * (end / middle).powf(stretch)
            } else {
                end
            }
        };
        [moved(early), middle, moved(late)]
    }

    /// Something was exhausted, and of the intervals told before it this share missed the instant; 0 to 1.
    pub fn learn(&mut self, family: Family, missed: f32) {
        let place = family as usize;
        // One hit draws in by a ninth of what one miss stretches.
        let step = STEP * (missed.clamp(0.0, 1.0) - MISSES) / (1.0 - MISSES);
        self.stretch[place] = (self.stretch[place] * step.exp()).clamp(BOUNDS.0, BOUNDS.1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Intervals that are too narrow by a factor are stretched until one in ten misses.
    #[test]
    fn it_settles_where_one_in_ten_misses() {
        let mut conformal = Conformal::default();
        let mut x = 1u32;
        let (mut missed, mut told) = (0, 0);
        for i in 0..4_000 {
            // The truth lies evenly within 1 to e of the middle on the log scale; the interval covers half of that.
            x = x.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
            let truth = 100.0 * (f64::from(x >> 8) / f64::from(1u32 << 24)).exp();
            let [_, _, late] = conformal.apply(Family::Disk, [100.0, 100.0, 100.0 * 0.5_f64.exp()]);
            let miss = truth > late;
            conformal.learn(Family::Disk, f32::from(u8::from(miss)));
            if i > 1_000 {
                missed += u32::from(miss);
                told += 1;
            }
        }
        let share = f64::from(missed) / f64::from(told);
        assert!((share - 0.1).abs() < 0.02, "{share}");
        assert!(
            (conformal.stretch(Family::Memory) - 1.0).abs() < 1e-6,
            "families are apart"
        );
    }

    #[test]
    fn what_is_not_foreseen_stays_so_and_order_is_kept() {
        let mut conformal = Conformal::default();
        for _ in 0..100 {
            conformal.learn(Family::Cpu, 1.0);
        }
        let infinite = [f64::INFINITY; 3];
        let kept = conformal.apply(Family::Cpu, infinite);
        assert!(kept.iter().all(|s| s.is_infinite()));
        let [early, middle, late] = conformal.apply(Family::Cpu, [50.0, 100.0, f64::INFINITY]);
        assert!(early < 50.0 && middle < late && early > 0.0);
    }
}
