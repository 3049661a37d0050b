//! A reader that watches, and the queue between it and the shards.
//!
//! The queue is bounded and never waits. When it is full, the newest risk of a series takes the place of an older one
//! of the same series, which a reader would skip anyway; only when there is none does the oldest risk go. Each risk
//! that was not delivered is counted and the reader is told.
//!
//! Shards test numbers only. Labels are tested by the reader, once per series: an expression may be slow.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use predict::{Phase, Risk};
use series::{SeriesId, SeriesKey};
use tokio::sync::Notify;

use crate::selector::Selector;

/// Which risks a reader wants, by their numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Numbers {
    pub(crate) min_score: f64,
    pub(crate) min_alert_score: f32,
    pub(crate) events: WantedEvents,
}

/// Which risks a reader wants, by what they mean for an event.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum WantedEvents {
    /// All risks, in an event or not.
    #[default]
    Any,
    /// Risks that belong to an event.
    Inside,
    /// Risks with which an event opens or closes.
    Changes,
}

impl Numbers {
    pub(crate) fn pick(&self, risk: &Risk) -> bool {
        let event = match self.events {
            WantedEvents::Any => true,
            WantedEvents::Inside => risk.event.is_some(),
            WantedEvents::Changes => risk.event.is_some_and(|event| event.phase != Phase::Open),
        };
        event && risk.score.get() >= self.min_score && risk.alert_score >= self.min_alert_score
    }
}

/// One reader.
#[derive(Debug)]
pub(crate) struct Watcher {
    numbers: Numbers,
    selector: Selector,
    queue: Mutex<Queue>,
    capacity: usize,
    filled: Notify,
    all_dropped: Arc<AtomicU64>,
}

#[derive(Debug, Default)]
struct Queue {
    risks: VecDeque<Risk>,
    /// Number of the front of `risks`, counted over all that ever were in it.
    first: u64,
    series: Vec<Slot>,
    dropped: u64,
}

/// What is known of a series.
#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    wanted: Wanted,
    /// Number of its newest risk in the queue; it may be gone since.
    newest: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Wanted {
    /// Its labels were not looked at yet.
    #[default]
    Unknown,
    Yes,
    No,
}

impl Watcher {
    pub(super) fn new(
        numbers: Numbers,
        selector: Selector,
        capacity: usize,
        all_dropped: Arc<AtomicU64>,
    ) -> Self {
        Self {
            numbers,
            selector,
            queue: Mutex::default(),
            capacity,
            filled: Notify::new(),
            all_dropped,
        }
    }

    /// On a shard's thread: takes what the reader wants.
    pub(super) fn offer(&self, risks: &[Risk]) {
        let mut wanted = risks
            .iter()
            .filter(|risk| self.numbers.pick(risk))
            .peekable();
        if wanted.peek().is_none() {
            return;
        }
        let mut queue = self.queue.lock();
        let before = queue.dropped;
        for risk in wanted {
            queue.push(risk, self.capacity);
        }
        let dropped = queue.dropped - before;
        drop(queue);
        if dropped > 0 {
            self.all_dropped.fetch_add(dropped, Ordering::Relaxed);
        }
        self.filled.notify_one();
    }

    /// Waits for risks, and takes up to `max` of them with the number that was dropped. `key` finds a series' key.
    pub(crate) async fn next(
        &self,
        max: usize,
        key: impl Fn(SeriesId) -> Option<Arc<SeriesKey>>,
    ) -> (Vec<Risk>, u64) {
        loop {
            let filled = self.filled.notified();
            let (risks, dropped) = self.take(max, &key);
            if !risks.is_empty() || dropped > 0 {
                return (risks, dropped);
            }
            if self.queue.lock().risks.is_empty() {
                filled.await;
            }
        }
    }

    fn take(
        &self,
        max: usize,
        key: &impl Fn(SeriesId) -> Option<Arc<SeriesKey>>,
    ) -> (Vec<Risk>, u64) {
        let (mut risks, dropped, unknown) = {
            let mut queue = self.queue.lock();
            let n = queue.risks.len().min(max);
            let risks: Vec<Risk> = queue.risks.drain(..n).collect();
            queue.first += n as u64;
            let unknown: Vec<bool> = risks
                .iter()
                .map(|risk| queue.slot(risk.series).wanted == Wanted::Unknown)
                .collect();
            (risks, std::mem::take(&mut queue.dropped), unknown)
        };
        if self.selector.is_everything() {
            return (risks, dropped);
        }
        let mut decided: Vec<(SeriesId, bool)> = Vec::new();
        let mut unknown = unknown.into_iter();
        risks.retain(|risk| {
            if unknown.next() != Some(true) {
                return true;
            }
            let picks = key(risk.series).is_some_and(|key| self.selector.picks(&key));
            decided.push((risk.series, picks));
            picks
        });
        if !decided.is_empty() {
            let mut queue = self.queue.lock();
            for (series, picks) in decided {
                queue.slot(series).wanted = if picks { Wanted::Yes } else { Wanted::No };
            }
        }
        (risks, dropped)
    }

    /// Whether the reader wants this risk, by all that it asked for.
    pub(crate) fn wants(&self, risk: &Risk, key: impl FnOnce() -> Option<Arc<SeriesKey>>) -> bool {
        self.numbers.pick(risk)
            && (self.selector.is_everything() || key().is_some_and(|key| self.selector.picks(&key)))
    }
}

impl Queue {
    fn slot(&mut self, series: SeriesId) -> &mut Slot {
        let i = series.index();
        if self.series.len() <= i {
            self.series.resize(i + 1, Slot::default());
        }
        &mut self.series[i]
    }

    fn push(&mut self, risk: &Risk, capacity: usize) {
        let slot = *self.slot(risk.series);
        if slot.wanted == Wanted::No {
            return;
        }
        if self.risks.len() >= capacity {
            self.dropped += 1;
            let older = slot
                .newest
                .checked_sub(self.first)
                .and_then(|i| self.risks.get_mut(i as usize));
            if let Some(older) = older.filter(|older| older.series == risk.series) {
                *older = replacing(older, risk);
                return;
            }
            self.risks.pop_front();
            self.first += 1;
        }
        self.slot(risk.series).newest = self.first + self.risks.len() as u64;
        self.risks.push_back(*risk);
    }
}

/// `newer` in place of `older`: that an event opened is still told.
fn replacing(older: &Risk, newer: &Risk) -> Risk {
    let mut risk = *newer;
    if let (Some(before), Some(now)) = (&older.event, &mut risk.event)
        && before.id == now.id
        && before.phase == Phase::Opened
        && now.phase == Phase::Open
    {
        now.phase = Phase::Opened;
    }
    risk
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::tests::{in_event, risk};

    fn watcher(numbers: Numbers, selector: &str, capacity: usize) -> Watcher {
        Watcher::new(
            numbers,
            Selector::parse(selector).unwrap(),
            capacity,
            Arc::default(),
        )
    }

    /// Series 0, 1, 2… are called `s{n="0"}`, `s{n="1"}`…
    fn key(id: SeriesId) -> Option<Arc<SeriesKey>> {
        Some(Arc::new(
            SeriesKey::new("s", [("n", id.0.to_string())]).unwrap(),
        ))
    }

    /// What a reader gets now: series and second of each risk, and the number dropped.
    fn told(watcher: &Watcher) -> (Vec<(u32, f64)>, u64) {
        let (risks, dropped) = watcher.take(100, &key);
        (
            risks
                .iter()
                .map(|risk| (risk.series.0, risk.value))
                .collect(),
            dropped,
        )
    }

    #[test]
    fn a_slow_reader_gets_the_newest_of_each_series_and_the_number_it_missed() {
        let watcher = watcher(Numbers::default(), "", 3);
        for at in 0..10 {
            watcher.offer(&[risk(0, at, 0.1), risk(1, at, 0.1)]);
        }
        assert_eq!(told(&watcher), (vec![(0, 0.0), (1, 9.0), (0, 9.0)], 17));
        assert_eq!(told(&watcher), (vec![], 0));
        watcher.offer(&[risk(1, 10, 0.1)]);
        assert_eq!(told(&watcher), (vec![(1, 10.0)], 0));
    }

    #[test]
    fn the_oldest_goes_when_no_series_is_there_twice() {
        let watcher = watcher(Numbers::default(), "", 2);
        watcher.offer(&[risk(0, 0, 0.1), risk(1, 1, 0.1), risk(2, 2, 0.1)]);
        assert_eq!(told(&watcher), (vec![(1, 1.0), (2, 2.0)], 1));
    }

    #[test]
    fn labels_are_tested_once_and_unwanted_series_take_no_room_afterwards() {
        let watcher = watcher(Numbers::default(), r#"s{n="1"}"#, 2);
        watcher.offer(&[risk(0, 0, 0.1), risk(1, 0, 0.1)]);
        assert_eq!(told(&watcher), (vec![(1, 0.0)], 0));
        for at in 1..5 {
            watcher.offer(&[risk(0, at, 0.1)]);
        }
        watcher.offer(&[risk(1, 5, 0.1)]);
        assert_eq!(told(&watcher), (vec![(1, 5.0)], 0));
    }

    #[test]
    fn numbers_pick_before_the_queue() {
        let watcher = watcher(
            Numbers {
                min_alert_score: 0.5,
                ..Numbers::default()
            },
            "",
            8,
        );
        watcher.offer(&[risk(0, 0, 0.4), risk(0, 1, 0.6)]);
        assert_eq!(told(&watcher), (vec![(0, 1.0)], 0));
        let changes = Numbers {
            events: WantedEvents::Changes,
            ..Numbers::default()
        };
        let phases = [Phase::Opened, Phase::Open, Phase::Closed];
        let picked = phases.map(|phase| changes.pick(&in_event(risk(0, 0, 0.1), 1, phase)));
        assert_eq!(picked, [true, false, true]);
    }

    #[test]
    fn an_event_that_opened_unseen_is_still_told() {
        let watcher = watcher(Numbers::default(), "", 1);
        watcher.offer(&[
            in_event(risk(0, 0, 0.6), 4, Phase::Opened),
            in_event(risk(0, 1, 0.7), 4, Phase::Open),
        ]);
        let (risks, _) = watcher.take(9, &key);
        assert_eq!(
            (risks[0].value, risks[0].event.unwrap().phase),
            (1.0, Phase::Opened)
        );
    }

    #[tokio::test]
    async fn a_reader_that_waits_is_woken() {
        let watcher = Arc::new(watcher(Numbers::default(), r#"{n="1"}"#, 8));
        let reader = tokio::spawn({
            let watcher = Arc::clone(&watcher);
            async move { watcher.next(8, key).await.0.len() }
        });
        tokio::task::yield_now().await;
        watcher.offer(&[risk(0, 0, 0.1)]);
        tokio::task::yield_now().await;
        watcher.offer(&[risk(1, 0, 0.1)]);
        assert_eq!(reader.await.unwrap(), 1);
    }
}
