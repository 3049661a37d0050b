//! The thread of one shard: what it is sent, and what it does about it.
//!
//! Samples come through a bounded queue. Everything else (new series, feedback, saving, loading) comes through an
//! inbox that is looked at before each batch: it never waits behind a full queue, and so nobody who holds the
//! directory's lock ever waits for a shard.

use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};

use predict::{Phase, Risk};
use series::Refusal;

use crate::batch::{Pool, lock};
use crate::lane::{Command, Letter, Part, Saved};
use crate::routes::Newcomer;
use crate::tally::Tally;
use crate::{EngineConfig, Scored, Shard, Sink};

/// Each shard numbers events in a range of its own, so that they need not agree: its place times this, and upwards.
/// With 1024 shards the largest number still fits the 53 bits that JSON can carry.
const EVENTS_PER_SHARD: u64 = 1 << 40;

/// What the thread of one shard owns.
pub(crate) struct Worker {
    config: Arc<EngineConfig>,
    shard: Shard,
    /// Where the shard's range of numbers of events begins.
    first_event: u64,
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
        place: usize,
        config: Arc<EngineConfig>,
        inbox: Arc<Mutex<Vec<Letter>>>,
        sink: Arc<dyn Sink>,
        tally: Arc<Tally>,
        pool: Arc<Pool>,
    ) -> Result<Self, catalog::BuildError> {
        let mut shard = Shard::new(&config)?;
        let first_event = place as u64 * EVENTS_PER_SHARD;
        shard.set_next_event(first_event + 1);
        let (risks, refused, letters, residents) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Ok(Self {
            config,
            shard,
            first_event,
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
                let next_event = self.shard.next_event() % EVENTS_PER_SHARD;
                // Whoever asked may have given up since.
                let _ = reply.send(Saved { bytes, next_event });
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
            Letter::NumberEvents(next) => {
                self.shard
                    .set_next_event(self.first_event + next % EVENTS_PER_SHARD);
            }
            Letter::Adopt(runner) => {
                let model = Arc::clone(runner.model());
                // A model that does not fit was refused before the letter was written.
                if self.shard.adopt(runner).is_err() {
                    self.tally.model_failures.fetch_add(1, Ordering::Relaxed);
                }
                Arc::make_mut(&mut self.config).models.forecaster = Some(model);
            }
            Letter::Reset => {
                self.residents.clear();
                self.begin_again();
                self.shard.set_next_event(self.first_event + 1);
            }
        }
    }

    /// Puts a shard in place that knows its series and has learned nothing of them.
    fn begin_again(&mut self) {
        // The configuration built a shard before; were it to fail now, the old one is better than none.
        if let Ok(fresh) = Shard::new(&self.config) {
            let next_event = self.shard.next_event();
            self.shard = fresh;
            self.shard.set_next_event(next_event);
            for resident in &self.residents {
                self.shard.add_series(resident.spec);
            }
        }
    }

    fn take(&mut self, part: Part) {
        self.risks.clear();
        self.refused.clear();
        let tally = Arc::clone(&self.tally);
        self.shard.keep_columns(self.sink.wants_columns());
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
        tally
            .model_failures
            .fetch_add(self.shard.take_failures(), Ordering::Relaxed);
        if !self.risks.is_empty() {
            let scored = Scored {
                risks: &self.risks,
                members: self.shard.members(),
                columns: self.shard.columns(),
            };
            tally.guard(|| self.sink.risks(&scored));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::Batch;
    use crate::lane::Lane;
    use crate::{Outcome, SeriesSpec};
    use series::{Kind, Sample, SeriesId, Timestamp};
    use std::sync::mpsc::{channel, sync_channel};

    struct Deaf;

    impl Sink for Deaf {
        fn risks(&self, _: &Scored<'_>) {}
    }

    /// Runs a worker on what is in its queue; what came of each batch.
    fn run(
        tally: &Arc<Tally>,
        fill: impl FnOnce(&Lane, &mut dyn FnMut(Vec<Sample>)),
    ) -> Vec<Outcome> {
        let inbox = Arc::default();
        let config = Arc::<EngineConfig>::default();
        let worker = Worker::new(
            0,
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
                unit: series::Unit::None,
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
