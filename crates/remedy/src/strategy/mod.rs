//! What can be done about an issue: one strategy per file, each a constant that says what it is for, what it costs, who
//! may allow it and what comes after it when it does not help, and a function that drafts the steps for one case.
//!
//! A strategy is pure: it reads a [`Case`] and answers with a [`Draft`], or says why it does not fit. To add one: a file
//! beside these, and its name in [`STRATEGIES`]. Steps are made by `draft::step`, which knows what undoes what; they are
//! undone in reverse order. Whoever walks `fallbacks` passes over those that are for other classes or do not fit.
//!
//! # What strategies read
//!
//! *Attributes* come from the operator's topology and are read with [`Case::attribute`] and what rests on it; *facts* come
//! with the findings, hold labels of series, and are read with [`Case::fact`], which falls back to an attribute. What
//! permits something, or says how far it may go, is an attribute: whoever may send a sample must not be able to permit
//! anything. What speaks against something counts from either side. Facts that nothing here measures yet (`baseline`,
//! `cache_bytes`, `dead_rows_ratio`, `exploited`, `level_after_start`, `load_ratio`, `rotated_bytes`, `writes_ratio`) can be
//! said as attributes. Entities inherit attributes of their service and host:
//! what is said of a volume (`growable`, `logs`, `temporary`) is best said at the volume.
//!
//! Attributes are listed in [`ATTRIBUTES`].
//!
//! | fact | meaning | unit |
//! |---|---|---|
//! | `actual_sha256`, `declared_sha256` | digests of a file as it is and as it is declared | 64 hex digits |
//! | `baseline` | what the signal usually is | that of the case |
//! | `cache_bytes` | size of the cache | bytes |
//! | `columns`, `table` | what a slow query filters by, in order, separated by commas; of which table | names |
//! | `days_left` | until the certificate expires | days |
//! | `dead_rows_ratio` | share of the rows of the table that are dead or not counted | 0 to 1 |
//! | `dependency` | what it waits for | entity id |
//! | `deployed_s`, from attribute `released_at`; or attribute `release_age_s` | age of the release | seconds |
//! | `errors_ratio` | share of calls that fail; with `dependency`: of those to it | 0 to 1 |
//! | `exploited` | the vulnerability is known to be used by attackers | yes |
//! | `family` | what runs out: memory, cpu, disk, inodes, connections, descriptors, threads, dependency | name |
//! | `fixed`, `installed`, `package`, `id`, `severity`, `score` | of a vulnerability | |
//! | `jobs_share` | share of the level that is due to the jobs; 0.2 if nothing is said | 0 to 1 |
//! | `level_after_start` | what the signal is after a start | that of the case |
//! | `lines_changed`, `path`, `sensitive` | of a file that differs: `sensitive` touches access or secrets | |
//! | `limit` | what the resource is a share of | bytes, cores, … |
//! | `load_ratio` | load of the service as a share of what it can carry | 0 to 1 |
//! | `longest_s` | the longest query | seconds |
//! | `newer_on_disk` | a newer certificate is on disk than is served | yes |
//! | `raised_before` | how often a limit was raised for this issue, and for those that it is the return of | times |
//! | `reason`, `exit_code`, `restarts` | of a crash | |
//! | `reclaimable_bytes`, `log_bytes`, `rotated_bytes` | what removing temporary files, rotating logs, removing rotated logs would free | bytes |
//! | `renewal`, `issuer`, `not_after`, `validity_days` | of a certificate; `renewal` is `acme` or `manual` | |
//! | `sessions_idle` | sessions of the database that do nothing | sessions |
//! | `since_s` | since when it is wrong | seconds |
//! | `standby_lag_s` | how far the standby is behind; also an attribute | seconds |
//! | `writes_ratio` | share of the statements on the table that write | 0 to 1 |

use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::{Class, EntityId};

pub use attributes::{ATTRIBUTES, Attribute, FACTS_TO_DECLARE, attribute};
pub use case::Case;

/// Whether, and how, what a strategy does can be undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reversibility {
    /// Every step has an inverse that brings back what was.
    Reversible,
    /// What was done goes away by itself or does no harm: a restart, a cleared cache.
    SelfHealing,
    /// It cannot be undone. Never carried out without a person.
    Irreversible,
}

/// Who may allow it, least first. A person has one level and all below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authority {
    /// Whoever is on call.
    Operator,
    /// Who owns the service.
    Owner,
    /// Who answers for the platform, its data and its security.
    Administrator,
}

impl Authority {
    /// The name in configuration and on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Owner => "owner",
            Self::Administrator => "administrator",
        }
    }
}

/// One step: what is done, and what undoes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What is done.
    pub action: Action,
    /// What undoes it; `None` when nothing has to, or nothing can (see [`Reversibility`]).
    pub inverse: Option<Action>,
    /// Seconds after which the executor gives it up.
    pub timeout_s: f64,
}

/// How the effect is judged: fixed before anything is done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Effect {
    /// What is looked at: the signal of the issue, or another series of the entity.
    pub signal: String,
    /// Of the values.
    pub unit: String,
    /// What it is now.
    pub from: f64,
    /// What it is foretold to be, at `within_s`.
    pub to: f64,
    /// The least move towards `to` that counts as an improvement, in `unit`; above 0.
    pub least: f64,
    /// Seconds after the last step at which it is judged.
    pub within_s: f64,
}

/// What a strategy would do about a case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Draft {
    /// In order.
    pub steps: Vec<Step>,
    /// How its effect is judged.
    pub effect: Effect,
    /// Why this helps here, one sentence for people.
    pub because: String,
    /// How well it fits this case, 0 to 1: how likely it is that it works if the diagnosis is right, by what is known of
    /// the cause. Multiplied with the success rate that was learned.
    pub fit: f64,
    /// Share of the capacity of the service that is away while it is done, 0 to 1.
    pub capacity_away: f64,
}

/// Why a strategy does not fit a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit {
    /// One sentence for people, that names what is missing.
    pub why: String,
    /// The attribute that is missing, when it is one that could be declared.
    pub lacks: Option<Lack>,
}

/// An attribute without which a strategy does not dare.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lack {
    /// Of what.
    pub entity: EntityId,
    /// Its name, one of [`ATTRIBUTES`].
    pub attribute: String,
}

impl Unfit {
    /// Why not.
    #[must_use]
    pub fn because(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            lacks: None,
        }
    }

    /// Nobody has declared an attribute of an entity, one of [`ATTRIBUTES`].
    #[must_use]
    pub fn lacks(entity: &EntityId, attribute: &str, why: impl Into<String>) -> Self {
        let lacks = Lack {
            entity: entity.clone(),
            attribute: attribute.to_owned(),
        };
        Self {
            why: why.into(),
            lacks: Some(lacks),
        }
    }
}

/// A way to remedy issues of some classes.
#[derive(Debug)]
pub struct Strategy {
    /// The key in configuration, storage and telemetry: lower case with underscores.
    pub name: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// What it is for.
    pub classes: &'static [Class],
    /// Whether it can be undone.
    pub reversibility: Reversibility,
    /// Who may allow it.
    pub authority: Authority,
    /// What it costs beside the disruption: minutes of work and money, as minutes of outage of a service of middle tier
    /// that one would rather have.
    pub cost_min: f64,
    /// Seconds that it takes, usually.
    pub duration_s: f64,
    /// What is believed of its success where it fits perfectly, before anything was learned, as successes and failures of a
    /// beta distribution. How well it fits a case is for [`Draft::fit`] to say.
    pub prior: [f64; 2],
    /// P(it makes things worse), before anything was learned.
    pub harm: f64,
    /// Names of what is tried next when it had no effect, in order.
    pub fallbacks: &'static [&'static str],
    /// Drafts it for a case.
    pub draft: fn(&Case) -> Result<Draft, Unfit>,
}

mod add_index;
mod analyze_table;
mod attributes;
mod cancel_query;
mod capture_diagnostics;
mod case;
mod clean_temporary_files;
mod clear_cache;
mod disk;
mod draft;
mod drain_and_restart;
mod end_idle_sessions;
mod escalate_crash_loop;
mod fail_over;
mod grow_volume;
mod isolate_dependency;
mod notify_owner;
mod open_breaker;
mod order_certificate;
mod patch_package;
mod patch_with_snapshot;
mod pause_jobs;
mod quarantine;
mod raise_cpu_quota;
mod raise_file_limit;
mod raise_max_connections;
mod raise_memory_limit;
mod reconcile_configuration;
mod reload_certificate;
mod remove_rotated_logs;
mod renew_certificate;
mod reroute_traffic;
mod restart;
mod restart_rolling;
mod roll_back_release;
mod rotate_logs;
mod scale_back;
mod scale_out;
mod shed_load;
mod tune_pool;

/// All of them, by name.
pub const STRATEGIES: [&Strategy; 36] = [
    &add_index::STRATEGY,
    &analyze_table::STRATEGY,
    &cancel_query::STRATEGY,
    &capture_diagnostics::STRATEGY,
    &clean_temporary_files::STRATEGY,
    &clear_cache::STRATEGY,
    &drain_and_restart::STRATEGY,
    &end_idle_sessions::STRATEGY,
    &escalate_crash_loop::STRATEGY,
    &fail_over::STRATEGY,
    &grow_volume::STRATEGY,
    &isolate_dependency::STRATEGY,
    &notify_owner::STRATEGY,
    &open_breaker::STRATEGY,
    &order_certificate::STRATEGY,
    &patch_package::STRATEGY,
    &patch_with_snapshot::STRATEGY,
    &pause_jobs::STRATEGY,
    &quarantine::STRATEGY,
    &raise_cpu_quota::STRATEGY,
    &raise_file_limit::STRATEGY,
    &raise_max_connections::STRATEGY,
    &raise_memory_limit::STRATEGY,
    &reconcile_configuration::STRATEGY,
    &reload_certificate::STRATEGY,
    &remove_rotated_logs::STRATEGY,
    &renew_certificate::STRATEGY,
    &reroute_traffic::STRATEGY,
    &restart::STRATEGY,
    &restart_rolling::STRATEGY,
    &roll_back_release::STRATEGY,
    &rotate_logs::STRATEGY,
    &scale_back::STRATEGY,
    &scale_out::STRATEGY,
    &shed_load::STRATEGY,
    &tune_pool::STRATEGY,
];

/// The strategy of this name.
#[must_use]
pub fn strategy(name: &str) -> Option<&'static Strategy> {
    STRATEGIES.into_iter().find(|known| known.name == name)
}

#[cfg(test)]
mod any_case;
#[cfg(test)]
mod review_tests;
#[cfg(test)]
mod typical_cases;
#[cfg(test)]
mod walk_tests;

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::Surroundings;

    /// A case of an entity whose level is a share of its limit.
    pub(crate) fn case(entity: &str, class: Class, value: f64) -> Case {
        Case {
            entity: entity.parse().unwrap(),
            class,
            cause: String::new(),
            value,
            threshold: 0.9,
            unit: "ratio".to_owned(),
            signal: "used_ratio".to_owned(),
            probability: 0.9,
            probability_day: 0.95,
            ttf_s: Some([300.0, 600.0, 1200.0]),
            is_present: false,
            is_at_hand: false,
            facts: BTreeMap::new(),
            around: Surroundings::default(),
        }
    }

    /// The same with facts, also as attributes, in the unit and with the threshold that is usual for its class.
    pub(crate) fn with(entity: &str, class: Class, value: f64, facts: &[(&str, &str)]) -> Case {
        let mut case = case(entity, class, value);
        let (unit, threshold, signal) = match class {
            Class::ProcessCrash => ("restarts", 1.0, "restarts"),
            Class::CpuSaturation => ("ratio", 0.85, "cpu_ratio"),
            Class::MemoryExhaustion => ("ratio", 0.9, "memory_ratio"),
            Class::DiskExhaustion => ("ratio", 0.95, "disk_ratio"),
            Class::NetworkLatency => ("seconds", 0.2, "latency_p99"),
            // Connections run out as a share, queries take seconds.
            Class::SlowQueries if value < 1.0 => ("ratio", 0.9, "connections_ratio"),
            Class::SlowQueries => ("seconds", 5.0, "query_p99"),
            Class::CertificateExpiry => ("days", 30.0, "certificate"),
            Class::Vulnerability => ("score", 7.0, "report"),
            Class::ConfigurationDrift => ("files", 1.0, "file"),
        };
        (case.unit, case.signal) = (unit.to_owned(), signal.to_owned());
        case.threshold = threshold;
        if facts.iter().any(|(name, _)| *name == "family") {
            (case.unit, case.threshold) = ("ratio".to_owned(), 0.9);
            case.signal = "used_ratio".to_owned();
        }
        for (name, value) in facts {
            case.facts.insert((*name).to_owned(), (*value).to_owned());
            let attributes = &mut case.around.attributes;
            attributes.insert((*name).to_owned(), (*value).to_owned());
        }
        case
    }
}
