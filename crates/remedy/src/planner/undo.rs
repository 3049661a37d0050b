//! A plan goes back: what it did is undone, last first, and what cannot be is left to people.

use super::active::{standing, targets};
use super::{DRY_RUN, Planner};
use crate::issue::{IssueId, IssueState};
use crate::plan::{Plan, PlanId, PlanState, StepState};

impl Planner {
    /// Undoes the steps that were done, last first.
    pub(super) fn undo(&mut self, id: PlanId, why: &str) {
        if let Some(plan) = self.plans.get_mut(&id) {
            why.clone_into(&mut plan.held);
        }
        self.enter(id, PlanState::Undoing);
        let body = serde_json::json!({ "why": why });
        self.audit("forestall", "plan.undoing", &id.to_string(), &body);
        self.next_undo(id);
    }

    /// Undoes the next step, unless the brake, an executor that is away, another plan at work on the target, or a hard limit
    /// holds it. Neither storms nor
    /// freezes do: to go back is safer than to stop half way.
    pub(super) fn next_undo(&mut self, id: PlanId) {
        let Some(plan) = self.plans.get(&id) else {
            return;
        };
        let Some(step) = standing(plan).next() else {
            return self.undone(id);
        };
        let is_away = plan.executor == self.executor() && self.unavailable.is_some();
        let is_held = self.brake.is_engaged || is_away || self.is_taken(id);
        if !is_held && self.is_within_limits(plan) {
            self.order(id, step, true);
        }
    }

    /// Whether one more action of a plan is within the hard limits.
    fn is_within_limits(&self, plan: &Plan) -> bool {
        let (on_target, all) = self.books.hour(&targets(plan), self.now());
        plan.executor == DRY_RUN
            || on_target < self.settings.actions_per_target && all < self.settings.actions_per_hour
    }

    /// All that could be undone is.
    fn undone(&mut self, id: PlanId) {
        let Some(plan) = self.plans.get(&id) else {
            return;
        };
        let (issue, why) = (plan.issue, plan.held.clone());
        let left = has_left(plan);
        let was_judged = plan.outcome.is_some();
        self.give_back(id);
        let (state, why) = match (left, was_judged) {
            // A crutch that is taken away, or a plan without effect: it stays judged.
            (_, true) => (PlanState::Done, format!("undone: {why}")),
            (false, false) => (PlanState::RolledBack, why),
            (true, false) => (
                PlanState::Stuck,
                format!("{why}; not all that was done can be undone"),
            ),
        };
        self.end_plan(id, state, "forestall", &why);
        if !was_judged {
            self.set_state(
                issue,
                IssueState::Escalated,
                "forestall",
                &format!("{id}: {why}"),
            );
        }
    }

    pub(super) fn stuck(&mut self, id: PlanId, why: &str) {
        let Some(plan) = self.plans.get(&id) else {
            return;
        };
        let issue = plan.issue;
        self.give_back(id);
        self.end_plan(id, PlanState::Stuck, "forestall", why);
        self.set_state(
            issue,
            IssueState::Escalated,
            "forestall",
            &format!("{id}: {why}"),
        );
    }

    /// Takes away the crutches of plans that are done, when what they were for is over.
    pub(super) fn take_crutches(&mut self, issue: IssueId) {
        let plans = self.issue(issue).into_iter().flat_map(|issue| &issue.plans);
        let plans = plans.filter_map(|id| self.plans.get(id));
        let done = plans.filter(|plan| plan.state == PlanState::Done && is_crutch(plan));
        for id in done.map(|plan| plan.id).collect::<Vec<_>>() {
            self.undo(id, "what it was for is over");
        }
    }
}

/// Whether something that a plan did is still so, or may be, after all that could be undone was.
fn has_left(plan: &Plan) -> bool {
    let standing: Vec<_> = standing(plan).collect();
    let mut steps = plan.steps.iter().enumerate();
    steps.any(|(i, step)| match step.state {
        StepState::Done => {
            let is_ended = step.step.inverse.is_some() && !standing.contains(&i);
            !step.step.action.is_harmless() && !is_ended
        }
        StepState::InDoubt | StepState::NotUndone => true,
        StepState::Waiting
        | StepState::Ordered
        | StepState::Failed
        | StepState::Undoing
        | StepState::Undone => false,
    })
}

/// Whether something that a plan did is to be taken away when what it was for is over.
pub(super) fn is_crutch(plan: &Plan) -> bool {
    standing(plan).any(|step| plan.steps[step].step.action.is_temporary())
}
