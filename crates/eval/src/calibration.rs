//! Whether a calibrated score keeps its promise: on normal behaviour "0.999" is exceeded by 1 sample in 1,000, in every
//! series and not only on average.

use ::series::Timestamp;
use serde::Serialize;

use crate::spread::quantile;
use crate::{Labelled, events};

/// The nominal rates that are reported.
pub const LEVELS: [f64; 4] = [0.1, 0.01, 0.001, 0.0001];
/// The realised rate that no series should exceed.
pub const LIMIT: f64 = 0.05;
const WEEK_S: f64 = 7.0 * 86_400.0;

/// How the realised rates of a set of series relate to one nominal rate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Level {
    /// Nominal rate.
    pub p: f64,
    /// Median over series of realised rate / `p`; 1 is perfect.
    pub median_ratio: f64,
    /// 5th percentile of the ratio over series.
    pub low_ratio: f64,
    /// 95th percentile of the ratio over series.
    pub high_ratio: f64,
    /// The ratio over all normal samples pooled: says more than the median where 1 / `p` exceeds a series' length.
    pub pooled_ratio: f64,
}

/// Normal samples, and those of them whose score exceeds 1 − `p`.
fn exceeding<T: Copy + Into<f64>>(series: Labelled<'_, T>, p: f64) -> (usize, usize) {
    let normal = || {
        series
            .labels
            .iter()
            .zip(series.scores)
            .filter(|(odd, _)| !**odd)
    };
    (
        normal().count(),
        normal().filter(|(_, s)| (**s).into() > 1.0 - p).count(),
    )
}

/// The share of normal samples whose score exceeds 1 − `p`; `None` without a normal sample.
#[must_use]
pub fn realised<T: Copy + Into<f64>>(series: Labelled<'_, T>, p: f64) -> Option<f64> {
    let (normal, above) = exceeding(series, p);
    (normal > 0).then(|| above as f64 / normal as f64)
}

/// The realised rates of a set at one nominal rate; NaN without a normal sample.
#[must_use]
pub fn level<T: Copy + Into<f64>>(set: &[Labelled<'_, T>], p: f64) -> Level {
    let ratios: Vec<f64> = set
        .iter()
        .filter_map(|s| realised(*s, p))
        .map(|r| r / p)
        .collect();
    let (normal, above) = set
        .iter()
        .map(|s| exceeding(*s, p))
        .fold((0, 0), |(n, a), (normal, above)| (n + normal, a + above));
    Level {
        p,
        median_ratio: quantile(&ratios, 0.5),
        low_ratio: quantile(&ratios, 0.05),
        high_ratio: quantile(&ratios, 0.95),
        pooled_ratio: above as f64 / normal as f64 / p,
    }
}

/// The share of series whose realised rate stays at or under [`LIMIT`] at the nominal rate `p`; NaN without a series that
/// has a normal sample.
#[must_use]
pub fn share_within_limit<T: Copy + Into<f64>>(set: &[Labelled<'_, T>], p: f64) -> f64 {
    let rates: Vec<f64> = set.iter().filter_map(|s| realised(*s, p)).collect();
    rates.iter().filter(|r| **r <= LIMIT).count() as f64 / rates.len() as f64
}

/// False events of one series per week of normal behaviour at `threshold`: alerts as [`events`] counts them.
///
/// `times` belongs to the samples of `series`. The time observed is the normal samples times the median step, so that a
/// hole in the recording does not count as quiet time; `None` if there is none.
#[must_use]
pub fn false_events_per_week<T: Copy + Into<f64>>(
    series: Labelled<'_, T>,
    times: &[Timestamp],
    threshold: f64,
) -> Option<f64> {
    let steps: Vec<f64> = times.windows(2).map(|t| t[1].seconds_since(t[0])).collect();
    let counts = events::at(series, threshold);
    let weeks = quantile(&steps, 0.5) * counts.normal_samples as f64 / WEEK_S;
    (weeks > 0.0).then(|| counts.alerts_outside as f64 / weeks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uniform_score_is_calibrated() {
        let mut random = crate::rng::SplitMix::new(2);
        let scores: Vec<Vec<f32>> = (0..20)
            .map(|_| (0..20_000).map(|_| random.unit()).collect())
            .collect();
        let labels = vec![false; 20_000];
        let set: Vec<Labelled<'_>> = scores
            .iter()
            .map(|scores| Labelled {
                labels: &labels,
                scores,
            })
            .collect();
        let found = level(&set, 0.01);
        assert!((found.median_ratio - 1.0).abs() < 0.1, "{found:?}");
        assert!((found.pooled_ratio - 1.0).abs() < 0.05, "{found:?}");
        assert!(found.low_ratio > 0.8 && found.high_ratio < 1.2, "{found:?}");
        assert!((share_within_limit(&set, 0.01) - 1.0).abs() < 1e-12);
        assert!(
            share_within_limit(&set, 0.1) < 1e-12,
            "ten times in a hundred is over the limit"
        );
    }

    #[test]
    fn labelled_samples_do_not_count() {
        let series = Labelled {
            labels: &[true, false, false, false],
            scores: &[1.0_f32, 1.0, 0.0, 0.0],
        };
        assert!(realised(series, 0.01).is_some_and(|r| (r - 1.0 / 3.0).abs() < 1e-12));
        assert!(
            realised(
                Labelled {
                    labels: &[true],
                    scores: &[1.0_f32]
                },
                0.1
            )
            .is_none()
        );
    }

    #[test]
    fn false_events_by_hand() {
        // Two weeks of hours and a hole of a month; alerts at 5 and 50, a second sample within the silence.
        let hour = 3_600_000_000;
        let times: Vec<Timestamp> = (0..336)
            .map(|i| Timestamp::from_micros(i * hour + if i > 100 { 720 * hour } else { 0 }))
            .collect();
        let mut scores = vec![0.0_f32; 336];
        for i in [5, 6, 50] {
            scores[i] = 1.0;
        }
        let rate = false_events_per_week(
            Labelled {
                labels: &[false; 336],
                scores: &scores,
            },
            &times,
            0.5,
        );
        assert!(rate.is_some_and(|r| (r - 1.0).abs() < 1e-9), "{rate:?}");
        assert!(
            false_events_per_week(
                Labelled {
                    labels: &[false],
                    scores: &[1.0_f32]
                },
                &times[..1],
                0.5
            )
            .is_none()
        );
    }
}
