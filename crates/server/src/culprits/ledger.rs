//! How much each process used of one resource at the last readings.
//!
//! Time is counted in readings, so that nothing here depends on how often the host is read.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use series::SeriesKey;

/// Readings kept of each process: about a minute by default.
pub(super) const KEPT: u64 = 64;
/// An event opens up to this many readings after what caused it: a baseline ends before that.
const LEAD: u64 = 5;
/// Processes are reported once they were at the top for a few readings. Those that appear so soon after the ledger
/// began were there before it.
const SETTLING: u64 = 5;
/// A process that was not read for more than this is gone; descriptors are not counted on every reading.
const STALE: u64 = 2;
/// Most processes, those that are gone lately included.
const MOST: usize = 1024;

/// The uses of one resource.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    processes: HashMap<Arc<SeriesKey>, Uses>,
    /// The number of the newest reading, and of the first that there ever was.
    newest: u64,
    first: u64,
}

/// The uses of one process: number of the reading and value, oldest first.
type Uses = VecDeque<(u64, f64)>;

/// Uses as they were before something began.
#[derive(Debug, Default)]
pub(super) struct Baseline(HashMap<Arc<SeriesKey>, f64>);

/// A process and what it uses now and used before.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Change {
    pub(super) key: Arc<SeriesKey>,
    pub(super) now: f64,
    pub(super) before: f64,
}

impl Ledger {
    /// Begins the reading of this number, and forgets what is too old.
    pub(super) fn begin(&mut self, reading: u64) {
        if self.processes.is_empty() && self.newest == 0 {
            self.first = reading;
        }
        self.newest = reading;
        let oldest = reading.saturating_sub(KEPT - 1);
        self.processes.retain(|_, uses| {
            while uses.front().is_some_and(|(at, _)| *at < oldest) {
                uses.pop_front();
            }
            !uses.is_empty()
        });
    }

    /// Adds a process' use to the reading that began last.
    pub(super) fn put(&mut self, key: &Arc<SeriesKey>, value: f64) {
        if let Some(uses) = self.processes.get_mut(key) {
            uses.push_back((self.newest, value));
        } else if self.processes.len() < MOST {
            let uses = Uses::from([(self.newest, value)]);
            self.processes.insert(Arc::clone(key), uses);
        }
    }

    /// What each process used before the reading `onset`: the median of what is known from a little earlier. One that
    /// did not exist then used nothing.
    pub(super) fn before(&self, onset: u64) -> Baseline {
        let end = onset.saturating_sub(LEAD);
        let before = |uses: &Uses| {
            let earlier = uses.iter().filter(|(at, _)| *at <= end);
            let mut values: Vec<f64> = earlier.map(|(_, value)| *value).collect();
            if values.is_empty() {
                return self.at_first(uses);
            }
            let middle = values.len() / 2;
            *values.select_nth_unstable_by(middle, f64::total_cmp).1
        };
        let uses = self.processes.iter();
        Baseline(
            uses.map(|(key, uses)| (Arc::clone(key), before(uses)))
                .collect(),
        )
    }

    /// What a process used when it was first seen, if it may well be older than that.
    fn at_first(&self, uses: &Uses) -> f64 {
        let settled = self.first.max(self.newest.saturating_sub(KEPT)) + SETTLING;
        let first = uses.front().filter(|(at, _)| *at <= settled);
        first.map_or(0.0, |(_, value)| *value)
    }

    /// Every process of now and of the baseline, which takes in those it does not know; one that is gone uses nothing.
    pub(super) fn since(&self, baseline: &mut Baseline) -> Vec<Change> {
        // Those that came and went meanwhile would pile up while an event lasts.
        baseline
            .0
            .retain(|key, before| *before > 0.0 || self.processes.contains_key(key));
        let now = |uses: &Uses| {
            let newest = uses.back().filter(|(at, _)| at + STALE >= self.newest);
            newest.map_or(0.0, |(_, value)| *value)
        };
        let mut changes: Vec<Change> = Vec::with_capacity(self.processes.len());
        for (key, uses) in &self.processes {
            let before = baseline.0.entry(Arc::clone(key));
            changes.push(Change {
                key: Arc::clone(key),
                now: now(uses),
                before: *before.or_insert_with(|| self.at_first(uses)),
            });
        }
        let gone = baseline
            .0
            .iter()
            .filter(|(key, _)| !self.processes.contains_key(*key));
        changes.extend(gone.map(|(key, before)| Change {
            key: Arc::clone(key),
            now: 0.0,
            before: *before,
        }));
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(pid: u32) -> Arc<SeriesKey> {
        Arc::new(SeriesKey::new("process_cpu_ratio", [("pid", pid.to_string())]).unwrap())
    }

    /// `uses(pid, reading)` for readings 1 to `n`.
    fn ledger(n: u64, pids: u32, uses: impl Fn(u32, u64) -> Option<f64>) -> Ledger {
        let mut ledger = Ledger::default();
        for reading in 1..=n {
            ledger.begin(reading);
            for pid in 0..pids {
                if let Some(value) = uses(pid, reading) {
                    ledger.put(&key(pid), value);
                }
            }
        }
        ledger
    }

    #[track_caller]
    fn check(ledger: &Ledger, onset: u64, pid: u32, before: f64, now: f64) {
        let changes = ledger.since(&mut ledger.before(onset));
        let found = changes.iter().find(|change| change.key == key(pid));
        let expected = Change {
            key: key(pid),
            now,
            before,
        };
        assert_eq!(found, Some(&expected));
    }

    #[test]
    fn what_was_there_counts_from_what_it_used_and_what_is_new_from_nothing() {
        let ledger = ledger(40, 3, |pid, reading| match pid {
            // An old one that grows, an old one that was seen only once it was reported, and a new one.
            0 => Some(if reading < 30 { 1.0 } else { 3.0 }),
            1 => (reading > 3).then_some(2.0),
            _ => (reading > 32).then_some(5.0),
        });
        check(&ledger, 30, 0, 1.0, 3.0);
        check(&ledger, 30, 1, 2.0, 2.0);
        check(&ledger, 30, 2, 0.0, 5.0);
    }

    #[test]
    fn one_that_is_gone_uses_nothing() {
        let ledger = ledger(40, 1, |_, reading| (reading < 30).then_some(2.0));
        check(&ledger, 30, 0, 2.0, 0.0);
    }

    #[test]
    fn right_after_the_start_everybody_was_there_before() {
        let ledger = ledger(5, 1, |_, reading| (reading > 2).then_some(2.0));
        check(&ledger, 4, 0, 2.0, 2.0);
    }

    #[test]
    fn a_baseline_outlives_what_is_kept() {
        let mut ledger = ledger(40, 1, |_, _| Some(2.0));
        let mut baseline = ledger.before(38);
        for reading in 41..200 {
            ledger.begin(reading);
        }
        assert!(ledger.processes.is_empty());
        let gone = Change {
            key: key(0),
            now: 0.0,
            before: 2.0,
        };
        assert_eq!(ledger.since(&mut baseline), [gone]);
    }

    #[test]
    fn memory_is_bounded() {
        let ledger = ledger(2, 2_000, |_, _| Some(1.0));
        assert_eq!(ledger.processes.len(), MOST);
        let long = self::ledger(300, 1, |_, _| Some(1.0));
        assert_eq!(long.processes[&key(0)].len() as u64, KEPT);
    }
}
