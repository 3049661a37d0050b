//! A plan is carried out: step by step, under a lease, with every layer asked again before each step.

use super::{DRY_RUN, Planner};
use crate::guard::{Layer, Proposal, Stop, Veto, vetoes};
use crate::issue::IssueState;
use crate::order::Answer;
use crate::plan::{Approval, Plan, PlanId, PlanState, StepState};
use crate::strategy::Step;

/// Seconds beyond its timeout after which an order counts as lost.
const LOST_S: f64 = 60.0;

impl Planner {
    /// All that speaks against carrying out a plan now, from its first step to its last.
    pub(super) fn objections(&self, plan: &Plan) -> Vec<Veto> {
        let Some(live) = self.live.get(&plan.issue) else {
            return vec![Veto {
                layer: Layer::Abort,
                rule: "issue".to_owned(),
                stop: Stop::ForGood,
                why: "its issue is over".to_owned(),
            }];
        };
        let case = self.case(live);
        let situation = self.situation(&plan.entity, plan.issue, Some(plan));
        // What was done counts already.
        let left = plan
            .steps
            .iter()
            .filter(|step| step.state == StepState::Waiting);
        let steps: Vec<Step> = left.map(|step| step.step.clone()).collect();
        let approvals = self.current(plan);
        let proposal = Proposal {
            case: &case,
            severity: live.issue.severity,
            strategy: &plan.strategy,
            steps: &steps,
            reversibility: plan.reversibility,
            authority: plan.authority,
            capacity_away: plan.capacity_away,
            confidence: plan.confidence,
            risk: plan.risk,
            approvals: &approvals,
        };
        vetoes(&proposal, &situation, &self.settings, &self.policies)
    }

    /// Approvals with the authority that their giver has now, not then; of those who have none any more nothing is left, nor of
    /// those for a dry run when it has become earnest.
    fn current(&self, plan: &Plan) -> Vec<Approval> {
        let has_begun = matches!(plan.state, PlanState::Running | PlanState::Undoing);
        let executor = if has_begun {
            &*plan.executor
        } else {
            self.executor()
        };
        let counts = |approval: &&Approval| {
            executor == DRY_RUN || approval.executor.is_empty() || approval.executor == executor
        };
        let approvals = plan.approvals.iter().filter(counts).filter_map(|approval| {
            let authority = *self.people.get(&approval.who)?;
            Some(Approval {
                authority,
                ..approval.clone()
            })
        });
        approvals.collect()
    }

    pub(super) fn hold(&mut self, id: PlanId, vetoes: &[Veto]) {
        let held = vetoes
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("; ");
        let Some(plan) = self.plans.get_mut(&id) else {
            return;
        };
        // Numbers in it change from second to second: what is written down is which rules hold it.
        let rules = |text: &str| -> Vec<String> {
            let parts = text.split("; ");
            parts
                .filter_map(|part| Some(part.split_once(": ")?.0.to_owned()))
                .collect()
        };
        let is_new = rules(&plan.held) != rules(&held);
        plan.held = held;
        if is_new {
            let body = serde_json::json!({ "by": vetoes });
            let kind = if vetoes.is_empty() {
                "plan.free"
            } else {
                "plan.held"
            };
            self.audit("forestall", kind, &id.to_string(), &body);
            self.touch(id);
        }
    }

    /// Renews the lease, gives up orders that were lost, and goes on when what held it has gone.
    pub(super) fn keep_going(&mut self, id: PlanId) {
        let Some(plan) = self.plans.get(&id) else {
            return;
        };
        let is_undo = plan.state == PlanState::Undoing;
        let lease = self.leases.get(&plan.entity);
        let half_us = (self.settings.lease_s * 5e5) as i64;
        let is_old = lease.is_none_or(|lease| {
            lease.holder != Some(id) || lease.expires <= self.now().plus_micros(half_us)
        });
        let waits = plan
            .steps
            .iter()
            .position(|step| matches!(step.state, StepState::Ordered | StepState::Undoing));
        let lost = waits.filter(|&step| {
            let step = &plan.steps[step];
            // Of what was ordered before a restart the executor was asked when that was over.
            let ordered = step
                .ordered
                .map(|at| self.awake.map_or(at, |awake| at.max(awake)));
            let since = ordered.map_or(0.0, |at| self.now().seconds_since(at));
            since > step.step.timeout_s + LOST_S
        });
        if is_old && !self.is_taken(id) {
            self.lease(id);
        }
        match (lost, waits) {
            (Some(step), _) => {
                let key = self
                    .plans
                    .get(&id)
                    .map(|plan| plan.order_key(step, is_undo, &self.ledger));
                let said = "no answer came".to_owned();
                self.answered(&key.unwrap_or_default(), &Answer::InDoubt { said });
            }
            // Why it is undone is not to be written over.
            (None, Some(_)) if is_undo => {}
            (None, Some(_)) => self.tell_silence(id),
            (None, None) if is_undo => self.next_undo(id),
            (None, None) => self.next_step(id),
        }
    }

    /// Says so when an answer is awaited of an executor that takes no orders.
    fn tell_silence(&mut self, id: PlanId) {
        if self
            .plans
            .get(&id)
            .is_none_or(|plan| plan.called_off.is_some())
        {
            return;
        }
        let silence = self.unavailable.clone().map(|why| Veto {
            layer: Layer::Abort,
            rule: "executor".to_owned(),
            stop: Stop::ForNow,
            why,
        });
        self.hold(id, silence.as_slice());
    }

    /// Orders the next step, unless something holds it.
    pub(super) fn next_step(&mut self, id: PlanId) {
        let Some(plan) = self.plans.get(&id) else {
            return;
        };
        if let Some(why) = plan.called_off.clone() {
            return self.undo(id, &why);
        }
        let Some(step) = plan
            .steps
            .iter()
            .position(|step| step.state == StepState::Waiting)
        else {
            return self.carried_out(id);
        };
        // All layers were asked about the first step a moment ago.
        if step > 0 {
            let objections = self.objections(plan).into_iter();
            let against: Vec<_> = objections.filter_map(Veto::once_begun).collect();
            let ends = against.iter().find(|veto| veto.stop > Stop::ForNow);
            if let Some(why) = ends.map(ToString::to_string) {
                return self.undo(id, &why);
            }
            self.hold(id, &against);
            if !against.is_empty() {
                return;
            }
        }
        self.order(id, step, false);
    }

    /// All steps are done: from now on its effect is watched.
    fn carried_out(&mut self, id: PlanId) {
        let now = self.now();
        let Some(plan) = self.plans.get_mut(&id) else {
            return;
        };
        plan.carried_out = Some(now);
        let issue = plan.issue;
        let is_dry = plan.executor == DRY_RUN;
        // What was not done has no effect: what happens without it is worth knowing all the same.
        let state = if is_dry {
            PlanState::Shadow
        } else {
            PlanState::Verifying
        };
        self.give_back(id);
        self.enter(id, state);
        let kind = format!("plan.{}", state.name());
        self.audit("forestall", &kind, &id.to_string(), &serde_json::json!({}));
        if is_dry {
            let note = format!("{id} was carried out as a dry run: nothing was changed");
            self.set_state(issue, IssueState::Acknowledged, "forestall", &note);
        } else {
            self.set_state(issue, IssueState::Verifying, "forestall", &id.to_string());
        }
    }

    pub(super) fn end_plan(&mut self, id: PlanId, state: PlanState, who: &str, why: &str) {
        if let Some(plan) = self.plans.get_mut(&id) {
            why.clone_into(&mut plan.held);
            self.enter(id, state);
            let body = serde_json::json!({ "why": why });
            self.audit(
                who,
                &format!("plan.{}", state.name()),
                &id.to_string(),
                &body,
            );
        }
    }

    pub(super) fn touch(&mut self, id: PlanId) {
        if let Some(plan) = self.plans.get_mut(&id) {
            plan.updated = self.clock.now();
            self.dirty_plans.insert(id);
        }
    }
}
