//! How far a difference between two models would move with other series of the same kind: a paired bootstrap.

use serde::{Deserialize, Serialize};

/// Resamples: enough that the ends of a 90 % interval move by less than its tenth from seed to seed.
const RESAMPLES: usize = 1_000;
const SEED: u64 = 0x5EED;

/// A difference, candidate less champion, with its 90 % interval (Efron & Tibshirani, "An Introduction to the
/// Bootstrap", 1993, chapter 13: percentiles).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// On the samples as they are.
    pub value: f64,
    /// 5th percentile over resamples.
    pub low: f64,
    /// 95th percentile over resamples.
    pub high: f64,
}

impl Difference {
    /// `figure` maps the indices that were drawn, with repeats, out of `n` to the difference on them. The same draws
    /// serve both models, so that what is hard for both does not widen the interval.
    pub(super) fn over(n: usize, figure: impl Fn(&[usize]) -> f64) -> Self {
        let all: Vec<usize> = (0..n).collect();
        let mut state = SEED;
        let mut below = |n: usize| {
            // Steele, Lea & Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((u128::from(mixed ^ (mixed >> 31)) * n as u128) >> 64) as usize
        };
        let mut drawn = vec![0; n];
        let mut resampled: Vec<f64> = (0..RESAMPLES)
            .map(|_| {
                drawn.fill_with(|| below(n));
                figure(&drawn)
            })
            .filter(|value| !value.is_nan())
            .collect();
        resampled.sort_unstable_by(f64::total_cmp);
        let at = |q: usize| {
            let place = resampled.len() * q / 100;
            resampled.get(place).copied().unwrap_or(f64::NAN)
        };
        Self {
            value: figure(&all),
            low: at(5),
            high: at(95),
        }
    }
}
