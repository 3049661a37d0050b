//! A plan before and after.

use proto::v1::{
    ExpectedEffect, Plan, PlanApproval, PlanOutcome, PlanState, PlanStep, PlanVerdict, StepState,
};

use super::{HOSTILE, MINUTE_US, NOW_US};

/// The plan for the leak, which waits.
pub(in crate::planner) fn plan() -> Plan {
    let step = |action: &str, inverse: &str| PlanStep {
        action: action.to_owned(),
        action_json: r#"{"action":"scale"}"#.to_owned(),
        inverse: inverse.to_owned(),
        timeout_s: 120.0,
        state: StepState::Waiting.into(),
        ..PlanStep::default()
    };
    Plan {
        id: "p4".to_owned(),
        issue: "i17".to_owned(),
        decision: "d9".to_owned(),
        entity: "instance/shop/api-1".to_owned(),
        strategy: "restart_rolling".to_owned(),
        state: PlanState::AwaitingApproval.into(),
        steps: vec![
            step(
                "Scale service/shop/api from 3 to 4.",
                "Scale service/shop/api from 4 to 3.",
            ),
            step("Restart instance/shop/api-1.", ""),
        ],
        effect: Some(ExpectedEffect {
            signal: "memory_used_ratio{pod=\"api-1\"}".to_owned(),
            unit: "ratio".to_owned(),
            from_value: 0.75,
            to_value: 0.3,
            least_change: 0.1,
            within_s: 300.0,
        }),
        reversibility: "reversible".to_owned(),
        authority: "operator".to_owned(),
        urgency: "now".to_owned(),
        confidence: 0.91,
        risk: 0.12,
        reasons: vec!["A fresh process begins at 30 % of its limit.".to_owned()],
        created_us: NOW_US - 11 * MINUTE_US,
        updated_us: NOW_US - 11 * MINUTE_US,
        deadline_us: NOW_US + 4 * MINUTE_US,
        attempt: 1,
        executor: "webhook".to_owned(),
        ..Plan::default()
    }
}

/// The same, carried out and judged.
pub(in crate::planner) fn cured() -> Plan {
    let mut plan = plan();
    plan.set_state(PlanState::Done);
    for (step, at) in plan.steps.iter_mut().zip([2, 3]) {
        step.set_state(StepState::Done);
        step.said = "done in 14 s".to_owned();
        step.ordered_us = NOW_US + at * MINUTE_US;
        step.answered_us = NOW_US + at * MINUTE_US + 14_000_000;
    }
    plan.approvals = vec![PlanApproval {
        actor: "ann".to_owned(),
        authority: "operator".to_owned(),
        time_us: NOW_US + MINUTE_US,
        approved: true,
        reason: "seen this before".to_owned(),
    }];
    plan.carried_out_us = NOW_US + 4 * MINUTE_US;
    plan.outcome = Some(PlanOutcome {
        verdict: PlanVerdict::Cured.into(),
        time_us: NOW_US + 9 * MINUTE_US,
        value: Some(0.31),
        reason: "it moved as foretold".to_owned(),
    });
    plan
}

/// Everything that others may write is hostile.
pub(in crate::planner) fn hostile_plan() -> Plan {
    let text = HOSTILE.to_owned();
    let mut plan = cured();
    for field in [
        &mut plan.id,
        &mut plan.issue,
        &mut plan.decision,
        &mut plan.entity,
        &mut plan.strategy,
        &mut plan.reversibility,
        &mut plan.authority,
        &mut plan.urgency,
        &mut plan.held,
        &mut plan.executor,
    ] {
        field.clone_from(&text);
    }
    plan.reasons = vec![text.clone()];
    for step in &mut plan.steps {
        step.action.clone_from(&text);
        step.action_json.clone_from(&text);
        step.inverse.clone_from(&text);
        step.said.clone_from(&text);
    }
    if let Some(effect) = &mut plan.effect {
        effect.signal.clone_from(&text);
        effect.unit.clone_from(&text);
    }
    for approval in &mut plan.approvals {
        approval.actor.clone_from(&text);
        approval.reason.clone_from(&text);
    }
    if let Some(outcome) = &mut plan.outcome {
        outcome.reason = text;
    }
    plan
}
