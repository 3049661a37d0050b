//! The threads that run shards, behind bounded queues.

use std::fmt;
use std::io;
use std::sync::atomic::Ordering;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::thread::{self, JoinHandle};

use catalog::BuildError;
use predict::anomaly::AdoptError;
use predict::forecast::{Model, Runner};
use series::{REFUSALS, Refusal, Sample, SeriesId, SeriesKey};

use crate::batch::{Batch, Pool};
use crate::digest::digest;
use crate::lane::{Command, Lane, Letter, Part};
use crate::routes::{Directory, Route};
use crate::snapshot::Header;
use crate::tally::Tally;
use crate::worker::Worker;
use crate::{EngineConfig, Outcome, Sink};

/// Most shards: far more than cores.
const MAX_SHARDS: usize = 1024;
/// Longest queue, in batches: room for it is taken at the start.
const MAX_QUEUE: usize = 1 << 16;

/// What a person said of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It was right.
    Confirmed,
    /// It was not worth it.
    Dismissed,
}

/// What the engine has done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Samples taken.
    pub taken: u64,
    /// Samples not taken, by reason, in the order of [`REFUSALS`].
    pub refused: [u64; REFUSALS.len()],
    /// Events that opened.
    pub events_opened: u64,
    /// Series watched.
    pub series: u64,
    /// Parts of batches that wait in queues.
    pub queue_len: usize,
    /// Panics caught on shards' threads, in a shard, in the sink or in a `done`. A shard that panics forgets what it
    /// learned and goes on; the batch it was on is lost. Above 0 is a bug to report.
    pub shard_panics: u64,
    /// Blocks of up to 128 samples on which a model failed: its detector said nothing of them.
    pub model_failures: u64,
}

/// Shards on threads of their own, and the directory of which series is where.
///
/// Dropping it waits until everything that was submitted has been scored.
pub struct Engine {
    directory: RwLock<Directory>,
    pub(crate) lanes: Vec<Lane>,
    threads: Vec<JoinHandle<()>>,
    tally: Arc<Tally>,
    pool: Arc<Pool>,
    /// What a snapshot must have in common with this engine.
    pub(crate) header: Header,
    pub(crate) config: Arc<EngineConfig>,
    bytes_per_series: usize,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("shards", &self.lanes.len())
            .field("series", &self.len())
            .finish_non_exhaustive()
    }
}

impl Engine {
    /// Starts `shards` threads (1 to 1024), each behind a queue of `queue` batches (1 to 65536).
    ///
    /// # Errors
    /// [`BuildError`] when the configuration names an unknown detector or a wrong option, when a number is out of
    /// range, or when the system gives no more threads.
    pub fn start(
        config: EngineConfig,
        shards: usize,
        queue: usize,
        sink: Arc<dyn Sink>,
    ) -> Result<Self, BuildError> {
        if !(1..=MAX_SHARDS).contains(&shards) {
            return Err(range("shards", shards, "1 to 1024"));
        }
        if !(1..=MAX_QUEUE).contains(&queue) {
            return Err(range("queue", queue, "1 to 65536"));
        }
        let (config, tally, pool) = (
            Arc::new(config),
            Arc::<Tally>::default(),
            Arc::<Pool>::default(),
        );
        let mut workers = Vec::with_capacity(shards);
        for place in 0..shards {
            let inbox = Arc::default();
            let worker = Worker::new(
                place,
                Arc::clone(&config),
                Arc::clone(&inbox),
                Arc::clone(&sink),
                Arc::clone(&tally),
                Arc::clone(&pool),
            )?;
            workers.push((worker, inbox));
        }
        let shard = workers[0].0.shard();
        let mut engine = Self {
            directory: RwLock::new(Directory::new(&config, shards)),
            lanes: Vec::with_capacity(shards),
            threads: Vec::with_capacity(shards),
            tally,
            pool,
            header: Header {
                schema: features::schema_hash(),
                options: digest(&config, &shard.member_names()),
                state_bytes: shard.saved_bytes() as u32,
                members: shard.member_names(),
            },
            config,
            bytes_per_series: shard.bytes_per_series(),
        };
        for (i, (worker, inbox)) in workers.into_iter().enumerate() {
            let (sender, receiver) = sync_channel(queue);
            let thread = thread::Builder::new()
                .name(format!("shard-{i}"))
                .spawn(move || worker.run(&receiver));
            let failed = |e: io::Error| BuildError::Options {
                name: "engine".into(),
                message: format!("starting shard {i}: {e}"),
            };
            engine.threads.push(thread.map_err(failed)?);
            engine.lanes.push(Lane {
                queue: sender,
                inbox,
            });
        }
        Ok(engine)
    }

    /// The id of a series, given now if it is new. Takes a lock: at the edge only, once per series.
    ///
    /// # Errors
    /// [`Refusal::SeriesLimit`] when the series is new and the engine watches as many as it may. This is not counted
    /// in [`Counters`], which count samples: see [`Engine::refuse`].
    pub fn register(&self, key: &SeriesKey) -> Result<SeriesId, Refusal> {
        if let Some(id) = self.read().find(key) {
            return Ok(id);
        }
        self.write().register(key, |shard, newcomer| {
            self.lanes[shard].leave(Letter::Add(newcomer))
        })
    }

    /// Counts `n` samples that the edge turned away before they could be submitted.
    pub fn refuse(&self, why: Refusal, n: u64) {
        self.tally.refuse(why, n);
    }

    /// The key of a series.
    #[must_use]
    pub fn key(&self, id: SeriesId) -> Option<Arc<SeriesKey>> {
        self.read().key(id)
    }

    /// The id of a key that is known already.
    #[must_use]
    pub fn find(&self, key: &SeriesKey) -> Option<SeriesId> {
        self.read().find(key)
    }

    /// All series there are now, in order of id.
    #[must_use]
    pub fn series(&self) -> Vec<(SeriesId, Arc<SeriesKey>)> {
        let keys = self.read().keys();
        keys.into_iter()
            .enumerate()
            .map(|(i, key)| (SeriesId(i as u32), key))
            .collect()
    }

    /// How many series there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.read().len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Names of the members of the ensemble, in the order of the scores that [`Sink::risks`] is given.
    #[must_use]
    pub fn member_names(&self) -> Vec<&'static str> {
        self.header.members.clone()
    }

    /// Bytes of state per series.
    #[must_use]
    pub const fn bytes_per_series(&self) -> usize {
        self.bytes_per_series
    }

    /// An empty buffer, used before if there is one: a caller that fills these for [`Engine::submit`] allocates none.
    #[must_use]
    pub fn buffer(&self) -> Vec<Sample> {
        self.pool.samples()
    }

    /// Hands samples to their shards, and blocks while a shard's queue is full. Samples of one series must be in
    /// order of time, in a batch and over batches.
    ///
    /// `done` runs once all were scored and the sink has seen their risks, on the thread of the shard that ended
    /// last; or at once on this one if no sample belongs to any shard.
    pub fn submit(&self, samples: Vec<Sample>, done: impl FnOnce(Outcome) + Send + 'static) {
        let done = Box::new(done);
        if let [lane] = &self.lanes[..] {
            // With one shard a series has the same number there as here.
            let batch = Arc::new(Batch::new(1, Vec::new(), done));
            return self.enqueue(
                lane,
                Part {
                    samples,
                    places: Vec::new(),
                    batch,
                },
            );
        }
        let mut parts: Vec<_> = self
            .lanes
            .iter()
            .map(|_| (Vec::new(), Vec::new()))
            .collect();
        let mut unknown = Vec::new();
        {
            let directory = self.read();
            for (place, sample) in samples.iter().enumerate() {
                let Some(Route { shard, local }) = directory.route(sample.series) else {
                    unknown.push((place as u32, Refusal::UnknownSeries));
                    continue;
                };
                let (part, places) = &mut parts[shard as usize];
                if part.is_empty() {
                    (*part, *places) = (self.pool.samples(), self.pool.places());
                }
                part.push(Sample {
                    series: local,
                    ..*sample
                });
                places.push(place as u32);
            }
        }
        self.pool.give_back(samples, Vec::new());
        self.tally
            .refuse(Refusal::UnknownSeries, unknown.len() as u64);
        let n_parts = parts.iter().filter(|(part, _)| !part.is_empty()).count();
        if n_parts == 0 {
            return Batch::new(1, unknown, done).end_part(0, &[]);
        }
        let batch = Arc::new(Batch::new(n_parts, unknown, done));
        for (lane, (samples, places)) in self.lanes.iter().zip(parts) {
            if !samples.is_empty() {
                self.enqueue(
                    lane,
                    Part {
                        samples,
                        places,
                        batch: Arc::clone(&batch),
                    },
                );
            }
        }
    }

    fn enqueue(&self, lane: &Lane, part: Part) {
        self.tally.queued.fetch_add(1, Ordering::Relaxed);
        let Err(refused) = lane.queue.send(Command::Samples(part)) else {
            return;
        };
        // The shard's thread is gone, which only a panic outside of all guards can do. Say so, and let nobody wait.
        self.tally.queued.fetch_sub(1, Ordering::Relaxed);
        self.tally.panics.fetch_add(1, Ordering::Relaxed);
        if let Command::Samples(part) = refused.0 {
            part.batch.end_part(0, &[]);
        }
    }

    /// Tells the ensemble what a person said of an alert of `series`; a series that is not known is let be.
    pub fn feedback(&self, series: SeriesId, verdict: Verdict) {
        if let Some(Route { shard, local }) = self.read().route(series) {
            self.lanes[shard as usize].send(Letter::Feedback {
                series: local,
                confirmed: verdict == Verdict::Confirmed,
            });
        }
    }

    /// Forecasts by `model` in all shards, each from its next batch on; no sample waits for it. Learned state of the
    /// model before is forgotten series by series.
    ///
    /// # Errors
    /// [`AdoptError`] when no detector takes it, or it does not fit; the one before stays.
    pub fn adopt(&self, model: &Arc<dyn Model>) -> Result<(), AdoptError> {
        // An empty ensemble shows whether it fits: what one shard did could not be undone when the next refuses.
        let mut probe = (self.config.ensemble()).map_err(|e| AdoptError::Refused(e.to_string()))?;
        probe.adopt(Runner::new(model)?)?;
        let runners = self.lanes.iter().map(|_| Runner::new(model));
        let runners: Vec<Runner> = runners.collect::<Result<_, _>>()?;
        for (lane, runner) in self.lanes.iter().zip(runners) {
            lane.send(Letter::Adopt(runner));
        }
        Ok(())
    }

    /// What was done so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        let tally = &self.tally;
        Counters {
            taken: tally.taken.load(Ordering::Relaxed),
            refused: std::array::from_fn(|why| tally.refused[why].load(Ordering::Relaxed)),
            events_opened: tally.events_opened.load(Ordering::Relaxed),
            series: self.len() as u64,
            queue_len: tally.queued.load(Ordering::Relaxed),
            shard_panics: tally.panics.load(Ordering::Relaxed),
            model_failures: tally.model_failures.load(Ordering::Relaxed),
        }
    }

    /// Scores everything that was submitted, then ends. Dropping the engine does the same.
    pub fn shutdown(self) {}

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Directory> {
        self.directory
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, Directory> {
        self.directory
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // A thread ends when its queue is empty and has no senders.
        self.lanes.clear();
        for thread in self.threads.drain(..) {
            // A `done` may have held the last handle on the engine: a thread cannot wait for itself.
            if thread.thread().id() != thread::current().id() {
                // Panics were counted where they happened.
                let _ = thread.join();
            }
        }
    }
}

fn range(option: &'static str, value: usize, expected: &'static str) -> BuildError {
    BuildError::Range {
        name: "engine".into(),
        option,
        value: value.to_string(),
        expected,
    }
}
