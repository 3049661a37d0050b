//! Which series the lookout reads from, as shards see it: a byte for each, read without a lock.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};

use series::SeriesId;

/// Series whose bytes are allocated together.
const RUN: usize = 1 << 16;

/// What is known of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Interest {
    /// The lookout has not heard of it: its samples are worth sending, so that it does.
    Unknown,
    /// A resource is read from it.
    Wanted,
    /// None is.
    Unwanted,
}

/// The interest in every series there may be. Written by the lookout's thread alone.
#[derive(Debug)]
pub(super) struct Interests {
    runs: Box<[OnceLock<Box<[AtomicU8]>>]>,
}

impl Interests {
    /// Of so many series at most, all unknown. A series takes a byte once it is known; a run of them at a time.
    pub(super) fn new(max_series: usize) -> Self {
        let runs = (0..max_series.div_ceil(RUN)).map(|_| OnceLock::new());
        Self {
            runs: runs.collect(),
        }
    }

    /// On a shard's thread, for every sample. What is read a moment late sends a sample too many, or one too few.
    pub(super) fn of(&self, id: SeriesId) -> Interest {
        let run = self.runs.get(id.index() / RUN).and_then(OnceLock::get);
        let byte = run.map(|run| run[id.index() % RUN].load(Ordering::Relaxed));
        match byte {
            Some(1) => Interest::Wanted,
            Some(2) => Interest::Unwanted,
            _ => Interest::Unknown,
        }
    }

    pub(super) fn set(&self, id: SeriesId, interest: Interest) {
        if let Some(run) = self.runs.get(id.index() / RUN) {
            let run = run.get_or_init(|| (0..RUN).map(|_| AtomicU8::new(0)).collect());
            run[id.index() % RUN].store(interest as u8, Ordering::Relaxed);
        }
    }

    /// All are unknown again.
    pub(super) fn forget(&self) {
        for byte in self.runs.iter().filter_map(OnceLock::get).flatten() {
            byte.store(Interest::Unknown as u8, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_series_has_a_byte_of_its_own() {
        let interests = Interests::new(3 * RUN);
        let ids = [0, 1, RUN as u32 - 1, RUN as u32, 3 * RUN as u32 - 1].map(SeriesId);
        for (i, &id) in ids.iter().enumerate() {
            assert_eq!(interests.of(id), Interest::Unknown);
            let interest = if i % 2 == 0 {
                Interest::Wanted
            } else {
                Interest::Unwanted
            };
            interests.set(id, interest);
        }
        let read = ids.map(|id| interests.of(id));
        let (yes, no) = (Interest::Wanted, Interest::Unwanted);
        assert_eq!(read, [yes, no, yes, no, yes]);
        assert_eq!(interests.of(SeriesId(2)), Interest::Unknown);
        interests.forget();
        assert!(ids.iter().all(|&id| interests.of(id) == Interest::Unknown));
    }

    #[test]
    fn a_series_beyond_the_limit_is_never_known() {
        let interests = Interests::new(1);
        let beyond = SeriesId(u32::MAX);
        interests.set(beyond, Interest::Wanted);
        assert_eq!(interests.of(beyond), Interest::Unknown);
    }
}
