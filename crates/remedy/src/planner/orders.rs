//! Orders to executors, and what became of them.

use series::Timestamp;

use super::{DRY_RUN, Planner};
use crate::issue::IssueState;
use crate::order::{Answer, Order};
use crate::plan::{Plan, PlanId, PlanState, StepState};
use crate::record::{ActionRecord, Record};

impl Planner {
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
            return self.not_sent(id, step, is_undo);
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
    fn not_sent(&mut self, id: PlanId, step: usize, is_undo: bool) {
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
            // One that is undone already goes on with the next turn.
            _ if is_undo => {}
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
