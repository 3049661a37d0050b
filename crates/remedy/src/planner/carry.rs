//! A plan is carried out: step by step, under a lease, with every layer asked again before each step.

use super::Planner;
use crate::EntityId;
use crate::guard::{Layer, Proposal, Stop, Veto, vetoes};
use crate::issue::{IssueId, IssueState};
use crate::order::{Answer, Order};
use crate::plan::{Approval, Plan, PlanId, PlanState, StepState};
use crate::record::{ActionRecord, Lease, Record};
use crate::strategy::{Authority, Step};

/// Seconds beyond its timeout after which an order counts as lost.
const LOST_S: f64 = 60.0;

/// The name of the executor that changes nothing.
const DRY_RUN: &str = "dry_run";

impl Planner {
    /// Deadlines, windows, leases and lost orders.
    pub(super) fn plans_pass(&mut self) {
        let window_s = self.settings.attempts_window_s;
        self.books.forget(self.now(), window_s);
        for id in self.active.iter().copied().collect::<Vec<_>>() {
            let Some(plan) = self.plans.get(&id) else { continue };
            match plan.state {
                PlanState::AwaitingApproval => self.await_approval(id),
                PlanState::Scheduled => self.begin(id),
                PlanState::Running | PlanState::Undoing => self.keep_going(id),
                PlanState::Verifying | PlanState::Shadow | PlanState::Withheld => self.judge(id),
                PlanState::Done
                | PlanState::RolledBack
                | PlanState::Stuck
                | PlanState::Refused
                | PlanState::Cancelled
                | PlanState::Expired => {
                    self.active.remove(&id);
                }
            }
        }
    }

    fn await_approval(&mut self, id: PlanId) {
        let Some(plan) = self.plans.get(&id) else { return };
        if plan.deadline.is_some_and(|deadline| self.now() >= deadline) {
            let issue = plan.issue;
            let why = "nobody approved it in time";
            self.end_plan(id, PlanState::Expired, "forestall", why);
            self.set_state(issue, IssueState::Escalated, "forestall", &format!("{id}: {why}"));
            return;
        }
        // Waiting does not disarm what aborts: a person sees at once what would hold it.
        let held = self.held_by(id);
        self.hold(id, &held);
    }

    /// What speaks against a plan now; what asks for a person is left out while one is asked.
    fn held_by(&self, id: PlanId) -> Vec<Veto> {
        let Some(plan) = self.plans.get(&id) else { return Vec::new() };
        let all = self.objections(plan);
        let is_asked = plan.state == PlanState::AwaitingApproval;
        all.into_iter()
            .filter(|veto| !(is_asked && veto.stop == Stop::UntilApproved))
            .collect()
    }

    /// All that speaks against carrying out a plan now, from its first step to its last.
    pub(super) fn objections(&self, plan: &Plan) -> Vec<Veto> {
        let Some(live) = self.live.get(&plan.issue) else {
            return vec![Veto {
                layer: Layer::Abort,
                rule: "condition".to_owned(),
                stop: Stop::ForGood,
                why: "its issue is over".to_owned(),
            }];
        };
        let case = live.case();
        let situation = self.situation(&plan.entity, plan.issue, Some(plan.id));
        // What was done counts already.
        let left = plan.steps.iter().filter(|step| step.state == StepState::Waiting);
        let steps: Vec<Step> = left.map(|step| step.step.clone()).collect();
        let approvals = self.current(&plan.approvals);
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

    /// Approvals with the authority that their giver has now, not then; of those who have none any more nothing is left.
    fn current(&self, approvals: &[Approval]) -> Vec<Approval> {
        let approvals = approvals.iter().filter_map(|approval| {
            let authority = *self.people.get(&approval.who)?;
            Some(Approval {
                authority,
                ..approval.clone()
            })
        });
        approvals.collect()
    }

    fn hold(&mut self, id: PlanId, vetoes: &[Veto]) {
        let held = vetoes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        let Some(plan) = self.plans.get_mut(&id) else { return };
        // Numbers in it change from second to second: what is written down is which rules hold it.
        let rules = |text: &str| -> Vec<String> {
            let parts = text.split("; ");
            parts.filter_map(|part| Some(part.split_once(": ")?.0.to_owned())).collect()
        };
        let is_new = rules(&plan.held) != rules(&held);
        plan.held = held;
        if is_new {
            let body = serde_json::json!({ "by": vetoes });
            let kind = if vetoes.is_empty() { "plan.free" } else { "plan.held" };
            self.audit("forestall", kind, &id.to_string(), &body);
            self.touch(id);
        }
    }

    /// Begins a plan whose time has come, if nothing speaks against it.
    pub(super) fn begin(&mut self, id: PlanId) {
        let Some(plan) = self.plans.get(&id) else { return };
        if plan.not_before.is_some_and(|not_before| self.now() < not_before) || !self.may_order() {
            return;
        }
        let issue = plan.issue;
        let objections = self.objections(plan);
        match Self::worst(&objections) {
            None => {}
            Some(Stop::ForNow) => return self.hold(id, &objections),
            Some(Stop::UntilApproved) => return self.ask(id, &objections),
            Some(Stop::ForGood) => {
                let why = objections.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
                self.end_plan(id, PlanState::Cancelled, "forestall", &why);
                self.set_state(issue, IssueState::Escalated, "forestall", &format!("{id}: {why}"));
                return;
            }
        }
        self.hold(id, &[]);
        let fence = self.lease(id);
        let executor = self.executor().to_owned();
        if let Some(plan) = self.plans.get_mut(&id) {
            plan.state = PlanState::Running;
            plan.fence = fence;
            // The phase may have changed since it was made.
            plan.executor.clone_from(&executor);
        }
        let body = serde_json::json!({ "fence": fence, "executor": executor });
        self.audit("forestall", "plan.running", &id.to_string(), &body);
        self.set_state(issue, IssueState::Mitigating, "forestall", &id.to_string());
        self.touch(id);
        self.next_step(id);
    }

    /// A plan that was to be carried out alone, and now takes a person.
    fn ask(&mut self, id: PlanId, objections: &[Veto]) {
        let deadline_s = self.settings.approval_deadline_s;
        let deadline = self.now().plus_micros((deadline_s * 1e6) as i64);
        if let Some(plan) = self.plans.get_mut(&id) {
            plan.state = PlanState::AwaitingApproval;
            plan.deadline = Some(deadline);
        }
        let body = serde_json::json!({ "because": objections });
        self.audit("forestall", "plan.awaiting_approval", &id.to_string(), &body);
        self.touch(id);
    }

    /// Takes, or renews, the lease of a plan on its target; returns its fence.
    fn lease(&mut self, id: PlanId) -> u64 {
        let Some(plan) = self.plans.get(&id) else { return 0 };
        let target = plan.entity.clone();
        let expires = self.now().plus_micros((self.settings.lease_s * 1e6) as i64);
        let before = self.leases.get(&target);
        let fence = match before {
            Some(lease) if lease.holder == Some(id) => lease.fence,
            Some(lease) => lease.fence + 1,
            None => 1,
        };
        let lease = Lease {
            target: target.clone(),
            holder: Some(id),
            fence,
            expires,
        };
        self.leases.insert(target, lease.clone());
        self.out.records.push(Record::Lease(lease));
        fence
    }

    fn give_back(&mut self, target: &EntityId, id: PlanId) {
        if let Some(lease) = self.leases.get_mut(target)
            && lease.holder == Some(id)
        {
            lease.holder = None;
            lease.expires = self.clock.now();
            self.out.records.push(Record::Lease(lease.clone()));
        }
    }

    /// Renews the lease, gives up orders that were lost, and goes on when what held it has gone.
    fn keep_going(&mut self, id: PlanId) {
        let Some(plan) = self.plans.get(&id) else { return };
        let is_undo = plan.state == PlanState::Undoing;
        let lease = self.leases.get(&plan.entity);
        let half_us = (self.settings.lease_s * 5e5) as i64;
        let is_old = lease.is_none_or(|lease| {
            lease.holder != Some(id) || lease.expires <= self.now().plus_micros(half_us)
        });
        let waits = plan.steps.iter().position(|step| {
            matches!(step.state, StepState::Ordered | StepState::Undoing)
        });
        let lost = waits.filter(|&step| {
            let step = &plan.steps[step];
            let since = step.ordered.map_or(0.0, |at| self.now().seconds_since(at));
            since > step.step.timeout_s + LOST_S
        });
        if is_old {
            self.lease(id);
        }
        match (lost, waits) {
            (Some(step), _) => {
                let key = self.plans.get(&id).map(|plan| plan.order_key(step, is_undo));
                let said = "no answer came".to_owned();
                self.answered(&key.unwrap_or_default(), &Answer::InDoubt { said });
            }
            (None, Some(_)) => {}
            (None, None) if is_undo => self.next_undo(id),
            (None, None) => self.next_step(id),
        }
    }

    /// Orders the next step, unless something holds it.
    fn next_step(&mut self, id: PlanId) {
        let Some(plan) = self.plans.get(&id) else { return };
        let Some(step) = plan.steps.iter().position(|step| step.state == StepState::Waiting) else {
            return self.carried_out(id);
        };
        // The first step was asked about a moment ago. Later ones mind what can have changed: that the trouble fades away
        // while it is being mended, or that nothing is measured meanwhile, is no reason to stop half way.
        if step > 0 {
            const MIND: [&str; 6] = [
                "brake",
                "clock",
                "storm",
                "graver_issue",
                "actions_per_target",
                "actions_per_hour",
            ];
            let objections = self.objections(plan);
            let objections: Vec<_> = objections
                .into_iter()
                .filter(|veto| MIND.contains(&veto.rule.as_str()))
                .collect();
            if objections.iter().any(|veto| veto.rule == "graver_issue") {
                return self.undo(id, "a graver issue came up");
            }
            if !objections.is_empty() {
                return self.hold(id, &objections);
            }
            self.hold(id, &[]);
        }
        self.order(id, step, false);
    }

    /// Undoes the steps that were done, last first.
    pub(super) fn undo(&mut self, id: PlanId, why: &str) {
        if let Some(plan) = self.plans.get_mut(&id) {
            plan.state = PlanState::Undoing;
            why.clone_into(&mut plan.held);
        }
        self.active.insert(id);
        let body = serde_json::json!({ "why": why });
        self.audit("forestall", "plan.undoing", &id.to_string(), &body);
        self.touch(id);
        self.next_undo(id);
    }

    fn next_undo(&mut self, id: PlanId) {
        if self.brake.is_engaged {
            return;
        }
        let Some(plan) = self.plans.get(&id) else { return };
        let mut done = plan.steps.iter().enumerate().rev();
        let next = done.find(|(_, step)| step.state == StepState::Done && step.step.inverse.is_some());
        match next {
            Some((step, _)) => self.order(id, step, true),
            None => self.undone(id),
        }
    }

    /// Writes an order down; it goes out when that is written.
    fn order(&mut self, id: PlanId, step: usize, is_undo: bool) {
        let (now, fence) = (self.now(), self.lease(id));
        let Some(plan) = self.plans.get_mut(&id) else { return };
        plan.fence = fence;
        let key = plan.order_key(step, is_undo);
        let planned = &mut plan.steps[step];
        planned.state = if is_undo { StepState::Undoing } else { StepState::Ordered };
        planned.ordered = Some(now);
        let action = match is_undo {
            true => planned.step.inverse.clone().unwrap_or_else(|| planned.step.action.clone()),
            false => planned.step.action.clone(),
        };
        let order = Order {
            key: key.clone(),
            plan: id,
            issue: plan.issue,
            step,
            is_undo,
            action,
            fence,
            timeout_s: planned.step.timeout_s,
            at: now,
        };
        let executor = plan.executor.clone();
        if !order.action.is_harmless() && executor != DRY_RUN {
            let action = ActionRecord {
                key: key.clone(),
                target: plan.entity.clone(),
                class: plan.class,
                cause: plan.cause.clone(),
                plan: id,
                at: now,
            };
            self.books.acted(action.clone());
            self.out.records.push(Record::Action(action));
        }
        let body = serde_json::json!({
            "key": key, "action": order.action, "fence": fence, "executor": executor,
        });
        self.audit("forestall", "step.ordered", &id.to_string(), &body);
        self.touch(id);
        self.out.orders.push((executor, order));
    }

    /// Takes in what became of an order. An answer that comes twice, late, or to an order that nobody gave is ignored.
    pub fn answered(&mut self, key: &str, answer: &Answer) {
        let Some((id, step, is_undo)) = parse_key(key) else { return };
        let now = self.now();
        let Some(plan) = self.plans.get_mut(&id) else { return };
        let Some(planned) = plan.steps.get_mut(step) else { return };
        let expected = if is_undo { StepState::Undoing } else { StepState::Ordered };
        if planned.state != expected {
            return;
        }
        planned.state = match (answer, is_undo) {
            (Answer::Done { .. }, false) => StepState::Done,
            (Answer::Done { .. }, true) => StepState::Undone,
            (Answer::Failed { .. }, false) => StepState::Failed,
            (Answer::Failed { .. }, true) => StepState::NotUndone,
            (Answer::InDoubt { .. }, _) => StepState::InDoubt,
        };
        planned.said = answer.said().to_owned();
        planned.answered = Some(now);
        let state = planned.state;
        let body = serde_json::json!({ "key": key, "answer": answer });
        self.audit("forestall", "step.answered", &id.to_string(), &body);
        self.touch(id);
        match state {
            StepState::Done => self.next_step(id),
            StepState::Undone => self.next_undo(id),
            StepState::Failed => self.undo(id, "a step failed"),
            StepState::NotUndone => self.stuck(id, "a step could not be undone"),
            StepState::InDoubt => {
                self.stuck(id, "it is not known whether a step was carried out");
            }
            StepState::Waiting | StepState::Ordered | StepState::Undoing => {}
        }
    }

    fn stuck(&mut self, id: PlanId, why: &str) {
        let Some(plan) = self.plans.get(&id) else { return };
        let (issue, target) = (plan.issue, plan.entity.clone());
        self.give_back(&target, id);
        self.end_plan(id, PlanState::Stuck, "forestall", why);
        self.set_state(issue, IssueState::Escalated, "forestall", &format!("{id}: {why}"));
    }

    /// All steps are done: from now on its effect is watched.
    fn carried_out(&mut self, id: PlanId) {
        let now = self.now();
        let Some(plan) = self.plans.get_mut(&id) else { return };
        plan.carried_out = Some(now);
        let (issue, target) = (plan.issue, plan.entity.clone());
        let is_dry = plan.executor == DRY_RUN;
        // What was not done has no effect: what happens without it is worth knowing all the same.
        plan.state = if is_dry { PlanState::Shadow } else { PlanState::Verifying };
        let kind = if is_dry { "plan.shadow" } else { "plan.verifying" };
        self.give_back(&target, id);
        self.audit("forestall", kind, &id.to_string(), &serde_json::json!({}));
        self.touch(id);
        self.set_state(issue, IssueState::Verifying, "forestall", &id.to_string());
        if is_dry {
            let note = format!("{id} was carried out as a dry run: nothing was changed");
            self.set_state(issue, IssueState::Open, "forestall", &note);
            self.set_state(issue, IssueState::Acknowledged, "forestall", &note);
        }
    }

    /// All that could be undone is.
    fn undone(&mut self, id: PlanId) {
        let Some(plan) = self.plans.get(&id) else { return };
        let (issue, target, why) = (plan.issue, plan.entity.clone(), plan.held.clone());
        let left = plan.steps.iter().any(|step| {
            step.state == StepState::Done && !step.step.action.is_harmless()
        });
        let was_judged = plan.outcome.is_some();
        self.give_back(&target, id);
        let (state, why) = match (left, was_judged) {
            // A crutch that is taken away, or a plan without effect: it stays judged.
            (_, true) => (PlanState::Done, format!("undone: {why}")),
            (false, false) => (PlanState::RolledBack, why),
            (true, false) => (PlanState::Stuck, format!("{why}; a step that was done has no inverse")),
        };
        self.end_plan(id, state, "forestall", &why);
        if !was_judged {
            self.set_state(issue, IssueState::Escalated, "forestall", &format!("{id}: {why}"));
        }
    }

    /// Takes away the crutches of plans that are done, when what they were for is over.
    pub(super) fn take_crutches(&mut self, issue: IssueId) {
        let done = self.plans.values().filter(|plan| {
            plan.issue == issue && plan.state == PlanState::Done && plan.outcome.is_some()
        });
        let done = done.filter(|plan| {
            plan.steps.iter().any(|step| {
                step.state == StepState::Done
                    && step.step.action.is_temporary()
                    && step.step.inverse.is_some()
            })
        });
        for id in done.map(|plan| plan.id).collect::<Vec<_>>() {
            self.undo(id, "what it was for is over");
        }
    }

    pub(super) fn end_plan(&mut self, id: PlanId, state: PlanState, who: &str, why: &str) {
        if let Some(plan) = self.plans.get_mut(&id) {
            plan.state = state;
            why.clone_into(&mut plan.held);
            let signal = plan.effect.signal.clone();
            self.active.remove(&id);
            let is_watched = self.active.iter().any(|other| {
                self.plans.get(other).is_some_and(|other| other.effect.signal == signal)
            });
            if !is_watched {
                self.measured.remove(&signal);
            }
            let body = serde_json::json!({ "why": why });
            self.audit(who, &format!("plan.{}", state.name()), &id.to_string(), &body);
            self.touch(id);
        }
    }

    pub(super) fn touch(&mut self, id: PlanId) {
        if let Some(plan) = self.plans.get_mut(&id) {
            plan.updated = self.clock.now();
            self.dirty_plans.insert(id);
        }
    }

    /// Orders that were written and not answered when this planner was brought back: whoever drives it asks the executor
    /// what became of each.
    #[must_use]
    pub fn unanswered(&self) -> Vec<(String, Order)> {
        let mut out = Vec::new();
        for plan in self.active.iter().filter_map(|id| self.plans.get(id)) {
            for (i, planned) in plan.steps.iter().enumerate() {
                let is_undo = planned.state == StepState::Undoing;
                if !is_undo && planned.state != StepState::Ordered {
                    continue;
                }
                let action = match (&planned.step.inverse, is_undo) {
                    (Some(inverse), true) => inverse.clone(),
                    (_, true | false) => planned.step.action.clone(),
                };
                let order = Order {
                    key: plan.order_key(i, is_undo),
                    plan: plan.id,
                    issue: plan.issue,
                    step: i,
                    is_undo,
                    action,
                    fence: plan.fence,
                    timeout_s: planned.step.timeout_s,
                    at: planned.ordered.unwrap_or(plan.updated),
                };
                out.push((plan.executor.clone(), order));
            }
        }
        out
    }

    /// Who may approve what, from now on; approvals are held against it when they are used.
    pub fn set_people(&mut self, people: std::collections::BTreeMap<String, Authority>) {
        self.people = people;
    }
}

/// Reads [`Plan::order_key`].
fn parse_key(key: &str) -> Option<(PlanId, usize, bool)> {
    let mut parts = key.split('-');
    let (plan, step, what) = (parts.next()?, parts.next()?, parts.next()?);
    let is_undo = match what {
        "do" => false,
        "undo" => true,
        _ => return None,
    };
    Some((plan.parse().ok()?, step.parse().ok()?, is_undo))
}
