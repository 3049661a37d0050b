//! From the probability of having run out by a time to a prediction.

use super::super::exam::HORIZONS_S;
use super::Prediction;

/// Seconds between the times that are tried up to the longest horizon.
const STEP_S: f64 = 20.0;
/// Beyond it each is later by this factor.
const GROWTH: f64 = 1.05;
/// What is further ahead than a day is not foreseen.
const LAST_S: f64 = 86_400.0;

/// The times that are tried, in seconds ahead, rising; every horizon is one of them.
pub(super) fn times_s() -> impl Iterator<Item = f64> {
    let even = (1_u32..=90).map(|i| f64::from(i) * STEP_S);
    let first = HORIZONS_S[2] * GROWTH;
    let growing = std::iter::successors(Some(first), |time| Some(time * GROWTH));
    even.chain(growing.take_while(|time| *time <= LAST_S))
}

/// `by(s)` is the probability of being above the limit `s` seconds ahead; what was above it stays exhausted, so the highest
/// so far counts. Quantiles lie on the straight line between two times.
pub(super) fn prediction(by: impl Fn(f64) -> f64) -> Option<Prediction> {
    let (mut p, mut ttf_s) = ([0.0; 3], [f64::INFINITY; 3]);
    let (mut from_s, mut from) = (0.0, 0.0);
    for time_s in times_s() {
        let now = by(time_s).clamp(0.0, 1.0);
        // A comparison that passes over NaN.
        let to = if now > from { now } else { from };
        for (p, horizon_s) in p.iter_mut().zip(HORIZONS_S) {
            if time_s <= horizon_s {
                *p = to;
            }
        }
        for (ttf_s, quantile) in ttf_s.iter_mut().zip([0.05, 0.5, 0.95]) {
            if ttf_s.is_infinite() && to >= quantile {
                let share = if to > from {
                    ((quantile - from) / (to - from)).clamp(0.0, 1.0)
                } else {
                    1.0
                };
                *ttf_s = from_s + share * (time_s - from_s);
            }
        }
        (from_s, from) = (time_s, to);
    }
    Prediction::new(p, ttf_s)
}

/// Already out: certain, now.
pub(super) fn exhausted() -> Option<Prediction> {
    Prediction::new([1.0; 3], [0.0; 3])
}

/// P(a normal value of this mean and standard deviation is at least 1).
pub(super) fn above_limit(mean: f64, deviation: f64) -> f64 {
    0.5 * libm::erfc((1.0 - mean) / (deviation.max(1e-9) * std::f64::consts::SQRT_2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn horizons_are_among_the_times() {
        let all: Vec<f64> = times_s().collect();
        assert!(all.is_sorted() && all.len() < 200);
        for horizon in HORIZONS_S {
            assert!(all.iter().any(|time| (time - horizon).abs() < 1e-9));
        }
    }

    #[test]
    fn a_probability_that_falls_back_counts_as_reached() {
        let found = prediction(|s| {
            if (200.0..400.0).contains(&s) {
                0.6
            } else {
                0.0
            }
        })
        .unwrap();
        assert!(found.p().iter().all(|p| (p - 0.6).abs() < 1e-12));
        let [low, middle, high] = found.ttf_s();
        assert!(
            (low - 181.67).abs() < 0.01 && (middle - 196.67).abs() < 0.01,
            "{found:?}"
        );
        assert!(high.is_infinite());
    }

    #[test]
    fn nothing_is_made_of_what_is_no_number() {
        assert_eq!(prediction(|_| f64::NAN), Some(Prediction::NONE));
        assert!((above_limit(1.0, 0.0) - 0.5).abs() < 1e-12);
        assert!((above_limit(0.9, 0.1) - 0.158_655).abs() < 1e-6);
    }
}
