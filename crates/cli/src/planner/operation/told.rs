//! What is new about a plan that is being carried out.

use proto::v1::{Plan, StepState, WaitOperationResponse};

use crate::plain;
use crate::planner::{plans, words};

/// What was told already.
#[derive(Debug, Default)]
pub(super) struct Told {
    steps: Vec<StepState>,
    held: String,
}

impl Told {
    /// Lines about what is new.
    pub(super) fn news(&mut self, answer: &WaitOperationResponse) -> Vec<String> {
        let Some(plan) = &answer.plan else {
            return Vec::new();
        };
        let mut lines = Vec::new();
        self.steps.resize(plan.steps.len(), StepState::Waiting);
        for (i, (step, told)) in plan.steps.iter().zip(&mut self.steps).enumerate() {
            let state = step.state();
            let is_over = !matches!(
                state,
                StepState::Waiting | StepState::Ordered | StepState::Undoing
            );
            if state != *told && is_over {
                lines.push(format!(
                    "step {} of {} {}",
                    i + 1,
                    plan.steps.len(),
                    plans::step_sentence(plan, step)
                ));
            }
            *told = state;
        }
        if plan.held != self.held && !answer.done {
            if !plan.held.is_empty() {
                lines.push(format!(
                    "held: {} (Ctrl-C stops watching, not the plan)",
                    plan.held
                ));
            }
            self.held.clone_from(&plan.held);
        }
        lines.iter().map(|line| plain::line(line)).collect()
    }
}

/// What is going on, for the spinner.
pub(super) fn doing(plan: &Plan) -> String {
    let under_way = plan
        .steps
        .iter()
        .position(|step| matches!(step.state(), StepState::Ordered | StepState::Undoing));
    let text = match under_way.and_then(|i| plan.steps.get(i).map(|step| (i, step))) {
        Some((i, step)) => format!("step {} of {}: {}", i + 1, plan.steps.len(), step.action),
        None if !plan.held.is_empty() => format!("held: {}", plan.held),
        None => words::state(plan),
    };
    plain::cut(&text, 70)
}

#[cfg(test)]
mod tests {
    use proto::v1::PlanState;

    use super::*;
    use crate::planner::samples;

    fn answer(plan: Plan, done: bool) -> WaitOperationResponse {
        WaitOperationResponse {
            done,
            error: String::new(),
            plan: Some(plan),
        }
    }

    #[test]
    fn every_step_is_told_once_when_it_is_over() {
        let mut told = Told::default();
        let mut plan = samples::plan();
        plan.set_state(PlanState::Running);
        plan.held = "the brake is engaged".to_owned();
        assert_eq!(
            told.news(&answer(plan.clone(), false)),
            ["held: the brake is engaged (Ctrl-C stops watching, not the plan)"]
        );
        plan.held.clear();
        plan.steps[0].set_state(StepState::Ordered);
        assert!(told.news(&answer(plan.clone(), false)).is_empty());
        assert_eq!(
            doing(&plan),
            "step 1 of 2: Scale service/shop/api from 3 to 4."
        );
        let cured = samples::cured();
        let expected = [
            "step 1 of 2 done: Scale service/shop/api from 3 to 4. (after 14 s: done in 14 s)",
            "step 2 of 2 done: Restart instance/shop/api-1. (after 14 s: done in 14 s)",
        ];
        assert_eq!(told.news(&answer(cured.clone(), true)), expected);
        assert!(told.news(&answer(cured, true)).is_empty());
        let hostile = Told::default()
            .news(&answer(samples::hostile_plan(), false))
            .concat();
        assert!(!hostile.chars().any(char::is_control) && !hostile.contains('\u{202e}'));
    }
}
