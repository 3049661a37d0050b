//! One model over held-back samples: what it forecast, and what came.

use predict::forecast::{Batch, Model, Signature, StepError, TARGET};

use super::held_out::{HeldOut, Mark, Sequence};
use super::student;

/// Series that go through the model together, as in the engine.
pub(super) const BATCH: usize = 128;
/// Samples at the head of each series that are not judged: the state starts from nothing.
const WARM_UP: usize = 32;
/// Targets are held within so many sigmas, as in training and in the detector.
const MOST: f32 = 100.0;
/// log2 of the gap, in usual steps, after which a forecast was for another time.
const LONGEST_GAP: f32 = 2.0;
/// Consecutive samples of one series that are resampled together.
const BLOCK: usize = 64;
/// The share of normal samples that should lie within the interval whose coverage is measured.
pub(super) const COVERAGE: f64 = 0.9;
/// Samples less likely than this are false alarms when they are normal.
pub(super) const ALARM: f64 = 0.001;
/// Bins of the histogram of where samples fell within their forecasts.
pub const PIT_BINS: usize = 10;

/// Sums over some consecutive samples of one series.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Sums {
    /// Which series, in order of [`HeldOut::sequences`].
    pub(super) series: usize,
    /// Forecasts of any horizon that were judged.
    pub(super) forecasts: f64,
    /// Negative log densities over all those.
    pub(super) nll: f64,
    /// Samples judged at the first horizon.
    pub(super) samples: f64,
    /// Of these, how many were less likely than [`ALARM`].
    pub(super) alarms: f64,
    /// Of these, how many were within the central interval of [`COVERAGE`].
    pub(super) covered: f64,
}

impl Sums {
    pub(super) fn add(&mut self, other: &Self) {
        self.forecasts += other.forecasts;
        self.nll += other.nll;
        self.samples += other.samples;
        self.alarms += other.alarms;
        self.covered += other.covered;
    }
}

/// What came of a replay.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Replayed {
    /// In the same order for every model over the same samples.
    pub(super) blocks: Vec<Sums>,
    /// How far out normal samples lay: minus the logarithm of the share beyond.
    pub(super) normal: Vec<f32>,
    /// The same of faults.
    pub(super) faults: Vec<f32>,
    /// Where normal samples fell within their forecasts: even, when forecasts are right.
    pub pit: [u64; PIT_BINS],
}

/// Runs `model` over all of `held_out`. Forecasts of `horizons` are judged, those that both models of a comparison have.
///
/// # Errors
/// [`StepError`] of the model, or when it forecasts what is no distribution.
pub(crate) fn replay(
    model: &dyn Model,
    held_out: &HeldOut,
    horizons: &[u32],
) -> Result<Replayed, StepError> {
    let signature = model.signature();
    let places: Vec<(usize, usize)> = horizons
        .iter()
        .filter_map(|horizon| {
            let place = signature.horizons().iter().position(|h| h == horizon)?;
            Some((place, *horizon as usize))
        })
        .collect();
    let mut session = model.session()?;
    let mut replayed = Replayed::default();
    let mut batch = Batch::default();
    let sequences = held_out.sequences();
    for (n, group) in sequences.chunks(BATCH).enumerate() {
        let mut judges: Vec<Judge> = (0..group.len())
            .map(|i| Judge::new(n * BATCH + i))
            .collect();
        let longest = group.first().map_or(0, |sequence| sequence.columns.len());
        let mut rows = group.len();
        batch.resize(rows, signature);
        batch.h.fill(0.0);
        batch.c.fill(0.0);
        for step in 0..longest {
            let still = group[..rows].partition_point(|sequence| sequence.columns.len() > step);
            if still < rows {
                rows = still;
                shrink(&mut batch, signature, rows);
            }
            fill(&mut batch, signature, &group[..rows], step);
            session.step(&mut batch)?;
            for (row, (sequence, judge)) in group[..rows].iter().zip(&mut judges).enumerate() {
                for &(place, horizon) in &places {
                    let at = row * signature.horizons().len() + place;
                    let forecast = Forecast {
                        location: f64::from(batch.location[at]),
                        scale: f64::from(batch.scale[at]),
                        tail: f64::from(batch.tail[at]),
                    };
                    judge.judge(&forecast, sequence, step, horizon, &mut replayed)?;
                }
            }
        }
        for judge in judges {
            replayed.blocks.extend(judge.blocks);
        }
    }
    Ok(replayed)
}

/// Keeps the states of the first rows: the longest series come first.
fn shrink(batch: &mut Batch, signature: &Signature, rows: usize) {
    let (h, c) = (std::mem::take(&mut batch.h), std::mem::take(&mut batch.c));
    batch.resize(rows, signature);
    let n = rows * signature.hidden();
    batch.h.copy_from_slice(&h[..n]);
    batch.c.copy_from_slice(&c[..n]);
}

fn fill(batch: &mut Batch, signature: &Signature, group: &[&Sequence], step: usize) {
    let inputs = signature.inputs();
    for (sequence, x) in group.iter().zip(batch.x.chunks_exact_mut(inputs.len())) {
        let columns = &sequence.columns[step];
        for (place, &column) in x.iter_mut().zip(inputs) {
            let value = columns[column];
            *place = signature.soften(if value.is_finite() { value } else { 0.0 });
        }
    }
}

struct Forecast {
    location: f64,
    scale: f64,
    tail: f64,
}

struct Judge {
    series: usize,
    blocks: Vec<Sums>,
}

impl Judge {
    const fn new(series: usize) -> Self {
        Self {
            series,
            blocks: Vec::new(),
        }
    }

    /// Holds the forecast made at `step` for `horizon` samples later against what came.
    fn judge(
        &mut self,
        forecast: &Forecast,
        sequence: &Sequence,
        step: usize,
        horizon: usize,
        replayed: &mut Replayed,
    ) -> Result<(), StepError> {
        let Forecast {
            location,
            scale,
            tail,
        } = *forecast;
        if !(location.is_finite()
            && scale.is_finite()
            && scale > 0.0
            && tail >= 2.0
            && tail.is_finite())
        {
            return Err(StepError(format!(
                "it forecasts location {location}, scale {scale} and tail {tail}, which is no distribution"
            )));
        }
        let place = step + horizon;
        let (Some(columns), Some(mark)) = (sequence.columns.get(place), sequence.marks.get(place))
        else {
            return Ok(());
        };
        let target = columns[TARGET];
        // A gap anywhere on the way moves the target to another time; the target's own gap is the most likely one.
        if step < WARM_UP || !target.is_finite() || columns[features::column::GAP] > LONGEST_GAP {
            return Ok(());
        }
        let x = f64::from(target.clamp(-MOST, MOST));
        let z = (x - location) / scale;
        let is_first = horizon == 1;
        match mark {
            Mark::Unknown => {}
            Mark::Fault => {
                if is_first {
                    replayed.faults.push(surprise(student::beyond(z, tail)));
                }
            }
            Mark::Normal => {
                let sums = self.block(step);
                sums.forecasts += 1.0;
                sums.nll += student::negative_log_density(x, location, scale, tail);
                if is_first {
                    let share = student::below(z, tail);
                    let beyond = student::beyond(z, tail);
                    sums.samples += 1.0;
                    sums.alarms += f64::from(u8::from(beyond < ALARM));
                    sums.covered += f64::from(u8::from(beyond >= 1.0 - COVERAGE));
                    replayed.normal.push(surprise(beyond));
                    replayed.pit[bin(share)] += 1;
                }
            }
        }
        Ok(())
    }

    fn block(&mut self, step: usize) -> &mut Sums {
        let block = step / BLOCK;
        if self.blocks.len() <= block {
            let series = self.series;
            self.blocks.resize(
                block + 1,
                Sums {
                    series,
                    ..Sums::default()
                },
            );
        }
        &mut self.blocks[block]
    }
}

fn surprise(beyond: f64) -> f32 {
    -beyond.max(f64::MIN_POSITIVE).ln() as f32
}

fn bin(share: f64) -> usize {
    #[expect(clippy::cast_sign_loss, reason = "a share is at least 0")]
    let bin = (share * PIT_BINS as f64) as usize;
    bin.min(PIT_BINS - 1)
}
