//! What can go wrong, said from the plan itself.

use remedy::action::{Action, Disruption};
use remedy::plan::Plan;
use remedy::strategy::Reversibility;

use super::quantity::{duration, quantity};
use super::quote::{UNSHOWN, plain};

/// Below this a decision is no more than a guess worth a look.
const UNSURE: f64 = 0.7;
/// From here on a plan is risky by the scale of the decision.
const RISKY: f64 = 0.5;

/// What a disruption means, for people.
#[must_use]
pub fn disruption(disruption: Disruption) -> &'static str {
    match disruption {
        Disruption::LosesData => "bytes that somebody may want back are gone",
        Disruption::Interrupts => "requests fail or wait meanwhile",
        Disruption::Degrades => "what relies on it may be slower meanwhile",
        Disruption::None => "nobody notices",
    }
}

/// The risks of a plan, worst first.
#[must_use]
pub fn risks(plan: &Plan) -> Vec<String> {
    let mut risks = Vec::new();
    let actions = || plan.steps.iter().map(|planned| &planned.step.action);
    for worst in [
        Disruption::LosesData,
        Disruption::Interrupts,
        Disruption::Degrades,
    ] {
        let names: Vec<_> = actions()
            .filter(|action| action.disruption() == worst)
            .map(Action::name)
            .take(8)
            .collect();
        if !names.is_empty() {
            risks.push(format!("{}: {}.", names.join(", "), disruption(worst)));
        }
    }
    match plan.reversibility {
        Reversibility::Irreversible => risks.push("It cannot be undone.".to_owned()),
        Reversibility::SelfHealing => {
            risks.push("It is not undone: what it did goes away by itself.".to_owned());
        }
        Reversibility::Reversible => {
            let without = plan.steps.iter().position(|planned| {
                planned.step.inverse.is_none() && !planned.step.action.is_harmless()
            });
            if let Some(step) = without {
                risks.push(format!(
                    "Step {} has no step that undoes it, though the plan is said to be reversible.",
                    step + 1
                ));
            }
        }
    }
    if plan.capacity_away.is_nan() || plan.capacity_away > 0.0 {
        risks.push(format!(
            "{} of the capacity of the service is away meanwhile.",
            quantity(plan.capacity_away, "ratio")
        ));
    }
    if plan.risk.is_nan() || plan.risk >= RISKY {
        risks.push(format!(
            "The decision puts its risk at {} of 1.",
            quantity(plan.risk, "")
        ));
    }
    if plan.confidence.is_nan() || plan.confidence < UNSURE {
        risks.push(format!(
            "The decision is not sure of its cause: {} of 1.",
            quantity(plan.confidence, "")
        ));
    }
    if plan.attempt > 0 {
        risks.push(format!(
            "{} plan(s) for the same target and cause came before it.",
            plan.attempt
        ));
    }
    let total_s: f64 = plan
        .steps
        .iter()
        .map(|planned| planned.step.timeout_s.max(0.0))
        .sum();
    if total_s > 1_800.0 {
        risks.push(format!("It may take up to {}.", duration(total_s)));
    }
    let is_garbled =
        actions().any(|action| plain(&action.to_string(), usize::MAX).contains(UNSHOWN));
    if is_garbled {
        risks.push(format!(
            "A name holds characters that cannot be shown; {UNSHOWN} stands for them, and commands with it do not work."
        ));
    }
    risks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    #[test]
    fn a_plan_says_what_can_go_wrong() {
        let scale = samples::scale("service/api", 3, 5);
        let back = samples::scale("service/api", 5, 3);
        let mut plan = samples::plan("service/api", vec![samples::step(scale, Some(back))]);
        assert_eq!(risks(&plan), Vec::<String>::new());

        let notify = samples::actions("service/api\u{202e}", "x").pop();
        plan.steps
            .extend(notify.map(|action| samples::step(action, None)));
        plan.steps
            .push(samples::step(samples::restart("service/api"), None));
        (plan.risk, plan.confidence, plan.attempt) = (f64::NAN, 0.5, 2);
        plan.capacity_away = 0.2;
        let all = risks(&plan).join("\n");
        for part in [
            "restart: requests fail",
            "Step 3 has no step that undoes it",
            "20 % of the capacity",
            "risk at NaN",
            "not sure of its cause: 0.5",
            "2 plan(s)",
            "cannot be shown",
        ] {
            assert!(all.contains(part), "{part:?} is not in {all}");
        }
    }
}
