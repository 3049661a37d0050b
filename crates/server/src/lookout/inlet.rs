//! Where shards leave the samples that the lookout reads from. Each has a buffer of its own, whose lock is else taken only to
//! copy what is in it, so that a shard hardly ever waits and never for work; what does not fit is left out and counted.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use predict::Risk;
use series::Sample;

use super::interest::{Interest, Interests};
use crate::thread_number::thread_number;

/// Risks in events that may wait: they corroborate, and nothing hangs on one of them.
const MAX_EVENTS: usize = 4096;

/// The shards' end, and the bell between them and the lookout's thread.
#[derive(Debug)]
pub(crate) struct Inlet {
    pub(super) interests: Interests,
    buffers: Box<[Mutex<Vec<Sample>>]>,
    /// Samples that one buffer may hold.
    most: usize,
    /// Risks in an event, of series that are wanted.
    events: Mutex<Vec<Risk>>,
    dropped: AtomicU64,
    rung: Mutex<Rung>,
    bell: Condvar,
}

/// What the lookout's thread is woken for before its time.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Rung {
    full: bool,
    stop: bool,
}

impl Inlet {
    /// For so many shards, and at most so many waiting samples and so many series.
    pub(super) fn new(n_shards: usize, queue_samples: usize, max_series: usize) -> Self {
        let n_shards = n_shards.max(1);
        Self {
            interests: Interests::new(max_series),
            buffers: (0..n_shards).map(|_| Mutex::default()).collect(),
            most: (queue_samples / n_shards).max(1),
            events: Mutex::default(),
            dropped: AtomicU64::new(0),
            rung: Mutex::default(),
            bell: Condvar::new(),
        }
    }

    /// On a shard's thread: takes a copy of what is wanted, and of what comes from series that are not known yet.
    pub(crate) fn offer(&self, risks: &[Risk]) {
        let wanted = risks
            .iter()
            .filter(|risk| self.interests.of(risk.series) != Interest::Unwanted);
        let mut wanted = wanted.peekable();
        if wanted.peek().is_none() {
            return;
        }
        let in_event = risks.iter().filter(|risk| {
            risk.event.is_some() && self.interests.of(risk.series) == Interest::Wanted
        });
        let mut in_event = in_event.peekable();
        if in_event.peek().is_some() {
            let mut events = self.events.lock();
            let room = MAX_EVENTS.saturating_sub(events.len());
            events.extend(in_event.take(room));
        }
        let mut buffer = self.buffers[thread_number() % self.buffers.len()].lock();
        let before = buffer.len();
        let mut dropped = 0;
        for risk in wanted {
            if buffer.len() >= self.most {
                dropped += 1;
                continue;
            }
            buffer.push(Sample {
                series: risk.series,
                at: risk.at,
                value: risk.value,
            });
        }
        let half = self.most / 2;
        let is_filling = before <= half && buffer.len() > half;
        drop(buffer);
        if dropped > 0 {
            self.dropped.fetch_add(dropped, Ordering::Relaxed);
        }
        if is_filling {
            self.rung.lock().full = true;
            self.bell.notify_one();
        }
    }

    /// Moves all that waits to the end of `samples`; those of one series stay in order.
    pub(super) fn take(&self, samples: &mut Vec<Sample>) {
        for buffer in &self.buffers {
            // Under the lock there is only a copy, of a few hundred kilobytes as a rule; the buffer keeps its room.
            samples.append(&mut buffer.lock());
        }
    }

    /// Moves the risks in events that wait to the end of `events`.
    pub(super) fn take_events(&self, events: &mut Vec<Risk>) {
        events.append(&mut self.events.lock());
    }

    /// Waits for the end of `tick`, for a buffer that fills, or for [`Inlet::stop`]; whether it was the last of these.
    pub(super) fn wait(&self, tick: Duration) -> bool {
        let mut rung = self.rung.lock();
        if *rung == Rung::default() {
            self.bell.wait_for(&mut rung, tick);
        }
        rung.full = false;
        rung.stop
    }

    /// Ends the waiting for good.
    pub(super) fn stop(&self) {
        self.rung.lock().stop = true;
        self.bell.notify_one();
    }

    /// Samples that may wait, in all buffers together.
    pub(super) fn capacity(&self) -> usize {
        self.most * self.buffers.len()
    }

    /// Samples that were left out so far.
    pub(crate) fn n_dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use series::SeriesId;

    use super::*;
    use crate::board::tests::risk;

    fn taken(inlet: &Inlet) -> Vec<(u32, f64)> {
        let mut samples = Vec::new();
        inlet.take(&mut samples);
        samples.iter().map(|s| (s.series.0, s.value)).collect()
    }

    #[test]
    fn only_what_may_matter_is_taken_and_in_order() {
        let inlet = Inlet::new(2, 100, 100);
        inlet.interests.set(SeriesId(0), Interest::Unwanted);
        inlet.interests.set(SeriesId(1), Interest::Wanted);
        for at in 0..3 {
            inlet.offer(&[risk(0, at, 0.0), risk(1, at, 0.0), risk(2, at, 0.0)]);
        }
        let expected = [(1, 0.0), (2, 0.0), (1, 1.0), (2, 1.0), (1, 2.0), (2, 2.0)];
        assert_eq!(taken(&inlet), expected);
        assert_eq!(taken(&inlet), []);
        assert_eq!(inlet.n_dropped(), 0);
    }

    #[test]
    fn what_does_not_fit_is_counted_and_nobody_waits() {
        let inlet = Inlet::new(1, 4, 100);
        let many: Vec<Risk> = (0..10).map(|at| risk(1, at, 0.0)).collect();
        inlet.offer(&many);
        assert_eq!(inlet.n_dropped(), 6);
        // The bell has rung: this would wait for an hour else.
        assert!(!inlet.wait(Duration::from_hours(1)));
        assert_eq!(taken(&inlet).len(), 4);
        inlet.stop();
        assert!(inlet.wait(Duration::from_hours(1)));
    }
}
