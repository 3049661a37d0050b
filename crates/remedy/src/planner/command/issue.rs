//! What people ask of an issue.

use super::{reason, text};
use crate::issue::{IssueId, IssueState};
use crate::planner::Planner;
use crate::planner::asked::{Refused, Reply};
use crate::planner::plans::Asked;

impl Planner {
    pub(super) fn reopen(&mut self, id: IssueId, who: &str, note: &str) -> Result<Reply, Refused> {
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

    pub(super) fn bring(
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
            self.seen(id, who);
            return self.reply(id);
        }
        if !self.set_state(id, state, who, note) {
            return Err(refused);
        }
        if state == IssueState::Acknowledged {
            self.seen(id, who);
        }
        self.reply(id)
    }

    /// Remembers who has seen an issue. Why it is as it is stays to be read.
    fn seen(&mut self, id: IssueId, who: &str) {
        if let Some(live) = self.live.get_mut(&id) {
            live.issue.seen_by = Some(who.to_owned());
            live.issue.updated = self.clock.now();
        }
        self.dirty_issues.insert(id);
    }

    pub(super) fn suppress(
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

    pub(super) fn resolve_by(
        &mut self,
        id: IssueId,
        who: &str,
        note: &str,
    ) -> Result<Reply, Refused> {
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
        self.leave_unjudged(id, "a person resolved the issue before that was measured");
        self.take_crutches(id);
        self.close(id, who, &note);
        self.reply(id)
    }

    pub(super) fn plan_by(&mut self, id: IssueId, who: &str) -> Result<Reply, Refused> {
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
}
