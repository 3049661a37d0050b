//! What is counted, and what becomes of a panic.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use series::{REFUSALS, Refusal};

/// What all shards count together, once per batch.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) taken: AtomicU64,
    pub(crate) refused: [AtomicU64; REFUSALS.len()],
    pub(crate) events_opened: AtomicU64,
    pub(crate) queued: AtomicUsize,
    pub(crate) panics: AtomicU64,
    pub(crate) model_failures: AtomicU64,
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
