//! The gate: a candidate beside the champion on samples that neither was trained on.
//!
//! A candidate is refused when it is worse by more than its noise: when the 90 % interval of the paired difference lies
//! wholly beyond a stated margin. What cannot be told apart passes. With few series, blocks of 64 samples are resampled
//! in place of series, which is kinder to the noise than to pretend that there is none.

mod held_out;
mod latency;
mod replay;
mod report;
mod spread;
mod student;

pub use held_out::{HeldOut, Mark, Sequence};
pub use latency::step_us;
pub use replay::{PIT_BINS, Replayed};
pub use report::{Figures, Report, Verdict};
pub use spread::Difference;

pub(crate) use replay::replay;

use predict::forecast::{Model, StepError};
use replay::{COVERAGE, Sums};
use serde::{Deserialize, Serialize};

/// Fewer series than this are resampled in blocks.
const ENOUGH_SERIES: usize = 8;
/// The share of normal samples that may be flagged when detection is measured.
const FLAGGED: f64 = 0.005;

/// How much worse is too much.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Mean negative log density of the forecasts, in nats.
    pub nats: f64,
    /// Share of normal samples that are false alarms.
    pub false_alarms: f64,
    /// How much further the coverage of the 90 % interval may be from 0.9.
    pub coverage: f64,
    /// Most microseconds per series and step at batch 128.
    pub step_us: f64,
    /// Fewest normal samples to judge by.
    pub min_samples: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            nats: 0.01,
            false_alarms: 0.0005,
            coverage: 0.01,
            step_us: 20.0,
            min_samples: 2_000,
        }
    }
}

/// Compares `candidate` with `champion`. `time` says how long a step of a model takes: [`step_us`], but for tests.
///
/// # Errors
/// [`StepError`] when the champion cannot be run. A candidate that cannot be run is refused.
pub fn compare(
    champion: &dyn Model,
    candidate: &dyn Model,
    held_out: &HeldOut,
    limits: &Limits,
    time: impl Fn(&dyn Model) -> Result<f64, StepError>,
) -> Result<Report, StepError> {
    let of_candidate = candidate.signature().horizons();
    let horizons: Vec<u32> = champion
        .signature()
        .horizons()
        .iter()
        .copied()
        .filter(|horizon| of_candidate.contains(horizon))
        .collect();
    let old = replay(champion, held_out, &horizons)?;
    let old_us = time(champion)?;
    let mut report = Report {
        champion: champion.version().to_owned(),
        candidate: candidate.version().to_owned(),
        n_series: held_out.n_series(),
        n_series_left_out: held_out.left_out(),
        n_samples: old.normal.len(),
        n_faults: old.faults.len(),
        horizons: horizons.clone(),
        limits: *limits,
        figures: None,
        verdict: Verdict::Passed,
    };
    let run = replay(candidate, held_out, &horizons).and_then(|new| Ok((new, time(candidate)?)));
    let (new, new_us) = match run {
        Ok(run) => run,
        Err(error) => {
            report.verdict = Verdict::Refused(vec![error.to_string()]);
            return Ok(report);
        }
    };
    if old.normal.len() < limits.min_samples.max(1) {
        report.verdict = Verdict::Undecided(format!(
            "{} normal samples were held back, {} are needed to judge by",
            old.normal.len(),
            limits.min_samples
        ));
        return Ok(report);
    }
    let figures = figures(&old, &new, [old_us, new_us]);
    report.verdict = verdict(&figures, limits);
    report.figures = Some(figures);
    Ok(report)
}

/// Blocks, or series when there are enough of them: champion and candidate in the same order.
fn units(old: &Replayed, new: &Replayed) -> Vec<[Sums; 2]> {
    let pairs: Vec<[Sums; 2]> = old
        .blocks
        .iter()
        .zip(&new.blocks)
        .map(|(a, b)| [*a, *b])
        .filter(|[a, _]| a.samples > 0.0)
        .collect();
    let mut by_series: Vec<[Sums; 2]> = Vec::new();
    for pair in &pairs {
        match by_series.last_mut() {
            Some([a, b]) if a.series == pair[0].series => {
                a.add(&pair[0]);
                b.add(&pair[1]);
            }
            _ => by_series.push(*pair),
        }
    }
    if by_series.len() >= ENOUGH_SERIES {
        by_series
    } else {
        pairs
    }
}

fn figures(old: &Replayed, new: &Replayed, step_us: [f64; 2]) -> Figures {
    let units = units(old, new);
    let all: Vec<usize> = (0..units.len()).collect();
    // Each series counts alike, however often it was sampled.
    let nats = |side: usize, drawn: &[usize]| {
        let means = drawn
            .iter()
            .map(|&i| units[i][side].nll / units[i][side].forecasts);
        means.sum::<f64>() / drawn.len() as f64
    };
    let share = |side: usize, drawn: &[usize], part: fn(&Sums) -> f64| {
        let sums = drawn.iter().map(|&i| &units[i][side]);
        let (some, all) = sums.fold((0.0, 0.0), |(some, all), sums| {
            (some + part(sums), all + sums.samples)
        });
        some / all
    };
    let alarms = |side, drawn: &[usize]| share(side, drawn, |sums| sums.alarms);
    let coverage = |side, drawn: &[usize]| share(side, drawn, |sums| sums.covered);
    let error = |side, drawn: &[usize]| (coverage(side, drawn) - COVERAGE).abs();
    let n = units.len();
    Figures {
        nats: [nats(0, &all), nats(1, &all)],
        nats_difference: Difference::over(n, |drawn| nats(1, drawn) - nats(0, drawn)),
        false_alarms: [alarms(0, &all), alarms(1, &all)],
        false_alarms_difference: Difference::over(n, |drawn| alarms(1, drawn) - alarms(0, drawn)),
        coverage: [coverage(0, &all), coverage(1, &all)],
        coverage_error_difference: Difference::over(n, |drawn| error(1, drawn) - error(0, drawn)),
        recall: both(old, new, recall),
        rank: both(old, new, rank),
        step_us,
    }
}

fn both(old: &Replayed, new: &Replayed, figure: fn(&[f32], &[f32]) -> f64) -> Option<[f64; 2]> {
    let is_there = !old.faults.is_empty() && !old.normal.is_empty();
    is_there.then(|| [old, new].map(|side| figure(&side.normal, &side.faults)))
}

/// The share of faults that are flagged when as many normal samples are as [`FLAGGED`] allows.
fn recall(normal: &[f32], faults: &[f32]) -> f64 {
    let mut sorted = normal.to_vec();
    sorted.sort_unstable_by(f32::total_cmp);
    #[expect(clippy::cast_sign_loss, reason = "a share of a length")]
    let place = ((1.0 - FLAGGED) * sorted.len() as f64) as usize;
    let threshold = sorted[place.min(sorted.len() - 1)];
    let flagged = faults
        .iter()
        .filter(|&&surprise| surprise > threshold)
        .count();
    flagged as f64 / faults.len() as f64
}

/// The mean rank of faults among normal samples, 0 to 1: Mann & Whitney's statistic (1947), ties counted by half.
fn rank(normal: &[f32], faults: &[f32]) -> f64 {
    let mut sorted = normal.to_vec();
    sorted.sort_unstable_by(f32::total_cmp);
    let ranks = faults.iter().map(|fault| {
        let below = sorted.partition_point(|x| x.total_cmp(fault).is_lt());
        let not_above = sorted.partition_point(|x| x.total_cmp(fault).is_le());
        (below + not_above) as f64 / 2.0
    });
    ranks.sum::<f64>() / faults.len() as f64 / normal.len() as f64
}

fn verdict(figures: &Figures, limits: &Limits) -> Verdict {
    let mut against = Vec::new();
    let mut hold = |what: &str, difference: &Difference, margin: f64| {
        // A difference that is not defined speaks against the candidate too.
        if difference.low.is_nan() || difference.low > margin {
            against.push(format!(
                "{what} is worse by {:.4} (90 % interval {:.4} to {:.4}), at most {margin} is let pass",
                difference.value, difference.low, difference.high
            ));
        }
    };
    hold("accuracy in nats", &figures.nats_difference, limits.nats);
    hold(
        "share of false alarms",
        &figures.false_alarms_difference,
        limits.false_alarms,
    );
    hold(
        "error of coverage",
        &figures.coverage_error_difference,
        limits.coverage,
    );
    let [_, step_us] = figures.step_us;
    if step_us.is_nan() || step_us > limits.step_us {
        against.push(format!(
            "a step takes {step_us:.2} µs per series at batch 128, at most {} is let pass",
            limits.step_us
        ));
    }
    if against.is_empty() {
        Verdict::Passed
    } else {
        Verdict::Refused(against)
    }
}

#[cfg(test)]
mod tests;
