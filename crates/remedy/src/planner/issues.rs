//! The life of an issue: how bad it is, and how it ends.

use super::{Live, Planner};
use crate::issue::{Issue, IssueId, IssueState, Severity};
use crate::plan::{Plan, PlanState};
use crate::strategy::Case;
use series::Timestamp;

/// An issue whose diagnosis is surer by this is thought over again.
const SURER: f64 = 0.1;

impl Live {
    /// Whether what it is about is found still: its consequences alone are no reason to act on it.
    pub(super) fn is_still_so(&self) -> bool {
        self.quiet_since.is_none() && !self.issue.evidence.is_empty()
    }

    /// When it was found last.
    pub(super) fn newest(&self) -> Option<Timestamp> {
        self.issue.evidence.iter().map(|finding| finding.at).max()
    }

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
            is_at_hand: issue.is_at_hand(),
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
        // Surer by so much, it is worth a thought.
        if crate::decision::diagnosis(live.issue.evidence.iter()) >= live.diagnosis + SURER {
            self.to_decide.insert(id);
        }
        let (severity, because) = crate::decision::severity(&live.case(), live.issue.severity);
        let before = live.issue.severity;
        if severity == before {
            return;
        }
        live.issue.severity = severity;
        live.issue.severity_because = because;
        live.issue.updated = self.clock.now();
        self.dirty_issues.insert(id);
        if severity > before {
            self.to_decide.insert(id);
        }
        // A first grade says nothing new.
        if before != Severity::Info {
            let body = serde_json::json!({ "from": before.name(), "to": severity.name() });
            self.audit("forestall", "issue.graded", &id.to_string(), &body);
        }
    }

    /// Brings an issue to a state, if it may go there; returns whether it is there.
    pub(super) fn set_state(
        &mut self,
        id: IssueId,
        state: IssueState,
        who: &str,
        note: &str,
    ) -> bool {
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
        self.audit(
            who,
            &format!("issue.{}", state.name()),
            &id.to_string(),
            &body,
        );
        true
    }

    /// Resolves an issue and forgets what belongs to it alone.
    pub(super) fn close(&mut self, id: IssueId, who: &str, note: &str) {
        if !self.set_state(id, IssueState::Resolved, who, note) {
            return;
        }
        self.unlist(id);
        let Some(mut live) = self.live.remove(&id) else {
            return;
        };
        live.issue.resolved = Some(self.now());
        for key in &live.keys {
            self.by_finding.remove(key);
        }
        self.storm.issues.retain(|_, issue| *issue != id);
        self.to_decide.remove(&id);
        let about = (live.issue.entity.clone(), live.issue.class);
        self.gone.insert(about, id);
        self.resolved.insert(id, live.issue);
        self.dirty_issues.insert(id);
    }

    /// Suppressions end, quiet issues are resolved, others are thought over again.
    pub(super) fn issues_pass(&mut self) {
        let now = self.now();
        let settings = &self.settings;
        let awake = self.awake.unwrap_or(now);
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
            let heard = issue.seen.max(issue.opened).max(awake);
            let is_silent = now.seconds_since(heard) >= settings.silent_after_s;
            let since_s = live.decided.map(|decided| now.seconds_since(decided));
            let is_due = since_s
                .zip(self.reconsider_after_s(issue))
                .is_some_and(|(since_s, after_s)| since_s >= after_s);
            if is_quiet {
                quiet.push(id);
            } else if is_silent {
                silent.push(id);
            } else if is_due && live.quiet_since.is_none() {
                again.push(id);
            }
        }
        for id in heard {
            if self.set_state(
                id,
                IssueState::Open,
                "forestall",
                "the suppression has ended",
            ) {
                self.to_decide.insert(id);
            }
        }
        for id in quiet {
            self.resolve(id, "nothing is wrong any more");
        }
        for id in silent {
            let why = format!(
                "nothing was heard of it for {} s",
                self.settings.silent_after_s
            );
            self.resolve(id, &why);
        }
        self.to_decide.extend(again);
        self.forget_issues();
    }

    /// Seconds after a decision after which an issue is thought over again by itself; `None` when it is not. Each proposal in a
    /// row that nobody answered doubles them.
    pub(super) fn reconsider_after_s(&self, issue: &Issue) -> Option<f64> {
        let once = self.settings.reconsider_s;
        match issue.state {
            IssueState::Open | IssueState::Acknowledged => Some(once),
            IssueState::Escalated => {
                let newest_first = issue.plans.iter().rev().map(|id| self.plans.get(id));
                let expired = newest_first
                    .take_while(|plan| plan.is_some_and(|plan| plan.state == PlanState::Expired));
                let n = expired.count();
                // What was escalated without a plan may have more to it by now. What a person said of one stays.
                (n > 0 || issue.plans.is_empty()).then(|| once * (1_u64 << n.min(8)) as f64)
            }
            IssueState::Planned
            | IssueState::Mitigating
            | IssueState::Verifying
            | IssueState::Resolved
            | IssueState::Suppressed => None,
        }
    }

    /// Forgets issues that were resolved too long ago to return, and what is too much; plans that are over go with them.
    fn forget_issues(&mut self) {
        let (now, within_s) = (self.now(), self.settings.return_within_s);
        let n_over = self.resolved.len().saturating_sub(self.settings.max_issues);
        let resolved = self.resolved.iter().enumerate();
        let gone = resolved.filter(|(i, (_, issue))| {
            let is_old = issue
                .resolved
                .is_none_or(|at| now.seconds_since(at) > within_s);
            // What is not written down yet is not forgotten.
            (is_old || *i < n_over) && !self.dirty_issues.contains(&issue.id)
        });
        for id in gone.map(|(_, (id, _))| *id).collect::<Vec<_>>() {
            let Some(issue) = self.resolved.remove(&id) else {
                continue;
            };
            let about = (issue.entity, issue.class);
            if self.gone.get(&about) == Some(&id) {
                self.gone.remove(&about);
            }
        }
        let (live, resolved) = (&self.live, &self.resolved);
        let (active, dirty) = (&self.active, &self.dirty_plans);
        self.plans.retain(|id, plan| {
            let live = live.get(&plan.issue).map(|live| &live.issue);
            let issue = live.or_else(|| resolved.get(&plan.issue));
            let is_named = issue.is_some_and(|issue| issue.plans.contains(id));
            active.contains(id) || dirty.contains(id) || is_named
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
        let Some(live) = self.live.get(&id) else {
            return;
        };
        let waits = |plan: &&Plan| {
            matches!(
                plan.state,
                PlanState::AwaitingApproval | PlanState::Scheduled
            )
        };
        let plans = self.active_of(live).filter(waits).map(|plan| plan.id);
        for plan in plans.collect::<Vec<_>>() {
            self.end_plan(plan, PlanState::Cancelled, "forestall", why);
        }
    }
}
