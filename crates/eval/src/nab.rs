//! The score of the Numenta Anomaly Benchmark: early detections inside a labelled window earn, alerts outside cost.
//!
//! Lavin & Ahmad, "Evaluating Real-time Anomaly Detection Algorithms", ICMLA 2015. One threshold serves all series;
//! a row counts as detected when its score is at or above it. In a window the best-placed detection alone counts, worth
//! the scaled sigmoid of its position (1 at the left edge, 0 at the right edge); outside, every detection costs, little
//! just after a window and the full false-positive weight three window widths later or before the first window.

use std::ops::Range;

use serde::Serialize;

/// What a true positive earns, a false positive costs and a missed window costs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Profile {
    /// The benchmark's own name for it.
    pub name: &'static str,
    /// Earned by a detection at the very left of a window.
    pub true_positive: f64,
    /// Cost of a detection far from every window.
    pub false_positive: f64,
    /// Cost of a window without a detection.
    pub false_negative: f64,
}

/// The profile that headlines quote.
pub const STANDARD: Profile = Profile {
    name: "standard",
    true_positive: 1.0,
    false_positive: 0.11,
    false_negative: 1.0,
};
/// For users whom false alarms hurt most.
pub const LOW_FP: Profile = Profile {
    name: "reward_low_FP_rate",
    true_positive: 1.0,
    false_positive: 0.22,
    false_negative: 1.0,
};
/// For users whom misses hurt most.
pub const LOW_FN: Profile = Profile {
    name: "reward_low_FN_rate",
    true_positive: 1.0,
    false_positive: 0.11,
    false_negative: 2.0,
};
/// The three profiles of the benchmark, in the order of its own tables.
pub const PROFILES: [Profile; 3] = [STANDARD, LOW_FP, LOW_FN];

/// One series with a score per row, `f32` or `f64`; compared as `f64`, since some published scores are within 1e-8 of 1.
#[derive(Debug, Clone, Copy)]
pub struct Scored<'a, T = f32> {
    /// Higher is odder, any scale; NaN never counts as a detection.
    pub scores: &'a [T],
    /// Row ranges of the labelled windows, in order and disjoint; cut at the end of `scores`.
    pub windows: &'a [Range<usize>],
    /// Rows at the start that are not scored: see [`probation`].
    pub probation: usize,
}

/// Rows that the benchmark leaves out at the start of a series of `n_rows`: 15 %, at most 750.
#[must_use]
pub const fn probation(n_rows: usize) -> usize {
    let share = n_rows.saturating_mul(15) / 100;
    if share < 750 { share } else { 750 }
}

/// The outcome of the search for the best threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Best {
    /// Normalised: 0 for no detection at all, 100 for a perfect detector; may be negative.
    pub score: f64,
    /// The threshold, on the scale of the scores; infinite when silence is best.
    pub threshold: f64,
}

/// What one series contributes at one threshold, before normalising.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    /// Earned minus lost.
    pub raw: f64,
    /// Windows that have at least one row after probation.
    pub n_windows: usize,
}

/// The score from the parts of several series: 100 · (raw − null) / (perfect − null). NaN if there is no window.
#[must_use]
pub fn normalise(parts: &[Part], profile: Profile) -> f64 {
    let n_windows = parts.iter().map(|p| p.n_windows).sum::<usize>() as f64;
    let raw = parts.iter().map(|p| p.raw).sum::<f64>();
    100.0 * (raw + profile.false_negative * n_windows)
        / ((profile.true_positive + profile.false_negative) * n_windows)
}

/// What one series earns and loses at `threshold`.
#[must_use]
pub fn part_at<T: Copy + Into<f64>>(
    series: Scored<'_, T>,
    profile: Profile,
    threshold: f64,
) -> Part {
    let mut outside = 0.0;
    let mut windows = vec![None; series.windows.len()];
    for row in rows(series) {
        let detected = row.score >= threshold;
        match row.window {
            Some(w) => {
                let best = windows[w].get_or_insert(-profile.false_negative);
                if detected {
                    *best = best.max(row.place * profile.true_positive);
                }
            }
            None if detected => outside += row.place * profile.false_positive,
            None => {}
        }
    }
    Part {
        raw: outside + windows.iter().flatten().sum::<f64>(),
        n_windows: windows.iter().flatten().count(),
    }
}

/// The normalised score of the corpus at `threshold`; NaN if no series has a window. O(rows).
#[must_use]
pub fn score_at<T: Copy + Into<f64>>(
    corpus: &[Scored<'_, T>],
    profile: Profile,
    threshold: f64,
) -> f64 {
    let parts: Vec<Part> = corpus
        .iter()
        .map(|s| part_at(*s, profile, threshold))
        .collect();
    normalise(&parts, profile)
}

/// The best threshold over all series jointly, every distinct score tried; the highest of equals. O(rows · log rows).
///
/// Walks the rows from the highest score down. The running total changes only by what a row adds: a false positive its
/// cost, a row in a window what it improves on the best of that window so far.
#[must_use]
pub fn best<T: Copy + Into<f64>>(corpus: &[Scored<'_, T>], profile: Profile) -> Best {
    let mut all = Vec::new();
    let mut first_window = 0;
    for series in corpus {
        all.extend(rows(*series).map(|r| Row {
            window: r.window.map(|w| w + first_window),
            ..r
        }));
        first_window += series.windows.len();
    }
    let mut windows = vec![None; first_window];
    for w in all.iter().filter_map(|r| r.window) {
        windows[w] = Some(-profile.false_negative);
    }
    let n_windows = windows.iter().flatten().count();
    let mut raw = -profile.false_negative * n_windows as f64;
    let normalised = |raw| normalise(&[Part { raw, n_windows }], profile);
    let mut best = Best {
        score: normalised(raw),
        threshold: f64::INFINITY,
    };
    all.retain(|r| !r.score.is_nan());
    all.sort_unstable_by(|a, b| b.score.total_cmp(&a.score));
    for (i, row) in all.iter().enumerate() {
        match row.window {
            Some(w) => {
                let so_far = windows[w].get_or_insert(-profile.false_negative);
                let gain = (row.place * profile.true_positive - *so_far).max(0.0);
                *so_far += gain;
                raw += gain;
            }
            None => raw += row.place * profile.false_positive,
        }
        // Rows of one score are detected together: the threshold stands only below the last of them.
        let last_of_equals = all.get(i + 1).is_none_or(|next| next.score < row.score);
        if last_of_equals && normalised(raw) > best.score {
            best = Best {
                score: normalised(raw),
                threshold: row.score,
            };
        }
    }
    best
}

/// A row after probation: its score, its window if any, and what its position is worth before weighting.
#[derive(Debug, Clone, Copy)]
struct Row {
    score: f64,
    window: Option<usize>,
    place: f64,
}

fn rows<T: Copy + Into<f64>>(series: Scored<'_, T>) -> impl Iterator<Item = Row> + '_ {
    let n = series.scores.len();
    let mut next = 0;
    (0..n)
        .map(move |i| {
            while series.windows.get(next).is_some_and(|w| w.end.min(n) <= i) {
                next += 1;
            }
            let score = series.scores[i].into();
            match series.windows.get(next) {
                Some(w) if w.start <= i => {
                    let width = (w.end.min(n) - w.start) as f64;
                    let position = -((w.end.min(n) - i) as f64) / width;
                    // Scaled so that the left edge earns exactly one.
                    Row {
                        score,
                        window: Some(next),
                        place: scaled_sigmoid(position) / scaled_sigmoid(-1.0),
                    }
                }
                Some(_) | None => {
                    let previous = series.windows[..next]
                        .iter()
                        .rev()
                        .find(|w| w.start < w.end);
                    let place = previous.map_or(-1.0, |w| {
                        let last = w.end.min(n) - 1;
                        // In a window of one row the width is zero and the distance infinite: the full cost.
                        scaled_sigmoid((i - last) as f64 / (last - w.start) as f64)
                    });
                    Row {
                        score,
                        window: None,
                        place,
                    }
                }
            }
        })
        .skip(series.probation)
}

/// 2 σ(−5 y) − 1: from +1 far left over 0 at the right edge of a window to −1; the paper's formula, clipped at 3.
fn scaled_sigmoid(y: f64) -> f64 {
    if y > 3.0 {
        -1.0
    } else {
        2.0 / (1.0 + (5.0 * y).exp()) - 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUNDING: f64 = 1e-9;

    /// 20 rows, probation 3, one window of rows 10..14; a score per row.
    fn one_window(marks: &[(usize, f32)]) -> Vec<f32> {
        let mut scores = vec![0.0; 20];
        for &(row, score) in marks {
            scores[row] = score;
        }
        scores
    }

    fn check(marks: &[(usize, f32)], profile: Profile, threshold: f64, raw_expected: f64) {
        let scores = one_window(marks);
        let window = 10..14;
        let series = Scored {
            scores: &scores,
            windows: std::slice::from_ref(&window),
            probation: 3,
        };
        let raw = part_at(series, profile, threshold).raw;
        assert!(
            (raw - raw_expected).abs() < ROUNDING,
            "raw {raw}, by hand {raw_expected}"
        );
        let expected = 100.0 * (raw_expected + profile.false_negative)
            / (profile.true_positive + profile.false_negative);
        assert!((score_at(&[series], profile, threshold) - expected).abs() < ROUNDING);
    }

    #[test]
    fn by_hand() {
        let sigmoid = |y: f64| 2.0 / (1.0 + (5.0 * y).exp()) - 1.0;
        let full = sigmoid(-1.0);
        check(&[], STANDARD, 0.5, -1.0);
        check(&[], LOW_FN, 0.5, -2.0);
        check(&[(10, 1.0)], STANDARD, 0.5, 1.0);
        // The earlier of two detections counts; probation is free; before the first window the full cost.
        check(&[(12, 1.0), (13, 0.9)], STANDARD, 0.5, sigmoid(-0.5) / full);
        check(&[(2, 1.0), (10, 1.0)], STANDARD, 0.5, 1.0);
        check(&[(3, 1.0), (10, 1.0)], LOW_FP, 0.5, 1.0 - 0.22);
        // Two rows past the end of a window of width 4 (distance 2/3), the score exactly on the threshold.
        check(
            &[(15, 0.5), (10, 1.0)],
            STANDARD,
            0.5,
            1.0 + 0.11 * sigmoid(2.0 / 3.0),
        );
    }

    #[test]
    fn the_sweep_finds_what_trying_every_score_finds() {
        let mut random = crate::rng::SplitMix::new(7);
        for _ in 0..50 {
            // Coarse scores, so that ties are common.
            let series: Vec<Vec<f64>> = (0..3)
                .map(|_| (0..60).map(|_| (random.below(12) as f64) / 10.0).collect())
                .collect();
            let windows = [vec![12..20, 30..31], vec![], vec![2..5, 40..80]];
            let corpus: Vec<Scored<'_, f64>> = series
                .iter()
                .zip(&windows)
                .map(|(scores, windows)| Scored {
                    scores,
                    windows,
                    probation: probation(60),
                })
                .collect();
            for profile in PROFILES {
                let tried = (0..=12)
                    .map(|t| score_at(&corpus, profile, f64::from(t) / 10.0))
                    .fold(f64::NEG_INFINITY, f64::max);
                let found = best(&corpus, profile);
                assert!(
                    (found.score - tried).abs() < ROUNDING,
                    "{found:?}, tried {tried}"
                );
                assert!(
                    (score_at(&corpus, profile, found.threshold) - found.score).abs() < ROUNDING
                );
            }
        }
    }

    #[test]
    fn windows_that_hold_no_row_are_no_windows() {
        let part = |windows: &[Range<usize>]| {
            part_at(
                Scored {
                    scores: &[0.0_f32, 0.0, 1.0],
                    windows,
                    probation: 0,
                },
                STANDARD,
                0.5,
            )
        };
        assert_eq!(
            part(&[0..0, 7..9]),
            Part {
                raw: -0.11,
                n_windows: 0
            }
        );
    }

    #[test]
    fn no_window_has_no_score() {
        assert!(
            best(
                &[Scored {
                    scores: &[1.0_f32; 9],
                    windows: &[],
                    probation: 1
                }],
                STANDARD
            )
            .score
            .is_nan()
        );
    }
}
