//! A batch of samples on its way through several shards, and the buffers it travels in.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use series::{Refusal, Sample};

/// What came of a batch.
///
/// `taken + refused.len()` is the length of the batch, unless a shard panicked on its part: what is missing was lost
/// with it, and [`crate::Counters::shard_panics`] has gone up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// How many samples were taken.
    pub taken: u32,
    /// Place in the batch of each sample that was not, and why; in order of place.
    pub refused: Vec<(u32, Refusal)>,
}

type Done = Box<dyn FnOnce(Outcome) + Send>;

/// What the shards still owe to one batch.
pub(crate) struct Batch {
    parts: AtomicUsize,
    taken: AtomicU32,
    refused: Mutex<Vec<(u32, Refusal)>>,
    done: Mutex<Option<Done>>,
}

impl Batch {
    /// A batch in `parts` parts (at least 1), some samples of which may have been refused before.
    pub(crate) fn new(parts: usize, refused: Vec<(u32, Refusal)>, done: Done) -> Self {
        Self {
            parts: AtomicUsize::new(parts),
            taken: AtomicU32::new(0),
            refused: Mutex::new(refused),
            done: Mutex::new(Some(done)),
        }
    }

    /// Ends one part; the last one to end reports the whole on its own thread.
    pub(crate) fn end_part(&self, taken: u32, refused: &[(u32, Refusal)]) {
        self.taken.fetch_add(taken, Ordering::Relaxed);
        if !refused.is_empty() {
            lock(&self.refused).extend_from_slice(refused);
        }
        // Release what this part wrote; acquire what the others wrote.
        if self.parts.fetch_sub(1, Ordering::AcqRel) > 1 {
            return;
        }
        let mut refused = std::mem::take(&mut *lock(&self.refused));
        refused.sort_unstable_by_key(|&(place, _)| place);
        let done = lock(&self.done).take();
        if let Some(done) = done {
            done(Outcome {
                taken: self.taken.load(Ordering::Relaxed),
                refused,
            });
        }
    }
}

/// The lock, also after a panic elsewhere: no code here panics between two writes that belong together.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Empty buffers that have been used before, so that a steady stream allocates none.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    samples: Mutex<Vec<Vec<Sample>>>,
    places: Mutex<Vec<Vec<u32>>>,
}

impl Pool {
    /// Buffers kept of each kind: enough for the batches in flight of a few peers.
    const KEPT: usize = 64;
    /// A buffer that grew beyond this many places is let go: one huge batch must not hold its memory for ever.
    const LARGEST: usize = 1 << 16;

    pub(crate) fn samples(&self) -> Vec<Sample> {
        lock(&self.samples).pop().unwrap_or_default()
    }

    pub(crate) fn places(&self) -> Vec<u32> {
        lock(&self.places).pop().unwrap_or_default()
    }

    pub(crate) fn give_back(&self, samples: Vec<Sample>, places: Vec<u32>) {
        keep(&self.samples, samples);
        keep(&self.places, places);
    }
}

fn keep<T>(kept: &Mutex<Vec<Vec<T>>>, mut buffer: Vec<T>) {
    if (1..=Pool::LARGEST).contains(&buffer.capacity()) {
        buffer.clear();
        let mut kept = lock(kept);
        if kept.len() < Pool::KEPT {
            kept.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    #[test]
    fn the_last_part_reports_the_whole_in_order() {
        let (sender, receiver) = channel();
        let batch = Batch::new(
            2,
            vec![(5, Refusal::UnknownSeries)],
            Box::new(move |outcome| sender.send(outcome).unwrap()),
        );
        batch.end_part(3, &[(7, Refusal::NotFinite)]);
        assert!(receiver.try_recv().is_err());
        batch.end_part(2, &[(1, Refusal::Duplicate)]);
        let expected = vec![
            (1, Refusal::Duplicate),
            (5, Refusal::UnknownSeries),
            (7, Refusal::NotFinite),
        ];
        assert_eq!(
            receiver.try_recv(),
            Ok(Outcome {
                taken: 5,
                refused: expected
            })
        );
    }

    #[test]
    fn a_huge_buffer_is_not_kept() {
        let pool = Pool::default();
        pool.give_back(
            Vec::with_capacity(Pool::LARGEST + 1),
            Vec::with_capacity(16),
        );
        assert_eq!(pool.samples().capacity(), 0);
        assert!(pool.places().capacity() >= 16);
    }
}
