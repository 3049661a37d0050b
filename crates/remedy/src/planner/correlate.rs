//! Which issue a finding belongs to: one issue for one cause.

use std::collections::HashSet;
use std::sync::Arc;

use super::{Live, Planner};
use crate::issue::{Issue, IssueId, IssueState, MAX_ALSO, Severity};
use crate::record::{FindingRecord, Record};
use crate::{Area, Class, EntityId, Finding, Kind, Source};

/// Whether trouble of class `cause`, where something depends on it, shows there as trouble of class `symptom`.
const fn explains(cause: Class, symptom: Class) -> bool {
    use Class::{
        CertificateExpiry, ConfigurationDrift, CpuSaturation, DiskExhaustion, MemoryExhaustion,
        NetworkLatency, ProcessCrash, SlowQueries, Vulnerability,
    };
    match (cause, symptom) {
        (
            CpuSaturation | MemoryExhaustion | DiskExhaustion | ProcessCrash | NetworkLatency
            | SlowQueries | ConfigurationDrift,
            NetworkLatency | SlowQueries | ProcessCrash,
        ) => true,
        // Callers of what is slow keep their requests, and with them memory and connections.
        (NetworkLatency | SlowQueries, MemoryExhaustion | CpuSaturation) => true,
        (CertificateExpiry, NetworkLatency) => true,
        (_, Vulnerability | CertificateExpiry | ConfigurationDrift | DiskExhaustion) => false,
        (Vulnerability, _) => false,
        (
            CpuSaturation | MemoryExhaustion | DiskExhaustion | ProcessCrash | CertificateExpiry
            | ConfigurationDrift,
            MemoryExhaustion | CpuSaturation,
        ) => false,
        (CertificateExpiry, ProcessCrash | SlowQueries) => false,
    }
}

/// Whether a class is of a resource that fills up by itself.
const fn fills_up(class: Class) -> bool {
    matches!(class, Class::MemoryExhaustion | Class::CpuSaturation)
}

/// Whether trouble of a host is that of something on it: the same resource, used by one of them; or a kill by the kernel,
/// which the host counts, of what had no memory left.
fn is_made_by(host: (&EntityId, Class), on_it: &Issue) -> bool {
    let (host, class) = host;
    let is_same = match (class, on_it.class) {
        (Class::CpuSaturation, Class::CpuSaturation) => true,
        (Class::MemoryExhaustion | Class::ProcessCrash, Class::MemoryExhaustion) => true,
        (_, _) => false,
    };
    is_same && host.kind() == Kind::Host && on_it.entity.kind() != Kind::Host
}

impl Planner {
    /// The issue that a new finding belongs to; opens one when there is none. `None` when there is no room.
    pub(super) fn place(&mut self, finding: &Finding) -> Option<IssueId> {
        if let Some(id) = self.same(finding) {
            return Some(id);
        }
        if self.storm.why().is_some() && finding.class.area() != Area::Security {
            self.storm.goes_on(self.now());
            if let Some(&id) = self.storm.issues.get(&finding.class)
                && self.live.contains_key(&id)
            {
                self.join(id, &finding.entity);
                return Some(id);
            }
        }
        let causes: Vec<EntityId> = self
            .topology
            .causes(&finding.entity)
            .into_iter()
            .map(|(id, _)| id)
            .collect();
        if let Some(id) = self.explained(finding, &causes) {
            self.join(id, &finding.entity);
            return Some(id);
        }
        let id = self.open(finding, causes)?;
        // A report names a hundred holes at once: that is no storm.
        if finding.class.area() == Area::Security {
            return Some(id);
        }
        if self.storm.why().is_some() {
            self.of_storm(finding.class, id);
        } else if let Some(began) = self.storm.note(self.now(), id, &self.settings) {
            self.storm_begins(began);
        }
        // The storm may have taken it into another.
        self.live
            .contains_key(&id)
            .then_some(id)
            .or_else(|| self.storm.issues.get(&finding.class).copied())
    }

    /// A live issue of the same entity and class.
    fn same(&self, finding: &Finding) -> Option<IssueId> {
        let of_entity = self.by_entity.get(&finding.entity)?;
        of_entity
            .iter()
            .find(|id| {
                self.live
                    .get(id)
                    .is_some_and(|live| live.issue.class == finding.class)
            })
            .copied()
    }

    pub(super) fn is_recent(&self, issue: &Issue) -> bool {
        self.now().seconds_since(issue.seen.max(issue.opened)) <= self.settings.correlate_s
    }

    /// Whether an issue is so by now, or nearly: what is foretold for later explains nothing that is so now.
    pub(super) fn is_here(&self, issue: &Issue) -> bool {
        let is_near = |ttf_s: [f64; 3]| ttf_s[1] <= self.settings.correlate_s;
        let mut evidence = issue.evidence.iter();
        evidence.any(|finding| {
            finding.source != Source::Prediction || finding.ttf_s.is_some_and(is_near)
        })
    }

    /// A live issue of something that this depends on, nearest first, which explains it; or of something on this host.
    fn explained(&self, finding: &Finding, causes: &[EntityId]) -> Option<IssueId> {
        // What will run out here is to be seen here, whatever fills it.
        let runs_out = finding.source == Source::Prediction && fills_up(finding.class);
        let causes = if runs_out { &[] } else { causes };
        for cause in causes {
            let ids = self.by_entity.get(cause).into_iter().flatten();
            let mut found = ids
                .filter_map(|id| self.live.get(id))
                .map(|live| &live.issue);
            let is_cause = |issue: &&Issue| {
                explains(issue.class, finding.class) && self.is_here(issue) && self.is_recent(issue)
            };
            if let Some(issue) = found.find(is_cause) {
                return Some(issue.id);
            }
        }
        if let Some(id) = self.sibling(finding) {
            return Some(id);
        }
        // What runs on this host names it among its causes.
        let on_it = self.by_cause.get(&finding.entity).into_iter().flatten();
        let mut on_it = on_it
            .filter_map(|id| self.live.get(id))
            .map(|live| &live.issue);
        let host = (&finding.entity, finding.class);
        let made = on_it.find(|issue| is_made_by(host, issue) && self.is_recent(issue));
        made.map(|issue| issue.id)
    }

    /// Takes an entity's trouble as a consequence of an issue.
    pub(super) fn join(&mut self, id: IssueId, entity: &EntityId) {
        let Some(live) = self.live.get_mut(&id) else {
            return;
        };
        let issue = &mut live.issue;
        if issue.entity == *entity || issue.also.contains(entity) {
            return;
        }
        issue.n_also += 1;
        if issue.also.len() < MAX_ALSO {
            issue.also.push(entity.clone());
        }
        self.dirty_issues.insert(id);
    }

    fn open(&mut self, finding: &Finding, causes: Vec<EntityId>) -> Option<IssueId> {
        if self.live.len() >= self.settings.max_issues {
            return None;
        }
        self.last.issue += 1;
        let id = IssueId(self.last.issue);
        let around = self.topology.surroundings(&finding.entity);
        let before = self.returned(finding);
        if let Some(before) = before {
            self.take_back_cures(before);
        }
        let issue = Issue {
            id,
            entity: finding.entity.clone(),
            class: finding.class,
            cause: finding.cause.clone(),
            state: IssueState::Open,
            severity: Severity::Info,
            opened: self.now(),
            updated: self.now(),
            seen: finding.at,
            resolved: None,
            suppressed_until: None,
            evidence: Vec::new(),
            n_findings: 0,
            also: Vec::new(),
            n_also: 0,
            affected: around.affected.clone(),
            severity_because: String::new(),
            note: String::new(),
            plans: Vec::new(),
            decisions: Vec::new(),
            returned_from: before,
            storm: None,
            seen_by: None,
            part_of: None,
            facts: finding.facts.clone(),
        };
        self.live.insert(
            id,
            Live {
                issue,
                around,
                keys: HashSet::new(),
                quiet_since: None,
                decided: None,
                diagnosis: 0.0,
                causes,
                written: self.now(),
            },
        );
        self.enlist(id);
        self.dirty_issues.insert(id);
        self.to_decide.insert(id);
        let body = serde_json::json!({
            "class": finding.class.name(),
            "entity": finding.entity.as_str(),
            "source": finding.source.name(),
            "signal": finding.signal,
            "value": finding.value,
            "threshold": finding.threshold,
            "probability": finding.probability,
            "returned_from": before.map(|id| id.to_string()),
        });
        self.audit("forestall", "issue.opened", &id.to_string(), &body);
        Some(id)
    }

    /// The issue of the same entity and class that was resolved a short while ago.
    fn returned(&self, finding: &Finding) -> Option<IssueId> {
        self.gone
            .get(&(finding.entity.clone(), finding.class))
            .copied()
    }

    /// Young issues become consequences of one that explains them, and has just come true: those of what depends on it, and of
    /// the host that it fills.
    pub(super) fn explain_others(&mut self, id: IssueId) {
        let Some(live) = self.live.get(&id) else {
            return;
        };
        let new = &live.issue;
        let live = |id: &IssueId| self.live.get(id).map(|live| &live.issue);
        let depend = self
            .by_cause
            .get(&new.entity)
            .into_iter()
            .flatten()
            .filter_map(live);
        // What fills up has been filling up since before: it is no consequence of what came after it.
        let depend =
            depend.filter(|issue| !fills_up(issue.class) && explains(new.class, issue.class));
        let below = self.live.get(&id).into_iter().flat_map(|live| &live.causes);
        let below = below
            .filter_map(|cause| self.by_entity.get(cause))
            .flatten()
            .filter_map(live);
        let below = below.filter(|issue| is_made_by((&issue.entity, issue.class), new));
        let young = depend.chain(below).filter(|issue| {
            let is_young = self.now().seconds_since(issue.opened) <= self.settings.correlate_s;
            issue.id != id && is_young && is_untouched(issue.state)
        });
        for other in young.map(|issue| issue.id).collect::<Vec<_>>() {
            self.merge(other, id, "it is a consequence");
        }
    }

    /// Makes one issue a consequence of another: its findings, and whatever joined it, go over; its plan is cancelled.
    pub(super) fn merge(&mut self, from: IssueId, into: IssueId, why: &str) {
        let Some(live) = self.live.get_mut(&from) else {
            return;
        };
        let keys = std::mem::take(&mut live.keys);
        let issue = &live.issue;
        let (entity, also, n_also) = (issue.entity.clone(), issue.also.clone(), issue.n_also);
        let (n_findings, seen) = (issue.n_findings, issue.seen);
        // Its own findings are written down where they are now; those of its consequences are found again.
        let moved = issue.evidence.iter().map(|finding| {
            let finding = finding.clone();
            Record::Finding(Box::new(FindingRecord {
                issue: into,
                finding,
            }))
        });
        self.out.records.extend(moved);
        self.join(into, &entity);
        for entity in &also {
            self.join(into, entity);
        }
        for key in &keys {
            self.by_finding.insert(Arc::clone(key), into);
        }
        if let Some(live) = self.live.get_mut(&into) {
            live.keys.extend(keys);
            live.issue.n_also += n_also.saturating_sub(also.len() as u64);
            live.issue.n_findings += n_findings;
            live.issue.seen = live.issue.seen.max(seen);
            live.quiet_since = None;
        }
        if let Some(live) = self.live.get_mut(&from) {
            live.issue.part_of = Some(into);
        }
        let note = format!("part of {into}: {why}");
        self.cancel_plans(from, &note);
        self.take_crutches(from);
        self.close(from, "forestall", &note);
        self.dirty_issues.insert(into);
        self.grade(into);
    }
}

/// Whether nobody, and no plan, is at work on an issue.
const fn is_untouched(state: IssueState) -> bool {
    matches!(
        state,
        IssueState::Open | IssueState::Acknowledged | IssueState::Planned | IssueState::Escalated
    )
}
