//! Volume under the precision-recall surface: how well scores rank anomalous samples, with forgiving edges.
//!
//! Paparrizos et al., "Volume Under the Surface", VLDB 2022, in the form that TSB-AD uses (Liu & Paparrizos, NeurIPS
//! 2024). For each buffer width w in 0..=L the label slopes down from 1 at an anomaly's edge as √(1 − d/w) over w/2
//! samples to either side. With 250 thresholds at evenly spaced ranks of the scores:
//!
//! - true positives T = the extended label summed over the samples at or above the threshold,
//! - precision = T / number of those samples,
//! - recall = min(1, T / (P + B/2)) · share of extended segments hit, with P labelled samples and B the part of T that
//!   lies in the slopes,
//! - average precision of w = Σ (recall − previous recall) · precision.
//!
//! The volume is the mean over w.

use std::ops::Range;

use crate::segments;

const N_THRESHOLDS: usize = 250;
/// Samples of the series that the period is found from, and the lags tried, as TSB-AD has them.
const PERIOD_SAMPLES: usize = 20_000;
const MAX_LAG: usize = 400;
const FIRST_LAG: usize = 3;
const DEFAULT_PERIOD: usize = 125;
/// Widest buffer of the tables, in samples.
pub const MAX_WINDOW: usize = 100;

/// The volume, in 0..=1; NaN without a label. `window`: the widest buffer L in samples. NaN scores rank lowest.
///
/// O(n log n + L · (250 + segments · L)): each sample falls into the first threshold that it reaches, so that one prefix
/// sum over thresholds replaces a pass over the series for each.
#[must_use]
pub fn vus_pr<T: Copy + Into<f64>>(labels: &[bool], scores: &[T], window: usize) -> f64 {
    let n = labels.len().min(scores.len());
    let anomalies = segments(&labels[..n]);
    if anomalies.is_empty() {
        return f64::NAN;
    }
    let reached = Reached::new(&scores[..n]);
    let inside = anomalies.iter().map(ExactSizeIterator::len).sum::<usize>() as f64;
    let mut true_positives = vec![0.0; reached.n_predicted.len()];
    for i in anomalies.iter().cloned().flatten() {
        true_positives[reached.by_sample[i]] += 1.0;
    }
    accumulate(&mut true_positives);

    let total: f64 = (0..=window)
        .map(|w| {
            let slopes = slope_mass(&anomalies, n, w, &reached);
            let hits = segment_hits(&anomalies, n, w, &reached);
            let mut previous = 0.0;
            let mut area = 0.0;
            for (k, &n_predicted) in reached.n_predicted.iter().enumerate() {
                let found = true_positives[k] + slopes[k];
                let recall = (found / (inside + slopes[k] / 2.0)).min(1.0) * hits[k];
                area += (recall - previous) * found / n_predicted;
                previous = recall;
            }
            area
        })
        .sum();
    total / (window + 1) as f64
}

/// Which threshold each sample is the first to reach.
struct Reached {
    /// Per sample: index of the highest threshold at or below its score.
    by_sample: Vec<usize>,
    /// Per threshold, from the highest: samples at or above it.
    n_predicted: Vec<f64>,
}

impl Reached {
    fn new<T: Copy + Into<f64>>(scores: &[T]) -> Self {
        let rank = |s: T| {
            Some(s.into())
                .filter(|s| !s.is_nan())
                .unwrap_or(f64::NEG_INFINITY)
        };
        let mut sorted: Vec<f64> = scores.iter().copied().map(rank).collect();
        sorted.sort_unstable_by(|a, b| b.total_cmp(a));
        let thresholds: Vec<f64> = (0..N_THRESHOLDS)
            .map(|k| sorted[k * (sorted.len() - 1) / (N_THRESHOLDS - 1)])
            .collect();
        let n_predicted = thresholds
            .iter()
            .map(|t| sorted.partition_point(|s| s >= t) as f64)
            .collect();
        let by_sample = scores
            .iter()
            .map(|s| thresholds.partition_point(|t| *t > rank(*s)))
            .collect();
        Self {
            by_sample,
            n_predicted,
        }
    }
}

fn accumulate(values: &mut [f64]) {
    let mut sum = 0.0;
    for value in values {
        sum += *value;
        *value = sum;
    }
}

/// Per threshold: the extended label summed over detected samples that are outside every anomaly.
fn slope_mass(anomalies: &[Range<usize>], n: usize, w: usize, reached: &Reached) -> Vec<f64> {
    let mut mass = vec![0.0; reached.n_predicted.len()];
    let half = w / 2;
    let slope = |d: usize| (1.0 - d as f64 / w as f64).sqrt();
    let gaps = std::iter::once(0)
        .chain(anomalies.iter().map(|a| a.end))
        .zip(anomalies.iter().map(|a| a.start).chain(std::iter::once(n)));
    for (k, (from, to)) in gaps.enumerate() {
        // Slopes of both neighbours, and of anomalies beyond them, add up to at most one.
        let mut add = |i: usize| {
            let before = anomalies[..k]
                .iter()
                .rev()
                .map(|a| i + 1 - a.end)
                .take_while(|d| *d <= half);
            let after = anomalies[k..]
                .iter()
                .map(|a| a.start - i)
                .take_while(|d| *d <= half);
            mass[reached.by_sample[i]] += before.chain(after).map(slope).sum::<f64>().min(1.0);
        };
        let left_end = if k == 0 { from } else { to.min(from + half) };
        let right_start = if k == anomalies.len() {
            to
        } else {
            from.max(to.saturating_sub(half))
        };
        (from..left_end).for_each(&mut add);
        (left_end.max(right_start)..to).for_each(&mut add);
    }
    accumulate(&mut mass);
    mass
}

/// Per threshold: the share of extended segments (anomalies whose buffers touch count as one) with a detection.
fn segment_hits(anomalies: &[Range<usize>], n: usize, w: usize, reached: &Reached) -> Vec<f64> {
    let half = w / 2;
    let mut merged: Vec<Range<usize>> = Vec::new();
    for a in anomalies {
        let extended = a.start.saturating_sub(half)..n.min(a.end + half);
        match merged.last_mut() {
            Some(last) if a.start < last.end + half => last.end = extended.end,
            Some(_) | None => merged.push(extended),
        }
    }
    let mut hits = vec![0.0; reached.n_predicted.len()];
    for segment in &merged {
        if let Some(first) = reached.by_sample[segment.clone()].iter().min() {
            hits[*first] += 1.0 / merged.len() as f64;
        }
    }
    accumulate(&mut hits);
    hits
}

/// The period of a series in samples: the lag of the highest local peak of the autocorrelation; 125 if there is none or
/// it lies outside the bounds.
///
/// As TSB-AD finds it: first 20,000 samples, lags 3 to 400, the bounds 3 to 300 applied to lag − 3. O(400 · n).
#[must_use]
pub fn period(values: &[f64]) -> usize {
    let values = &values[..values.len().min(PERIOD_SAMPLES)];
    let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
    let centred: Vec<f64> = values.iter().map(|v| v - mean).collect();
    let power: f64 = centred.iter().map(|v| v * v).sum();
    // A constant series, or one with a value that is not finite, has no period.
    if !(power > 0.0 && power.is_finite()) {
        return DEFAULT_PERIOD;
    }
    let correlation: Vec<f64> = (FIRST_LAG..=MAX_LAG.min(values.len().saturating_sub(1)))
        .map(|lag| {
            centred
                .iter()
                .zip(&centred[lag..])
                .map(|(a, b)| a * b)
                .sum::<f64>()
                / power
        })
        .collect();
    let peak = correlation
        .windows(3)
        .enumerate()
        .filter(|(_, c)| c[1] > c[0] && c[1] > c[2])
        .max_by(|(_, a), (_, b)| a[1].total_cmp(&b[1]))
        .map(|(i, _)| i + 1);
    match peak {
        Some(i) if (3..=300).contains(&i) => i + FIRST_LAG,
        Some(_) | None => DEFAULT_PERIOD,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition, spelt out over whole arrays for each width and threshold.
    fn naive(labels: &[bool], scores: &[f32], window: usize) -> f64 {
        let n = labels.len();
        let odd = |i: i64| usize::try_from(i).is_ok_and(|i| i < n && labels[i]);
        let mut sorted = scores.to_vec();
        sorted.sort_by(|a, b| b.total_cmp(a));
        let mut volume = 0.0;
        for w in 0..=window {
            let half = (w / 2) as i64;
            let edge_slopes = |i: i64| {
                (1..=half)
                    .map(|d| {
                        let slope = (1.0 - d as f64 / w as f64).sqrt();
                        let right_of = odd(i - d) && !odd(i - d + 1);
                        let left_of = odd(i + d) && !odd(i + d - 1);
                        slope * (f64::from(right_of) + f64::from(left_of))
                    })
                    .sum::<f64>()
            };
            let extended: Vec<f64> = (0..n as i64)
                .map(|i| if odd(i) { 1.0 } else { edge_slopes(i).min(1.0) })
                .collect();
            // The reference's rule: two anomalies are one segment when a sample lies in the buffers of both; touching is not enough.
            let near =
                |a: &Range<usize>, i: i64| i >= a.start as i64 - half && i < a.end as i64 + half;
            let mut groups: Vec<Vec<usize>> = Vec::new();
            let mut previous_anomaly: Option<Range<usize>> = None;
            for a in segments(labels) {
                let reach = (0..n).filter(|i| near(&a, *i as i64)).collect::<Vec<_>>();
                match (&previous_anomaly, groups.last_mut()) {
                    (Some(p), Some(g)) if reach.iter().any(|i| near(p, *i as i64)) => {
                        g.extend(reach)
                    }
                    _ => groups.push(reach),
                }
                previous_anomaly = Some(a);
            }
            let (mut area, mut previous) = (0.0, 0.0);
            for k in 0..250 {
                let threshold = sorted[k * (n - 1) / 249];
                let predicted: Vec<usize> = (0..n).filter(|i| scores[*i] >= threshold).collect();
                let found: f64 = predicted.iter().map(|i| extended[*i]).sum();
                let labelled = labels.iter().filter(|l| **l).count() as f64;
                let in_slopes: f64 = predicted
                    .iter()
                    .filter(|i| !labels[**i])
                    .map(|i| extended[*i])
                    .sum();
                let hit = groups
                    .iter()
                    .filter(|g| predicted.iter().any(|i| g.contains(i)))
                    .count();
                let recall = (found / (labelled + in_slopes / 2.0)).min(1.0) * hit as f64
                    / groups.len() as f64;
                area += (recall - previous) * found / predicted.len() as f64;
                previous = recall;
            }
            volume += area;
        }
        volume / (window + 1) as f64
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn fast_is_the_definition(
            // Mostly runs, so that gaps of every width occur, with ties among the scores.
            runs in proptest::collection::vec((any::<bool>(), 1..15_usize), 1..15),
            levels in proptest::collection::vec(0..30_u8, 210),
            window in 0..24_usize,
        ) {
            let labels: Vec<bool> = runs.iter().flat_map(|(odd, n)| std::iter::repeat_n(*odd, *n)).collect();
            let scores: Vec<f32> = levels[..labels.len()].iter().map(|l| f32::from(*l)).collect();
            prop_assume!(labels.contains(&true));
            let (fast, slow) = (vus_pr(&labels, &scores, window), naive(&labels, &scores, window));
            prop_assert!((fast - slow).abs() < 1e-9, "{fast} against {slow}");
        }
    }

    #[test]
    fn by_hand() {
        let labels: Vec<bool> = (0..1_000).map(|i| (400..500).contains(&i)).collect();
        let perfect: Vec<f32> = labels.iter().map(|l| if *l { 1.0 } else { 0.0 }).collect();
        let constant = vec![0.5; 1_000];
        // Without a buffer a perfect ranking has area one; a constant one has recall 1 at precision 0.1.
        assert!((vus_pr(&labels, &perfect, 0) - 1.0).abs() < 1e-9);
        assert!((vus_pr(&labels, &constant, 0) - 0.1).abs() < 1e-9);
        let mut random = crate::rng::SplitMix::new(3);
        let noise: Vec<f32> = (0..1_000).map(|_| random.unit()).collect();
        assert!((vus_pr(&labels, &noise, 0) - 0.1).abs() < 0.04);
        assert!(vus_pr(&[false; 10], &[1.0_f32; 10], 5).is_nan());
        assert!(vus_pr::<f64>(&[], &[], 5).is_nan());
    }

    #[test]
    fn one_threshold_with_a_buffer() {
        // Constant score, one anomaly of 4 in 20, w = 2: both slopes hold √½, so T = 4 + √2 and recall is capped at 1.
        let labels: Vec<bool> = (0..20).map(|i| (8..12).contains(&i)).collect();
        let flat = 4.0 / 20.0;
        let sloped = (4.0 + 2.0_f64.sqrt()) / 20.0;
        let expected = (flat + flat + sloped) / 3.0;
        assert!((vus_pr(&labels, &[0.0; 20], 2) - expected).abs() < 1e-9);
    }

    #[test]
    fn periods() {
        let sine = |p: f64| {
            (0..5_000)
                .map(|i| (i as f64 * std::f64::consts::TAU / p).sin())
                .collect::<Vec<_>>()
        };
        assert_eq!(period(&sine(48.0)), 48);
        assert_eq!(period(&sine(280.0)), 280);
        assert_eq!(period(&[1.0; 500]), DEFAULT_PERIOD);
        assert_eq!(
            period(&(0..500).map(f64::from).collect::<Vec<_>>()),
            DEFAULT_PERIOD
        );
        assert_eq!(period(&[]), DEFAULT_PERIOD);
    }
}
