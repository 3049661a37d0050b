//! Running totals of a service: what they grew by over the last bins.

use std::collections::VecDeque;

use features::headroom::histogram_quantile;
use predict::exhaustion::{ROLES, Role};

use super::state::Member;

/// Bins over which latency and errors are taken.
const OVER_BINS: usize = 5;
/// Totals of roles, and of requests that failed.
const TOTALS: usize = ROLES + 1;
const FAILED: usize = ROLES;
/// More buckets than this are not looked at.
const MOST_BUCKETS: usize = 40;

/// Totals at one instant.
#[derive(Debug, Clone)]
struct At {
    of: [f64; TOTALS],
    at_us: i64,
    buckets: Vec<f64>,
}

/// Totals now, and at the ends of the last bins.
#[derive(Debug, Clone)]
pub(super) struct Totals {
    now: At,
    /// Upper bounds of the buckets, rising.
    bounds: Vec<f64>,
    last: VecDeque<At>,
    /// When the first series of each role was met.
    since: [Option<i64>; ROLES],
}

impl Default for Totals {
    fn default() -> Self {
        Self {
            now: At {
                of: [0.0; TOTALS],
                at_us: i64::MIN,
                buckets: Vec::new(),
            },
            bounds: Vec::new(),
            last: VecDeque::with_capacity(OVER_BINS + 1),
            since: [None; ROLES],
        }
    }
}

/// What totals grew by over the last bins.
pub(super) struct Over<'a> {
    of: [f64; TOTALS],
    seconds: f64,
    bounds: &'a [f64],
    buckets: Vec<f64>,
}

impl Totals {
    /// Adds what a running total grew by. One that falls began anew; one that first shows up more than a bin after its like
    /// counts from 0, since exporters leave out what never happened. The first of its like is where counting begins.
    pub(super) fn count(&mut self, member: &Member, before: f64, bin_us: i64) {
        let value = member.value;
        let since = self.since[member.role.index()].get_or_insert(member.at_us);
        let newcomer = member.at_us.saturating_sub(*since) > bin_us;
        let grown = match before {
            _ if before.is_nan() && !newcomer => 0.0,
            _ if before.is_nan() || value < before => value,
            _ => value - before,
        };
        if member.role == Role::Bucket {
            let place = match self.bounds.binary_search_by(|b| b.total_cmp(&member.bound)) {
                Ok(place) => place,
                Err(_) if self.bounds.len() >= MOST_BUCKETS => return,
                Err(place) => {
                    self.bounds.insert(place, member.bound);
                    self.now.buckets.insert(place, 0.0);
                    for at in &mut self.last {
                        at.buckets.insert(place, 0.0);
                    }
                    place
                }
            };
            self.now.buckets[place] += grown;
        } else {
            self.now.of[member.role.index()] += grown;
            if member.failed {
                self.now.of[FAILED] += grown;
            }
        }
        self.now.at_us = self.now.at_us.max(member.at_us);
    }

    /// Ends a bin in which this share of workers was busy.
    pub(super) fn close(&mut self, busy: Option<f64>) {
        // A level as a running total: the mean over bins is what it grew by.
        self.now.of[Role::Busy.index()] += busy.unwrap_or(0.0);
        self.now.of[Role::Workers.index()] += 1.0;
        self.last.push_back(self.now.clone());
        if self.last.len() > OVER_BINS {
            self.last.pop_front();
        }
    }

    /// Forgets the past; the totals go on.
    pub(super) fn forget(&mut self) {
        self.last.clear();
        self.now.at_us = i64::MIN;
    }

    /// `None` before there are two readings.
    pub(super) fn over(&self) -> Option<Over<'_>> {
        let first = self.last.front()?;
        let seconds = (self.now.at_us.checked_sub(first.at_us)?) as f64 / 1e6;
        if seconds <= 0.0 {
            return None;
        }
        let mut of = self.now.of;
        for (now, before) in of.iter_mut().zip(&first.of) {
            *now -= before;
        }
        let buckets = self.now.buckets.iter().zip(&first.buckets);
        Some(Over {
            of,
            seconds,
            bounds: &self.bounds,
            buckets: buckets.map(|(now, before)| now - before).collect(),
        })
    }
}

impl Over<'_> {
    /// What a total grew by per second.
    pub(super) fn per_second(&self, role: Role) -> f64 {
        self.of[role.index()] / self.seconds
    }

    /// The mean share of workers that were busy, with what is so now.
    pub(super) fn mean_busy(&self, now: f64) -> f64 {
        (self.of[Role::Busy.index()] + now) / (self.of[Role::Workers.index()] + 1.0)
    }

    /// The share of requests that failed, 0 to 1; `None` without requests.
    pub(super) fn failed(&self) -> Option<f64> {
        let all = self.of[Role::Requests.index()];
        (all > 0.0).then(|| self.of[FAILED] / all)
    }

    /// Mean seconds of a request.
    pub(super) fn mean(&self) -> Option<f64> {
        let n = self.of[Role::Count.index()];
        (n > 0.0).then(|| self.of[Role::Sum.index()] / n)
    }

    /// A quantile of the seconds of a request.
    pub(super) fn quantile(&self, q: f64) -> Option<f64> {
        histogram_quantile(self.bounds, &self.buckets, q)
    }
}
