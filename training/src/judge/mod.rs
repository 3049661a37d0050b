//! A trained model against simpler forecasts, on the rows that were kept back from all of them.

mod baseline;
mod student;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::batches::Batch;
use crate::lstm::{Carry, Packed, Parameters, Tape};
use crate::recipe::Recipe;
use crate::rng::Rng;
use crate::simd::{LANES, Wide};
use crate::spool::{Role, Slice, Spool, SpoolError};
use baseline::Baseline;
use student::Student;

/// Rows that baselines are fitted to, at most; more do not move them.
const FIT_ROWS: usize = 60_000;
/// Rows that are judged, at most.
const JUDGED_ROWS: usize = 2_000_000;
/// Surprise is counted in bins of this many nats, up to where the last one begins.
const BIN_NATS: f64 = 0.02;
const N_BINS: usize = 3_000;
/// How seldom a normal sample should be as surprising as the threshold.
const THRESHOLD_SHARE: f64 = 1e-3;
/// Streams of chance.
const STREAM_FIT: u64 = 2_001;
const STREAM_JUDGE: u64 = 2_002;

/// How well one kind of forecast did, in nats per sample; lower is better.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judgement {
    /// `model`, or the name of a baseline.
    pub name: String,
    /// Mean negative log-likelihood, horizons weighted as in the recipe.
    pub nll: f64,
    /// The same of each horizon.
    pub by_horizon: Vec<f64>,
    /// Tenth, fiftieth and ninetieth percentile over series of the weighted mean of each.
    pub over_series: [f64; 3],
    /// The share of series on which the model does better; NaN for the model itself.
    #[serde(skip_serializing_if = "f64_is_nan")]
    pub model_better_share: f64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn f64_is_nan(x: &f64) -> bool {
    x.is_nan()
}

/// The model and all baselines.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    /// The model first.
    pub judgements: Vec<Judgement>,
    /// Nats below the likeliest value at horizon 1 that one sample in 1,000 exceeds.
    pub threshold: f64,
    /// Share of samples at horizon 1 outside the forecast's central 90 and 99 %: 0.1 and 0.01 when calibrated.
    pub outside: [f64; 2],
    /// Rows judged.
    pub rows: u64,
    /// Their series.
    pub series: usize,
}

/// Sums of one kind of forecast.
#[derive(Debug, Clone, Default)]
struct Sums {
    by_horizon: Vec<(f64, f64)>,
    by_series: BTreeMap<u32, (f64, f64)>,
}

impl Sums {
    fn add(&mut self, horizon: usize, series: u32, nll: f64, weight: f64) {
        if self.by_horizon.len() <= horizon {
            self.by_horizon.resize(horizon + 1, (0.0, 0.0));
        }
        let all = [
            &mut self.by_horizon[horizon],
            self.by_series.entry(series).or_default(),
        ];
        for sums in all {
            sums.0 += weight * nll;
            sums.1 += weight;
        }
    }
}

/// Judges parameters by what the recipe kept back.
///
/// # Errors
/// [`SpoolError`] when the data cannot be read back.
#[expect(clippy::cast_sign_loss, reason = "nats are at least 0")]
pub fn judge(
    recipe: &Recipe,
    spool: &Spool,
    parameters: &Parameters,
) -> Result<Verdict, SpoolError> {
    let config = recipe.learner();
    let k = config.horizons.len();
    let baselines = baseline::fit_all(recipe, &sample(recipe, spool)?);
    let mut sums = vec![Sums::default(); 1 + baselines.len()];
    let (mut bins, mut outside, mut first, mut rows) = (vec![0u64; N_BINS], [0.0; 2], 0.0, 0);
    let packed = Packed::new(parameters);
    let mut tape = Tape::new(config.shape, config.steps);
    let mut batch = Batch::new(&config, recipe.optimiser.batch);
    let mut slices = spool.slices(Role::Validation, recipe.windows.steps);
    cut(
        &mut slices,
        JUDGED_ROWS,
        &mut Rng::new(recipe.seed, STREAM_JUDGE),
    );
    let mut out = vec![Wide::ZERO; 3 * k];
    for slices in slices.chunks(batch.lanes()) {
        let windows = batch.load(spool, slices)?;
        let mut carries = vec![Carry::zero(config.shape); batch.groups.len()];
        for window in 0..windows {
            batch.fill(window);
            let lanes = batch.slices().chunks(LANES);
            for ((group, carry), lanes) in batch.groups.iter().zip(&mut carries).zip(lanes) {
                tape.run(group, &packed, carry);
                for t in 0..config.steps {
                    tape.forecasts(t, &mut out);
                    for (lane, slice) in lanes.iter().enumerate() {
                        let mut judged = false;
                        for (i, ahead) in config.horizons.iter().map(|h| t + h).enumerate() {
                            let weight = f64::from(group.weights[ahead].0[lane]);
                            if weight <= 0.0 {
                                continue;
                            }
                            judged = true;
                            let came = f64::from(group.values[ahead].0[lane]);
                            let weighted = weight * f64::from(config.horizon_weights[i]);
                            let number = |row: usize| f64::from(out[row * k + i].0[lane]);
                            let forecast = Student::new(number(0), number(1), number(2));
                            let nll = forecast.nll(came);
                            sums[0].add(i, slice.series, nll, weighted);
                            let inputs = &group.inputs[t * config.shape.inputs..];
                            let row = |j: usize| f64::from(inputs[j].0[lane]);
                            let now = f64::from(group.values[t].0[lane]);
                            for (baseline, sums) in baselines.iter().zip(&mut sums[1..]) {
                                let nll = baseline.nll(i, now, row, came);
                                sums.add(i, slice.series, nll, weighted);
                            }
                            if i == 0 {
                                let nats = (forecast.nats(came) / BIN_NATS) as usize;
                                bins[nats.min(N_BINS - 1)] += 1;
                                first += 1.0;
                                let p = forecast.two_sided(came);
                                outside[0] += f64::from(u8::from(p < 0.1));
                                outside[1] += f64::from(u8::from(p < 0.01));
                            }
                        }
                        rows += u64::from(judged);
                    }
                }
            }
        }
    }
    let names = std::iter::once("model").chain(baselines.iter().map(Baseline::name));
    let judgements = names
        .zip(&sums)
        .map(|(name, own)| judgement(name, own, &sums[0]))
        .collect();
    Ok(Verdict {
        judgements,
        threshold: exceeded(&bins, THRESHOLD_SHARE),
        outside: outside.map(|n| n / f64::max(first, 1.0)),
        rows,
        series: sums[0].by_series.len(),
    })
}

/// The nats that this share of the counts exceeds, rounded up to a bin.
fn exceeded(bins: &[u64], share: f64) -> f64 {
    let allowed = bins.iter().sum::<u64>() as f64 * share;
    let mut above = 0.0;
    let end = bins.iter().rposition(|&count| {
        above += count as f64;
        above > allowed
    });
    end.map_or(0.0, |bin| (bin + 1) as f64 * BIN_NATS)
}

fn judgement(name: &str, own: &Sums, model: &Sums) -> Judgement {
    let mean = |&(sum, weight): &(f64, f64)| sum / weight.max(f64::MIN_POSITIVE);
    let total = own
        .by_horizon
        .iter()
        .fold((0.0, 0.0), |all, (sum, weight)| {
            (all.0 + sum, all.1 + weight)
        });
    let mut series: Vec<f64> = own.by_series.values().map(mean).collect();
    let pairs = model.by_series.values().zip(own.by_series.values());
    let better = pairs.filter(|(model, own)| mean(model) < mean(own)).count();
    let model_better_share = if name == "model" {
        f64::NAN
    } else {
        better as f64 / series.len().max(1) as f64
    };
    series.sort_by(f64::total_cmp);
    let quantile = |percent: usize| {
        let place = series.len().saturating_sub(1) * percent / 100;
        series.get(place).copied().unwrap_or(f64::NAN)
    };
    Judgement {
        name: name.to_owned(),
        nll: mean(&total),
        by_horizon: own.by_horizon.iter().map(mean).collect(),
        over_series: [quantile(10), quantile(50), quantile(90)],
        model_better_share,
    }
}

/// Leaves slices of about so many rows, drawn by chance, in their order.
fn cut(slices: &mut Vec<Slice>, rows: usize, rng: &mut Rng) {
    let all: usize = slices.iter().map(|slice| slice.rows as usize).sum();
    if all > rows {
        let keep = rows as f64 / all as f64;
        slices.retain(|_| rng.chance(keep));
    }
}

/// Rows to fit baselines to: inputs, the target now, and the targets at the horizons (NaN where there is none).
struct Sample {
    inputs: Vec<f64>,
    now: f64,
    ahead: Vec<f64>,
}

/// A sample of the rows that are learned from.
fn sample(recipe: &Recipe, spool: &Spool) -> Result<Vec<Sample>, SpoolError> {
    let (row_len, f) = (spool.row_len(), recipe.shape().inputs);
    let mut slices = spool.slices(Role::Training, 0);
    // More rows than are wanted from more series than would be read: then some of each.
    let mut rng = Rng::new(recipe.seed, STREAM_FIT);
    cut(&mut slices, 8 * FIT_ROWS, &mut rng);
    let all: usize = slices.iter().map(|slice| slice.rows as usize).sum();
    let keep = FIT_ROWS as f64 / all.max(1) as f64;
    let (mut rows, mut samples) = (Vec::new(), Vec::new());
    for slice in slices {
        spool.read(slice, &mut rows)?;
        let row = |t: usize| rows.get(t * row_len..(t + 1) * row_len);
        for t in 0..slice.steps as usize {
            let Some(here) = row(t) else { continue };
            if !rng.chance(keep) {
                continue;
            }
            let ahead = recipe.model.horizons.iter().map(|&h| {
                let there = row(t + h as usize).filter(|row| row[f + 1] > 0.0);
                there.map_or(f64::NAN, |row| f64::from(row[f]))
            });
            samples.push(Sample {
                inputs: here[..f].iter().map(|&x| f64::from(x)).collect(),
                now: f64::from(here[f]),
                ahead: ahead.collect(),
            });
        }
    }
    Ok(samples)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threshold_is_what_one_in_so_many_exceeds() {
        let mut bins = vec![0; N_BINS];
        bins[0] = 9_990;
        bins[100] = 9;
        bins[200] = 1;
        // Ten of 10,000 are allowed above, and there are ten above the first bin.
        assert!((exceeded(&bins, 1e-3) - 0.02).abs() < 1e-9);
        bins[200] = 2;
        assert!((exceeded(&bins, 1e-3) - 2.02).abs() < 1e-9);
        assert!(exceeded(&[0; 4], 1e-3).abs() < 1e-9);
    }
}
