//! The watch over resources: which series make up a resource, how much of it is used, and when it runs out.
//!
//! Single-threaded and pure, like [`crate::Shard`]: time is an argument. It takes only the series that some resource is
//! read from, gathers them into bins, and refreshes each resource once in a while, a few per call.

mod catalog;
mod config;
mod parts;
mod reading;
mod state;
#[cfg(test)]
mod tests;
mod told;
mod totals;

use std::sync::Arc;

use features::headroom::TRACE_BINS;
use predict::exhaustion::{Conformal, Family, Judge, Measure, Outlook, Part, Recipe, Role, Seen};
use series::{Sample, SeriesId, SeriesKey, Timestamp};

pub use config::{LimitRule, LookoutConfig};

use catalog::{Catalog, Claim, Identity};
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
    limit: Option<f64>,
    state: State,
    told: Told,
    /// The metrics that are members, and the labels by which they are told from their like.
    parts: Vec<(&'static str, Identity)>,
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

    /// Makes a series known. Returns whether any resource is read from it; samples of others need not be pushed. A series
    /// that is made known twice stays what it is.
    pub fn add_series(&mut self, id: SeriesId, key: &Arc<SeriesKey>) -> bool {
        if self
            .routes
            .get(id.index())
            .is_some_and(|route| !route.is_empty())
        {
            return true;
        }
        let claims = self.catalog.claims(key);
        let mut taken = !claims.is_empty();
        for claim in claims {
            if claim.is_anchor {
                self.add_anchor(id, claim);
            } else {
                self.add_part(id, claim);
            }
        }
        if !taken {
            taken = self.add_by_rule(id, key);
        }
        taken
    }

    /// The part that names a resource: the first of its identity makes it.
    fn add_anchor(&mut self, id: SeriesId, claim: Claim) {
        let recipe = *self.catalog.recipes[claim.recipe];
        let found = self.catalog.find(claim.recipe, &claim.identity);
        let resource = match found {
            Some(resource) => resource,
            None => {
                let Some(key) = catalog::name(recipe.anchor.metric, &claim.identity) else {
                    return;
                };
                let Some(resource) = self.add_resource(recipe, key) else {
                    return;
                };
                self.catalog.add(claim.recipe, &claim.identity, resource);
                for (part, other) in self.parts.that_may_fit(claim.recipe, &claim.identity) {
                    let fits = self.catalog.matches(&other);
                    if fits.contains(&resource) {
                        self.join(resource, part, &other);
                    }
                }
                resource
            }
        };
        self.join(resource, id, &claim);
    }

    fn add_part(&mut self, id: SeriesId, claim: Claim) {
        for resource in self.catalog.matches(&claim) {
            self.join(resource, id, &claim);
        }
        self.reserve(id);
        self.parts.keep(id, claim);
    }

    /// A metric that no recipe knows, but a setting names.
    fn add_by_rule(&mut self, id: SeriesId, key: &Arc<SeriesKey>) -> bool {
        let rule = self.config.limits.iter().find(|rule| applies(rule, key));
        let Some((family, limit)) = rule.and_then(|rule| Some((rule.family?, rule.limit))) else {
            return false;
        };
        let recipe = Recipe {
            family,
            anchor: Part {
                role: Role::Used,
                metric: "",
                when: None,
            },
            parts: &[],
            summed: &[],
            measure: Measure::UsedOfLimit,
            needs: "a limit above 0 in the settings",
        };
        let Some(resource) = self.add_resource(recipe, Arc::clone(key)) else {
            return false;
        };
        self.entries[resource as usize].limit = Some(limit);
        let claim = Claim {
            recipe: 0,
            metric: "",
            role: Role::Used,
            is_anchor: true,
            identity: Vec::new(),
            bound: f64::INFINITY,
            failed: false,
        };
        self.join(resource, id, &claim);
        true
    }

    fn add_resource(&mut self, recipe: Recipe, key: Arc<SeriesKey>) -> Option<u32> {
        if self.resources.len() >= self.config.max_resources {
            return None;
        }
        let rule = self.config.limits.iter().find(|rule| applies(rule, &key));
        // A label may tell the limit, where no metric does.
        let label = || {
            ["limit", "capacity"]
                .iter()
                .find_map(|name| key.label(name)?.parse().ok())
                .filter(|limit: &f64| *limit > 0.0 && limit.is_finite())
        };
        let limit = rule.map(|rule| rule.limit).or_else(label);
        self.resources.push(Resource {
            family: recipe.family,
            key,
            series: Vec::new(),
            missing: None,
        });
        self.entries.push(Entry {
            recipe,
            limit,
            state: State::new(recipe.measure),
            told: Told::default(),
            parts: Vec::new(),
        });
        Some(self.resources.len() as u32 - 1)
    }

    /// Makes a series a member of a resource. What adds up differs in labels that the recipe sums away; of parts of one metric
    /// that differ in others, such as two limits, the first stands.
    fn join(&mut self, resource: u32, id: SeriesId, claim: &Claim) {
        self.reserve(id);
        let entry = &mut self.entries[resource as usize];
        match entry
            .parts
            .iter()
            .find(|(metric, _)| *metric == claim.metric)
        {
            Some((_, identity)) if *identity != claim.identity => return,
            Some(_) => {}
            None => entry.parts.push((claim.metric, claim.identity.clone())),
        }
        let member = self.members.len() as u32;
        self.members
            .push(Member::new(resource, claim.role, claim.bound, claim.failed));
        // Totals are counted as they come; what is asked for its latest value is looked through each time.
        if !claim.role.is_total() {
            entry.state.members.push(member);
        }
        self.routes[id.index()].push(member);
        self.resources[resource as usize].series.push(id);
    }

    fn reserve(&mut self, id: SeriesId) {
        if self.routes.len() <= id.index() {
            self.routes.resize(id.index() + 1, Vec::new());
        }
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
                    own_limit: entry.limit,
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
            let read = entry.state.read(
                &self.members,
                &How {
                    recipe: &entry.recipe,
                    config: &self.config,
                    own_limit: entry.limit,
                },
            );
            let Some(reading) = read else {
                self.miss(place);
                continue;
            };
            self.resources[place].missing = None;
            if now.micros().saturating_sub(newest_us) > silent_us {
                continue;
            }
            out.extend(self.outlook(place, &reading));
        }
    }

    /// Says what is missing, if it is the limit.
    fn miss(&mut self, place: usize) {
        let entry = &self.entries[place];
        let service = entry.recipe.measure.is_service();
        // A service needs two readings before it has any rate.
        if !service || entry.state.coverage() > 0.0 || entry.recipe.family == Family::Cpu {
            let needs = entry.recipe.needs;
            let missing = &mut self.resources[place].missing;
            if missing.is_none() {
                *missing = Some(needs.to_owned());
            }
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
        let (bin_us, told) = (self.config.bin_us(), &mut self.entries[place].told);
        let level = reading.channels.iter().copied().fold(f32::MIN, f32::max);
        if let Some(missed) = told.judge(at_us, level, bin_us) {
            self.conformal.learn(family, missed);
        }
        outlook.calibrate(&self.conformal);
        let us = |s: f64| s * 1e6 / self.config.tempo.max(1e-6);
        let [early, _, late] = outlook.ttf_s;
        told.remember(at_us, [us(early), us(late)], bin_us);
        Some(outlook)
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

/// Whether a setting is about this series.
fn applies(rule: &LimitRule, key: &SeriesKey) -> bool {
    let labels = || rule.labels.iter();
    rule.metric == key.metric() && labels().all(|(name, value)| key.label(name) == Some(value))
}
