//! What readers may see: the newest risk of each series, its recent past, events, and the readers who watch.
//!
//! The shards' threads write here for every sample, so each part takes only short locks, and never one that a reader
//! holds while it does something slow: matching labels, turning risks into messages and waiting for the network all
//! happen on copies.

mod events;
mod latest;
mod watch;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hotpath::{Scored, Sink};
use parking_lot::RwLock;

use crate::WatchConfig;
use crate::selector::Selector;

pub(crate) use events::Record;
pub(crate) use latest::Point;
pub(crate) use watch::{Numbers, WantedEvents, Watcher};

use events::Events;
use latest::Latest;

/// The board that shards write and readers read.
#[derive(Debug)]
pub(crate) struct Board {
    pub(crate) latest: Latest,
    pub(crate) events: Events,
    watchers: RwLock<Vec<Arc<Watcher>>>,
    dropped: Arc<AtomicU64>,
    config: WatchConfig,
}

impl Board {
    pub(crate) fn new(config: &WatchConfig) -> Self {
        Self {
            latest: Latest::new(config.history_points, config.history_series),
            events: Events::new(config.closed_events),
            watchers: RwLock::default(),
            dropped: Arc::default(),
            config: config.clone(),
        }
    }

    /// A new reader of what comes from now on; `None` when there are as many as may be.
    pub(crate) fn subscribe(
        self: &Arc<Self>,
        numbers: Numbers,
        selector: Selector,
    ) -> Option<Subscription> {
        let mut watchers = self.watchers.write();
        if watchers.len() >= self.config.max_watchers {
            return None;
        }
        let watcher = Arc::new(Watcher::new(
            numbers,
            selector,
            self.config.queue_risks,
            Arc::clone(&self.dropped),
        ));
        watchers.push(Arc::clone(&watcher));
        Some(Subscription {
            board: Arc::clone(self),
            watcher,
        })
    }

    /// How many readers there are.
    pub(crate) fn n_watchers(&self) -> usize {
        self.watchers.read().len()
    }

    /// Risks that readers did not get because they were slow.
    pub(crate) fn n_dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

impl Sink for Board {
    fn risks(&self, scored: &Scored<'_>) {
        self.latest.record(scored.risks);
        self.events.record(scored.risks);
        for watcher in &*self.watchers.read() {
            watcher.offer(scored.risks);
        }
    }
}

/// A reader's place among the watchers, for as long as it lives.
#[derive(Debug)]
pub(crate) struct Subscription {
    board: Arc<Board>,
    pub(crate) watcher: Arc<Watcher>,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.board
            .watchers
            .write()
            .retain(|other| !Arc::ptr_eq(other, &self.watcher));
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use predict::{Event, EventId, Phase, Risk, Score};
    use series::{SeriesId, Timestamp};

    use super::*;

    /// A risk with this alert score at second `at`.
    pub(crate) fn risk(series: u32, at: i64, alert_score: f32) -> Risk {
        Risk {
            series: SeriesId(series),
            at: Timestamp::from_millis(at * 1000),
            value: at as f64,
            level: 0.0,
            expected: 0.0,
            band: 0.0,
            score: Score::from_tail(1.0 - f64::from(alert_score)),
            alert_score,
            confidence: 1.0,
            event: None,
            detectors: Default::default(),
            features: Default::default(),
        }
    }

    /// The same in an event.
    pub(crate) fn in_event(risk: Risk, id: u64, phase: Phase) -> Risk {
        Risk {
            event: Some(Event {
                id: EventId(id),
                phase,
                since: risk.at,
                peak: risk.alert_score,
            }),
            ..risk
        }
    }

    #[test]
    fn watchers_are_bounded_and_leave_when_dropped() {
        let board = Arc::new(Board::new(&WatchConfig {
            max_watchers: 1,
            ..WatchConfig::default()
        }));
        let first = board
            .subscribe(Numbers::default(), Selector::default())
            .unwrap();
        assert!(
            board
                .subscribe(Numbers::default(), Selector::default())
                .is_none()
        );
        drop(first);
        assert_eq!(board.n_watchers(), 0);
        assert!(
            board
                .subscribe(Numbers::default(), Selector::default())
                .is_some()
        );
    }
}
