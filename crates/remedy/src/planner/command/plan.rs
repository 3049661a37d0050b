//! What people say of a plan.

use super::{needs, reason, text};
use crate::guard::Stop;
use crate::issue::IssueState;
use crate::plan::{Approval, Plan, PlanId, PlanState, StepState};
use crate::planner::Planner;
use crate::planner::active::standing;
use crate::planner::asked::{Refused, Reply};
use crate::strategy::Authority;

impl Planner {
    /// A plan that waits for approval, in time.
    fn awaiting(&self, id: PlanId, what: &'static str) -> Result<&Plan, Refused> {
        let plan = self.plans.get(&id).ok_or(Refused::NoPlan(id))?;
        let late_us = plan.deadline.map_or(0, |deadline| self.now() - deadline);
        if plan.state == PlanState::Expired
            || late_us > 0 && plan.state == PlanState::AwaitingApproval
        {
            return Err(Refused::Late {
                id,
                issue: plan.issue,
                ago_s: late_us / 1_000_000,
            });
        }
        if plan.state != PlanState::AwaitingApproval {
            return Err(Refused::PlanState {
                id,
                state: plan.state.name(),
                what,
            });
        }
        Ok(plan)
    }

    /// Whether somebody could approve a plan now; the plan, if so. Nothing is changed.
    ///
    /// # Errors
    /// Why not; see [`Refused`].
    pub fn could_approve(&self, who: &str, id: PlanId) -> Result<Plan, Refused> {
        let authority = self.authority(who)?;
        let plan = self.awaiting(id, "approved")?;
        needs(who, authority, plan.authority)?;
        let objections = self.objections(plan);
        let fatal: Vec<_> = objections
            .iter()
            .filter(|veto| veto.stop == Stop::ForGood)
            .map(ToString::to_string)
            .collect();
        if !fatal.is_empty() {
            let why = fatal.join("; ");
            return Err(Refused::Vetoed { id, why });
        }
        Ok(plan.clone())
    }

    pub(super) fn approve(
        &mut self,
        id: PlanId,
        who: &str,
        authority: Authority,
        why: &str,
    ) -> Result<Reply, Refused> {
        let why = text("reason", why)?;
        self.could_approve(who, id)?;
        self.say(id, who, authority, true, why);
        self.enter(id, PlanState::Scheduled);
        self.begin(id);
        self.reply_plan(id)
    }

    pub(super) fn refuse(
        &mut self,
        id: PlanId,
        who: &str,
        authority: Authority,
        why: &str,
    ) -> Result<Reply, Refused> {
        let why = reason("refusing a plan", why)?.to_owned();
        let issue = self.awaiting(id, "refused")?.issue;
        self.say(id, who, authority, false, &why);
        self.end_plan(id, PlanState::Refused, who, &why);
        let note = format!("{id} was refused by {who}: {why}");
        self.set_state(issue, IssueState::Escalated, who, &note);
        self.reply_plan(id)
    }

    /// Writes a person's word down.
    fn say(&mut self, id: PlanId, who: &str, authority: Authority, is_yes: bool, why: &str) {
        let approval = Approval {
            who: who.to_owned(),
            authority,
            at: self.now(),
            is_yes,
            reason: why.to_owned(),
            executor: self.executor().to_owned(),
        };
        let kind = if is_yes {
            "plan.approved"
        } else {
            "plan.refusal"
        };
        self.audit(who, kind, &id.to_string(), &approval);
        if let Some(plan) = self.plans.get_mut(&id) {
            plan.approvals.push(approval);
        }
        self.touch(id);
    }

    pub(super) fn cancel(&mut self, id: PlanId, who: &str, why: &str) -> Result<Reply, Refused> {
        let why = text("reason", why)?.to_owned();
        let plan = self.plans.get(&id).ok_or(Refused::NoPlan(id))?;
        let (state, issue) = (plan.state, plan.issue);
        let note = format!("{id} was cancelled by {who}: {why}");
        match state {
            PlanState::AwaitingApproval | PlanState::Scheduled => {
                self.end_plan(id, PlanState::Cancelled, who, &why);
                self.set_state(issue, IssueState::Escalated, who, &note);
            }
            PlanState::Running => {
                self.audit(
                    who,
                    "plan.cancel",
                    &id.to_string(),
                    &serde_json::json!({ "why": why }),
                );
                match self.plans.get_mut(&id).filter(|plan| awaits_answer(plan)) {
                    Some(plan) => {
                        plan.held =
                            format!("{note}; what was done is undone when the answer has come");
                        plan.called_off = Some(note);
                        self.touch(id);
                    }
                    None => self.undo(id, &note),
                }
            }
            PlanState::Undoing
            | PlanState::Verifying
            | PlanState::Done
            | PlanState::RolledBack
            | PlanState::Stuck
            | PlanState::Refused
            | PlanState::Cancelled
            | PlanState::Expired
            | PlanState::Shadow
            | PlanState::Withheld => {
                return Err(Refused::PlanState {
                    id,
                    state: state.name(),
                    what: "cancelled",
                });
            }
        }
        self.reply_plan(id)
    }

    pub(super) fn undo_by(
        &mut self,
        id: PlanId,
        who: &str,
        authority: Authority,
        why: &str,
    ) -> Result<Reply, Refused> {
        let why = reason("undoing a plan", why)?.to_owned();
        let plan = self.plans.get(&id).ok_or(Refused::NoPlan(id))?;
        if !matches!(
            plan.state,
            PlanState::Done | PlanState::Verifying | PlanState::Stuck
        ) {
            return Err(Refused::PlanState {
                id,
                state: plan.state.name(),
                what: "undone",
            });
        }
        needs(who, authority, plan.authority)?;
        if standing(plan).next().is_none() {
            return Err(Refused::NoInverse(id));
        }
        self.audit(
            who,
            "plan.undo",
            &id.to_string(),
            &serde_json::json!({ "why": why }),
        );
        self.undo(id, &format!("undone by {who}: {why}"));
        self.reply_plan(id)
    }
}

fn awaits_answer(plan: &Plan) -> bool {
    let mut steps = plan.steps.iter();
    steps.any(|step| step.state == StepState::Ordered)
}
