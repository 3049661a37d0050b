//! Surprise under the forecast of a model that carries a state from sample to sample.
//!
//! Each sample is held against the Student t distribution that was forecast for it one step before; the score is how
//! much less likely it is than the likeliest value, in nats. What one series means for the model is a state of fixed
//! size, so a block of series is one batch. A state belongs to the model that made it: when another model is adopted,
//! each series begins anew as it is seen next, and nobody waits.

use bytemuck::{Pod, Zeroable};
use catalog::{BuildError, Context, Entry, Params};
use features::{Row, touch};
use serde::Deserialize;

use crate::anomaly::{AdoptError, Block, Detector};
use crate::forecast::{Batch, Model, Runner, TARGET};

/// See the module.
pub(super) const ENTRY: Entry<dyn Detector> = Entry {
    name: "lstm",
    about: "surprise under the forecast of a trained model, an LSTM unless told otherwise",
    example: "max_hidden = 24",
    build,
};

/// Targets beyond this many sigmas are as surprising as this.
const MOST: f32 = 100.0;
/// So many nats, and more, score 1.
const NATS: f32 = 32.0;
/// After a gap of more than this many steps the forecast was for another time.
const LONGEST_GAP: f32 = 4.0;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    /// Room for the state of each series: a model with a greater one is refused.
    max_hidden: u16,
}

fn build(params: &Params, _: &Context) -> Result<Box<dyn Detector>, BuildError> {
    let options: Options = params.read(ENTRY.name)?;
    let room = f32::from(options.max_hidden);
    super::within(ENTRY.name, "max_hidden", room, 0.0, 512.0)?;
    Ok(Box::new(Lstm {
        room: usize::from(options.max_hidden),
        runner: None,
        generation: 0,
        states: Vec::new(),
        heads: Vec::new(),
        batch: Batch::default(),
        failures: 0,
    }))
}

#[derive(Debug)]
struct Lstm {
    room: usize,
    runner: Option<Runner>,
    /// Of the model in use: a state with another one is another model's.
    generation: u32,
    /// State and cell state; shape `(series, 2, room)`.
    states: Vec<f32>,
    heads: Vec<Head>,
    batch: Batch,
    failures: u64,
}

/// What else is remembered of a series.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Head {
    /// The forecast for the next sample; a scale of 0 is none.
    location: f32,
    scale: f32,
    tail: f32,
    generation: u32,
}

impl Head {
    /// How surprising the row is after this forecast, 0..=1.
    fn surprise(&self, row: &Row) -> f32 {
        if self.scale <= 0.0 || row.gap > LONGEST_GAP {
            return 0.0;
        }
        let error = (row.columns[TARGET].clamp(-MOST, MOST) - self.location).abs();
        // Less than the least change that counts is no error: a constant surprises nobody.
        let z = (error - row.floor / row.sigma).max(0.0) / self.scale;
        let nats = 0.5 * (self.tail + 1.0) * (z * z / self.tail).ln_1p();
        (nats / NATS).clamp(0.0, 1.0)
    }
}

/// Tells models apart by what they are, so that a restart with the same one goes on.
fn generation(model: &dyn Model) -> u32 {
    let signature = model.signature();
    let text = format!("{} {signature:?}", model.version());
    let hash = text.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    hash.max(1)
}

impl Lstm {
    /// Writes the inputs and states of the block into the batch.
    fn gather(&mut self, block: &Block<'_>, runner: &Runner) {
        let signature = runner.model().signature();
        let (f, hidden) = (signature.inputs().len(), signature.hidden());
        self.batch.resize(block.rows.len(), signature);
        for (n, (&series, row)) in block.series.iter().zip(block.rows).enumerate() {
            signature.fill(row, &mut self.batch.x[n * f..][..f]);
            let i = series as usize;
            let (h, c) = (
                &mut self.batch.h[n * hidden..][..hidden],
                &mut self.batch.c[n * hidden..][..hidden],
            );
            if self.heads[i].generation == self.generation {
                let state = &self.states[i * 2 * self.room..];
                h.copy_from_slice(&state[..hidden]);
                c.copy_from_slice(&state[self.room..][..hidden]);
            } else {
                h.fill(0.0);
                c.fill(0.0);
            }
        }
    }

    /// Takes states and forecasts of the block from the batch.
    fn scatter(&mut self, block: &Block<'_>, hidden: usize, horizons: usize) {
        for (n, &series) in block.series.iter().enumerate() {
            let i = series as usize;
            let state = &mut self.states[i * 2 * self.room..][..2 * self.room];
            state[..hidden].copy_from_slice(&self.batch.h[n * hidden..][..hidden]);
            state[self.room..][..hidden].copy_from_slice(&self.batch.c[n * hidden..][..hidden]);
            self.heads[i] = Head {
                location: self.batch.location[n * horizons],
                scale: self.batch.scale[n * horizons],
                tail: self.batch.tail[n * horizons],
                generation: self.generation,
            };
        }
    }
}

impl Detector for Lstm {
    fn add_series(&mut self, _: u32) {
        self.heads.push(Head::zeroed());
        self.states.resize(self.heads.len() * 2 * self.room, 0.0);
    }

    fn score(&mut self, block: &Block<'_>, out: &mut [f32]) {
        let Some(mut runner) = self.runner.take() else {
            return out.fill(0.0);
        };
        let series = || block.series.iter().map(|&i| i as usize);
        touch(series().map(|i| bytemuck::bytes_of(&self.heads[i])));
        let width = 2 * self.room;
        touch(series().map(|i| bytemuck::cast_slice(&self.states[i * width..][..width])));
        for ((i, row), score) in series().zip(block.rows).zip(out.iter_mut()) {
            let head = &self.heads[i];
            *score = if head.generation == self.generation {
                head.surprise(row)
            } else {
                0.0
            };
        }
        self.gather(block, &runner);
        if runner.step(&mut self.batch).is_ok() {
            let signature = runner.model().signature();
            self.scatter(block, signature.hidden(), signature.horizons().len());
        } else {
            // The states are undefined now: these series begin anew.
            self.failures += 1;
            series().for_each(|i| self.heads[i] = Head::zeroed());
        }
        self.runner = Some(runner);
    }

    fn needs_model(&self) -> bool {
        true
    }

    fn adopt(&mut self, runner: Runner) -> Result<(), AdoptError> {
        let model = runner.model();
        let hidden = model.signature().hidden();
        if hidden > self.room {
            return Err(AdoptError::Hidden {
                hidden,
                room: self.room,
            });
        }
        self.generation = generation(model.as_ref());
        self.runner = Some(runner);
        Ok(())
    }

    fn take_failures(&mut self) -> u64 {
        std::mem::take(&mut self.failures)
    }

    fn state_bytes(&self) -> usize {
        size_of::<Head>() + 2 * self.room * size_of::<f32>()
    }

    fn save(&self, series: usize, out: &mut Vec<u8>) {
        out.extend_from_slice(bytemuck::bytes_of(&self.heads[series]));
        let width = 2 * self.room;
        out.extend_from_slice(bytemuck::cast_slice(
            &self.states[series * width..][..width],
        ));
    }

    fn load(&mut self, series: usize, bytes: &[u8]) {
        let (head, state) = bytes.split_at(size_of::<Head>());
        self.heads[series] = bytemuck::pod_read_unaligned(head);
        let places = &mut self.states[series * 2 * self.room..][..2 * self.room];
        for (place, bytes) in places.iter_mut().zip(state.chunks_exact(4)) {
            *place = bytemuck::pod_read_unaligned(bytes);
        }
    }
}
