//! The watch over resources: which series make up a resource, how much of it is used, and when it runs out.
//!
//! Single-threaded and pure, like [`crate::Shard`]: time is an argument. It takes only the series that some resource is
//! read from, gathers them into bins, and refreshes each resource once in a while, a few per call.

mod catalog;
mod config;
mod discovery;
mod parts;
mod reading;
mod state;
#[cfg(test)]
mod tests;
mod told;
mod totals;

use std::sync::Arc;

use features::headroom::TRACE_BINS;
use predict::exhaustion::{Conformal, Family, Judge, Outlook, Recipe, Seen};
use series::{Sample, SeriesId, SeriesKey, Timestamp};

pub use config::{LimitRule, LookoutConfig};

use catalog::{Catalog, Identity};
use parts::Parts;
use reading::{How, Reading};
use state::{Member, State};
use told::Told;

/// A resource that was silent for so many seconds is not told of.
const SILENT_S: f64 = 300.0;

/// A resource that was found among the series.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// What it is.
    pub family: Family,
    /// Its name: the metric that its use is read from, with the labels that tell it from others.
    pub key: Arc<SeriesKey>,
    /// The series that it is read from.
    pub series: Vec<SeriesId>,
    /// What keeps it from being forecast: the metric, label or setting that would give its limit.
    pub missing: Option<String>,
}

/// A resource as it is kept.
#[derive(Debug)]
struct Entry {
    recipe: Recipe,
    set_limit: Option<f64>,
    label_limit: Option<f64>,
    state: State,
    told: Told,
    /// The metrics that are members, and the labels by which they are told from their like.
    parts: Vec<(&'static str, Identity)>,
}

impl Entry {
    fn how<'a>(&'a self, config: &'a LookoutConfig) -> How<'a> {
        How {
            recipe: &self.recipe,
            config,
            set_limit: self.set_limit,
            label_limit: self.label_limit,
        }
    }
}

/// The resources, and what is known of them.
#[derive(Debug)]
pub struct Lookout {
    config: LookoutConfig,
    judge: Arc<Judge>,
    catalog: Catalog,
    resources: Vec<Resource>,
    entries: Vec<Entry>,
    members: Vec<Member>,
    /// By series: the members that it is.
    routes: Vec<Vec<u32>>,
    parts: Parts,
    /// Resources for which there was no room.
    n_refused: u64,
    /// Where the next refresh goes on.
    next: usize,
    conformal: Conformal,
    levels: Box<[[f32; TRACE_BINS]; 3]>,
}

impl Lookout {
    /// An empty one, which asks `judge` about what it sees.
    #[must_use]
    pub fn new(config: LookoutConfig, judge: Arc<Judge>) -> Self {
        Self {
            config,
            judge,
            catalog: Catalog::new(),
            resources: Vec::new(),
            entries: Vec::new(),
            members: Vec::new(),
            routes: Vec::new(),
            parts: Parts::default(),
            n_refused: 0,
            next: 0,
            conformal: Conformal::default(),
            levels: Box::new([[0.0; TRACE_BINS]; 3]),
        }
    }

    /// How it was set up.
    #[must_use]
    pub const fn config(&self) -> &LookoutConfig {
        &self.config
    }

    /// Takes one sample. Samples of unknown series are passed over.
    pub fn push(&mut self, sample: Sample) {
        let Some(route) = self.routes.get(sample.series.index()) else {
            return;
        };
        for &place in route {
            let resource = self.members[place as usize].resource as usize;
            let entry = &mut self.entries[resource];
            entry.state.push(
                place,
                &mut self.members,
                sample.at.micros(),
                sample.value,
                &How {
                    recipe: &entry.recipe,
                    config: &self.config,
                    set_limit: entry.set_limit,
                    label_limit: entry.label_limit,
                },
            );
        }
    }

    /// Refreshes at most `most` of the resources that are due at `now`, and appends what is said of each to `out`. A
    /// resource that was silent for five minutes, or whose limit is not known, is passed over.
    pub fn refresh(&mut self, now: Timestamp, most: usize, out: &mut Vec<Outlook>) {
        let every_us = (self.config.refresh_s * 1e6) as i64;
        let silent_us = (SILENT_S * 1e6 / self.config.tempo.max(1e-6)) as i64;
        let (mut done, n) = (0, self.entries.len());
        for _ in 0..n {
            if done == most {
                break;
            }
            self.next = if self.next + 1 < n { self.next + 1 } else { 0 };
            let place = self.next;
            let entry = &mut self.entries[place];
            let newest_us = entry.state.newest_us;
            if now.micros() < entry.state.due_us || newest_us == i64::MIN {
                // A clock that was set back must not keep it waiting.
                if entry.state.due_us.saturating_sub(now.micros()) <= every_us {
                    continue;
                }
            }
            entry.state.due_us = now.micros().saturating_add(every_us);
            done += 1;
            let (entry, how) = (&self.entries[place], self.entries[place].how(&self.config));
            let missing = match entry.state.limit(&self.members, &how) {
                Some(_) => None,
                None => Some(entry.recipe.needs.to_owned()),
            };
            let reading = entry.state.read(&self.members, &how);
            self.resources[place].missing = missing;
            let Some(reading) = reading else { continue };
            if now.micros().saturating_sub(newest_us) > silent_us {
                continue;
            }
            out.extend(self.outlook(place, &reading));
        }
    }

    fn outlook(&mut self, place: usize, reading: &Reading) -> Option<Outlook> {
        let state = &self.entries[place].state;
        let n = state.levels(reading, &mut self.levels);
        if n < 2 {
            return None;
        }
        let [load, latency, errors] = &*self.levels;
        let at_us = state.newest_us;
        let family = self.resources[place].family;
        let mut outlook = self.judge.outlook(&Seen {
            resource: place as u32,
            family,
            at: Timestamp::from_micros(at_us),
            level: reading.used,
            limit: reading.limit,
            channels: [&load[..n], &latency[..n], &errors[..n]],
            waiting: reading.waiting,
            coverage: state.coverage(),
        });
        let level = reading.channels.iter().copied().fold(f32::MIN, f32::max);
        let told = &mut self.entries[place].told;
        if let Some(missed) = told.judge(at_us, level, self.config.bin_us()) {
            self.conformal.learn(family, missed);
        }
        outlook.calibrate(&self.conformal);
        Some(outlook)
    }

    /// Remembers the interval of an outlook as it went out, to hold it against the instant at which the resource is exhausted.
    pub fn told(&mut self, outlook: &Outlook) {
        let us = |s: f64| s * 1e6 / self.config.tempo.max(1e-6);
        let ([early, _, late], bin_us) = (outlook.ttf_s, self.config.bin_us());
        if let Some(entry) = self.entries.get_mut(outlook.resource as usize) {
            let ttf_us = [us(early), us(late)];
            entry.told.remember(outlook.at.micros(), ttf_us, bin_us);
        }
    }

    /// How many resources there was no room for.
    #[must_use]
    pub const fn n_refused(&self) -> u64 {
        self.n_refused
    }

    /// How intervals are stretched by what came of those that were told.
    #[must_use]
    pub const fn conformal(&self) -> &Conformal {
        &self.conformal
    }

    /// The resources found so far; their places never change.
    #[must_use]
    pub fn resources(&self) -> &[Resource] {
        &self.resources
    }

    /// The recent past of a resource, bin by bin: time, and level over limit, oldest first. Empty for
    /// a resource that is not there.
    #[must_use]
    pub fn history(&self, resource: u32) -> Vec<(Timestamp, f32)> {
        let Some(entry) = self.entries.get(resource as usize) else {
            return Vec::new();
        };
        let history = entry.state.history(&self.config).into_iter();
        history
            .map(|(at_us, level)| (Timestamp::from_micros(at_us), level))
            .collect()
    }
}
