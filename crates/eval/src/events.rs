//! Alerts as a person on call meets them: how many labelled segments were alerted on, and how many alerts were false.
//!
//! An alert fires when the score reaches the threshold and is then silent for [`SILENCE`] samples. Neighbouring alerts
//! are never merged into one: if they were, a constant score would count as a single false alarm and win.

use std::ops::Range;

use serde::Serialize;

use crate::{Labelled, segments};

/// Samples after an alert in which the same series cannot alert again.
pub const SILENCE: usize = 12;
/// Thresholds tried: enough that neighbouring ones differ by about 3 % in samples detected on half a million samples.
const N_THRESHOLDS: usize = 400;

/// What one threshold leads to, in counts that add up over series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// Labelled segments, and those of them in which a sample reaches the threshold.
    pub segments: usize,
    /// See `segments`.
    pub segments_hit: usize,
    /// Alerts on labelled samples.
    pub alerts_inside: usize,
    /// Alerts on samples without a label: false alarms.
    pub alerts_outside: usize,
    /// Samples without a label.
    pub normal_samples: usize,
}

impl Counts {
    /// Share of labelled segments hit; NaN without a segment.
    #[must_use]
    pub fn recall(&self) -> f64 {
        self.segments_hit as f64 / self.segments as f64
    }

    /// Share of alerts that are inside labels; 0 without an alert.
    #[must_use]
    pub fn precision(&self) -> f64 {
        self.alerts_inside as f64 / (self.alerts_inside + self.alerts_outside).max(1) as f64
    }

    /// Harmonic mean of recall and precision; 0 if both are, NaN without a segment.
    #[must_use]
    pub fn f1(&self) -> f64 {
        let (recall, precision) = (self.recall(), self.precision());
        // Not `max`, which would turn the NaN of a set without segments into a score.
        if recall + precision <= 0.0 {
            0.0
        } else {
            2.0 * recall * precision / (recall + precision)
        }
    }

    /// False alarms per 1,000 normal samples; 0 without a normal sample.
    #[must_use]
    pub fn false_per_1000(&self) -> f64 {
        1_000.0 * self.alerts_outside as f64 / self.normal_samples.max(1) as f64
    }

    /// The counts of two disjoint sets of series together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            segments: self.segments + other.segments,
            segments_hit: self.segments_hit + other.segments_hit,
            alerts_inside: self.alerts_inside + other.alerts_inside,
            alerts_outside: self.alerts_outside + other.alerts_outside,
            normal_samples: self.normal_samples + other.normal_samples,
        }
    }
}

/// One point of the trade-off between missing and crying wolf.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Point {
    /// On the scale of the scores.
    pub threshold: f64,
    /// Over all series of the set.
    pub counts: Counts,
}

/// The counts of one series at `threshold`.
#[must_use]
pub fn at<T: Copy + Into<f64>>(series: Labelled<'_, T>, threshold: f64) -> Counts {
    let (labels, scores) = series.paired();
    walk(labels, &segments(labels), |i| scores[i].into() >= threshold)
}

/// The trade-off curve of a set of series, thresholds from the highest down; empty without a comparable score.
///
/// Thresholds are scores at geometrically spaced ranks of the pooled scores, so the tail, where alerting happens, is
/// tried score by score. One pass over the rows for each: O(400 · rows).
#[must_use]
pub fn curve<T: Copy + Into<f64>>(set: &[Labelled<'_, T>]) -> Vec<Point> {
    let thresholds = thresholds(set);
    // A small integer per sample, the first threshold it reaches, makes the passes several times cheaper.
    let prepared: Vec<_> = set
        .iter()
        .map(|s| {
            let (labels, scores) = s.paired();
            let first: Vec<u16> = scores
                .iter()
                .map(|v| first_reached(&thresholds, (*v).into()))
                .collect();
            (labels, segments(labels), first)
        })
        .collect();
    thresholds
        .iter()
        .zip(0_u16..)
        .map(|(&threshold, t)| {
            let counts = prepared
                .iter()
                .map(|(labels, found, first)| walk(labels, found, |i| first[i] <= t))
                .fold(Counts::default(), Counts::plus);
            Point { threshold, counts }
        })
        .collect()
}

/// The point with the best F1, the highest threshold of equals; `None` if the set has no segment or no score.
#[must_use]
pub fn best_f1(curve: &[Point]) -> Option<Point> {
    let mut best: Option<Point> = None;
    for point in curve.iter().filter(|p| p.counts.segments > 0) {
        if best.is_none_or(|b| point.counts.f1() > b.counts.f1()) {
            best = Some(*point);
        }
    }
    best
}

/// The point of greatest recall among those with at most `false_per_1000` false alarms per 1,000 normal samples, the
/// highest threshold of equals; `None` if no point keeps to the limit.
#[must_use]
pub fn at_false_rate(curve: &[Point], false_per_1000: f64) -> Option<Point> {
    let mut best: Option<Point> = None;
    for point in curve
        .iter()
        .filter(|p| p.counts.false_per_1000() <= false_per_1000)
    {
        if best.is_none_or(|b| point.counts.segments_hit > b.counts.segments_hit) {
            best = Some(*point);
        }
    }
    best
}

fn walk(labels: &[bool], found: &[Range<usize>], reaches: impl Fn(usize) -> bool) -> Counts {
    let mut counts = Counts {
        segments: found.len(),
        segments_hit: found.iter().filter(|s| (*s).clone().any(&reaches)).count(),
        normal_samples: labels.len() - found.iter().map(ExactSizeIterator::len).sum::<usize>(),
        ..Counts::default()
    };
    let mut i = 0;
    while i < labels.len() {
        if reaches(i) {
            if labels[i] {
                counts.alerts_inside += 1;
            } else {
                counts.alerts_outside += 1;
            }
            i += SILENCE;
        }
        i += 1;
    }
    counts
}

fn thresholds<T: Copy + Into<f64>>(set: &[Labelled<'_, T>]) -> Vec<f64> {
    let mut pooled: Vec<f64> = set
        .iter()
        .flat_map(|s| s.paired().1)
        .map(|v| (*v).into())
        .filter(|v: &f64| !v.is_nan())
        .collect();
    pooled.sort_unstable_by(|a, b| b.total_cmp(a));
    let growth = (pooled.len() as f64).powf(1.0 / N_THRESHOLDS as f64);
    let mut picked: Vec<f64> = Vec::new();
    let mut rank = 1.0_f64;
    let mut next = 0;
    while let Some(score) = pooled.get(next) {
        if picked.last().is_none_or(|last| score < last) {
            picked.push(*score);
        }
        // At least one further; the cap on the count keeps the `u16` of `curve` valid whatever the rounding.
        rank = (rank * growth).max(rank + 1.0);
        next = (next + 1).max(whole(rank) - 1);
        if next >= pooled.len() && picked.last() > pooled.last() {
            next = pooled.len() - 1;
        }
    }
    picked
}

fn whole(rank: f64) -> usize {
    #[expect(clippy::cast_sign_loss, reason = "ranks start at one and only grow")]
    let rank = rank as usize;
    rank
}

fn first_reached(thresholds: &[f64], score: f64) -> u16 {
    if score.is_nan() {
        return u16::MAX;
    }
    u16::try_from(thresholds.partition_point(|t| *t > score)).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(n: usize, odd: Range<usize>) -> Vec<bool> {
        (0..n).map(|i| odd.contains(&i)).collect()
    }

    #[test]
    fn silence_and_segments_by_hand() {
        let labels = labels(40, 20..25);
        let mut scores = vec![0.0; 40];
        // Fires at 10; 22 is within its silence and yet hits the segment; 23 may fire again.
        for i in [10, 22, 23, 30, 36] {
            scores[i] = 1.0;
        }
        let counts = at(
            Labelled {
                labels: &labels,
                scores: &scores,
            },
            1.0,
        );
        let expected = Counts {
            segments: 1,
            segments_hit: 1,
            alerts_inside: 1,
            alerts_outside: 2,
            normal_samples: 35,
        };
        assert_eq!(counts, expected);
        scores[23] = 0.0;
        let counts = at(
            Labelled {
                labels: &labels,
                scores: &scores,
            },
            1.0,
        );
        assert_eq!(
            (
                counts.segments_hit,
                counts.alerts_inside,
                counts.alerts_outside
            ),
            (1, 0, 2)
        );
    }

    #[test]
    fn a_constant_score_does_not_win() {
        let labels = labels(13_000, 5_000..5_100);
        let points = curve(&[Labelled {
            labels: &labels,
            scores: &[0.3_f32; 13_000],
        }]);
        assert_eq!(points.len(), 1);
        assert_eq!(
            points[0].counts.alerts_inside + points[0].counts.alerts_outside,
            1_000
        );
        let best = best_f1(&points).expect("there is a segment");
        assert!(best.counts.f1() < 0.02, "{best:?}");
        assert!(at_false_rate(&points, 1.0).is_none());
    }

    #[test]
    fn the_curve_agrees_with_single_thresholds() {
        let mut random = crate::rng::SplitMix::new(5);
        let sets: Vec<(Vec<bool>, Vec<f32>)> = (0..3)
            .map(|k| {
                let labels = labels(3_000, 1_000 * k..1_000 * k + 50);
                let scores = labels
                    .iter()
                    .map(|l| random.unit() + if *l { 0.3 } else { 0.0 })
                    .collect();
                (labels, scores)
            })
            .collect();
        let set: Vec<Labelled<'_>> = sets
            .iter()
            .map(|(labels, scores)| Labelled { labels, scores })
            .collect();
        let points = curve(&set);
        for point in &points {
            let direct = set
                .iter()
                .map(|s| at(*s, point.threshold))
                .fold(Counts::default(), Counts::plus);
            assert_eq!(point.counts, direct);
        }
        assert!(points.windows(2).all(|p| p[0].threshold > p[1].threshold));
        let lowest: f64 = sets
            .iter()
            .flat_map(|s| &s.1)
            .copied()
            .fold(f32::INFINITY, f32::min)
            .into();
        assert!(
            points.last().is_some_and(|p| p.threshold <= lowest),
            "the curve ends at the lowest score"
        );
        assert!(points.len() <= N_THRESHOLDS + 1);
        let quiet = at_false_rate(&points, 1.0).expect("scores above one are only in labels");
        assert!(quiet.counts.false_per_1000() <= 1.0 && quiet.counts.segments_hit == 3);
    }

    #[test]
    fn nan_is_never_an_alert() {
        let counts = at(
            Labelled {
                labels: &[true, false],
                scores: &[f32::NAN, f32::NAN],
            },
            f64::NEG_INFINITY,
        );
        assert_eq!(counts.segments_hit + counts.alerts_outside, 0);
        assert!(
            curve(&[Labelled {
                labels: &[true],
                scores: &[f32::NAN]
            }])
            .is_empty()
        );
    }
}
