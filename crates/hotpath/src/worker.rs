//! The thread of one shard: what it is sent, and what it does about it.
//!
//! Samples come through a bounded queue. Everything else (new series, feedback, saving, loading) comes through an
//! inbox that is looked at before each batch: it never waits behind a full queue, and so nobody who holds the
//! directory's lock ever waits for a shard.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender};
use std::sync::{Arc, Mutex};

use predict::{Phase, Risk};
use series::{REFUSALS, Refusal, Sample, SeriesId};

use crate::batch::{Batch, Pool, lock};
use crate::routes::Newcomer;
use crate::{EngineConfig, Shard, Sink};

/// What comes through the queue.
pub(crate) enum Command {
    /// Samples to score.
    Samples(Part),
    /// Look into the inbox.
    Wake,
}

/// A shard's part of a batch.
pub(crate) struct Part {
    /// With the shard's own numbers for series.
    pub(crate) samples: Vec<Sample>,
    /// Place in the batch of each sample; empty when the part is the whole batch.
    pub(crate) places: Vec<u32>,
    pub(crate) batch: Arc<Batch>,
}

/// What comes through the inbox.
pub(crate) enum Letter {
    /// Watch one more series.
    Add(Newcomer),
    /// A person confirmed or dismissed an alert.
    Feedback { series: SeriesId, confirmed: bool },
    /// Reply with the state of these series, one after the other.
    Save {
        series: Vec<SeriesId>,
        reply: Sender<Vec<u8>>,
    },
    /// Take the state of these series from `bytes`, one after the other; reply with the emptied buffer.
    Load {
        series: Vec<SeriesId>,
        bytes: Vec<u8>,
        reply: Sender<Vec<u8>>,
    },
    /// Forget everything.
    Reset,
}

/// The way to a shard.
#[derive(Clone)]
pub(crate) struct Lane {
    pub(crate) queue: SyncSender<Command>,
    pub(crate) inbox: Arc<Mutex<Vec<Letter>>>,
}

impl Lane {
    /// Leaves a letter that need not be read before the next batch.
    pub(crate) fn leave(&self, letter: Letter) {
        lock(&self.inbox).push(letter);
    }

    /// Leaves a letter and wakes the shard. A full queue means that it is awake, and looks before its next batch.
    pub(crate) fn send(&self, letter: Letter) {
        self.leave(letter);
        let _ = self.queue.try_send(Command::Wake);
    }
}

/// What all shards count together, once per batch.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) taken: AtomicU64,
    pub(crate) refused: [AtomicU64; REFUSALS.len()],
    pub(crate) events_opened: AtomicU64,
    pub(crate) queued: AtomicUsize,
    pub(crate) panics: AtomicU64,
}

impl Tally {
    pub(crate) fn refuse(&self, why: Refusal, n: u64) {
        self.refused[why as usize].fetch_add(n, Ordering::Relaxed);
    }

    /// Runs `work`; a panic in it is counted, and gives `None`.
    ///
    /// A panic here is a bug of ours, or of the sink's. It costs what was under way and must not take the engine
    /// down, nor be lost: the counter goes up, and the panic hook has printed where it was.
    pub(crate) fn guard<T>(&self, work: impl FnOnce() -> T) -> Option<T> {
        let result = catch_unwind(AssertUnwindSafe(work)).ok();
        if result.is_none() {
            self.panics.fetch_add(1, Ordering::Relaxed);
        }
        result
    }
}

/// What the thread of one shard owns.
pub(crate) struct Worker {
    config: Arc<EngineConfig>,
    shard: Shard,
    /// By the shard's own number for a series: who it is. Kept to begin again after a panic.
    residents: Vec<Newcomer>,
    inbox: Arc<Mutex<Vec<Letter>>>,
    letters: Vec<Letter>,
    sink: Arc<dyn Sink>,
    tally: Arc<Tally>,
    pool: Arc<Pool>,
    risks: Vec<Risk>,
    refused: Vec<(u32, Refusal)>,
}

impl Worker {
    pub(crate) fn new(
        config: Arc<EngineConfig>,
        inbox: Arc<Mutex<Vec<Letter>>>,
        sink: Arc<dyn Sink>,
        tally: Arc<Tally>,
        pool: Arc<Pool>,
    ) -> Result<Self, catalog::BuildError> {
        let shard = Shard::new(&config)?;
        let (risks, refused, letters, residents) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Ok(Self {
            config,
            shard,
            residents,
            inbox,
            letters,
            sink,
            tally,
            pool,
            risks,
            refused,
        })
    }

    pub(crate) fn shard(&self) -> &Shard {
        &self.shard
    }

    /// Works until every sender is gone and the queue is empty.
    pub(crate) fn run(mut self, queue: &Receiver<Command>) {
        while let Ok(command) = queue.recv() {
            self.read_letters();
            if let Command::Samples(part) = command {
                self.tally.queued.fetch_sub(1, Ordering::Relaxed);
                self.take(part);
            }
        }
    }

    fn read_letters(&mut self) {
        std::mem::swap(&mut *lock(&self.inbox), &mut self.letters);
        let mut letters = std::mem::take(&mut self.letters);
        for letter in letters.drain(..) {
            let tally = Arc::clone(&self.tally);
            if tally.guard(|| self.obey(letter)).is_none() {
                tally.guard(|| self.begin_again());
            }
        }
        self.letters = letters;
    }

    fn obey(&mut self, letter: Letter) {
        match letter {
            Letter::Add(newcomer) => {
                self.residents.push(newcomer);
                self.shard.add_series(newcomer.spec);
            }
            Letter::Feedback { series, confirmed } => {
                self.shard.feedback(series.index(), confirmed)
            }
            Letter::Save { series, reply } => {
                let mut bytes = Vec::with_capacity(series.len() * self.shard.saved_bytes());
                for id in series {
                    self.shard.save(id.index(), &mut bytes);
                }
                // Whoever asked may have given up since.
                let _ = reply.send(bytes);
            }
            Letter::Load {
                series,
                mut bytes,
                reply,
            } => {
                for (id, state) in series
                    .iter()
                    .zip(bytes.chunks_exact(self.shard.saved_bytes()))
                {
                    self.shard.load(id.index(), state);
                }
                bytes.clear();
                let _ = reply.send(bytes);
            }
            Letter::Reset => {
                self.residents.clear();
                self.begin_again();
            }
        }
    }

    /// Puts a shard in place that knows its series and has learned nothing of them.
    fn begin_again(&mut self) {
        // The configuration built a shard before; were it to fail now, the old one is better than none.
        if let Ok(fresh) = Shard::new(&self.config) {
            self.shard = fresh;
            for resident in &self.residents {
                self.shard.add_series(resident.spec);
            }
        }
    }

    fn take(&mut self, part: Part) {
        self.risks.clear();
        self.refused.clear();
        let tally = Arc::clone(&self.tally);
        let scored = tally.guard(|| {
            self.shard
                .push(&part.samples, &mut self.risks, &mut self.refused)
        });
        let mut taken = 0;
        if scored.is_some() {
            taken = (part.samples.len() - self.refused.len()) as u32;
            self.report(&part);
        } else {
            // Half a batch was learned; which half is unknown. Scores from such a state could not be trusted.
            self.refused.clear();
            tally.guard(|| self.begin_again());
        }
        let Part {
            samples,
            places,
            batch,
        } = part;
        self.pool.give_back(samples, places);
        tally.guard(|| batch.end_part(taken, &self.refused));
    }

    fn report(&mut self, part: &Part) {
        let tally = Arc::clone(&self.tally);
        tally.taken.fetch_add(
            (part.samples.len() - self.refused.len()) as u64,
            Ordering::Relaxed,
        );
        for (place, why) in &mut self.refused {
            tally.refuse(*why, 1);
            if let Some(&original) = part.places.get(*place as usize) {
                *place = original;
            }
        }
        let mut opened = 0;
        for risk in &mut self.risks {
            risk.series = self.residents[risk.series.index()].id;
            opened += u64::from(risk.event.is_some_and(|event| event.phase == Phase::Opened));
        }
        tally.events_opened.fetch_add(opened, Ordering::Relaxed);
        if !self.risks.is_empty() {
            tally.guard(|| self.sink.risks(&self.risks, self.shard.members()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Outcome, SeriesSpec};
    use series::{Kind, Timestamp};
    use std::sync::mpsc::{channel, sync_channel};

    struct Deaf;

    impl Sink for Deaf {
        fn risks(&self, _: &[Risk], _: &[f32]) {}
    }

    /// Runs a worker on what is in its queue; what came of each batch.
    fn run(
        tally: &Arc<Tally>,
        fill: impl FnOnce(&Lane, &mut dyn FnMut(Vec<Sample>)),
    ) -> Vec<Outcome> {
        let inbox = Arc::default();
        let config = Arc::<EngineConfig>::default();
        let worker = Worker::new(
            config,
            Arc::clone(&inbox),
            Arc::new(Deaf),
            Arc::clone(tally),
            Arc::default(),
        )
        .unwrap();
        let (queue, commands) = sync_channel(16);
        let (sender, outcomes) = channel();
        let lane = Lane { queue, inbox };
        fill(&lane, &mut |samples| {
            let sender = sender.clone();
            let done = Box::new(move |outcome| sender.send(outcome).unwrap());
            let batch = Arc::new(Batch::new(1, Vec::new(), done));
            tally.queued.fetch_add(1, Ordering::Relaxed);
            lane.queue
                .send(Command::Samples(Part {
                    samples,
                    places: Vec::new(),
                    batch,
                }))
                .unwrap();
        });
        drop((lane, sender));
        worker.run(&commands);
        outcomes.iter().collect()
    }

    #[test]
    fn a_shard_that_panicked_begins_again_with_the_series_it_had() {
        let tally = Arc::default();
        let outcomes = run(&tally, |lane, push| {
            let spec = SeriesSpec {
                kind: Kind::Gauge,
                group: None,
            };
            lane.leave(Letter::Add(Newcomer {
                id: SeriesId(0),
                spec,
            }));
            // Nobody sends this: a series that does not exist stands for any bug.
            let (reply, saved) = channel();
            lane.leave(Letter::Save {
                series: vec![SeriesId(9)],
                reply,
            });
            lane.leave(Letter::Add(Newcomer {
                id: SeriesId(1),
                spec,
            }));
            let sample = |series| Sample {
                series: SeriesId(series),
                at: Timestamp::from_millis(1),
                value: 1.0,
            };
            push(vec![sample(0), sample(1), sample(2)]);
            drop(saved);
        });
        assert_eq!(
            outcomes,
            [Outcome {
                taken: 2,
                refused: vec![(2, Refusal::UnknownSeries)]
            }]
        );
        assert_eq!(tally.panics.load(Ordering::Relaxed), 1);
        assert_eq!(tally.queued.load(Ordering::Relaxed), 0);
    }
}
