//! The sections `[planner]` and `[findings]`. How bold the planner is stands in `[safety]`, which is
//! `remedy::Settings`, and which things there are in `[topology]`, which is `remedy::topology::Declared`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use executor::EXECUTORS;
use ledger::Location;
use posture::certificate::check_endpoint;
use remedy::signs::{RuleConfig, Signs};
use remedy::strategy::Authority;
use serde::{Deserialize, Serialize};

/// The section `[planner]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PlannerConfig {
    /// Whether issues are opened and plans made.
    pub enabled: bool,
    /// Where issues, plans and audit are kept: a path, or `postgres://…`; empty for the state directory.
    pub ledger: String,
    /// What carries out plans.
    pub executor: String,
    /// Where orders are handed to by the executor `webhook`.
    pub webhook: WebhookConfig,
    /// A file whose being there engages the brake; empty for `brake` in the state directory.
    pub brake_file: PathBuf,
    /// Picks the control arm.
    pub seed: u64,
    /// Findings that may wait for the planner.
    pub queue_findings: usize,
    /// Days for which resolved issues and their plans are kept; the audit is kept for ever.
    pub keep_days: f64,
    /// Who may decide.
    pub people: Vec<PersonConfig>,
}

/// The section `[planner.webhook]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WebhookConfig {
    /// Where to.
    pub url: String,
    /// Files, each with a secret that orders are signed with.
    pub secret_files: Vec<PathBuf>,
    /// PEM file of the authorities that vouch for the receiver; empty for those of the system.
    pub ca_file: PathBuf,
    /// Whether `http://` to another machine is allowed.
    pub allow_insecure: bool,
    /// Actions that the receiver can carry out; empty for all.
    pub actions: Vec<String>,
}

/// Somebody who may decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonConfig {
    /// Their name.
    pub name: String,
    /// What they may allow.
    pub authority: Authority,
    /// A file whose first line is a token of their own; without it whoever may call may use the name.
    #[serde(default)]
    pub token_file: PathBuf,
}

/// The section `[findings]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FindingsConfig {
    /// Files and endpoints (`host:port`, `postgres://host:port`) whose certificates are looked at.
    pub certificates: Vec<String>,
    /// Days before its end at which a certificate is an issue.
    pub certificate_days: f64,
    /// Reports of vulnerability scanners (Trivy, OSV), JSON.
    pub reports: Vec<PathBuf>,
    /// Files that are held against what is declared.
    pub drift: Vec<DriftConfig>,
    /// Seconds between two looks at all of these.
    pub interval_s: f64,
    /// Thresholds of your own.
    pub rules: Vec<RuleConfig>,
}

/// A file that is held against what is declared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DriftConfig {
    /// What it should be.
    pub declared: PathBuf,
    /// What it is.
    pub actual: PathBuf,
    /// Whether comments and blank lines are left out.
    #[serde(default)]
    pub normalise: bool,
}

impl Default for PlannerConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            ledger: String::new(),
            executor: "dry_run".to_owned(),
            webhook: WebhookConfig::default(),
            brake_file: PathBuf::new(),
            seed: 0,
            queue_findings: 1 << 16,
            keep_days: 90.0,
            people: Vec::new(),
        }
    }
}

impl Default for FindingsConfig {
    fn default() -> Self {
        Self {
            certificates: Vec::new(),
            certificate_days: 30.0,
            reports: Vec::new(),
            drift: Vec::new(),
            interval_s: 60.0,
            rules: Vec::new(),
        }
    }
}

/// The name under which a file that is there engages the brake.
pub(crate) const BRAKE_FILE: &str = "brake file";

/// Whether a certificate is in a file, rather than behind an endpoint.
pub(crate) fn is_file(place: &str) -> bool {
    place.starts_with('/') || place.starts_with("./")
}

impl PlannerConfig {
    /// Keys whose values make no sense, and why not.
    pub(super) fn problems(&self) -> Vec<(String, String)> {
        let mut out = Vec::new();
        let mut problem = |key: &str, what: String| out.push((format!("planner.{key}"), what));
        if !self.ledger.is_empty()
            && let Err(error) = self.ledger.parse::<Location>()
        {
            problem("ledger", error.to_string());
        }
        if !EXECUTORS.iter().any(|(name, _)| *name == self.executor) {
            let names = EXECUTORS.map(|(name, _)| name).join(", ");
            problem(
                "executor",
                format!("{:?} is none of {names}", self.executor),
            );
        }
        if self.executor == "webhook" && self.webhook.url.is_empty() {
            problem(
                "webhook.url",
                "the executor is webhook, and there is no url".to_owned(),
            );
        }
        if self.executor == "webhook" && self.webhook.secret_files.is_empty() {
            let what = "the executor is webhook, and there is no secret to sign with";
            problem("webhook.secret_files", what.to_owned());
        }
        if !(16..=1 << 24).contains(&self.queue_findings) {
            let what = format!("{} is not between 16 and 16777216", self.queue_findings);
            problem("queue_findings", what);
        }
        if !(1.0..=36_500.0).contains(&self.keep_days) {
            problem(
                "keep_days",
                format!("{} is not between 1 and 36500", self.keep_days),
            );
        }
        let mut names = BTreeSet::new();
        for (i, person) in self.people.iter().enumerate() {
            let key = format!("people[{i}].name");
            let name = &person.name;
            if name.trim().is_empty() || name.len() > 80 || name.chars().any(char::is_control) {
                problem(&key, format!("{name:?} is no name of 1 to 80 bytes"));
            } else if ["forestall", BRAKE_FILE].contains(&name.as_str()) {
                problem(&key, format!("{name:?} is what the planner calls itself"));
            } else if !names.insert(name) {
                problem(&key, format!("{name:?} is there twice"));
            }
        }
        out
    }

    /// Who may decide what. When nobody is named it is whoever runs the server, `local`.
    #[must_use]
    pub(crate) fn authorities(&self, local: &str) -> BTreeMap<String, Authority> {
        let named = self.people.iter();
        let mut all: BTreeMap<_, _> = named
            .map(|person| (person.name.clone(), person.authority))
            .collect();
        if all.is_empty() {
            all.insert(local.to_owned(), Authority::Administrator);
        }
        all
    }
}

impl FindingsConfig {
    /// Keys whose values make no sense, and why not.
    pub(super) fn problems(&self) -> Vec<(String, String)> {
        let mut out = Vec::new();
        let ranges = [
            ("certificate_days", self.certificate_days, 0.1, 3650.0),
            ("interval_s", self.interval_s, 1.0, 86_400.0),
        ];
        for (key, value, low, high) in ranges {
            if !(low..=high).contains(&value) {
                let what = format!("{value} is not between {low} and {high}");
                out.push((format!("findings.{key}"), what));
            }
        }
        for (i, place) in self.certificates.iter().enumerate() {
            if !is_file(place)
                && let Err(error) = check_endpoint(place)
            {
                let what = format!("{error}; a file begins with / or ./");
                out.push((format!("findings.certificates[{i}]"), what));
            }
        }
        if let Err(error) = Signs::new(&self.rules, Default::default(), "") {
            let said = error.problems.into_iter();
            out.extend(said.map(|said| (format!("findings.{}", said.key), said.message)));
        }
        out
    }
}
