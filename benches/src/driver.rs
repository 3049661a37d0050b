//! Drives one shard with a fleet, and measures what only the shard does.

use std::time::Instant;

use hotpath::{EngineConfig, Shard};
use predict::Risk;
use series::{Refusal, Sample};
use testkit::Noise;

use crate::Fleet;
use crate::resources::thread_cpu_s;

/// Samples per push: about what a busy source sends at once.
const BATCH: usize = 1_000;

/// What some samples cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spent {
    /// How many.
    pub samples: u64,
    /// Processor time of this thread, in seconds: what another process takes from it does not count.
    pub cpu_s: f64,
    /// By the clock, in seconds.
    pub wall_s: f64,
}

impl Spent {
    /// Nanoseconds of processor time per sample.
    #[must_use]
    pub fn ns_per_sample(&self) -> f64 {
        self.cpu_s * 1e9 / self.samples as f64
    }

    /// Samples per second of processor time.
    #[must_use]
    pub fn samples_per_s(&self) -> f64 {
        self.samples as f64 / self.cpu_s
    }
}

/// In which order the samples of one tick come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// That in which the series were met first, as sources keep it.
    Steady,
    /// Another one each tick: the processor never knows which series is next.
    Shuffled,
}

/// Fisher & Yates.
fn shuffle(samples: &mut [Sample], seed: u64) {
    let mut noise = Noise::new(seed);
    for i in (1..samples.len()).rev() {
        samples.swap(i, (noise.bits() % (i as u64 + 1)) as usize);
    }
}

/// A shard, its fleet, and the buffers between them.
#[derive(Debug)]
pub struct Driver {
    shard: Shard,
    fleet: Fleet,
    tick: u32,
    samples: Vec<Sample>,
    risks: Vec<Risk>,
    refused: Vec<(u32, Refusal)>,
}

impl Driver {
    /// A shard that knows the fleet's series and has learned nothing of them.
    ///
    /// # Errors
    /// When the configuration does not build, which is a bug of the engine.
    pub fn new(config: &EngineConfig, fleet: Fleet) -> Result<Self, catalog::BuildError> {
        let mut shard = Shard::new(config)?;
        for i in 0..fleet.n_series {
            shard.add_series(fleet.spec(i));
        }
        Ok(Self {
            shard,
            fleet,
            tick: 0,
            samples: Vec::with_capacity(fleet.n_series as usize),
            risks: Vec::with_capacity(BATCH),
            refused: Vec::new(),
        })
    }

    /// Pushes the next `ticks` samples of every series, in `order`. Drawing them is not measured.
    pub fn advance(&mut self, ticks: u32, order: Order) -> Spent {
        let mut spent = Spent {
            samples: 0,
            cpu_s: 0.0,
            wall_s: 0.0,
        };
        for _ in 0..ticks {
            self.fleet.fill(self.tick, &mut self.samples);
            if order == Order::Shuffled {
                shuffle(&mut self.samples, u64::from(self.tick));
            }
            self.tick += 1;
            let (wall, cpu) = (Instant::now(), thread_cpu_s());
            for batch in self.samples.chunks(BATCH) {
                self.risks.clear();
                self.shard.push(batch, &mut self.risks, &mut self.refused);
                std::hint::black_box(&self.risks);
            }
            spent.cpu_s += thread_cpu_s() - cpu;
            spent.wall_s += wall.elapsed().as_secs_f64();
            spent.samples += self.samples.len() as u64;
        }
        spent
    }

    /// How many samples were refused so far: none, unless something is wrong.
    #[must_use]
    pub fn n_refused(&self) -> usize {
        self.refused.len()
    }

    /// Bytes of state per series, as the shard counts them.
    #[must_use]
    pub fn bytes_per_series(&self) -> usize {
        self.shard.bytes_per_series()
    }
}
