//! What people ask of the planner.

mod issue;
mod plan;

use series::Timestamp;

use super::Planner;
use super::asked::{Command, Refused, Reply};
use crate::issue::{IssueId, IssueState};
use crate::plan::PlanId;
use crate::record::{Brake, Record};
use crate::strategy::Authority;

/// Most bytes of the reasons of a brake; what does not fit is in the audit.
const MAX_REASONS_BYTES: usize = 4096;
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

    fn set_brake(&mut self, is_engaged: bool, who: &str, why: &str) -> Result<Reply, Refused> {
        let what = if is_engaged {
            "braking"
        } else {
            "releasing the brake"
        };
        let why = reason(what, why)?.to_owned();
        // Whoever brakes what is braked adds a reason; whoever releases what is not engaged does no harm.
        let adds = is_engaged && self.brake.is_engaged;
        let has_room = self.brake.reason.len() + who.len() + why.len() < MAX_REASONS_BYTES;
        if !adds {
            self.brake = Brake {
                is_engaged,
                who: who.to_owned(),
                reason: why.clone(),
                at: self.now(),
            };
        } else if has_room {
            let first = &self.brake.reason;
            self.brake.reason = format!("{first}; {who}: {why}");
        }
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
