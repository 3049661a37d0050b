//! The way into the engine: how many samples may wait, and which are turned away at the door.

use std::sync::Arc;

use hotpath::{Engine, Outcome};
use series::{Clock, Refusal, Sample, Timestamp};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::IngestConfig;

/// Most batches that wait for a shard; the engine takes room for them at the start.
const MAX_BATCHES: u32 = 1024;

/// Admits samples to the engine.
///
/// The engine's queues are bounded and [`Engine::submit`] blocks while one is full, which a thread of the async runtime
/// must not. So each batch first takes permits here, asynchronously: as many as it has samples, and at least as many as
/// keep the number of batches below the length of the queues. Both the memory and the queue are bounded by one count.
#[derive(Clone)]
pub(crate) struct Intake {
    engine: Arc<Engine>,
    clock: Arc<dyn Clock>,
    permits: Arc<Semaphore>,
    all: u32,
    max_ahead_us: i64,
}

impl Intake {
    /// How long the engine's queues must be for this intake: some places are for wake-ups.
    pub(crate) const QUEUE: usize = MAX_BATCHES as usize + 64;

    pub(crate) fn new(engine: Arc<Engine>, clock: Arc<dyn Clock>, config: &IngestConfig) -> Self {
        let all = u32::try_from(config.queue_samples)
            .unwrap_or(u32::MAX)
            .max(MAX_BATCHES);
        Self {
            engine,
            clock,
            permits: Arc::new(Semaphore::new(all as usize)),
            all,
            max_ahead_us: Timestamp::from_secs_f64(config.max_ahead_s)
                .map_or(i64::MAX, Timestamp::micros),
        }
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Samples after this instant are refused.
    pub(crate) fn latest_allowed(&self) -> Timestamp {
        self.clock.now().plus_micros(self.max_ahead_us)
    }

    /// Waits for room, hands the samples over, and returns where their outcome will arrive. It arrives whether or not
    /// anybody waits for it: what was admitted is scored.
    pub(crate) async fn submit(&self, samples: Vec<Sample>) -> oneshot::Receiver<Outcome> {
        let (sender, receiver) = oneshot::channel();
        let n = u32::try_from(samples.len())
            .unwrap_or(u32::MAX)
            .clamp(self.all / MAX_BATCHES, self.all);
        // The semaphore is never closed; were it, samples would still be welcome.
        let permit: Option<OwnedSemaphorePermit> =
            Arc::clone(&self.permits).acquire_many_owned(n).await.ok();
        self.engine.submit(samples, move |outcome| {
            drop(permit);
            // Whoever asked may be gone.
            let _ = sender.send(outcome);
        });
        receiver
    }

    /// Counts samples that were turned away here.
    pub(crate) fn refuse(&self, why: Refusal, n: u64) {
        self.engine.refuse(why, n);
    }

    /// Waits until everything that was admitted has been scored.
    pub(crate) async fn drained(&self) {
        let _ = self.permits.acquire_many(self.all).await;
    }
}
