//! Which series feed which watches: dense, bounded, and swept when it is full.

use std::collections::HashMap;

use series::{SeriesId, SeriesKey, Timestamp};

use super::NONE;
use super::watch::{Feed, Watch};

/// Most series that are wanted. One of a histogram and one of its count are two.
const MAX_FEEDS: usize = 400_000;
/// Most levels.
const MAX_WATCHES: usize = 100_000;
/// Most levels of which it is foretold when they cross: each keeps a kilobyte.
const MAX_FORETOLD: usize = 50_000;
/// Larger numbers are no series: they are dense.
const MAX_IDS: usize = 1 << 24;
/// A watch without samples for so long gives way to another when there is no room.
const STALE_S: f64 = 3_600.0;
/// Seconds between two sweeps.
const SWEEP_S: f64 = 600.0;

/// Series, and what they feed.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    /// By series: the first of its feeds, or [`NONE`].
    routes: Vec<u32>,
    pub(super) feeds: Vec<Feed>,
    free_feeds: Vec<u32>,
    pub(super) watches: Vec<Watch>,
    free_watches: Vec<u32>,
    groups: HashMap<(u16, SeriesKey), u32>,
    n_foretold: usize,
    swept: Option<Timestamp>,
}

impl Table {
    /// The first feed of a series, or [`NONE`].
    pub(super) fn route(&self, id: SeriesId) -> u32 {
        self.routes.get(id.index()).copied().unwrap_or(NONE)
    }

    /// The group of a rule with this key.
    pub(super) fn group(&self, rule: u16, key: &SeriesKey) -> Option<u32> {
        // A pair cannot be borrowed in parts; this is asked for once per outlook.
        self.groups.get(&(rule, key.clone())).copied()
    }

    /// Adds a watch; `None` when there is no room.
    pub(super) fn watch(&mut self, mut watch: Watch, is_group: bool) -> Option<u32> {
        if watch.foretells {
            watch.foretells = self.n_foretold < MAX_FORETOLD;
            self.n_foretold += usize::from(watch.foretells);
        }
        let key = is_group.then(|| (watch.rule, watch.key.clone()));
        let place = match self.free_watches.pop() {
            Some(place) => {
                self.watches[place as usize] = watch;
                place
            }
            None if self.watches.len() < MAX_WATCHES => {
                self.watches.push(watch);
                (self.watches.len() - 1) as u32
            }
            None => {
                self.n_foretold -= usize::from(watch.foretells);
                return None;
            }
        };
        if let Some(key) = key {
            self.groups.insert(key, place);
        }
        Some(place)
    }

    /// Lets a series feed a watch; `false` when there is no room.
    pub(super) fn feed(&mut self, id: SeriesId, mut feed: Feed) -> bool {
        if id.index() >= MAX_IDS {
            return false;
        }
        if self.routes.len() <= id.index() {
            self.routes.resize(id.index() + 1, NONE);
        }
        feed.next = self.routes[id.index()];
        let place = match self.free_feeds.pop() {
            Some(place) => {
                self.feeds[place as usize] = feed;
                place
            }
            None if self.feeds.len() < MAX_FEEDS => {
                self.feeds.push(feed);
                (self.feeds.len() - 1) as u32
            }
            None => return false,
        };
        self.routes[id.index()] = place;
        true
    }

    /// Whether nothing more goes in.
    pub(super) fn is_full(&self) -> bool {
        self.free_watches.is_empty() && self.watches.len() >= MAX_WATCHES
            || self.free_feeds.is_empty() && self.feeds.len() >= MAX_FEEDS
    }

    /// Forgets watches that hold nothing and had no sample for an hour; at most every ten minutes.
    pub(super) fn sweep(&mut self, now: Timestamp) {
        let is_due = self
            .swept
            .is_none_or(|swept| now.seconds_since(swept).abs() >= SWEEP_S);
        if !is_due {
            return;
        }
        self.swept = Some(now);
        let mut is_free = vec![false; self.watches.len()];
        for &place in &self.free_watches {
            is_free[place as usize] = true;
        }
        for (place, watch) in self.watches.iter_mut().enumerate() {
            let is_stale = now.seconds_since(watch.newest.max(watch.born)) > STALE_S;
            if is_free[place] || !is_stale || watch.is_present() {
                continue;
            }
            is_free[place] = true;
            self.n_foretold -= usize::from(watch.foretells);
            watch.passage = None;
            watch.arrivals = None;
            self.free_watches.push(place as u32);
        }
        self.groups.retain(|_, place| !is_free[*place as usize]);
        for route in &mut self.routes {
            let (mut next, mut kept) = (*route, NONE);
            while next != NONE {
                let feed = &mut self.feeds[next as usize];
                let after = feed.next;
                if is_free[feed.watch as usize] {
                    feed.reason = None;
                    self.free_feeds.push(next);
                } else {
                    feed.next = kept;
                    kept = next;
                }
                next = after;
            }
            *route = kept;
        }
    }
}
