//! Who is behind it: the processes of this host that use what a series of the host is about.
//!
//! A hog shows where it is new, in the load of the whole host. Its own series has no past, so it is never odd, yet it is
//! the name that people look for. The thread that reads the host leaves here what each process uses, and what each used
//! before an event began is kept with the event. Blamed is whose use *changed*, so that a large database is not named
//! for a small hog. The threads that score never come here.

mod ledger;
mod resource;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use predict::{Event, EventId, Phase, Risk};
use series::{SeriesId, SeriesKey, Timestamp};

use ledger::{Baseline, Change, KEPT, Ledger};
use resource::{Measure, PER_PROCESSOR, Resource, Sense, Watched};

/// Most processes named for one risk.
const MOST_NAMED: usize = 3;
/// A process is named for at least this share of the change. In the seconds before a new hog is reported, its
/// neighbours' small changes are all that is known, and nobody is better than the wrong one.
const LEAST_SHARE: f64 = 0.15;
/// While those that are named for an event change at least this much of what they did, they are told as they are now;
/// then as they were. The end of a hog does not make its neighbours guilty.
const STILL_THERE: f64 = 0.5;
/// Alerts below this, without an event, are nobody's fault.
const LEAST_ALERT: f32 = 0.05;

/// A process that is blamed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Culprit {
    /// Its series.
    pub(crate) key: Arc<SeriesKey>,
    /// What it uses, in the unit of its series.
    pub(crate) value: f64,
    /// By how much that is more than before; negative when less use is what is odd.
    pub(crate) increase: f64,
    /// Its part of the change of the host, or of all processes if that is more or not known; 0 to 1.
    pub(crate) share: f64,
}

/// A line of a reading of the host.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Use<'a> {
    /// The number of its series, if the engine has room for it.
    pub(crate) series: Option<SeriesId>,
    pub(crate) key: &'a Arc<SeriesKey>,
    pub(crate) value: f64,
}

/// What processes use, and who is blamed for which event.
#[derive(Debug)]
pub(crate) struct Culprits {
    inner: Mutex<Inner>,
    max_events: usize,
}

#[derive(Debug, Default)]
struct Inner {
    /// The series of the host that processes can be held to.
    watched: HashMap<SeriesId, Watched>,
    n_processors: u32,
    ledgers: [Ledger; Resource::ALL.len()],
    /// When the last readings were made, oldest first, and the number of the newest, from 1.
    readings: VecDeque<Timestamp>,
    newest: u64,
    events: HashMap<EventId, Attribution>,
    /// Events in the order in which they were met.
    order: VecDeque<EventId>,
}

/// Who is blamed for an event.
#[derive(Debug)]
struct Attribution {
    what: Oddity,
    baseline: Baseline,
    found: Vec<Culprit>,
}

/// What is to be explained.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Oddity {
    resource: Resource,
    direction: Direction,
    /// By how much, in the unit in which processes use it; 0 if that is not known.
    amount: f64,
}

/// Which way the use went that is odd.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    More,
    Less,
}

impl Culprits {
    /// Remembers at least `closed_events` events that are over.
    pub(crate) fn new(closed_events: usize) -> Self {
        /// More than there are series of a host that can be in an event.
        const OPEN: usize = 512;
        Self {
            inner: Mutex::default(),
            max_events: closed_events.saturating_add(OPEN),
        }
    }

    /// Takes in a reading of the host, made at `at`: all its series.
    pub(crate) fn note<'a>(&self, at: Timestamp, uses: impl Iterator<Item = Use<'a>>) {
        let mut inner = self.inner.lock();
        inner.begin(at);
        for one in uses {
            if let Some(resource) = Resource::of_process(one.key.metric()) {
                inner.ledgers[resource as usize].put(one.key, one.value);
            } else if let Some(id) = one.series
                && !inner.watched.contains_key(&id)
                && let Some(watched) = Resource::of_host(one.key)
            {
                inner.n_processors += u32::from(one.key.metric() == PER_PROCESSOR);
                inner.watched.insert(id, watched);
            }
        }
    }

    /// Looks at the newest risk of each series that processes can be held to, which `newest` finds, and brings events up
    /// to date.
    pub(crate) fn follow(&self, newest: impl Fn(SeriesId) -> Option<Risk>) {
        let mut inner = self.inner.lock();
        let risks: Vec<Risk> = inner.watched.keys().filter_map(|id| newest(*id)).collect();
        for risk in &risks {
            if let Some(event) = risk.event.filter(|event| event.phase != Phase::Closed) {
                inner.attribute(risk, &event, self.max_events);
                inner.refresh(event.id);
            }
        }
    }

    /// Who is behind a risk that is in an event or alerts, those that changed most first. Empty for all others, for
    /// series that processes cannot be held to, and when nobody stands out.
    pub(crate) fn of(&self, risk: &Risk) -> Vec<Culprit> {
        if risk.event.is_none() && risk.alert_score < LEAST_ALERT {
            return Vec::new();
        }
        let mut inner = self.inner.lock();
        match &risk.event {
            Some(event) => {
                // Between two readings; one that closed long ago is not begun again.
                if event.phase != Phase::Closed {
                    inner.attribute(risk, event, self.max_events);
                }
                let attribution = inner.events.get(&event.id);
                attribution.map_or_else(Vec::new, |known| known.found.clone())
            }
            None => inner.now(risk),
        }
    }
}

impl Inner {
    fn begin(&mut self, at: Timestamp) {
        if self.readings.back().is_some_and(|last| at < *last) {
            // The clock was set back: what is known cannot be placed in time any more.
            self.readings.clear();
        }
        self.newest += 1;
        self.readings.push_back(at);
        while self.readings.len() as u64 > KEPT {
            self.readings.pop_front();
        }
        for ledger in &mut self.ledgers {
            ledger.begin(self.newest);
        }
    }

    /// The number of the first reading at `at` or later; `None` when it is too long ago to tell.
    fn reading(&self, at: Timestamp) -> Option<u64> {
        if self.readings.front().is_none_or(|oldest| at < *oldest) {
            return None;
        }
        let later = self.readings.iter().rev().take_while(|made| **made >= at);
        Some(self.newest + 1 - later.count() as u64)
    }

    /// Begins to follow an event unless it is followed.
    fn attribute(&mut self, risk: &Risk, event: &Event, max_events: usize) {
        let Some(what) = self.what(risk) else {
            return;
        };
        if self.events.contains_key(&event.id) {
            return;
        }
        // Of one that began before the ledger, or was restored, it is known only what changed since.
        let oldest = (self.newest + 1).saturating_sub(self.readings.len() as u64);
        let onset = self.reading(event.since).unwrap_or(oldest);
        let baseline = self.ledgers[what.resource as usize].before(onset);
        if self.order.len() >= max_events
            && let Some(first) = self.order.pop_front()
        {
            self.events.remove(&first);
        }
        self.order.push_back(event.id);
        self.events.insert(
            event.id,
            Attribution {
                what,
                baseline,
                found: Vec::new(),
            },
        );
        self.refresh(event.id);
    }

    /// Looks again who is behind an event.
    fn refresh(&mut self, event: EventId) {
        let Some(known) = self.events.get_mut(&event) else {
            return;
        };
        let changes = self.ledgers[known.what.resource as usize].since(&mut known.baseline);
        let found = name(changes, known.what);
        let take = match (found.first(), known.found.first()) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(now), Some(then)) => {
                let least = if now.key == then.key {
                    STILL_THERE
                } else {
                    1.0
                };
                now.increase.abs() >= least * then.increase.abs()
            }
        };
        if take {
            known.found = found;
        }
    }

    /// Who is behind a risk that alerts without an event, if it is of now.
    fn now(&self, risk: &Risk) -> Vec<Culprit> {
        let (Some(what), Some(onset)) = (self.what(risk), self.reading(risk.at)) else {
            return Vec::new();
        };
        let ledger = &self.ledgers[what.resource as usize];
        let changes = ledger.since(&mut ledger.before(onset));
        name(changes, what)
    }

    /// What a risk says that is odd about what processes use, if anything.
    fn what(&self, risk: &Risk) -> Option<Oddity> {
        let Watched {
            resource,
            sense,
            measure,
        } = *self.watched.get(&risk.series)?;
        let rose = risk.level >= risk.expected;
        let direction = if rose == (sense == Sense::Raises) {
            Direction::More
        } else {
            Direction::Less
        };
        let each = match measure {
            Measure::Same => 1.0,
            Measure::OfProcessors => f64::from(self.n_processors),
            Measure::Other => 0.0,
        };
        Some(Oddity {
            resource,
            direction,
            amount: (risk.level - risk.expected).abs() * each,
        })
    }
}

/// Those that changed most in this direction, if they matter.
fn name(changes: Vec<Change>, what: Oddity) -> Vec<Culprit> {
    let sign = match what.direction {
        Direction::More => 1.0,
        Direction::Less => -1.0,
    };
    let mut culprits: Vec<Culprit> = changes
        .into_iter()
        .map(|Change { key, now, before }| Culprit {
            key,
            value: now,
            increase: now - before,
            share: 0.0,
        })
        .filter(|culprit| culprit.increase * sign > 0.0)
        .collect();
    let changed: f64 = culprits.iter().map(|culprit| culprit.increase.abs()).sum();
    // NaN, of a risk that expects nothing yet, gives way.
    let total = changed.max(what.amount);
    let least = what.resource.least_change().max(LEAST_SHARE * total);
    culprits.retain_mut(|culprit| {
        culprit.share = culprit.increase.abs() / total;
        culprit.increase.abs() >= least
    });
    // Equal ones by name, so that a list does not flicker.
    let size = |culprit: &Culprit| culprit.increase.abs();
    culprits.sort_by(|a, b| size(b).total_cmp(&size(a)).then_with(|| a.key.cmp(&b.key)));
    culprits.truncate(MOST_NAMED);
    culprits
}

#[cfg(test)]
mod tests;
