//! How far a figure would move with other series of the same kind: bootstrap over series, seeded.

use serde::Serialize;

use crate::rng::SplitMix;

/// Resamples: enough that the ends of a 90 % interval move by less than its tenth from seed to seed.
const RESAMPLES: usize = 1_000;
const SEED: u64 = 0x5EED;

/// A figure with its 90 % bootstrap interval over series.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Measure {
    /// The figure on the series as they are; NaN (in JSON null) where it is not defined.
    pub value: f64,
    /// 5th percentile over resamples.
    pub low: f64,
    /// 95th percentile over resamples.
    pub high: f64,
}

impl Measure {
    /// `figure` maps the indices of the series that were drawn, with repeats, to the figure; resamples on which it is not
    /// defined (NaN) are left out.
    #[must_use]
    pub fn over(n_series: usize, figure: impl Fn(&[usize]) -> f64) -> Self {
        let all: Vec<usize> = (0..n_series).collect();
        let mut random = SplitMix::new(SEED);
        let mut resampled = Vec::with_capacity(RESAMPLES);
        let mut drawn = vec![0; n_series];
        for _ in 0..RESAMPLES {
            drawn.fill_with(|| random.below(n_series));
            resampled.push(figure(&drawn));
        }
        Self {
            value: figure(&all),
            low: quantile(&resampled, 0.05),
            high: quantile(&resampled, 0.95),
        }
    }

    /// The mean of `values`, NaN left out.
    #[must_use]
    pub fn of_mean(values: &[f64]) -> Self {
        let known: Vec<f64> = values.iter().copied().filter(|v| !v.is_nan()).collect();
        Self::over(known.len(), |drawn| {
            drawn.iter().map(|i| known[*i]).sum::<f64>() / drawn.len() as f64
        })
    }
}

/// The quantile at `q` in 0..=1, linear between neighbours (Hyndman & Fan's type 7); NaN is left out, and is the answer
/// if nothing is left.
#[must_use]
pub fn quantile(values: &[f64], q: f64) -> f64 {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|v| !v.is_nan()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else {
        return f64::NAN;
    };
    let position = q.clamp(0.0, 1.0) * last as f64;
    #[expect(clippy::cast_sign_loss, reason = "clamped to the indices just above")]
    let below = position.floor() as usize;
    let above = (below + 1).min(last);
    let share = position - below as f64;
    // A difference of infinities is no number, nor is none of an infinity.
    if share <= 0.0 || sorted[below].total_cmp(&sorted[above]).is_eq() {
        return sorted[below];
    }
    sorted[below] + share * (sorted[above] - sorted[below])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_by_hand() {
        let values = [4.0, f64::NAN, 1.0, 3.0, 2.0];
        for (q, expected) in [(0.0, 1.0), (0.5, 2.5), (1.0, 4.0), (0.1, 1.3)] {
            assert!((quantile(&values, q) - expected).abs() < 1e-12);
        }
        assert!(quantile(&[f64::NAN], 0.5).is_nan());
        let infinite = [1.0, f64::INFINITY, f64::INFINITY];
        assert!(quantile(&infinite, 0.9).is_infinite() && quantile(&infinite, 0.0).is_finite());
    }

    #[test]
    fn the_interval_is_that_of_a_mean() {
        // 100 values of variance 1/12: the mean has a standard error of 0.0289, the 90 % interval is 1.645 of them wide to
        // either side.
        let mut random = SplitMix::new(9);
        let values: Vec<f64> = (0..100).map(|_| f64::from(random.unit())).collect();
        let found = Measure::of_mean(&values);
        assert!(
            (found.high - found.low - 2.0 * 1.645 * 0.0289).abs() < 0.02,
            "{found:?}"
        );
        assert!(found.low < found.value && found.value < found.high);
        assert!(Measure::of_mean(&[]).value.is_nan());
    }
}
