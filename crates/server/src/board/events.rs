//! Open events, and those that closed recently.

use std::collections::{HashMap, VecDeque};

use parking_lot::Mutex;
use predict::{Event, EventId, Phase, Risk};
use series::{SeriesId, Timestamp};

/// One event over its whole life.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Record {
    /// As of the newest sample that belongs to it.
    pub(crate) event: Event,
    pub(crate) closed: Option<Timestamp>,
    /// The sample with the highest alert score.
    pub(crate) peak: Risk,
}

/// What a list of events is made from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct EventSummary {
    pub(crate) id: EventId,
    pub(crate) series: SeriesId,
    pub(crate) since: Timestamp,
    pub(crate) peak: f32,
    pub(crate) is_open: bool,
}

/// All that are remembered. Open ones are bounded by the number of series, closed ones by the configuration.
#[derive(Debug)]
pub(crate) struct Events {
    inner: Mutex<Inner>,
    max_closed: usize,
}

#[derive(Debug, Default)]
struct Inner {
    open: HashMap<EventId, Record>,
    closed: VecDeque<Record>,
}

impl Events {
    pub(super) fn new(max_closed: usize) -> Self {
        Self {
            inner: Mutex::default(),
            max_closed,
        }
    }

    /// Most samples belong to no event, and cost a look each.
    pub(super) fn record(&self, risks: &[Risk]) {
        let mut inner = None;
        for risk in risks {
            let Some(event) = risk.event else { continue };
            let inner: &mut Inner = inner.get_or_insert_with(|| self.inner.lock());
            // An event that opened before a restart is met in the middle: its peak is then the highest seen since.
            let record = inner.open.entry(event.id).or_insert(Record {
                event,
                closed: None,
                peak: *risk,
            });
            record.event = event;
            if risk.alert_score > record.peak.alert_score {
                record.peak = *risk;
            }
            if event.phase == Phase::Closed {
                record.closed = Some(risk.at);
                let record = *record;
                inner.open.remove(&event.id);
                if self.max_closed > 0 {
                    if inner.closed.len() == self.max_closed {
                        inner.closed.pop_front();
                    }
                    inner.closed.push_back(record);
                }
            }
        }
    }

    /// How many are open.
    pub(crate) fn n_open(&self) -> usize {
        self.inner.lock().open.len()
    }

    /// All events in brief, in no order. Copies little, since shards wait meanwhile.
    pub(crate) fn summaries(&self) -> Vec<EventSummary> {
        let inner = self.inner.lock();
        inner
            .open
            .values()
            .chain(&inner.closed)
            .map(Record::summary)
            .collect()
    }

    /// The events of these ids that are still remembered.
    pub(crate) fn records(&self, ids: &[EventId]) -> HashMap<EventId, Record> {
        let inner = self.inner.lock();
        let mut found: HashMap<EventId, Record> = ids
            .iter()
            .filter_map(|id| inner.open.get(id).map(|record| (*id, *record)))
            .collect();
        if found.len() < ids.len() {
            let wanted: std::collections::HashSet<EventId> = ids.iter().copied().collect();
            let closed = inner
                .closed
                .iter()
                .filter(|record| wanted.contains(&record.event.id));
            found.extend(closed.map(|record| (record.event.id, *record)));
        }
        found
    }
}

impl Record {
    fn summary(&self) -> EventSummary {
        EventSummary {
            id: self.event.id,
            series: self.peak.series,
            since: self.event.since,
            peak: self.event.peak,
            is_open: self.closed.is_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::tests::{in_event, risk};

    #[test]
    fn an_event_is_followed_from_its_first_sample_to_its_last() {
        let events = Events::new(2);
        events.record(&[risk(1, 0, 0.1), in_event(risk(1, 1, 0.6), 7, Phase::Opened)]);
        events.record(&[
            in_event(risk(1, 2, 0.9), 7, Phase::Open),
            in_event(risk(1, 3, 0.7), 7, Phase::Open),
        ]);
        assert_eq!(events.n_open(), 1);
        assert!(events.summaries()[0].is_open);
        events.record(&[in_event(risk(1, 4, 0.2), 7, Phase::Closed)]);
        let record = events.records(&[EventId(7)])[&EventId(7)];
        assert_eq!(
            (record.closed, record.peak.value),
            (Some(Timestamp::from_millis(4000)), 2.0)
        );
        assert_eq!(events.n_open(), 0);
    }

    #[test]
    fn closed_events_are_forgotten_oldest_first() {
        let events = Events::new(2);
        for id in 1..=3 {
            events.record(&[in_event(risk(id as u32, 0, 0.6), id, Phase::Opened)]);
            events.record(&[in_event(risk(id as u32, 1, 0.6), id, Phase::Closed)]);
        }
        let mut ids: Vec<u64> = events.summaries().iter().map(|event| event.id.0).collect();
        ids.sort_unstable();
        assert_eq!(ids, [2, 3]);
        assert!(events.records(&[EventId(1)]).is_empty());
    }
}
