//! What readers may see of resources: the newest outlook of each, and the readers who watch.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hotpath::{Lookout, Resource};
use parking_lot::{Mutex, RwLock};
use predict::exhaustion::{Family, Outlook};
use series::{SeriesKey, Timestamp};

use super::inlet::Inlet;
use super::tally::Tally;
use super::wanted::Wanted;
use super::watch::Watcher;
use crate::selector::Selector;

/// An outlook, and whether it still holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Said {
    pub(crate) outlook: Outlook,
    /// No sample has come for too long.
    pub(crate) is_stale: bool,
}

/// A resource and what was said of it last.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) family: Family,
    pub(crate) key: Arc<SeriesKey>,
    /// What keeps it from being forecast.
    pub(crate) missing: Option<Arc<str>>,
    pub(crate) said: Option<Arc<Said>>,
    /// When its newest sample changed last, by the lookout's own clock.
    moved: Timestamp,
}

/// Everything about resources that others may ask for.
#[derive(Debug)]
pub(crate) struct Outlooks {
    /// The lookout itself, for the recent past of a resource. Shards never touch it.
    pub(super) lookout: Mutex<Lookout>,
    tempo: f64,
    rows: RwLock<Vec<Row>>,
    watchers: RwLock<Vec<Arc<Watcher>>>,
    watch_dropped: Arc<AtomicU64>,
    inlet: Arc<Inlet>,
    pub(super) tally: Tally,
    max_watchers: usize,
    queue_outlooks: usize,
}

impl Outlooks {
    pub(super) fn new(
        lookout: Lookout,
        inlet: &Arc<Inlet>,
        max_watchers: usize,
        queue_outlooks: usize,
    ) -> Self {
        Self {
            tempo: lookout.config().tempo,
            lookout: Mutex::new(lookout),
            rows: RwLock::default(),
            watchers: RwLock::default(),
            watch_dropped: Arc::default(),
            inlet: Arc::clone(inlet),
            tally: Tally::default(),
            max_watchers,
            queue_outlooks,
        }
    }

    /// How much faster than the clock of the samples time runs.
    pub(crate) fn tempo(&self) -> f64 {
        self.tempo
    }

    /// All rows, in the order of their numbers. Copies pointers only.
    pub(crate) fn rows(&self) -> Vec<Row> {
        self.rows.read().clone()
    }

    /// One of them.
    pub(crate) fn row(&self, resource: u32) -> Option<Row> {
        self.rows.read().get(resource as usize).cloned()
    }

    /// The newest `n` points of the recent past of a resource: time, and level over limit, oldest first.
    pub(crate) fn history(&self, resource: u32, n: usize) -> Vec<(Timestamp, f32)> {
        if n == 0 {
            return Vec::new();
        }
        let mut points = self.lookout.lock().history(resource);
        points.drain(..points.len().saturating_sub(n));
        points
    }

    /// Samples that were left out because the lookout was behind.
    pub(crate) fn n_dropped(&self) -> u64 {
        self.inlet.n_dropped()
    }

    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// A new reader of what comes from now on; `None` when there are as many as may be.
    pub(crate) fn subscribe(
        self: &Arc<Self>,
        wanted: Wanted,
        selector: Selector,
    ) -> Option<Subscription> {
        let mut watchers = self.watchers.write();
        if watchers.len() >= self.max_watchers {
            return None;
        }
        let dropped = Arc::clone(&self.watch_dropped);
        let watcher = Watcher::new(wanted, selector, self.queue_outlooks, dropped);
        let watcher = Arc::new(watcher);
        watchers.push(Arc::clone(&watcher));
        Some(Subscription {
            outlooks: Arc::clone(self),
            watcher,
        })
    }

    /// How many readers there are.
    pub(crate) fn n_watchers(&self) -> usize {
        self.watchers.read().len()
    }

    /// Outlooks that readers did not get because they were slow.
    pub(crate) fn n_watch_dropped(&self) -> u64 {
        self.watch_dropped.load(Ordering::Relaxed)
    }

    /// Takes over which resources there are, and what is missing of each.
    pub(super) fn meet(&self, resources: &[Resource], now: Timestamp) {
        let mut rows = self.rows.write();
        for (row, resource) in rows.iter_mut().zip(resources) {
            if row.missing.as_deref() != resource.missing.as_deref() {
                row.missing = resource.missing.as_deref().map(Arc::from);
            }
        }
        let known = rows.len().min(resources.len());
        let new = resources[known..].iter();
        rows.extend(new.map(|resource| Row::new(resource, now)));
    }

    /// Takes in an outlook, and tells those who watch. Returns the row as it is now; `None` when nobody knows the resource.
    ///
    /// One whose newest sample is older than it was `stale_us` before, by the lookout's own clock, is stale.
    pub(super) fn record(&self, outlook: Outlook, now: Timestamp, stale_us: i64) -> Option<Row> {
        let row = {
            let mut rows = self.rows.write();
            let row = rows.get_mut(outlook.resource as usize)?;
            let has_moved = (row.said.as_ref()).is_none_or(|said| said.outlook.at != outlook.at);
            if has_moved {
                row.moved = now;
            }
            let is_stale = now - row.moved > stale_us;
            row.said = Some(Arc::new(Said { outlook, is_stale }));
            row.clone()
        };
        self.tell(&row);
        Some(row)
    }

    /// Marks what has had no sample for `stale_us`, and tells those who watch. Returns what was marked.
    pub(super) fn sweep(&self, now: Timestamp, stale_us: i64) -> Vec<Row> {
        let mut marked = Vec::new();
        for row in &mut *self.rows.write() {
            let is_late = now - row.moved > stale_us;
            if let Some(said) = row.said.as_mut().filter(|said| is_late && !said.is_stale) {
                let outlook = said.outlook;
                let is_stale = true;
                *said = Arc::new(Said { outlook, is_stale });
                marked.push(row.clone());
            }
        }
        marked.iter().for_each(|row| self.tell(row));
        marked
    }

    /// All is forgotten.
    pub(super) fn clear(&self) {
        self.rows.write().clear();
    }

    fn tell(&self, row: &Row) {
        if let Some(said) = &row.said {
            for watcher in &*self.watchers.read() {
                watcher.offer(row.family, &row.key, said);
            }
        }
    }
}

impl Row {
    /// A resource that nobody watches live.
    pub(crate) fn of(resource: &Resource, said: Option<Said>) -> Self {
        let said = said.map(Arc::new);
        Self {
            said,
            ..Self::new(resource, Timestamp::from_micros(0))
        }
    }

    fn new(resource: &Resource, now: Timestamp) -> Self {
        Self {
            family: resource.family,
            key: Arc::clone(&resource.key),
            missing: resource.missing.as_deref().map(Arc::from),
            said: None,
            moved: now,
        }
    }

    /// The same resource with something else said of it.
    pub(crate) fn with(self, said: Arc<Said>) -> Self {
        Self {
            said: Some(said),
            ..self
        }
    }

    /// The outlook, if there is one that holds now.
    pub(crate) fn forecast(&self) -> Option<&Said> {
        let said = self.said.as_deref().filter(|said| !said.is_stale);
        said.filter(|_| self.missing.is_none())
    }
}

/// A reader's place among the watchers, for as long as it lives.
#[derive(Debug)]
pub(crate) struct Subscription {
    outlooks: Arc<Outlooks>,
    pub(crate) watcher: Arc<Watcher>,
}

impl Subscription {
    /// The newest outlook of each resource that the reader wants, which it is then taken to be told of.
    pub(crate) fn current(&self) -> Vec<Row> {
        let mut rows = self.outlooks.rows();
        rows.retain(|row| {
            row.forecast()
                .is_some_and(|said| self.watcher.begin_with(row.family, &row.key, said))
        });
        rows
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.outlooks
            .watchers
            .write()
            .retain(|other| !Arc::ptr_eq(other, &self.watcher));
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use hotpath::LookoutConfig;
    use predict::exhaustion::{Cause, Fan, HORIZONS_S, KNOT_S, Survival};

    use super::*;

    /// An outlook whose hazard is even, and exhausted within half an hour with this probability.
    pub(crate) fn said(resource: u32, level: f64, within_30_min: f64) -> Said {
        let hazard = -(1.0 - within_30_min).ln() / HORIZONS_S[2];
        let survival = Survival(KNOT_S.map(|s| (-hazard * s).exp() as f32));
        let outlook = Outlook {
            resource,
            family: Family::Memory,
            at: Timestamp::from_millis(level as i64 * 1000),
            level,
            limit: 100.0,
            survival,
            within: HORIZONS_S.map(|s| survival.within(s) as f32),
            ttf_s: [0.05, 0.5, 0.95].map(|p| survival.quantile_s(p)),
            seen_s: 5_120.0,
            confidence: 1.0,
            cause: Cause::Leak,
            factors: Default::default(),
            actions: &["restart", "raise_limit"],
            fan: Fan::default(),
        };
        Said {
            outlook,
            is_stale: false,
        }
    }

    pub(crate) fn stale(said: Said) -> Said {
        Said {
            is_stale: true,
            ..said
        }
    }

    pub(crate) fn resource(n: u32, missing: Option<&str>) -> Resource {
        let key = SeriesKey::new("used", [("n", n.to_string())]).unwrap();
        Resource {
            family: Family::Memory,
            key: Arc::new(key),
            series: Vec::new(),
            missing: missing.map(str::to_owned),
        }
    }

    fn at(s: i64) -> Timestamp {
        Timestamp::from_millis(s * 1000)
    }

    pub(crate) fn outlooks() -> Outlooks {
        let inlet = Arc::new(Inlet::new(1, 100, 10));
        let judge = onnx::exhaustion::default_judge().unwrap();
        let lookout = Lookout::new(LookoutConfig::default(), judge);
        Outlooks::new(lookout, &inlet, 1, 16)
    }

    #[test]
    fn what_has_no_new_sample_goes_stale_and_comes_back() {
        let board = outlooks();
        board.meet(&[resource(0, None)], at(0));
        let stale_us = 60_000_000;
        let row = board.record(said(0, 1.0, 0.9).outlook, at(0), stale_us);
        assert!(row.unwrap().forecast().is_some());
        // The same newest sample again, a minute and more later.
        let row = board.record(said(0, 1.0, 0.9).outlook, at(61), stale_us);
        assert!(row.unwrap().forecast().is_none());
        let row = board.record(said(0, 2.0, 0.9).outlook, at(62), stale_us);
        assert!(row.unwrap().forecast().is_some());
        assert_eq!(board.sweep(at(122), stale_us).len(), 0);
        assert_eq!(board.sweep(at(123), stale_us).len(), 1);
        assert_eq!(board.sweep(at(124), stale_us).len(), 0, "told once");
        assert!(board.row(0).unwrap().forecast().is_none());
    }

    #[test]
    fn a_limit_that_is_found_or_lost_is_followed() {
        let board = outlooks();
        board.meet(&[resource(0, Some("the limit"))], at(0));
        assert_eq!(board.row(0).unwrap().missing.as_deref(), Some("the limit"));
        board.meet(&[resource(0, None), resource(1, None)], at(0));
        assert_eq!(board.row(0).unwrap().missing, None);
        board.record(said(0, 1.0, 0.5).outlook, at(0), 1);
        assert!(board.row(0).unwrap().forecast().is_some());
        board.meet(&[resource(0, Some("the limit")), resource(1, None)], at(0));
        assert!(board.row(0).unwrap().forecast().is_none());
        assert_eq!(board.rows().len(), 2);
        assert!(
            board.record(said(9, 1.0, 0.5).outlook, at(0), 1).is_none(),
            "nobody knows it"
        );
    }

    #[test]
    fn what_a_reader_began_with_is_told_to_be_over() {
        let board = Arc::new(outlooks());
        board.meet(&[resource(0, None), resource(1, None)], at(0));
        let stale_us = 60_000_000;
        let record = |id, level, p| board.record(said(id, level, p).outlook, at(0), stale_us);
        record(0, 1.0, 0.9);
        record(1, 1.0, 0.1);
        let likely = Wanted {
            min_probability: 0.5,
            ..Wanted::default()
        };
        let reader = board.subscribe(likely, Selector::default()).unwrap();
        let began: Vec<_> = reader.current().into_iter().map(|row| row.key).collect();
        assert_eq!(began, [resource(0, None).key]);
        record(0, 2.0, 0.2);
        record(1, 2.0, 0.2);
        let (told, _) = reader.watcher.take(9);
        let told: Vec<u32> = told.iter().map(|said| said.outlook.resource).collect();
        assert_eq!(told, [0]);
        record(0, 3.0, 0.2);
        assert_eq!(reader.watcher.take(9).0, [], "told once");
    }

    #[test]
    fn readers_are_bounded_and_leave_when_dropped() {
        let board = Arc::new(outlooks());
        let subscribe = || board.subscribe(Wanted::default(), Selector::default());
        let first = subscribe().unwrap();
        assert!(subscribe().is_none());
        drop(first);
        assert_eq!(board.n_watchers(), 0);
    }
}
