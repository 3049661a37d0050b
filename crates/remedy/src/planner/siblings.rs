//! Instances of one service that have the same trouble are one issue: about one of them at a time, so that what is done goes on
//! from one to the next.

use super::Planner;
use crate::issue::{IssueId, IssueState, MAX_ALSO};
use crate::{Class, Finding, Kind};

/// By so much more likely, the trouble of an instance is an issue of its own beside that of its sibling.
const SURER: f64 = 0.2;

impl Planner {
    /// A live issue of another instance of the same service that has the same trouble, unless this one is the surer by far:
    /// what is soon must not hide behind what has time.
    pub(super) fn sibling(&self, finding: &Finding) -> Option<IssueId> {
        let is_shared = matches!(
            finding.class,
            Class::CpuSaturation
                | Class::MemoryExhaustion
                | Class::NetworkLatency
                | Class::ProcessCrash
        );
        if finding.entity.kind() != Kind::Instance || !is_shared {
            return None;
        }
        let service = self.topology.service_of(&finding.entity)?;
        let ids = self.by_service.get(service)?;
        let mut siblings = ids
            .iter()
            .filter_map(|id| self.live.get(id))
            .filter(|live| live.quiet_since.is_none())
            .map(|live| &live.issue);
        let found = siblings.find(|issue| {
            issue.class == finding.class
                && self.is_recent(issue)
                && finding.probability <= issue.probability() + SURER
        })?;
        Some(found.id)
    }

    /// Makes an issue that of a sibling, when its own instance is well again and the sibling is not: a rolling remedy goes on to
    /// the next.
    pub(super) fn pass_on(&mut self, id: IssueId, finding: Finding) {
        let Some(live) = self.live.get(&id) else {
            return;
        };
        let issue = &live.issue;
        let (from, to) = (issue.entity.clone(), finding.entity.clone());
        let is_sibling = to.kind() == Kind::Instance
            && from.kind() == Kind::Instance
            && finding.class == issue.class
            && self.topology.service_of(&to).is_some()
            && self.topology.service_of(&to) == self.topology.service_of(&from);
        let is_free = matches!(
            issue.state,
            IssueState::Open | IssueState::Acknowledged | IssueState::Escalated
        );
        if !issue.evidence.is_empty() || !is_sibling || !is_free {
            return;
        }
        self.unlist(id);
        let around = self.topology.surroundings(&to);
        let causes = self.topology.causes(&to);
        if let Some(live) = self.live.get_mut(&id) {
            live.around = around;
            live.causes = causes.into_iter().map(|(id, _)| id).collect();
            let issue = &mut live.issue;
            issue.also.retain(|also| *also != to);
            issue.also.insert(0, from.clone());
            issue.also.truncate(MAX_ALSO);
            issue.affected.clone_from(&live.around.affected);
            issue.cause.clone_from(&finding.cause);
            issue.facts.clone_from(&finding.facts);
            issue.entity = to.clone();
            live.put(finding);
        }
        self.enlist(id);
        let body = serde_json::json!({ "from": from.as_str(), "to": to.as_str() });
        self.audit("forestall", "issue.passed_on", &id.to_string(), &body);
        self.dirty_issues.insert(id);
        self.to_decide.insert(id);
        self.grade(id);
    }
}
