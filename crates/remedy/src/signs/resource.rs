//! From an outlook to findings: the level by rule, the end by prediction.
//!
//! The two have different thresholds. A rule is wrong where the issue says so, at 0.90 of a memory; what an outlook foretells is
//! the end, at its limit. Both are told in shares of the limit, under the name of the series by which the resource goes.

use std::collections::BTreeMap;

use predict::exhaustion::{Cause, Family, Outlook};
use series::{SeriesKey, Timestamp};

use super::rule::{Latch, Threshold};
use super::tell::{About, Numbers, Told, facts, finding, number, signal, within};
use super::{ENTER, LEAVE, cpu, disk, memory};
use crate::{Class, EntityId, Finding, Kind, Source};

/// A resource that was seen for less raises a prediction only when the end is near and as good as certain.
const YOUNG_S: f32 = 480.0;
/// What is foreseen for some time of the day alone is told from this probability on, and until it is less than that: over a day
/// much may happen, and "as likely as not" is no news.
const ENTER_DAY: f64 = 0.9;
const LEAVE_DAY: f64 = 0.6;
const YOUNG_ENTER: f64 = 0.8;
/// Seconds over which probabilities are smoothed: up fast, because what is near cannot wait, and down slowly.
const UP_S: f64 = 20.0;
const DOWN_S: f64 = 90.0;
/// Taken for the time before the first outlook.
const FIRST_S: f64 = 20.0;
/// Above this share of its limit any other resource is wrong.
const FULL: f64 = 0.95;

/// What is remembered of a resource.
#[derive(Debug, Clone)]
pub(super) struct Resource {
    entity: EntityId,
    class: Class,
    dependency: Option<EntityId>,
    pub(super) newest: Timestamp,
    latch: Latch,
    /// P(exhausted within 30 minutes) and within a day, smoothed.
    smooth: [f64; 2],
    is_foretold: bool,
    told: [Told; 2],
    /// What was last seen, to be repeated.
    last: Option<Seen>,
}

/// What of an outlook is told.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Seen {
    family: Family,
    level: f64,
    limit: f64,
    share: f64,
    within: [f64; 2],
    ttf_s: Option<[f64; 3]>,
    confidence: f64,
    cause: Cause,
    above: f64,
}

/// What samples tell of a resource beside its outlook.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Beside {
    /// Sessions of a database server that do nothing.
    pub(super) idle: Option<f64>,
    /// Processors that a container may use.
    pub(super) cores: Option<f64>,
}

/// What of an outlook no rule over samples tells of the same series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Left {
    /// Its level.
    pub(super) level: bool,
    /// Its end.
    pub(super) end: bool,
}

/// What an issue about a resource is.
pub(super) fn class(family: Family, kind: Kind) -> Class {
    match family {
        Family::Memory => Class::MemoryExhaustion,
        Family::Cpu => Class::CpuSaturation,
        Family::Disk | Family::Inodes => Class::DiskExhaustion,
        Family::Descriptors | Family::Threads => Class::ProcessCrash,
        Family::Dependency => Class::NetworkLatency,
        // Those of the kernel or of a proxy hold up no query.
        Family::Connections if kind == Kind::Database => Class::SlowQueries,
        Family::Connections => Class::NetworkLatency,
    }
}

/// The threshold of a family where users set none.
pub(super) fn usual(family: Family) -> Threshold {
    match family {
        Family::Memory => memory::threshold(),
        Family::Cpu => Threshold::usual(cpu::BUSY.0, cpu::BUSY.1),
        Family::Disk | Family::Inodes => disk::threshold(),
        Family::Connections | Family::Descriptors | Family::Threads | Family::Dependency => {
            Threshold::usual(FULL, 30.0)
        }
    }
}

impl Resource {
    pub(super) fn new(family: Family, entity: EntityId, dependency: Option<EntityId>) -> Self {
        Self {
            class: class(family, entity.kind()),
            entity,
            dependency,
            newest: Timestamp::from_micros(i64::MIN),
            latch: Latch::default(),
            smooth: [0.0; 2],
            is_foretold: false,
            told: [Told::default(); 2],
            last: None,
        }
    }

    pub(super) const fn class(&self) -> Class {
        self.class
    }

    pub(super) fn is_present(&self) -> bool {
        self.told.iter().any(|told| told.is_present)
    }

    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        self.told.iter().any(|told| told.is_due(now)) && now.seconds_since(self.newest) <= 300.0
    }

    /// Takes in an outlook. `left`: what of it is told here, because no rule over samples tells it of the same series.
    pub(super) fn take(
        &mut self,
        key: &SeriesKey,
        outlook: &Outlook,
        threshold: &Threshold,
        left: Left,
    ) {
        let share = outlook.level / outlook.limit;
        let is_sound = outlook.limit > 0.0 && share.is_finite() && share >= 0.0;
        if !is_sound {
            return;
        }
        let passed_s = outlook.at.seconds_since(self.newest);
        let passed_s = if self.last.is_none() || passed_s < -3_600.0 {
            FIRST_S
        } else {
            passed_s
        };
        if passed_s < 0.0 {
            return;
        }
        self.newest = outlook.at;
        let day = f64::from(outlook.within[4]);
        let told = [f64::from(outlook.within[2]), day].map(|p| within(p, 0.0, 1.0));
        for (smooth, p) in self.smooth.iter_mut().zip(told) {
            let time_s = if p > *smooth { UP_S } else { DOWN_S };
            *smooth += (p - *smooth) * (1.0 - (-passed_s / time_s).exp());
        }
        let [soon, day] = self.smooth;
        let is_young = outlook.seen_s.is_nan() || outlook.seen_s < YOUNG_S;
        self.is_foretold = match (self.is_foretold, is_young) {
            _ if !left.end => false,
            (true, _) => soon >= LEAVE || day >= LEAVE_DAY,
            (false, true) => soon >= YOUNG_ENTER || (soon >= ENTER && told[0] >= YOUNG_ENTER),
            (false, false) => soon >= ENTER || day >= ENTER_DAY,
        };
        let is_judged =
            left.level && !(outlook.family == Family::Cpu && cpu::is_led_by_requests(outlook));
        let is_judged = is_judged && !(outlook.family == Family::Disk && disk::is_read_only(key));
        // A level that says something else meanwhile neither crosses nor clears.
        if is_judged {
            self.latch.update(threshold, outlook.at, share);
        }
        self.last = Some(Seen {
            family: outlook.family,
            level: outlook.level,
            limit: outlook.limit,
            share,
            within: told,
            ttf_s: Some(outlook.ttf_s).filter(|all| all.iter().all(|s| s.is_finite())),
            // In its first minutes a warm-up is like a leak.
            confidence: f64::from(outlook.confidence)
                * f64::from(outlook.seen_s / YOUNG_S).clamp(0.0, 1.0),
            cause: outlook.cause,
            above: threshold.above,
        });
    }

    /// Says what is new, as of `now`. `beside`: what samples tell of the resource beside its outlook.
    pub(super) fn speak(
        &mut self,
        key: &SeriesKey,
        beside: &Beside,
        now: Timestamp,
        out: &mut Vec<Finding>,
    ) {
        let Some(seen) = self.last else { return };
        let crossed = Numbers {
            confidence: within(seen.confidence, 0.5, 0.95),
            ..Numbers::crossed(seen.share, seen.above)
        };
        let coming = Numbers {
            value: seen.share,
            threshold: 1.0,
            probability: seen.within[0],
            probability_day: seen.within[1],
            ttf_s: seen.ttf_s,
            confidence: seen.confidence,
        };
        // A disk that is full by design does not fill up either.
        let is_foretold =
            self.is_foretold && !(seen.family == Family::Disk && disk::is_read_only(key));
        let said = [
            (Source::Rule, self.latch.is_over, crossed),
            (Source::Prediction, is_foretold, coming),
        ];
        for ((source, wanted, numbers), told) in said.into_iter().zip(&mut self.told) {
            let Some(is_present) = told.turn(wanted, now, &numbers) else {
                continue;
            };
            let about = About {
                entity: &self.entity,
                class: self.class,
                source,
                signal: &signal(key),
                unit: "ratio",
                cause: seen.cause.name(),
            };
            let dependency = self
                .dependency
                .as_ref()
                .filter(|_| self.class == Class::NetworkLatency);
            let facts = told_facts(key, &seen, beside, dependency);
            out.push(finding(&about, is_present, self.newest, &numbers, facts));
        }
    }
}

fn told_facts(
    key: &SeriesKey,
    seen: &Seen,
    beside: &Beside,
    dependency: Option<&EntityId>,
) -> BTreeMap<String, String> {
    let mut facts = facts(key);
    let mut put = |name: &str, value: String| facts.insert(name.to_owned(), value);
    put("family", seen.family.name().to_owned());
    match seen.family {
        // The limit of a service is 1 by definition, and nobody may take it for a number of processors.
        Family::Cpu => {
            if let Some(cores) = beside.cores {
                put("limit", number(cores));
            }
        }
        Family::Dependency => {}
        Family::Memory
        | Family::Disk
        | Family::Inodes
        | Family::Connections
        | Family::Descriptors
        | Family::Threads => {
            put("used", number(seen.level));
            put("limit", number(seen.limit));
        }
    }
    if let Some(idle) = beside.idle.filter(|_| seen.family == Family::Connections) {
        put("sessions_idle", number(idle));
    }
    if let Some(dependency) = dependency {
        put("dependency", dependency.to_string());
    }
    facts
}
