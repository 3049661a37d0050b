//! What is looked at in a scenario beside metrics: certificates, reports and files.

use std::collections::{BTreeMap, BTreeSet};

use remedy::signs::{
    DriftingFile, Drifts, ExpiringCertificate, THRESHOLD_DAYS, VulnerablePackage, certificate,
    vulnerability,
};
use remedy::{EntityId, Kind};
use series::Timestamp;
use sha2::{Digest, Sha256};

use super::scenario::Scenario;
use super::stage::Turn;

/// Looks at certificates, reports and files, as `server::planning::posture` does.
pub(super) struct Looker<'a> {
    scenario: &'a Scenario,
    begin_s: f64,
    drifts: Drifts,
    expiring: BTreeSet<String>,
    reported: BTreeMap<usize, bool>,
}

impl<'a> Looker<'a> {
    pub(super) fn new(scenario: &'a Scenario, begin_s: f64) -> Self {
        Self {
            scenario,
            begin_s,
            drifts: Drifts::default(),
            expiring: BTreeSet::new(),
            reported: BTreeMap::new(),
        }
    }

    /// Looks at everything, `t` seconds from the beginning.
    pub(super) fn look(&mut self, t: f64, now: Timestamp, turn: &mut Turn) {
        let mut found = Vec::new();
        let at = |s: f64| Timestamp::from_micros(((self.begin_s + s) * 1e6) as i64);
        for one in &self.scenario.certificates {
            let Ok(entity) = EntityId::new(Kind::Certificate, &one.name) else {
                continue;
            };
            let is_new = one.renewed_s.is_some_and(|renewed_s| t >= renewed_s);
            let validity_s = one.validity_days * 86_400.0;
            let end_s = match one.renewed_s.filter(|_| is_new) {
                Some(renewed_s) => renewed_s + validity_s,
                None => one.days_left * 86_400.0,
            };
            let seen = ExpiringCertificate {
                entity,
                signal: one.name.clone(),
                not_after: at(end_s),
                not_before: Some(at(end_s - validity_s)),
                issuer: one.issuer.clone(),
                newer_on_disk: !is_new
                    && one.newer_on_disk_from_s.is_some_and(|from_s| t >= from_s),
                was_present: self.expiring.contains(&one.name),
            };
            let finding = certificate(&seen, THRESHOLD_DAYS, now);
            if finding.is_present {
                self.expiring.insert(one.name.clone());
            } else {
                self.expiring.remove(&one.name);
            }
            found.push(finding);
        }
        for (i, one) in self.scenario.vulnerabilities.iter().enumerate() {
            let is_present = t >= one.from_s && one.to_s.is_none_or(|to_s| t < to_s);
            if !is_present && self.reported.get(&i) != Some(&true) {
                continue;
            }
            self.reported.insert(i, is_present);
            let published = one.published_days.map(|days| at(-days * 86_400.0));
            let seen = VulnerablePackage {
                target: one.target.clone(),
                package: one.package.clone(),
                id: one.id.clone(),
                installed: one.installed.clone(),
                fixed: one.fixed.clone(),
                severity: one.severity.clone(),
                score: one.score,
                published,
                first_seen: at(one.from_s),
                is_present,
            };
            found.extend(vulnerability(&seen, now).ok());
        }
        for one in &self.scenario.files {
            let name = format!("{}:{}", one.host, one.path);
            let Ok(entity) = EntityId::new(Kind::Configuration, &name) else {
                continue;
            };
            let mut spans = one.differs.iter();
            let span = spans.find(|span| t >= span.from_s && span.to_s.is_none_or(|to_s| t < to_s));
            let declared = sha256(&format!("{name} as declared"));
            let seen = DriftingFile {
                entity,
                path: one.path.clone(),
                actual_sha256: span.map_or_else(
                    || declared.clone(),
                    |span| sha256(&format!("{name} {}", span.version)),
                ),
                declared_sha256: declared,
                lines_changed: span.and(one.lines_changed),
                sensitive: one.sensitive,
                differs: span.is_some(),
            };
            self.drifts.look(&seen, now, &mut found);
        }
        let entities = found
            .iter()
            .map(|finding| (finding.entity.clone(), Vec::new()));
        turn.entities.extend(entities);
        turn.findings.append(&mut found);
    }
}

fn sha256(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
