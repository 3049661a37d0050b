//! From samples, outlooks and events to findings.
//!
//! Nine classes, a file each, and two ways for each: a *rule* says that a threshold is crossed, a *prediction* that it will be.
//! Rules are data (`rule`): which series are read, how they become a level, and when that is wrong. Predictions come from the
//! outlooks of resources, and where a level is no resource, from the last half hour of the level itself (`passage`).
//!
//! A finding is said when it begins, again every 30 seconds and when its numbers move, and once more when it is over. Of one
//! entity, class, source and signal exactly one thing is said at a time: a series is read by the first rule of a class that
//! fits it, those of users first; where an outlook tells of the same series, it foretells, and the rule over samples judges.
//!
//! The value of a finding is the level, a mean or a share, under the name of a series: it is not the last sample of it.
//!
//! Silence says nothing: a series that comes no more keeps what was said of it, unrepeated. Whoever listens minds that.
//!
//! Memory is bounded whatever peers name: see [`Signs::counts`]. There is no clock and no chance in here.

mod arrivals;
mod certificate;
mod config;
mod cpu;
mod crash;
mod disk;
mod drift;
mod latency;
mod memory;
mod normal;
mod outlooks;
mod passage;
mod queries;
mod resource;
mod rule;
mod speak;
mod table;
mod tell;
mod vulnerability;
mod watch;

use std::collections::{BTreeSet, HashMap};

use predict::exhaustion::recipes;
use predict::{Phase, Risk};
use series::{SeriesId, SeriesKey, Timestamp};

pub use certificate::{ExpiringCertificate, THRESHOLD_DAYS, certificate};
pub use config::{RuleConfig, SignsError, Transform};
pub use drift::{DriftingFile, Drifts, drift};
pub use vulnerability::{VulnerablePackage, due_days, vulnerability};

use crate::topology::{LabelRules, Relation};
use crate::{Class, EntityId, Finding, Kind};
use resource::Resource;
use rule::{Role, Rule, Test};
use table::Table;
use watch::{Feed, Watch};

/// No feed and no watch.
const NONE: u32 = u32::MAX;
/// A prediction is told from this probability on, and until it is less than that.
const ENTER: f64 = 0.5;
const LEAVE: f64 = 0.3;
/// An anomaly that is told no more counts for so long, in microseconds.
const HUNCH_US: i64 = 900_000_000;
/// Alert scores from which an anomaly counts.
const ALERT: f32 = 0.5;

/// How much is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Levels that are looked at, at most 100,000.
    pub watches: usize,
    /// Series that they are made of, at most 400,000.
    pub feeds: usize,
    /// Resources with an outlook, at most 50,000.
    pub resources: usize,
    /// Series and resources that there was no room for.
    pub refused: u64,
}

/// Looks at samples, outlooks and events, and says what is wrong or will be.
#[derive(Debug, Clone)]
pub struct Signs {
    labels: LabelRules,
    local_host: String,
    rules: Vec<Rule>,
    levels: config::Levels,
    /// By metric: rules and which of their reads.
    by_metric: HashMap<String, Vec<(u16, u8)>>,
    table: Table,
    present: BTreeSet<u32>,
    places: HashMap<SeriesKey, u32>,
    resources: Vec<(SeriesKey, Resource)>,
    present_resources: BTreeSet<u32>,
    /// By the clock of whoever ticks: peers write the times of samples.
    now: Timestamp,
    refused: u64,
}

impl Signs {
    /// With rules of users before the built-in ones, and how labels name entities; `local_host` is this host's name.
    ///
    /// # Errors
    /// [`SignsError`] with all that is wrong with the rules.
    pub fn new(
        rules: &[RuleConfig],
        labels: LabelRules,
        local_host: &str,
    ) -> Result<Self, SignsError> {
        let (mut rules, levels) = config::compile(rules)?;
        let built_in = [
            crash::rules(),
            cpu::rules(),
            latency::rules(),
            queries::rules(),
            certificate::rules(),
        ];
        rules.extend(built_in.into_iter().flatten());
        let mut by_metric: HashMap<String, Vec<(u16, u8)>> = HashMap::new();
        for (i, rule) in rules.iter_mut().enumerate() {
            for (j, read) in rule.reads.iter().enumerate() {
                by_metric
                    .entry(read.metric.clone())
                    .or_default()
                    .push((i as u16, j as u8));
            }
            // Where there is an outlook, it foretells.
            let mut anchors = recipes().map(|recipe| recipe.anchor.metric);
            rule.foretells &=
                !anchors.any(|anchor| rule.is_single() && anchor == rule.reads[0].metric);
        }
        Ok(Self {
            labels,
            local_host: local_host.to_owned(),
            rules,
            levels,
            by_metric,
            table: Table::default(),
            present: BTreeSet::new(),
            places: HashMap::new(),
            resources: Vec::new(),
            present_resources: BTreeSet::new(),
            now: Timestamp::default(),
            refused: 0,
        })
    }

    /// How much is remembered.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts {
            watches: self.table.watches.len(),
            feeds: self.table.feeds.len(),
            resources: self.resources.len(),
            refused: self.refused,
        }
    }

    /// Whether samples of this series are wanted. To be asked once per series; again does no harm.
    pub fn add_series(&mut self, id: SeriesId, key: &SeriesKey) -> bool {
        let Some(named) = self.by_metric.get(key.metric()) else {
            return false;
        };
        if queries::is_own(key) {
            return false;
        }
        if self.table.route(id) != NONE {
            return true;
        }
        let (mut taken, mut is_wanted) = (Vec::new(), false);
        for (rule, read) in named.clone() {
            let its = &self.rules[usize::from(rule)];
            let is_fact = its.test == Test::Never;
            if !its.reads[usize::from(read)].takes(key) || (!is_fact && taken.contains(&its.class))
            {
                continue;
            }
            if !is_fact {
                taken.push(its.class);
            }
            if self.table.is_full() {
                self.table.sweep(self.now);
            }
            if self.join(id, key, rule, read) {
                is_wanted = true;
            } else {
                self.refused += 1;
            }
        }
        is_wanted
    }

    fn join(&mut self, id: SeriesId, key: &SeriesKey, rule: u16, read: u8) -> bool {
        let its = &self.rules[usize::from(rule)];
        let role = its.reads[usize::from(read)].role;
        let group = group_key(its, key);
        let found = group
            .as_ref()
            .and_then(|group| self.table.group(rule, group));
        let watch = match found {
            Some(watch) => watch,
            None => {
                let Some((entity, dependency)) = self.entity(its.class, key) else {
                    return false;
                };
                let is_group = group.is_some();
                let mut watch = Watch::new(
                    rule,
                    entity,
                    group.unwrap_or_else(|| key.clone()),
                    dependency,
                );
                watch.foretells = its.foretells;
                watch.born = self.now;
                match self.table.watch(watch, is_group) {
                    Some(watch) => watch,
                    None => return false,
                }
            }
        };
        let reason = key.label("reason").filter(|_| role == Role::Reason);
        let feed = Feed {
            watch,
            next: NONE,
            role,
            outcome: latency::outcome(key).filter(|_| role == Role::Count),
            value: f64::NAN,
            at: Timestamp::default(),
            reason: reason.map(Into::into),
        };
        self.table.feed(id, feed)
    }

    /// What a series tells of, and what that calls.
    fn entity(&self, class: Class, key: &SeriesKey) -> Option<(EntityId, Option<EntityId>)> {
        if class == Class::CertificateExpiry
            && let Some(entity) = certificate::entity_of(key)
        {
            return Some((entity, None));
        }
        let (entity, links) =
            self.labels
                .entity_of(key.metric(), key.labels(), &self.local_host)?;
        // What a server says of itself names itself.
        let is_caller = class == Class::NetworkLatency && !key.metric().contains("_server");
        let called = links.into_iter().find(|link| {
            link.relation == Relation::DependsOn
                && link.to.kind() == Kind::Service
                && link.to != entity
        });
        let named = || {
            let label = ["dependency", "target"]
                .iter()
                .find_map(|label| key.label(label));
            let label = label.filter(|_| !key.metric().starts_with("probe_"))?;
            label
                .parse()
                .or_else(|_| EntityId::new(Kind::Service, label))
                .ok()
        };
        let dependency = called
            .map(|link| link.to)
            .or_else(named)
            .filter(|_| is_caller);
        Some((entity, dependency))
    }

    /// Takes in a sample. Samples of a series come in the order of time; late ones and such as are no numbers are left out.
    pub fn push(&mut self, id: SeriesId, at: Timestamp, value: f64, out: &mut Vec<Finding>) {
        let mut next = self.table.route(id);
        if !value.is_finite() {
            return;
        }
        while next != NONE {
            let feed = &mut self.table.feeds[next as usize];
            let place = feed.watch;
            let watch = &mut self.table.watches[place as usize];
            let rule = &self.rules[usize::from(watch.rule)];
            next = feed.next;
            if watch.take(rule, feed, at, value) {
                watch.speak(rule, at, out);
                note(&mut self.present, place, watch.is_present());
            }
        }
    }

    /// Takes in what the engine says of a sample, where it belongs to an anomaly. `key` is the series of the risk.
    pub fn event(&mut self, key: &SeriesKey, risk: &Risk, out: &mut Vec<Finding>) {
        let mut next = self.table.route(risk.series);
        while next != NONE {
            let feed = &self.table.feeds[next as usize];
            let place = feed.watch;
            let watch = &mut self.table.watches[place as usize];
            let rule = &self.rules[usize::from(watch.rule)];
            next = feed.next;
            let is_it = match group_key(rule, key) {
                Some(group) => watch.key == group,
                None => watch.key == *key,
            };
            let may = matches!(rule.class, Class::NetworkLatency | Class::SlowQueries);
            if !may || !is_it || !matches!(feed.role, Role::Level | Role::Sum) {
                continue;
            }
            let Some(event) = risk.event else { continue };
            let is_upwards = risk.level > risk.expected;
            if event.phase == Phase::Closed {
                watch.hunch = None;
            } else if event.peak.max(risk.alert_score) >= ALERT
                && (is_upwards || watch.hunch.is_some())
            {
                watch.hunch = Some(risk.at.plus_micros(HUNCH_US));
            }
            watch.speak(rule, risk.at, out);
            note(&mut self.present, place, watch.is_present());
        }
    }

    /// Repeats what is still there, as of `at`. To be called every few seconds.
    ///
    /// What is repeated carries the time of its newest sample; where that is five minutes old nothing is repeated any more.
    pub fn tick(&mut self, at: Timestamp, out: &mut Vec<Finding>) {
        self.now = at;
        let mut over = Vec::new();
        for &place in &self.present {
            let watch = &mut self.table.watches[place as usize];
            if watch.is_due(at) {
                watch.speak(&self.rules[usize::from(watch.rule)], at, out);
                if !watch.is_present() {
                    over.push(place);
                }
            }
        }
        for place in over {
            self.present.remove(&place);
        }
        for &place in &self.present_resources {
            let beside = self.beside(&self.resources[place as usize].0);
            let (key, resource) = &mut self.resources[place as usize];
            if resource.is_due(at) {
                resource.speak(key, &beside, at, out);
            }
        }
    }
}

fn note(present: &mut BTreeSet<u32>, place: u32, is_present: bool) {
    if is_present {
        present.insert(place);
    } else {
        present.remove(&place);
    }
}

/// The name under which series of a rule are taken together; `None` for a rule over single series.
fn group_key(rule: &Rule, key: &SeriesKey) -> Option<SeriesKey> {
    let name = rule.name.as_ref()?;
    let labels = key
        .labels()
        .filter(|(label, _)| !rule.summed.iter().any(|summed| summed == label));
    SeriesKey::new(name, labels).ok()
}

#[cfg(test)]
mod tests;
