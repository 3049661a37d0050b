//! Findings become evidence of issues.

use std::sync::Arc;

use super::{Live, Planner};
use crate::issue::{IssueId, MAX_EVIDENCE};
use crate::record::{FindingRecord, Record};
use crate::{Class, EntityId, Finding, Source};

/// What makes a finding the same as an earlier one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) entity: EntityId,
    pub(super) class: Class,
    pub(super) source: Source,
    pub(super) signal: String,
}

impl Key {
    pub(super) fn of(finding: &Finding) -> Self {
        Self {
            entity: finding.entity.clone(),
            class: finding.class,
            source: finding.source,
            signal: finding.signal.clone(),
        }
    }
}

/// An issue that only became a little older is written down again after this long.
const WRITE_EVERY_S: f64 = 10.0;

impl Planner {
    pub(super) fn take_in(&mut self, finding: Finding) {
        let key = Key::of(&finding);
        match (self.by_finding.get(&key).copied(), finding.is_present) {
            (Some(id), true) => self.renew(id, finding),
            (Some(id), false) => self.take_back(id, &key, finding),
            (None, false) => {}
            (None, true) => {
                if self.by_finding.len() >= self.settings.max_findings {
                    self.counts.refused += 1;
                    return;
                }
                match self.place(&finding) {
                    Some(id) => self.add(id, key, finding),
                    None => self.counts.refused += 1,
                }
            }
        }
    }

    /// A finding that is new to its issue.
    fn add(&mut self, id: IssueId, key: Key, finding: Finding) {
        let Some(live) = self.live.get_mut(&id) else {
            return;
        };
        let key = Arc::new(key);
        live.keys.insert(Arc::clone(&key));
        self.by_finding.insert(key, id);
        self.out
            .records
            .push(Record::Finding(Box::new(FindingRecord {
                issue: id,
                finding: finding.clone(),
            })));
        self.renew(id, finding);
        self.dirty_issues.insert(id);
    }

    /// The same finding again, maybe with other numbers.
    fn renew(&mut self, id: IssueId, finding: Finding) {
        let now = self.now();
        let was_here = self.issue(id).is_some_and(|issue| self.is_here(issue));
        let Some(live) = self.live.get_mut(&id) else {
            return;
        };
        live.quiet_since = None;
        live.issue.n_findings += 1;
        live.issue.seen = live.issue.seen.max(finding.at);
        if now.seconds_since(live.written) >= WRITE_EVERY_S {
            live.issue.updated = now;
            self.dirty_issues.insert(id);
        }
        // Findings of others that it explains count, and are kept in the ledger; what is known of it is about itself. The limit
        // of a host is not that of the container that fills it.
        if finding.entity != live.issue.entity || finding.class != live.issue.class {
            return self.pass_on(id, finding);
        }
        for (name, value) in &finding.facts {
            if live.issue.facts.len() < crate::MAX_FACTS || live.issue.facts.contains_key(name) {
                live.issue.facts.insert(name.clone(), value.clone());
            }
        }
        live.put(finding);
        self.grade(id);
        if !was_here && self.issue(id).is_some_and(|issue| self.is_here(issue)) {
            self.explain_others(id);
        }
    }

    /// A finding that is not so any more.
    fn take_back(&mut self, id: IssueId, key: &Key, finding: Finding) {
        self.by_finding.remove(key);
        let now = self.now();
        let Some(live) = self.live.get_mut(&id) else {
            return;
        };
        live.keys.remove(key);
        live.issue.seen = live.issue.seen.max(finding.at);
        live.issue.evidence.retain(|known| Key::of(known) != *key);
        if live.keys.is_empty() {
            live.quiet_since = Some(now);
        }
        live.issue.updated = now;
        self.out
            .records
            .push(Record::Finding(Box::new(FindingRecord {
                issue: id,
                finding,
            })));
        self.dirty_issues.insert(id);
        self.grade(id);
    }
}

impl Live {
    /// Puts a finding among the evidence: in the place of its predecessor, most telling first.
    pub(super) fn put(&mut self, finding: Finding) {
        let evidence = &mut self.issue.evidence;
        let key = Key::of(&finding);
        evidence.retain(|known| Key::of(known) != key);
        let is_after = |known: &Finding| rank(known) >= rank(&finding);
        let place = evidence.iter().take_while(|known| is_after(known)).count();
        evidence.insert(place, finding);
        evidence.truncate(MAX_EVIDENCE);
        let mut causes = evidence.iter().map(|known| &known.cause);
        if let Some(cause) = causes.find(|cause| !cause.is_empty() && *cause != "steady") {
            self.issue.cause.clone_from(cause);
        }
    }
}

/// What tells most: what is so already, then what is surest to come.
fn rank(finding: &Finding) -> (bool, i64) {
    let is_so = finding.source != Source::Prediction;
    (is_so, (finding.probability * 1e6) as i64)
}
