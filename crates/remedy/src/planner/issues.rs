//! The life of an issue: how bad it is, and how it ends.

use std::collections::{BTreeSet, HashMap};

use super::{Live, Planner};
use crate::EntityId;
use crate::issue::{IssueId, IssueState, Severity};
use crate::plan::PlanState;
use crate::strategy::Case;

impl Live {
    /// What is known of it, for a strategy.
    pub(super) fn case(&self) -> Case {
        let issue = &self.issue;
        let lead = issue.evidence.first();
        Case {
            entity: issue.entity.clone(),
            class: issue.class,
            cause: issue.cause.clone(),
            value: lead.map_or(0.0, |lead| lead.value),
            threshold: lead.map_or(0.0, |lead| lead.threshold),
            unit: lead.map(|lead| lead.unit.clone()).unwrap_or_default(),
            signal: lead.map(|lead| lead.signal.clone()).unwrap_or_default(),
            probability: issue.probability(),
            probability_day: issue.probability_day(),
            ttf_s: issue.ttf_s(),
            is_present: issue.is_present(),
            facts: issue.facts.clone(),
            around: self.around.clone(),
        }
    }
}

impl Planner {
    /// Works out how bad an issue is; one that became worse is thought over.
    pub(super) fn grade(&mut self, id: IssueId) {
        let Some(live) = self.live.get_mut(&id) else {
            return;
        };
        if live.issue.evidence.is_empty() {
            return;
        }
        let (severity, because) = crate::decision::severity(&live.case());
        let before = live.issue.severity;
        if severity == before {
            return;
        }
        live.issue.severity = severity;
        live.issue.severity_because = because;
        live.issue.updated = self.clock.now();
        self.dirty_issues.insert(id);
        let is_planned = live.issue.state == IssueState::Planned;
        if severity > before && !is_planned && !live.is_suppressed() {
            self.to_decide.insert(id);
        }
        // A first grade says nothing new.
        if before != Severity::Info {
            let body = serde_json::json!({ "from": before.name(), "to": severity.name() });
            self.audit("forestall", "issue.graded", &id.to_string(), &body);
        }
    }

    /// Brings an issue to a state, if it may go there; returns whether it is there.
    pub(super) fn set_state(&mut self, id: IssueId, state: IssueState, who: &str, note: &str) -> bool {
        let Some(live) = self.live.get_mut(&id) else {
            return false;
        };
        let before = live.issue.state;
        if before == state && live.issue.note == note {
            return true;
        }
        if before != state && !before.may_become(state) {
            return false;
        }
        live.issue.state = state;
        note.clone_into(&mut live.issue.note);
        live.issue.updated = self.clock.now();
        if state != IssueState::Suppressed {
            live.issue.suppressed_until = None;
        }
        self.dirty_issues.insert(id);
        let body = serde_json::json!({ "from": before.name(), "note": note });
        self.audit(who, &format!("issue.{}", state.name()), &id.to_string(), &body);
        true
    }

    /// Resolves an issue and forgets what belongs to it alone.
    pub(super) fn close(&mut self, id: IssueId, who: &str, note: &str) {
        if !self.set_state(id, IssueState::Resolved, who, note) {
            return;
        }
        let Some(mut live) = self.live.remove(&id) else {
            return;
        };
        live.issue.resolved = Some(self.now());
        for key in &live.keys {
            self.by_finding.remove(key);
        }
        for cause in &live.causes {
            unlist(&mut self.by_cause, cause, id);
        }
        unlist(&mut self.by_entity, &live.issue.entity, id);
        self.storm.issues.retain(|_, issue| *issue != id);
        self.to_decide.remove(&id);
        self.resolved.insert(id, live.issue);
        self.dirty_issues.insert(id);
    }

    /// Suppressions end, quiet issues are resolved, others are thought over again.
    pub(super) fn issues_pass(&mut self) {
        let now = self.now();
        let settings = &self.settings;
        let (mut quiet, mut silent, mut heard, mut again) = (vec![], vec![], vec![], vec![]);
        for (&id, live) in &self.live {
            let issue = &live.issue;
            if issue.suppressed_until.is_some_and(|until| now >= until) {
                heard.push(id);
                continue;
            }
            // What is being worked on ends with its plan.
            if matches!(issue.state, IssueState::Mitigating | IssueState::Verifying) {
                continue;
            }
            let is_quiet = live
                .quiet_since
                .is_some_and(|since| now.seconds_since(since) >= settings.resolve_after_s);
            let is_silent = now.seconds_since(issue.seen.max(issue.opened)) >= settings.silent_after_s;
            let may_be_planned = matches!(issue.state, IssueState::Open | IssueState::Acknowledged);
            let is_due = live
                .decided
                .is_some_and(|decided| now.seconds_since(decided) >= settings.reconsider_s);
            if is_quiet {
                quiet.push(id);
            } else if is_silent {
                silent.push(id);
            } else if may_be_planned && is_due && live.quiet_since.is_none() {
                again.push(id);
            }
        }
        for id in heard {
            if self.set_state(id, IssueState::Open, "forestall", "the suppression has ended") {
                self.to_decide.insert(id);
            }
        }
        for id in quiet {
            self.resolve(id, "nothing is wrong any more");
        }
        for id in silent {
            let why = format!("nothing was heard of it for {} s", self.settings.silent_after_s);
            self.resolve(id, &why);
        }
        self.to_decide.extend(again);
        let within_s = self.settings.return_within_s;
        let gone: Vec<_> = self
            .resolved
            .iter()
            .filter(|(_, issue)| issue.resolved.is_none_or(|at| now.seconds_since(at) > within_s))
            .map(|(id, _)| *id)
            .collect();
        for id in gone {
            self.resolved.remove(&id);
            self.dirty_issues.remove(&id);
        }
        // Plans that are over go with their issue.
        let (live, resolved, active) = (&self.live, &self.resolved, &self.active);
        self.plans.retain(|id, plan| {
            active.contains(id) || live.contains_key(&plan.issue) || resolved.contains_key(&plan.issue)
        });
    }

    /// Ends an issue that is over by itself: plans that have not begun are cancelled, crutches are taken away.
    fn resolve(&mut self, id: IssueId, why: &str) {
        self.cancel_plans(id, why);
        self.take_crutches(id);
        self.close(id, "forestall", why);
    }

    /// Cancels the plans of an issue that have not begun.
    pub(super) fn cancel_plans(&mut self, id: IssueId, why: &str) {
        let plans: Vec<_> = self
            .active
            .iter()
            .filter(|plan| {
                self.plans.get(plan).is_some_and(|plan| {
                    let waits = matches!(plan.state, PlanState::AwaitingApproval | PlanState::Scheduled);
                    plan.issue == id && waits
                })
            })
            .copied()
            .collect();
        for plan in plans {
            self.end_plan(plan, PlanState::Cancelled, "forestall", why);
        }
    }
}

/// Takes an issue out of an index.
fn unlist(index: &mut HashMap<EntityId, BTreeSet<IssueId>>, entity: &EntityId, id: IssueId) {
    if let Some(ids) = index.get_mut(entity) {
        ids.remove(&id);
        if ids.is_empty() {
            index.remove(entity);
        }
    }
}
