//! One plan: in a few lines, and as the page that its reviewer gets.

use std::io;

use proto::v1::{Plan, PlanState, PlanStep, StepState};
use series::Timestamp;

use crate::outlook::words::length;
use crate::page::Page;
use crate::planner::{enums, words};

/// A plan within the story of its issue.
pub(in crate::planner) fn brief(
    page: &mut Page<'_>,
    plan: &Plan,
    now: Timestamp,
) -> io::Result<()> {
    let state = words::state(plan);
    let Plan {
        strategy,
        entity,
        confidence,
        risk,
        ..
    } = plan;
    let head = format!(
        "{state}: {strategy} on {entity}; confidence {confidence:.2}, risk {risk:.2}, {}",
        plan.reversibility
    );
    page.hanging(2, &plan.id, mark(plan), &head)?;
    for i in 0..plan.steps.len() {
        write_step(page, 2 + mark(plan), plan, i)?;
    }
    let indent = 2 + mark(plan);
    for (name, text) in became(plan, now) {
        page.hanging(indent, name, 12, &text)?;
    }
    Ok(())
}

/// Columns of the number of a plan.
fn mark(plan: &Plan) -> usize {
    plan.id.chars().count().clamp(2, 12) + 2
}

/// `1. Restart instance/shop/api-1.  done in 14 s`.
fn write_step(page: &mut Page<'_>, indent: usize, plan: &Plan, i: usize) -> io::Result<()> {
    let Some(step) = plan.steps.get(i) else {
        return Ok(());
    };
    let text = step_sentence(plan, step);
    page.hanging(indent, &format!("{}.", i + 1), 3, &text)
}

/// `done: Restart instance/shop/api-1. (after 14 s: …)`; of a dry run `would be done: …`.
pub(in crate::planner) fn step_sentence(plan: &Plan, step: &PlanStep) -> String {
    if words::is_dry(plan) && step.state() == StepState::Done {
        return format!("would be done: {}", step.action);
    }
    let mut text = format!("{}: {}", enums::step_state(step.state()), step.action);
    let is_answered = step.answered_us > 0 && step.state() != StepState::Ordered;
    if is_answered {
        let took = (step.answered_us - step.ordered_us).max(0) as f64 / 1e6;
        text.push_str(&format!(" (after {}: {})", length(took), step.said));
    }
    text
}

/// What holds it, who said what, and what came of it; what is not known is left out.
fn became(plan: &Plan, now: Timestamp) -> Vec<(&'static str, String)> {
    let mut told = vec![("effect", words::effect(plan))];
    for word in &plan.approvals {
        let what = if word.approved {
            "approved by"
        } else {
            "refused by"
        };
        let (actor, authority) = (&word.actor, &word.authority);
        let mut text = format!(
            "{what} {actor} ({authority}) {} ago",
            words::ago(now, word.time_us)
        );
        if !word.reason.is_empty() {
            text.push_str(&format!(": {}", word.reason));
        }
        told.push(("word", text));
    }
    if plan.state() == PlanState::AwaitingApproval {
        told.push(("needs", words::needed(plan, now)));
    }
    let waits = matches!(
        plan.state(),
        PlanState::AwaitingApproval | PlanState::Scheduled
    );
    if waits && plan.not_before_us > now.micros() {
        told.push((
            "not before",
            format!("{} (UTC)", words::date(plan.not_before_us)),
        ));
    }
    let is_under_way = matches!(
        plan.state(),
        PlanState::AwaitingApproval | PlanState::Scheduled | PlanState::Running
    );
    let held = if is_under_way { "held by" } else { "ended" };
    // A verdict says it already.
    let is_told = plan
        .outcome
        .as_ref()
        .is_some_and(|outcome| outcome.reason == plan.held);
    if !is_told {
        told.push((held, plan.held.clone()));
    }
    told.push(("verdict", words::outcome(plan)));
    told.retain(|(_, text)| !text.is_empty());
    told
}

/// The page that the server drew for the reviewer, then what became of the plan.
pub(super) fn page(
    page: &mut Page<'_>,
    plan: &Plan,
    preview: &str,
    now: Timestamp,
) -> io::Result<()> {
    page.verbatim(preview)?;
    let was_dry = plan.state() == PlanState::Shadow && words::is_dry(plan);
    let dry = match was_dry {
        true => ": a dry run, nothing was changed",
        false => "",
    };
    page.heading(&format!("{} is {}{dry}", plan.id, words::state(plan)))?;
    let has_begun = plan
        .steps
        .iter()
        .any(|step| step.state() != StepState::Waiting);
    if has_begun {
        for i in 0..plan.steps.len() {
            write_step(page, 2, plan, i)?;
        }
    }
    for (name, text) in became(plan, now)
        .into_iter()
        .filter(|(name, _)| *name != "effect")
    {
        page.hanging(2, name, 12, &text)?;
    }
    if plan.state() == PlanState::AwaitingApproval {
        let id = &plan.id;
        page.text(
            2,
            &format!(
                "next: `forestall approve {id}`{}, or `forestall refuse {id} --reason …`",
                if words::is_dry(plan) {
                    " (a dry run: nothing is changed)"
                } else {
                    ""
                }
            ),
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use crate::page::written;
    use crate::planner::samples;

    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(samples::NOW_US + 600_000_000);

    #[test]
    fn in_brief() {
        let text = written(80, |page| {
            page.text(0, "Plans")?;
            brief(page, &samples::plan(), NOW)?;
            brief(page, &samples::cured(), NOW)
        });
        expect![[r#"
            Plans
              p4  awaiting_approval: restart_rolling on instance/shop/api-1; confidence
                  0.91, risk 0.12, reversible
                  1. waiting: Scale service/shop/api from 3 to 4.
                  2. waiting: Restart instance/shop/api-1.
                  effect      memory_used_ratio{pod="api-1"}: 75 % to 30 % within 5 min of
                              the last step; a move of less than 10 % is no effect
                  needs       operator, by 2026-11-26 12:04:00 (UTC, too late)
              p4  done, cured: restart_rolling on instance/shop/api-1; confidence 0.91, risk
                  0.12, reversible
                  1. done: Scale service/shop/api from 3 to 4. (after 14 s: done in 14 s)
                  2. done: Restart instance/shop/api-1. (after 14 s: done in 14 s)
                  effect      memory_used_ratio{pod="api-1"}: 75 % to 30 % within 5 min of
                              the last step; a move of less than 10 % is no effect
                  word        approved by ann (operator) 9 min ago: seen this before
                  verdict     cured: 31 % where 30 % was foretold: it moved as foretold
        "#]]
        .assert_eq(&text);
    }

    #[test]
    fn in_full() {
        let text = written(100, |to| {
            page(
                to,
                &samples::plan(),
                "plan p4 for issue i17\n-----\nproblem  leak\n",
                NOW,
            )?;
            page(to, &samples::cured(), "plan p4 for issue i17", NOW)
        });
        expect![[r#"
            plan p4 for issue i17
            -----
            problem  leak

            p4 is awaiting_approval
              needs       operator, by 2026-11-26 12:04:00 (UTC, too late)
              next: `forestall approve p4`, or `forestall refuse p4 --reason …`
            plan p4 for issue i17

            p4 is done, cured
              1. done: Scale service/shop/api from 3 to 4. (after 14 s: done in 14 s)
              2. done: Restart instance/shop/api-1. (after 14 s: done in 14 s)
              word        approved by ann (operator) 9 min ago: seen this before
              verdict     cured: 31 % where 30 % was foretold: it moved as foretold
        "#]]
        .assert_eq(&text);
    }

    #[test]
    fn names_of_others_are_harmless() {
        let text = written(80, |to| {
            page(to, &samples::hostile_plan(), samples::HOSTILE, NOW)?;
            brief(to, &samples::hostile_plan(), NOW)
        });
        assert!(!text.contains('\u{202e}'), "{text}");
    }
}
