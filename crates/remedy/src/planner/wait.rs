//! Plans that wait: for approval, for their window, and for what holds them to go away; until they begin, or are given up.

use std::ops::Bound;

use super::Planner;
use crate::action::Action;
use crate::guard::{Stop, Veto};
use crate::issue::{IssueId, IssueState};
use crate::plan::{PlanId, PlanState};

/// Most plans that wait and are looked at in one turn: at 20 µs each that is 10 ms.
const MAX_LOOKED_AT: usize = 500;

impl Planner {
    /// Deadlines, windows, leases and lost orders.
    pub(super) fn plans_pass(&mut self) {
        let window_s = self.settings.attempts_window_s;
        self.books.forget(self.now(), window_s);
        for id in self.active.iter().copied().collect::<Vec<_>>() {
            let Some(plan) = self.plans.get(&id) else {
                continue;
            };
            match plan.state {
                PlanState::AwaitingApproval => self.expire(id),
                PlanState::Running | PlanState::Undoing => self.keep_going(id),
                PlanState::Verifying | PlanState::Shadow | PlanState::Withheld => self.judge(id),
                PlanState::Scheduled
                | PlanState::Done
                | PlanState::RolledBack
                | PlanState::Stuck
                | PlanState::Refused
                | PlanState::Cancelled
                | PlanState::Expired => {}
            }
        }
        for id in self.some_that_wait() {
            if self.outgrown(id) {
                continue;
            }
            match self.plans.get(&id).map(|plan| plan.state) {
                Some(PlanState::Scheduled) => self.begin(id),
                // Waiting does not disarm what aborts: a person sees at once what would hold it.
                _ => {
                    let held = self.held_by(id);
                    self.hold(id, &held);
                }
            }
        }
    }

    /// Drops a plan that waits when what it was made for has changed; whether it was dropped. What a person approved is looked at
    /// when it is to begin.
    fn outgrown(&mut self, id: PlanId) -> bool {
        let Some(plan) = self.plans.get(&id) else {
            return false;
        };
        let live = self.live.get(&plan.issue);
        let is_news = live.is_some_and(|live| live.issue.updated > plan.created);
        is_news && plan.approvals.is_empty() && self.drop_changed(id)
    }

    /// Drops a plan when what it was made for has changed, and has the issue thought over; whether it was dropped.
    fn drop_changed(&mut self, id: PlanId) -> bool {
        let (Some(why), Some(plan)) = (self.has_changed(id), self.plans.get(&id)) else {
            return false;
        };
        let issue = plan.issue;
        self.end_plan(id, PlanState::Cancelled, "forestall", &why);
        let note = format!("{id}: {why}");
        self.set_state(issue, IssueState::Open, "forestall", &note);
        self.to_decide.insert(issue);
        true
    }

    /// How what a plan was made for has changed while it waited: what was decided, or allowed, was something else.
    fn has_changed(&self, id: PlanId) -> Option<String> {
        let plan = self.plans.get(&id)?;
        let live = self.live.get(&plan.issue)?;
        let known = crate::strategy::strategy(&plan.strategy)?;
        let draft = match (known.draft)(&self.case(live)) {
            Ok(draft) => crate::decision::within(draft, self.actions_now()),
            Err(unfit) => return Some(format!("it does not fit any more: {}", unfit.why)),
        };
        let draft = match draft {
            Ok(draft) => draft,
            Err(action) => {
                return Some(format!("the executor does not carry out {action} any more"));
            }
        };
        let before = plan.steps.iter().map(|step| &step.step.action);
        let now = draft.steps.iter().map(|step| &step.action);
        let is_same = before
            .filter_map(Action::premise)
            .eq(now.filter_map(Action::premise));
        (!is_same).then(|| "what it starts from has changed since it was made".to_owned())
    }

    /// Plans that wait for approval or for their time: all of them, or when there are too many for one turn, those whose turn
    /// it is.
    fn some_that_wait(&mut self) -> Vec<PlanId> {
        let (before, after) = (
            ..=self.looked_at,
            (Bound::Excluded(self.looked_at), Bound::Unbounded),
        );
        let all = self.active.range(after).chain(self.active.range(before));
        let waits = all.filter(|id| {
            let state = self.plans.get(id).map(|plan| plan.state);
            matches!(
                state,
                Some(PlanState::AwaitingApproval | PlanState::Scheduled)
            )
        });
        let some: Vec<_> = waits.take(MAX_LOOKED_AT).copied().collect();
        let is_all = some.len() < MAX_LOOKED_AT;
        self.looked_at = some.last().copied().filter(|_| !is_all).unwrap_or_default();
        some
    }

    /// Ends the waiting for approval at its deadline.
    fn expire(&mut self, id: PlanId) {
        let Some(plan) = self.plans.get(&id) else {
            return;
        };
        if plan.deadline.is_some_and(|deadline| self.now() >= deadline) {
            let issue = plan.issue;
            let why = "nobody approved it in time";
            self.end_plan(id, PlanState::Expired, "forestall", why);
            self.hand_over(issue, &format!("{id}: {why}"));
        }
    }

    /// What speaks against a plan now; what asks for a person is left out while one is asked.
    fn held_by(&self, id: PlanId) -> Vec<Veto> {
        let Some(plan) = self.plans.get(&id) else {
            return Vec::new();
        };
        let all = self.objections(plan);
        let is_asked = plan.state == PlanState::AwaitingApproval;
        all.into_iter()
            .filter(|veto| !(is_asked && veto.stop == Stop::UntilApproved))
            .collect()
    }

    /// Whether a plan has to wait for its window: for the first, or, when it was held until that had closed, for another.
    fn awaits_window(&mut self, id: PlanId) -> bool {
        let Some(plan) = self.plans.get(&id) else {
            return true;
        };
        if plan
            .not_before
            .is_some_and(|not_before| self.now() < not_before)
        {
            return true;
        }
        let case = self.live.get(&plan.issue).map(super::Live::case);
        let opening = self.opening(plan.urgency, case.and_then(|case| case.ttf_s));
        let is_closed = opening > self.now();
        if is_closed {
            if let Some(plan) = self.plans.get_mut(&id) {
                plan.not_before = Some(opening);
            }
            self.touch(id);
        }
        is_closed
    }

    /// Leaves an issue to people, unless it has just gone away.
    fn hand_over(&mut self, issue: IssueId, why: &str) {
        let is_still_so = self.live.get(&issue).is_some_and(super::Live::is_still_so);
        let state = if is_still_so {
            IssueState::Escalated
        } else {
            IssueState::Open
        };
        self.set_state(issue, state, "forestall", why);
    }

    /// Begins a plan whose time has come, if nothing speaks against it.
    pub(super) fn begin(&mut self, id: PlanId) {
        if self.awaits_window(id) {
            return;
        }
        let executor = self.executor().to_owned();
        let Some(plan) = self.plans.get(&id) else {
            return;
        };
        let issue = plan.issue;
        if !self.may_order(&executor) {
            let why = format!(
                "nothing is carried out in phase {}",
                self.settings.phase.name()
            );
            self.end_plan(id, PlanState::Cancelled, "forestall", &why);
            self.set_state(
                issue,
                IssueState::Open,
                "forestall",
                &format!("{id}: {why}"),
            );
            return;
        }
        let objections = self.objections(plan);
        match Self::worst(&objections) {
            None => {}
            Some(Stop::ForNow) => return self.hold(id, &objections),
            Some(Stop::UntilApproved) => return self.ask(id, &objections),
            Some(Stop::ForGood) => {
                let why = objections
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join("; ");
                self.end_plan(id, PlanState::Cancelled, "forestall", &why);
                self.hand_over(issue, &format!("{id}: {why}"));
                return;
            }
        }
        if self.drop_changed(id) {
            return;
        }
        self.hold(id, &[]);
        let fence = self.lease(id);
        let level = self.level(id);
        if let Some(plan) = self.plans.get_mut(&id) {
            // The phase may have changed since it was made, and the level that it begins from.
            plan.executor.clone_from(&executor);
            plan.effect.from = level.unwrap_or(plan.effect.from);
        }
        self.enter(id, PlanState::Running);
        let body = serde_json::json!({ "fence": fence, "executor": executor });
        self.audit("forestall", "plan.running", &id.to_string(), &body);
        self.set_state(issue, IssueState::Mitigating, "forestall", &id.to_string());
        self.next_step(id);
    }

    /// Where the signal of a plan is now, if that is measured, and still on the same side of where it is to go.
    fn level(&self, id: PlanId) -> Option<f64> {
        let effect = &self.plans.get(&id)?.effect;
        let (value, at) = self.measured.get(&effect.signal)?.newest?;
        let is_fresh = self.now().seconds_since(at) <= self.settings.max_data_age_s;
        let is_before = (effect.to - value) * (effect.to - effect.from) > 0.0;
        (is_fresh && is_before && effect.unit != super::judge::FINDINGS).then_some(value)
    }

    /// A plan that was to be carried out alone, and now takes a person.
    fn ask(&mut self, id: PlanId, objections: &[Veto]) {
        let deadline_s = self.settings.approval_deadline_s;
        let deadline = self.now().plus_micros((deadline_s * 1e6) as i64);
        if let Some(plan) = self.plans.get_mut(&id) {
            plan.deadline = Some(deadline);
        }
        self.enter(id, PlanState::AwaitingApproval);
        let body = serde_json::json!({ "because": objections });
        self.audit(
            "forestall",
            "plan.awaiting_approval",
            &id.to_string(),
            &body,
        );
    }
}
