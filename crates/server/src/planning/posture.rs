//! What is looked at beside metrics: certificates, reports of scanners, and files against what is declared. One look after the
//! other, where waiting for a disk or a peer keeps nobody waiting.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use posture::certificate::Chain;
use posture::drift::{Comparison, Content};
use posture::vulnerability::{Report, Vulnerability};
use remedy::signs::{
    DriftingFile, Drifts, ExpiringCertificate, VulnerablePackage, certificate, vulnerability,
};
use remedy::{EntityId, Finding, Kind};
use series::{Clock, Timestamp};
use tokio::sync::watch;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{MissedTickBehavior, interval};

use super::{Mailbox, News};
use crate::config::{Config, DriftConfig, FindingsConfig, is_file};
use crate::lookout::local_host;
use crate::models::told;

/// The longest that an endpoint may take to show its certificate.
const PROBE: Duration = Duration::from_secs(10);

/// Starts looking, if there is anything to look at.
pub(super) fn start(
    config: &Config,
    mailbox: Arc<Mailbox>,
    clock: Arc<dyn Clock>,
    stopping: watch::Receiver<bool>,
) -> Option<JoinHandle<()>> {
    let findings = config.findings.clone();
    let is_idle = findings.certificates.is_empty()
        && findings.reports.is_empty()
        && findings.drift.is_empty();
    if is_idle {
        return None;
    }
    let mut every = interval(Duration::from_secs_f64(findings.interval_s));
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut looker = Looker::new(findings);
    Some(tokio::spawn(async move {
        loop {
            let mut stopping = stopping.clone();
            tokio::select! {
                _ = stopping.wait_for(|&stop| stop) => return,
                _ = every.tick() => {}
            }
            let now = clock.now();
            let look = spawn_blocking(move || {
                let found = looker.look(now);
                (looker, found)
            });
            // The task ends early only when it panics, which has been printed; nothing that it knew can be relied on then.
            let Ok((same, found)) = look.await else {
                return;
            };
            looker = same;
            let entities = found
                .iter()
                .map(|finding| News::Entity(finding.entity.clone(), Vec::new()));
            mailbox.tell(entities.collect::<Vec<_>>());
            mailbox.tell(
                found
                    .into_iter()
                    .map(|finding| News::Finding(Box::new(finding))),
            );
        }
    }))
}

/// What a plan would change in a file: from what is there now to what is declared. What looks like a secret is masked.
pub(super) fn difference(files: &[DriftConfig], target: &EntityId) -> Option<String> {
    let host = local_host();
    let file = files
        .iter()
        .find(|file| configuration(&host, file).as_ref() == Some(target))?;
    let drift = posture::drift::compare(&file.declared, &file.actual, file.comparison()).ok()?;
    match drift.content {
        Content::Text(diff) => Some(diff.to_string()),
        Content::Same | Content::Equivalent | Content::Opaque | Content::Missing => None,
    }
}

/// The entity of a file of this host.
fn configuration(host: &str, file: &DriftConfig) -> Option<EntityId> {
    let name = format!("{host}:{}", file.actual.display());
    EntityId::new(Kind::Configuration, &name).ok()
}

impl DriftConfig {
    const fn comparison(&self) -> Comparison {
        match self.normalise {
            true => Comparison::Normalised,
            false => Comparison::Exact,
        }
    }
}

/// Looks, and remembers what it said.
struct Looker {
    config: FindingsConfig,
    host: String,
    /// Certificates that were told of.
    expiring: BTreeSet<String>,
    drifts: Drifts,
    reports: BTreeMap<PathBuf, Known>,
    /// What could not be looked at, so that it is said once.
    failing: BTreeMap<String, String>,
}

/// A report that was read.
#[derive(Default)]
struct Known {
    written: Option<SystemTime>,
    first_seen: BTreeMap<(String, String), Timestamp>,
    findings: Vec<VulnerablePackage>,
}

impl Looker {
    fn new(config: FindingsConfig) -> Self {
        Self {
            config,
            host: local_host(),
            expiring: BTreeSet::new(),
            drifts: Drifts::default(),
            reports: BTreeMap::new(),
            failing: BTreeMap::new(),
        }
    }

    fn look(&mut self, now: Timestamp) -> Vec<Finding> {
        let mut found = Vec::new();
        let chains = self.chains();
        for (place, chain) in &chains {
            self.certificate(place, chain, &chains, now, &mut found);
        }
        for path in self.config.reports.clone() {
            self.report(&path, now, &mut found);
        }
        for file in self.config.drift.clone() {
            self.drift(&file, now, &mut found);
        }
        found
    }

    /// Says once that something cannot be looked at, and once that it can again.
    fn tell(&mut self, place: &str, error: Option<&(dyn std::error::Error + 'static)>) {
        match error.map(told) {
            Some(why) => {
                if self.failing.insert(place.to_owned(), why.clone()).is_none() {
                    tracing::warn!(place, error = why, "it cannot be looked at");
                }
            }
            None => {
                if self.failing.remove(place).is_some() {
                    tracing::info!(place, "it can be looked at again");
                }
            }
        }
    }

    /// The certificates that can be looked at, by their places.
    fn chains(&mut self) -> Vec<(String, Chain)> {
        let mut out = Vec::new();
        for place in self.config.certificates.clone() {
            let chain: Result<Chain, Box<dyn std::error::Error>> = match is_file(&place) {
                true => posture::certificate::read_file(place.as_ref()).map_err(Into::into),
                false => posture::certificate::probe(&place, None, PROBE).map_err(Into::into),
            };
            match chain {
                Ok(chain) => {
                    self.tell(&place, None);
                    out.push((place, chain));
                }
                Err(error) => self.tell(&place, Some(&*error)),
            }
        }
        out
    }

    fn certificate(
        &mut self,
        place: &str,
        chain: &Chain,
        all: &[(String, Chain)],
        now: Timestamp,
        found: &mut Vec<Finding>,
    ) {
        let is_file = is_file(place);
        let name = match is_file {
            true => format!("{}:{place}", self.host),
            false => place.to_owned(),
        };
        let Ok(entity) = EntityId::new(Kind::Certificate, &name) else {
            return;
        };
        let (_, first) = chain.first_to_expire();
        let seen = ExpiringCertificate {
            entity,
            signal: place.to_owned(),
            not_after: first.not_after,
            not_before: Some(first.not_before),
            issuer: first.issuer.clone(),
            newer_on_disk: !is_file && has_newer(chain, all),
            was_present: self.expiring.contains(place),
        };
        let finding = certificate(&seen, self.config.certificate_days, now);
        match finding.is_present {
            true => self.expiring.insert(place.to_owned()),
            false => self.expiring.remove(place),
        };
        found.push(finding);
    }

    fn report(&mut self, path: &PathBuf, now: Timestamp, found: &mut Vec<Finding>) {
        let place = path.display().to_string();
        let written = path.metadata().and_then(|file| file.modified()).ok();
        let is_new = self
            .reports
            .get(path)
            .is_none_or(|known| known.written != written || written.is_none());
        if is_new {
            match posture::vulnerability::read_file(path) {
                Ok(report) => {
                    self.tell(&place, None);
                    let known = self.reports.entry(path.clone()).or_default();
                    known.written = written;
                    known.take(report, now, found);
                }
                Err(error) => self.tell(&place, Some(&error)),
            }
        }
        let known = self.reports.get(path).into_iter();
        let still = known.flat_map(|known| &known.findings);
        found.extend(still.filter_map(|seen| vulnerability(seen, now).ok()));
    }

    fn drift(&mut self, file: &DriftConfig, now: Timestamp, found: &mut Vec<Finding>) {
        let place = file.actual.display().to_string();
        let drift = match posture::drift::compare(&file.declared, &file.actual, file.comparison()) {
            Ok(drift) => drift,
            Err(error) => return self.tell(&place, Some(&error)),
        };
        self.tell(&place, None);
        let Some(entity) = configuration(&self.host, file) else {
            return;
        };
        let lines_changed = match &drift.content {
            Content::Text(diff) => Some(diff.lines_changed as u64),
            Content::Same | Content::Equivalent | Content::Opaque | Content::Missing => None,
        };
        let actual = drift.actual.as_ref();
        let seen = DriftingFile {
            entity,
            sensitive: is_sensitive(&place) || matches!(drift.content, Content::Opaque),
            path: place,
            actual_sha256: actual.map(|facts| facts.sha256.clone()).unwrap_or_default(),
            declared_sha256: drift.declared.sha256.clone(),
            lines_changed,
            differs: !drift.content_agrees(),
        };
        self.drifts.look(&seen, now, found);
    }
}

/// Whether one of the files holds a certificate for the same name that ends later than the one that is served.
fn has_newer(served: &Chain, all: &[(String, Chain)]) -> bool {
    let served = served.leaf();
    let files = all.iter().filter(|(place, _)| is_file(place));
    let mut leaves = files.map(|(_, chain)| chain.leaf());
    leaves.any(|leaf| {
        let is_same = leaf.names.iter().any(|name| served.names.contains(name))
            || leaf.common_name.is_some() && leaf.common_name == served.common_name;
        is_same && leaf.not_after > served.not_after
    })
}

/// Whether a file decides who may do what, by where it is.
fn is_sensitive(path: &str) -> bool {
    const WORDS: [&str; 12] = [
        "passwd", "shadow", "sudoers", "ssh", "pam", "pg_hba", "iptables", "nftables", "secret",
        "token", "policy", "rbac",
    ];
    WORDS.iter().any(|word| path.contains(word))
}

impl Known {
    /// Takes in a report; what it names no more is taken back.
    fn take(&mut self, report: Report, now: Timestamp, found: &mut Vec<Finding>) {
        let new: Vec<_> = report
            .vulnerabilities
            .into_iter()
            .map(|one| {
                let key = (one.id.clone(), one.package.clone());
                let first_seen = *self.first_seen.entry(key).or_insert(now);
                package(one, first_seen)
            })
            .collect();
        let named: BTreeSet<_> = new
            .iter()
            .map(|one| (&one.target, &one.package, &one.id))
            .collect();
        for old in &mut self.findings {
            if !named.contains(&(&old.target, &old.package, &old.id)) {
                old.is_present = false;
                found.extend(vulnerability(old, now).ok());
            }
        }
        self.findings = new;
    }
}

fn package(one: Vulnerability, first_seen: Timestamp) -> VulnerablePackage {
    let severity = match one.severity {
        posture::vulnerability::Severity::Critical => "critical",
        posture::vulnerability::Severity::High => "high",
        posture::vulnerability::Severity::Medium => "medium",
        posture::vulnerability::Severity::Low => "low",
        posture::vulnerability::Severity::Unknown => "unknown",
    };
    VulnerablePackage {
        fixed: nearest(&one.installed, one.fixed.as_deref().unwrap_or_default()),
        target: one.target,
        package: one.package,
        id: one.id,
        installed: one.installed,
        severity: severity.to_owned(),
        score: one.score,
        published: one.published,
        first_seen,
        is_present: true,
    }
}

/// Of several versions that mend it, one for each branch, that of the branch which is installed; else the first.
fn nearest(installed: &str, fixed: &str) -> String {
    let branch = |version: &str| version.split(['.', '-', '+']).next().map(str::to_owned);
    let mut all = fixed
        .split(',')
        .map(str::trim)
        .filter(|version| !version.is_empty());
    let of_branch = all
        .clone()
        .find(|version| branch(version) == branch(installed));
    of_branch
        .or_else(|| all.next())
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
mod tests;
