//! Plans and how they came about, as JSON.

use proto::v1::{Explanation, Plan, PlanCandidate, PlanStep};
use serde_json::{Value, json};

use super::list;
use crate::planner::enums;

pub(in crate::planner) fn plan(plan: &Plan) -> Value {
    let effect = plan.effect.as_ref().map(|effect| {
        json!({
            "signal": effect.signal,
            "unit": effect.unit,
            "from_value": effect.from_value,
            "to_value": effect.to_value,
            "least_change": effect.least_change,
            "within_s": effect.within_s,
        })
    });
    let outcome = plan.outcome.as_ref().map(|outcome| {
        json!({
            "verdict": enums::verdict(outcome.verdict()),
            "time_us": outcome.time_us,
            "value": outcome.value,
            "reason": outcome.reason,
        })
    });
    let approvals = list(&plan.approvals, |word| {
        json!({
            "actor": word.actor,
            "authority": word.authority,
            "time_us": word.time_us,
            "approved": word.approved,
            "reason": word.reason,
        })
    });
    json!({
        "id": plan.id,
        "issue": plan.issue,
        "decision": plan.decision,
        "entity": plan.entity,
        "strategy": plan.strategy,
        "state": enums::plan_state(plan),
        "steps": list(&plan.steps, step),
        "effect": effect,
        "reversibility": plan.reversibility,
        "authority": plan.authority,
        "urgency": plan.urgency,
        "confidence": plan.confidence,
        "risk": plan.risk,
        "reasons": plan.reasons,
        "created_us": plan.created_us,
        "updated_us": plan.updated_us,
        "deadline_us": plan.deadline_us,
        "not_before_us": plan.not_before_us,
        "approvals": approvals,
        "held": plan.held,
        "carried_out_us": plan.carried_out_us,
        "outcome": outcome,
        "attempt": plan.attempt,
        "executor": plan.executor,
    })
}

fn step(step: &PlanStep) -> Value {
    // What is no JSON is told as text.
    let action: Value =
        serde_json::from_str(&step.action_json).unwrap_or_else(|_| step.action_json.clone().into());
    json!({
        "action": step.action,
        "action_json": action,
        "inverse": step.inverse,
        "timeout_s": step.timeout_s,
        "state": enums::step_state(step.state()),
        "said": step.said,
        "ordered_us": step.ordered_us,
        "answered_us": step.answered_us,
    })
}

pub(in crate::planner) fn explanation(told: &Explanation) -> Value {
    json!({
        "decision": told.decision,
        "course": told.course,
        "chosen": told.chosen,
        "urgency": told.urgency,
        "reasons": told.reasons,
        "candidates": list(&told.candidates, candidate),
        "input_sha256": told.input_sha256,
        "output_sha256": told.output_sha256,
    })
}

fn candidate(one: &PlanCandidate) -> Value {
    let ratings = list(
        &one.ratings,
        |rating| json!({ "criterion": rating.criterion, "value": rating.value, "reason": rating.reason }),
    );
    let vetoes = list(
        &one.vetoes,
        |veto| json!({ "layer": veto.layer, "rule": veto.rule, "stop": veto.stop, "reason": veto.reason }),
    );
    json!({
        "strategy": one.strategy,
        "unfit": one.unfit,
        "lacks": one.lacks.as_ref().map(|lack| json!({ "entity": lack.entity, "attribute": lack.attribute })),
        "success": one.success,
        "confidence": one.confidence,
        "risk": one.risk,
        "ratings": ratings,
        "acting_cost": one.acting_cost,
        "waiting_cost": one.waiting_cost,
        "vetoes": vetoes,
        "steps": one.steps,
    })
}
