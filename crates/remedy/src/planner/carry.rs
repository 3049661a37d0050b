//! A plan is carried out: step by step, under a lease, with every layer asked again before each step.

use super::{DRY_RUN, Planner};
use crate::guard::{Layer, Proposal, Stop, Veto, vetoes};
use crate::issue::IssueState;
use crate::order::{Answer, Order};
use crate::plan::{Approval, Plan, PlanId, PlanState, StepState};
use crate::record::{ActionRecord, Record};
use crate::strategy::Step;
use series::Timestamp;

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

    /// Writes an order down; it goes out when that is written.
    pub(super) fn order(&mut self, id: PlanId, step: usize, is_undo: bool) {
        let executor = self
            .plans
            .get(&id)
            .map(|plan| plan.executor.clone())
            .unwrap_or_default();
        if !self.may_order(&executor) {
            let phase = self.settings.phase.name();
            let why =
                format!("it was begun in a bolder phase, and {phase} lets {executor} do nothing");
            return self.stuck(id, &why);
        }
        let (now, fence) = (self.now(), self.lease(id));
        let Some(plan) = self.plans.get_mut(&id) else {
            return;
        };
        let planned = &mut plan.steps[step];
        planned.state = if is_undo {
            StepState::Undoing
        } else {
            StepState::Ordered
        };
        planned.ordered = Some(now);
        let Some(order) = order_of(plan, step, &self.ledger) else {
            return self.stuck(id, "nothing undoes a step that was done");
        };
        let key = order.key.clone();
        if !order.action.is_harmless() && executor != DRY_RUN {
            let action = ActionRecord {
                key: key.clone(),
                target: order.action.target().clone(),
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
        let Some((id, step, is_undo)) = parse_key(key) else {
            return;
        };
        let now = self.now();
        let Some(plan) = self.plans.get_mut(&id) else {
            return;
        };
        if plan.order_key(step, is_undo, &self.ledger) != key {
            return;
        }
        let Some(planned) = plan.steps.get_mut(step) else {
            return;
        };
        let expected = if is_undo {
            StepState::Undoing
        } else {
            StepState::Ordered
        };
        if planned.state != expected {
            return;
        }
        planned.state = match (answer, is_undo) {
            (Answer::Done { .. }, false) => StepState::Done,
            (Answer::Done { .. }, true) => StepState::Undone,
            (Answer::Failed { .. }, false) => StepState::Failed,
            (Answer::Failed { .. }, true) => StepState::NotUndone,
            (Answer::NotSent { .. }, false) => StepState::Waiting,
            (Answer::NotSent { .. }, true) => StepState::Done,
            (Answer::InDoubt { .. }, _) => StepState::InDoubt,
        };
        planned.said = answer.said().to_owned();
        planned.answered = Some(now);
        let state = planned.state;
        let called_off = plan.called_off.clone();
        let body = serde_json::json!({ "key": key, "answer": answer });
        self.audit("forestall", "step.answered", &id.to_string(), &body);
        self.touch(id);
        if matches!(answer, Answer::NotSent { .. }) {
            self.books.not_acted(key);
            return self.not_sent(id, step);
        }
        match state {
            StepState::Done => self.next_step(id),
            StepState::Undone => self.next_undo(id),
            StepState::Failed => {
                let why = called_off.unwrap_or_else(|| "a step failed".to_owned());
                self.undo(id, &why);
            }
            StepState::NotUndone => self.stuck(id, "a step could not be undone"),
            StepState::InDoubt => {
                self.stuck(id, "it is not known whether a step was carried out");
            }
            StepState::Waiting | StepState::Ordered | StepState::Undoing => {}
        }
    }

    /// Nobody has heard of an order: it is given again when nothing speaks against it, with the next turn. A plan of which
    /// nothing was done begins anew.
    fn not_sent(&mut self, id: PlanId, step: usize) {
        let Some(plan) = self.plans.get_mut(&id) else {
            return;
        };
        plan.steps[step].ordered = None;
        plan.steps[step].answered = None;
        plan.steps[step].tries += 1;
        let is_untouched = plan
            .steps
            .iter()
            .all(|step| step.state == StepState::Waiting);
        let called_off = plan.called_off.clone();
        match called_off {
            Some(why) => self.undo(id, &why),
            None if is_untouched => {
                let issue = plan.issue;
                self.give_back(id);
                self.enter(id, PlanState::Scheduled);
                self.set_state(issue, IssueState::Planned, "forestall", &id.to_string());
            }
            None => {}
        }
    }

    /// Why an order that was written down must not go out any more: it brakes, or writing took too long.
    #[must_use]
    pub fn against_sending(&self, at: Timestamp, order: &Order) -> Option<String> {
        if self.brake.is_engaged {
            return Some(format!("the brake is engaged by {}", self.brake.who));
        }
        let late_s = at.seconds_since(order.at);
        let is_late = late_s.abs() > self.settings.lease_s;
        is_late.then(|| format!("it was decided {late_s:.0} s ago"))
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

    /// Orders that were written and not answered when this planner was brought back: whoever drives it asks the executor
    /// what became of each.
    #[must_use]
    pub fn unanswered(&self) -> Vec<(String, Order)> {
        let mut out = Vec::new();
        for plan in self.active.iter().filter_map(|id| self.plans.get(id)) {
            let orders =
                (0..plan.steps.len()).filter_map(|step| order_of(plan, step, &self.ledger));
            out.extend(orders.map(|order| (plan.executor.clone(), order)));
        }
        out
    }
}

/// The order by which a step is carried out, or undone, whichever is under way; `None` when neither is.
fn order_of(plan: &Plan, step: usize, ledger: &str) -> Option<Order> {
    let planned = plan.steps.get(step)?;
    let is_undo = match planned.state {
        StepState::Ordered => false,
        StepState::Undoing => true,
        StepState::Waiting
        | StepState::Done
        | StepState::Failed
        | StepState::InDoubt
        | StepState::Undone
        | StepState::NotUndone => return None,
    };
    Some(Order {
        key: plan.order_key(step, is_undo, ledger),
        plan: plan.id,
        issue: plan.issue,
        step,
        is_undo,
        action: planned.action(is_undo)?.clone(),
        fence: plan.fence,
        timeout_s: planned.step.timeout_s,
        at: planned.ordered.unwrap_or(plan.updated),
    })
}

/// Reads [`Plan::order_key`].
fn parse_key(key: &str) -> Option<(PlanId, usize, bool)> {
    let mut parts = key.split('-');
    let (plan, step, what) = (parts.next()?, parts.next()?, parts.next()?);
    let is_undo = match what.trim_end_matches(|c: char| c.is_ascii_digit()) {
        "do" => false,
        "undo" => true,
        _ => return None,
    };
    Some((plan.parse().ok()?, step.parse().ok()?, is_undo))
}
