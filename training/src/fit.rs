//! The training of a step model from beginning to end: epochs, learning rate, validation, early end, checkpoints.

use std::ops::ControlFlow;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::adam::Adam;
use crate::batches::Batch;
use crate::checkpoint::{Checkpoint, CheckpointError, Header};
use crate::learner::Learner;
use crate::lstm::{Carry, Packed, Parameters, Tape, Targets};
use crate::recipe::Recipe;
use crate::rng::Rng;
use crate::spool::{Role, Slice, Spool, SpoolError};

/// A validation loss must fall by this many nats to count as better.
const LEAST_GAIN: f64 = 1e-4;
/// Streams of chance: first weights, and the order of blocks in each epoch.
const STREAM_START: u64 = 1;
const STREAM_ORDER: u64 = 1_000;

/// How far training is, told after each batch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// From 0.
    pub epoch: u32,
    /// At most so many.
    pub epochs: u32,
    /// Blocks of this epoch that are done, and all of them.
    pub blocks: (usize, usize),
    /// Mean loss of this epoch so far, nats.
    pub loss: f64,
    /// Validation loss after the last epoch.
    pub validation: Option<f64>,
}

/// An epoch that is over.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Epoch {
    /// Mean loss while it was learned from, nats.
    pub training: f64,
    /// Mean loss afterwards on what was kept back.
    pub validation: f64,
}

/// A trained model.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// Of the epoch with the lowest validation loss.
    pub parameters: Parameters,
    /// That epoch, from 0.
    pub best_epoch: u32,
    /// All epochs.
    pub history: Vec<Epoch>,
}

/// How training ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// As it should.
    Finished(Fitted),
    /// The caller stopped it; the checkpoint, where one was asked for, is up to date.
    Stopped,
}

/// Why training failed.
#[derive(Debug, thiserror::Error)]
pub enum FitError {
    /// The data cannot be read back.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// The checkpoint cannot be used.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// There is nothing to learn from, or to judge by.
    #[error("{n_series} series with {n_rows} rows leave nothing {what}")]
    TooLittle {
        /// How many.
        n_series: usize,
        /// How many.
        n_rows: u64,
        /// To learn from, or to judge by.
        what: &'static str,
    },
    /// The numbers ran away.
    #[error("the loss is no longer finite in epoch {epoch}; lower optimiser.rate")]
    NotFinite {
        /// From 1.
        epoch: u32,
    },
}

/// What `--resume` goes on from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begin {
    /// From first weights, over any checkpoint.
    Anew,
    /// From the checkpoint if there is one.
    Resume,
}

/// Trains by the recipe on what the spool has.
///
/// The same recipe, data and processor give the same bits, whether it was stopped and resumed or not. `checkpoint` is
/// written now and then, and after each epoch; a finished one gives its result at once.
///
/// # Errors
/// [`FitError`].
pub fn fit(
    recipe: &Recipe,
    spool: &Spool,
    checkpoint: Option<&Path>,
    begin: Begin,
    progress: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Outcome, FitError> {
    let mut fit = Fit::new(recipe, spool)?;
    if let (Some(path), Begin::Resume) = (checkpoint, begin)
        && path.exists()
    {
        fit.resume(path)?;
    }
    while !fit.is_over() {
        let flow = fit.epoch(checkpoint, progress)?;
        if let Some(path) = checkpoint {
            fit.checkpoint().write(path)?;
        }
        if flow.is_break() {
            return Ok(Outcome::Stopped);
        }
    }
    Ok(Outcome::Finished(Fitted {
        parameters: fit.best,
        best_epoch: fit.best_epoch,
        history: fit.history,
    }))
}

struct Fit<'a> {
    recipe: &'a Recipe,
    spool: &'a Spool,
    recipe_sha256: String,
    training: Vec<Slice>,
    validation: Vec<Slice>,
    batch: Batch,
    learner: Learner,
    epoch: u32,
    done: usize,
    sums: (f64, f64),
    best: Parameters,
    best_epoch: u32,
    history: Vec<Epoch>,
}

impl<'a> Fit<'a> {
    fn new(recipe: &'a Recipe, spool: &'a Spool) -> Result<Self, FitError> {
        let training = spool.slices(Role::Training, recipe.windows.steps);
        let validation = spool.slices(Role::Validation, recipe.windows.steps);
        for (slices, what) in [(&training, "to learn from"), (&validation, "to judge by")] {
            if slices.is_empty() {
                return Err(FitError::TooLittle {
                    n_series: spool.n_series(),
                    n_rows: spool.n_rows(),
                    what,
                });
            }
        }
        let start = Parameters::start(recipe.shape(), &mut Rng::new(recipe.seed, STREAM_START));
        let adam = Adam::new(start.values.len());
        let config = recipe.learner();
        let text = format!("{recipe:?}");
        let digest = Sha256::digest(text.as_bytes());
        Ok(Self {
            recipe,
            spool,
            recipe_sha256: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
            training,
            validation,
            batch: Batch::new(&config, recipe.optimiser.batch),
            best: start.clone(),
            learner: Learner::new(config, start, adam),
            epoch: 0,
            done: 0,
            sums: (0.0, 0.0),
            best_epoch: 0,
            history: Vec::new(),
        })
    }

    fn is_over(&self) -> bool {
        let optimiser = &self.recipe.optimiser;
        let since_best = self.epoch.saturating_sub(self.best_epoch + 1);
        self.epoch >= optimiser.epochs || since_best >= optimiser.patience
    }

    /// The rest of an epoch.
    fn epoch(
        &mut self,
        checkpoint: Option<&Path>,
        progress: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, FitError> {
        let mut order = self.training.clone();
        let stream = STREAM_ORDER + u64::from(self.epoch);
        Rng::new(self.recipe.seed, stream).shuffle(&mut order);
        let mut since_checkpoint = 0;
        while self.done < order.len() {
            let end = (self.done + self.batch.lanes()).min(order.len());
            self.learn(&order[self.done..end], order.len())?;
            since_checkpoint += end - self.done;
            self.done = end;
            let told = Progress {
                epoch: self.epoch,
                epochs: self.recipe.optimiser.epochs,
                blocks: (self.done, order.len()),
                loss: self.sums.0 / self.sums.1.max(f64::MIN_POSITIVE),
                validation: self.history.last().map(|epoch| epoch.validation),
            };
            if progress(&told).is_break() {
                return Ok(ControlFlow::Break(()));
            }
            if since_checkpoint >= self.recipe.optimiser.checkpoint_blocks
                && let Some(path) = checkpoint
            {
                since_checkpoint = 0;
                self.checkpoint().write(path)?;
            }
        }
        let validation = self.validate()?;
        let best = self.history.get(self.best_epoch as usize);
        if best.is_none_or(|best| validation < best.validation - LEAST_GAIN) {
            self.best = self.learner.parameters().clone();
            self.best_epoch = self.epoch;
        }
        self.history.push(Epoch {
            training: self.sums.0 / self.sums.1.max(f64::MIN_POSITIVE),
            validation,
        });
        self.epoch += 1;
        (self.done, self.sums) = (0, (0.0, 0.0));
        Ok(ControlFlow::Continue(()))
    }

    /// One batch of blocks: the state goes on from window to window, the parameters move after each.
    fn learn(&mut self, slices: &[Slice], n_slices: usize) -> Result<(), FitError> {
        let windows = self.batch.load(self.spool, slices)?;
        let shape = self.recipe.shape();
        let mut carries = vec![Carry::zero(shape); self.batch.groups.len()];
        let rate = self.rate(self.done as f64 / n_slices as f64);
        for window in 0..windows {
            self.batch.fill(window);
            let update = self.learner.update(&self.batch.groups, &mut carries, rate);
            let Some(update) = update else {
                return Err(FitError::NotFinite {
                    epoch: self.epoch + 1,
                });
            };
            self.sums.0 += update.loss;
            self.sums.1 += update.weight;
        }
        Ok(())
    }

    /// The learning rate at this share of the epoch.
    fn rate(&self, share: f64) -> f32 {
        let optimiser = &self.recipe.optimiser;
        let place = (f64::from(self.epoch) + share) / f64::from(optimiser.epochs);
        let warm_up = optimiser.warm_up_share;
        if place < warm_up {
            // Never quite 0: the first batch is to count as well.
            return optimiser.rate * (place / warm_up).max(0.01) as f32;
        }
        let turn = (place - warm_up) / (1.0 - warm_up) * std::f64::consts::PI;
        let share = 0.5 * (1.0 + turn.cos()) as f32;
        optimiser.rate * (optimiser.final_rate_share + (1.0 - optimiser.final_rate_share) * share)
    }

    /// Mean loss on what was kept back.
    fn validate(&mut self) -> Result<f64, FitError> {
        let config = self.recipe.learner();
        let packed = Packed::new(self.learner.parameters());
        let mut tape = Tape::new(config.shape, config.steps);
        let (mut loss, mut weight) = (0.0, 0.0);
        for slices in self.validation.chunks(self.batch.lanes()) {
            let windows = self.batch.load(self.spool, slices)?;
            let mut carries = vec![Carry::zero(config.shape); self.batch.groups.len()];
            for window in 0..windows {
                self.batch.fill(window);
                for (group, carry) in self.batch.groups.iter().zip(&mut carries) {
                    tape.run(group, &packed, carry);
                    let (losses, weights) = tape.loss(Targets {
                        horizons: &config.horizons,
                        horizon_weights: &config.horizon_weights,
                        values: &group.values,
                        weights: &group.weights,
                    });
                    loss += losses.0.iter().map(|&x| f64::from(x)).sum::<f64>();
                    weight += weights.0.iter().map(|&x| f64::from(x)).sum::<f64>();
                }
            }
        }
        if !loss.is_finite() {
            return Err(FitError::NotFinite {
                epoch: self.epoch + 1,
            });
        }
        Ok(loss / weight.max(f64::MIN_POSITIVE))
    }

    fn checkpoint(&self) -> Checkpoint {
        let adam = self.learner.adam();
        let bits = |epoch: &Epoch| [epoch.training.to_bits(), epoch.validation.to_bits()];
        let header = Header {
            format: 0,
            recipe_sha256: self.recipe_sha256.clone(),
            data_sha256: self.spool.sha256().to_owned(),
            epoch: self.epoch,
            done: self.done,
            sums: [self.sums.0.to_bits(), self.sums.1.to_bits()],
            adam_steps: adam.steps,
            best_epoch: self.best_epoch,
            history: self.history.iter().map(bits).collect(),
        };
        let numbers = [
            self.learner.parameters().values.clone(),
            adam.mean.clone(),
            adam.square.clone(),
            self.best.values.clone(),
        ];
        Checkpoint::new(header, numbers)
    }

    fn resume(&mut self, path: &Path) -> Result<(), CheckpointError> {
        let Checkpoint { header, numbers } = Checkpoint::read(path, self.best.values.len())?;
        for (found, ours, what, what_now) in [
            (
                &header.recipe_sha256,
                &*self.recipe_sha256,
                "a recipe",
                "was another",
            ),
            (
                &header.data_sha256,
                self.spool.sha256(),
                "data",
                "were others",
            ),
        ] {
            if found != ours {
                return Err(CheckpointError::Other {
                    path: path.to_owned(),
                    what,
                    what_now,
                });
            }
        }
        let shape = self.recipe.shape();
        let [values, mean, square, best] = numbers;
        let mut parameters = Parameters::zero(shape);
        parameters.values = values;
        self.best.values = best;
        let steps = header.adam_steps;
        let adam = Adam {
            mean,
            square,
            steps,
        };
        self.learner = Learner::new(self.recipe.learner(), parameters, adam);
        (self.epoch, self.done, self.best_epoch) = (header.epoch, header.done, header.best_epoch);
        self.sums = (
            f64::from_bits(header.sums[0]),
            f64::from_bits(header.sums[1]),
        );
        let epoch = |[training, validation]: &[u64; 2]| Epoch {
            training: f64::from_bits(*training),
            validation: f64::from_bits(*validation),
        };
        self.history = header.history.iter().map(epoch).collect();
        Ok(())
    }
}

#[cfg(test)]
mod tests;
