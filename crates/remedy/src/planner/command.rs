//! What people ask of the planner.

use series::Timestamp;

use super::Planner;
use super::active::standing;
use super::asked::{Command, Refused, Reply};
use super::plans::Asked;
use crate::guard::Stop;
use crate::issue::{IssueId, IssueState};
use crate::plan::{Approval, Plan, PlanId, PlanState, StepState};
use crate::record::{Brake, Record};
use crate::strategy::Authority;

/// Most bytes of a name, a reason or a note.
const MAX_TEXT_BYTES: usize = 1024;

impl Planner {
    /// Does what somebody asks for, or nothing.
    ///
    /// # Errors
    /// Why not; see [`Refused`].
    pub fn command(
        &mut self,
        at: Timestamp,
        who: &str,
        command: &Command,
    ) -> Result<Reply, Refused> {
        self.advance(at);
        let authority = self.authority(who)?;
        match command {
            Command::Acknowledge { issue, note } => {
                self.bring(*issue, IssueState::Acknowledged, who, note, "acknowledged")
            }
            Command::Reopen { issue, note } => self.reopen(*issue, who, note),
            Command::Suppress { issue, for_s, note } => self.suppress(*issue, *for_s, who, note),
            Command::Resolve { issue, note } => self.resolve_by(*issue, who, note),
            Command::Plan { issue } => self.plan_by(*issue, who),
            Command::Approve { plan, reason } => self.approve(*plan, who, authority, reason),
            Command::Refuse { plan, reason } => self.refuse(*plan, who, authority, reason),
            Command::Cancel { plan, reason } => self.cancel(*plan, who, reason),
            Command::Undo { plan, reason } => self.undo_by(*plan, who, authority, reason),
            Command::Brake { reason } => self.set_brake(true, who, reason),
            Command::Release { reason } => {
                needs(who, authority, Authority::Owner)?;
                self.set_brake(false, who, reason)
            }
        }
    }

    fn authority(&self, who: &str) -> Result<Authority, Refused> {
        let known = self.people.get(who).copied();
        known.ok_or_else(|| Refused::Nobody(who.chars().take(80).collect()))
    }

    fn reply(&self, id: IssueId) -> Result<Reply, Refused> {
        let issue = self.issue(id).ok_or(Refused::NoIssue(id))?;
        let plan = issue.plans.last().and_then(|plan| self.plans.get(plan));
        Ok(Reply::Issue(
            Box::new(issue.clone()),
            plan.cloned().map(Box::new),
        ))
    }

    fn reply_plan(&self, id: PlanId) -> Result<Reply, Refused> {
        let plan = self.plans.get(&id).ok_or(Refused::NoPlan(id))?;
        Ok(Reply::Plan(Box::new(plan.clone())))
    }

    fn reopen(&mut self, id: IssueId, who: &str, note: &str) -> Result<Reply, Refused> {
        let live = self.live.get(&id).ok_or(Refused::NoIssue(id))?;
        let state = live.issue.state;
        // A plan that waits, is carried out or watched ends by itself, or is cancelled.
        if matches!(
            state,
            IssueState::Planned | IssueState::Mitigating | IssueState::Verifying
        ) {
            return Err(Refused::IssueState {
                id,
                state: state.name(),
                what: "reopened",
            });
        }
        let reply = self.bring(id, IssueState::Open, who, note, "reopened")?;
        self.to_decide.insert(id);
        Ok(reply)
    }

    fn bring(
        &mut self,
        id: IssueId,
        state: IssueState,
        who: &str,
        note: &str,
        what: &'static str,
    ) -> Result<Reply, Refused> {
        let live = self.live.get(&id).ok_or(Refused::NoIssue(id))?;
        let before = live.issue.state;
        let note = text("note", note)?;
        // A plan that waits is not lost because somebody looks at its issue, and what was left to people is not taken back by
        // the planner because one of them has seen it.
        let is_seen = matches!(before, IssueState::Planned | IssueState::Escalated)
            && state == IssueState::Acknowledged;
        let refused = Refused::IssueState {
            id,
            state: before.name(),
            what,
        };
        if is_seen {
            let body = serde_json::json!({ "from": before.name(), "note": note });
            self.audit(who, "issue.seen", &id.to_string(), &body);
            if let Some(live) = self.live.get_mut(&id) {
                live.issue.note = format!("seen by {who}: {note}");
                live.issue.updated = self.clock.now();
            }
            self.dirty_issues.insert(id);
            return self.reply(id);
        }
        match self.set_state(id, state, who, note) {
            true => self.reply(id),
            false => Err(refused),
        }
    }

    fn suppress(
        &mut self,
        id: IssueId,
        for_s: f64,
        who: &str,
        note: &str,
    ) -> Result<Reply, Refused> {
        let note = reason("suppressing an issue", note)?;
        const MOST_S: f64 = 30.0 * 86_400.0;
        if !(for_s > 0.0 && for_s <= MOST_S) {
            let why =
                format!("{for_s} s is not between 0 and {MOST_S}: nothing is suppressed for ever");
            return Err(Refused::Nonsense(why));
        }
        self.bring(id, IssueState::Suppressed, who, note, "suppressed")?;
        self.cancel_plans(id, "its issue was suppressed");
        let until = self.now().plus_micros((for_s * 1e6) as i64);
        if let Some(live) = self.live.get_mut(&id) {
            live.issue.suppressed_until = Some(until);
        }
        self.reply(id)
    }

    fn resolve_by(&mut self, id: IssueId, who: &str, note: &str) -> Result<Reply, Refused> {
        let note = reason("resolving an issue", note)?.to_owned();
        let live = self.live.get(&id).ok_or(Refused::NoIssue(id))?;
        let state = live.issue.state;
        if !state.may_become(IssueState::Resolved) {
            return Err(Refused::IssueState {
                id,
                state: state.name(),
                what: "resolved",
            });
        }
        self.cancel_plans(id, "its issue was resolved");
        self.take_crutches(id);
        self.close(id, who, &note);
        self.reply(id)
    }

    fn plan_by(&mut self, id: IssueId, who: &str) -> Result<Reply, Refused> {
        let live = self.live.get(&id).ok_or(Refused::NoIssue(id))?;
        if live.issue.state == IssueState::Planned {
            return self.reply(id);
        }
        self.audit(
            who,
            "issue.plan_asked_for",
            &id.to_string(),
            &serde_json::json!({}),
        );
        self.to_decide.remove(&id);
        if self.plan_for(id, Asked::ByPerson).is_some() {
            return self.reply(id);
        }
        let live = self.live.get(&id).ok_or(Refused::NoIssue(id))?;
        let state = live.issue.state;
        let why = match live.issue.note.as_str() {
            _ if matches!(
                state,
                IssueState::Mitigating | IssueState::Verifying | IssueState::Suppressed
            ) =>
            {
                format!("it is {}", state.name())
            }
            "" => "nothing is known of it".to_owned(),
            note => note.to_owned(),
        };
        Err(Refused::NothingToDo { id, why })
    }

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

    fn approve(
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

    fn refuse(
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

    fn cancel(&mut self, id: PlanId, who: &str, why: &str) -> Result<Reply, Refused> {
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

    fn undo_by(
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

    fn set_brake(&mut self, is_engaged: bool, who: &str, why: &str) -> Result<Reply, Refused> {
        let what = if is_engaged {
            "braking"
        } else {
            "releasing the brake"
        };
        let why = reason(what, why)?.to_owned();
        // Whoever brakes twice adds a reason; whoever releases what is not engaged does no harm.
        self.brake = Brake {
            is_engaged,
            who: who.to_owned(),
            reason: why.clone(),
            at: self.now(),
        };
        self.out.records.push(Record::Brake(self.brake.clone()));
        let kind = if is_engaged {
            "brake.engaged"
        } else {
            "brake.released"
        };
        self.audit(who, kind, "brake", &serde_json::json!({ "why": why }));
        Ok(Reply::Brake(self.brake.clone()))
    }
}

fn awaits_answer(plan: &Plan) -> bool {
    let mut steps = plan.steps.iter();
    steps.any(|step| step.state == StepState::Ordered)
}

fn needs(who: &str, has: Authority, needs: Authority) -> Result<(), Refused> {
    match has >= needs {
        true => Ok(()),
        false => Err(Refused::Authority {
            who: who.to_owned(),
            has: has.name(),
            needs: needs.name(),
        }),
    }
}

fn text<'a>(what: &str, text: &'a str) -> Result<&'a str, Refused> {
    let bytes = text.len();
    if bytes > MAX_TEXT_BYTES {
        let why = format!("the {what} has {bytes} bytes, at most {MAX_TEXT_BYTES} are allowed");
        return Err(Refused::Nonsense(why));
    }
    if text.chars().any(|c| c.is_control() && c != '\n') {
        return Err(Refused::Nonsense(format!(
            "the {what} holds a control character"
        )));
    }
    Ok(text.trim())
}

fn reason<'a>(what: &'static str, why: &'a str) -> Result<&'a str, Refused> {
    match text("reason", why)? {
        "" => Err(Refused::NoReason(what)),
        why => Ok(why),
    }
}
