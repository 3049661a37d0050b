//! Waiting until a plan is carried out, or undone: each step is told when it is over.

mod told;

use std::io::Write;
use std::time::Duration;

use anyhow::bail;
use indicatif::ProgressBar;
use proto::v1::plan_service_client::PlanServiceClient;
use proto::v1::{Plan, PlanState, WaitOperationRequest, WaitOperationResponse};

use self::told::{Told, doing};
use super::acting::{not_done, twice};
use super::words;
use crate::connect::Connection;
use crate::hint::WithHint;
use crate::plain;

/// How long one question waits for its answer: steps are told at least so often.
const TURN_S: f64 = 1.0;
/// What begins later than this is not waited for.
const PATIENCE_S: f64 = 120.0;

/// How it should end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Its steps are done.
    Done,
    /// They are undone.
    Undone,
}

/// Waits for `operations/p4`; tells on standard output what becomes of each step.
///
/// # Errors
/// When it does not end as it should, or the server is lost.
pub(super) async fn wait(
    wanted: Wanted,
    connection: Connection,
    name: &str,
    plan: &Plan,
) -> anyhow::Result<()> {
    let id = plan.id.clone();
    if let Some(later) = later(plan) {
        writeln!(std::io::stdout(), "{}", plain::line(&later))?;
        return Ok(());
    }
    let bar = crate::progress::spinner(&id);
    tokio::select! {
        done = follow(wanted, connection, name, &bar) => done,
        _ = tokio::signal::ctrl_c() => {
            bar.finish_and_clear();
            writeln!(
                std::io::stdout(),
                "{id} goes on without being watched: `forestall plans show {id}` tells, `forestall cancel {id} --reason …` stops it"
            )?;
            Ok(())
        }
    }
}

/// Why it is not worth waiting for.
fn later(plan: &Plan) -> Option<String> {
    let in_s = plan.not_before_us.saturating_sub(words::now().micros()) as f64 / 1e6;
    let is_later = plan.state() == PlanState::Scheduled && in_s > PATIENCE_S;
    is_later.then(|| {
        format!(
            "{id} is scheduled for {} (UTC): `forestall plans show {id}` tells what became of it",
            words::date(plan.not_before_us),
            id = plan.id
        )
    })
}

async fn follow(
    wanted: Wanted,
    connection: Connection,
    name: &str,
    bar: &ProgressBar,
) -> anyhow::Result<()> {
    let client = PlanServiceClient::new(connection);
    let mut told = Told::default();
    bar.enable_steady_tick(Duration::from_millis(120));
    loop {
        let request = WaitOperationRequest {
            name: name.to_owned(),
            timeout_s: TURN_S,
        };
        let answer = twice(|| {
            let (mut client, request) = (client.clone(), request.clone());
            async move { client.wait_operation(request).await }
        });
        let answer = answer.await.map_err(|status| {
            let error = not_done(&status);
            error.hint("the plan goes on all the same: `forestall plans` tells")
        })?;
        let lines = told.news(&answer);
        bar.suspend(|| {
            lines
                .iter()
                .try_for_each(|line| writeln!(std::io::stdout(), "{line}"))
        })?;
        if let Some(plan) = &answer.plan {
            bar.set_message(doing(plan));
        }
        if answer.done {
            bar.finish_and_clear();
            return end(wanted, &answer);
        }
    }
}

fn end(wanted: Wanted, answer: &WaitOperationResponse) -> anyhow::Result<()> {
    let plan = answer.plan.clone().unwrap_or_default();
    let id = plain::line(&plan.id);
    // To whoever wanted it carried out, what was rolled back is a failure.
    let is_undone = wanted == Wanted::Undone && plan.state() == PlanState::RolledBack;
    if !answer.error.is_empty() && !is_undone {
        let error = anyhow::anyhow!("{id} did not succeed: {}", answer.error);
        return Err(error.hint(format!(
            "`forestall plans show {id}` tells what became of each step"
        )));
    }
    if answer.plan.is_none() {
        bail!("the server told nothing of the plan");
    }
    let mut out = std::io::stdout();
    writeln!(out, "{}", plain::line(&sentence(&plan)))?;
    for line in by_hand(&plan) {
        writeln!(out, "{}", plain::line(&line))?;
    }
    Ok(())
}

/// What is left to a person after a dry run: the steps, and an issue that is as it was.
fn by_hand(plan: &Plan) -> Vec<String> {
    let is_left = words::is_dry(plan) && plan.state() == PlanState::Shadow;
    if !is_left {
        return Vec::new();
    }
    let mut lines = vec!["to do it by hand:".to_owned()];
    for (i, step) in plan.steps.iter().enumerate() {
        // The executor says what it would have done.
        let how = step.said.strip_prefix("would ").unwrap_or(&step.action);
        lines.push(format!("  {}. {how}", i + 1));
    }
    let issue = &plan.issue;
    lines.push(format!(
        "{issue} still needs a person: `forestall issues show {issue}`"
    ));
    lines
}

/// How it ended.
fn sentence(plan: &Plan) -> String {
    let id = &plan.id;
    let within = plan.effect.as_ref().map_or(0.0, |effect| effect.within_s);
    let within = crate::outlook::words::length(within);
    if plan.state() == PlanState::Verifying {
        format!(
            "{id} is carried out; whether it helped is known within {within}: `forestall plans show {id}`"
        )
    } else if plan.state() == PlanState::Shadow {
        format!("{id} was carried out as a dry run: nothing was changed")
    } else {
        format!("{id} is {}", words::state(plan))
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn the_end_says_what_is_known() {
        let mut plan = samples::plan();
        plan.set_state(PlanState::Verifying);
        let expected =
            "p4 is carried out; whether it helped is known within 5 min: `forestall plans show p4`";
        assert_eq!(sentence(&plan), expected);
        plan.set_state(PlanState::Shadow);
        assert_eq!(
            sentence(&plan),
            "p4 was carried out as a dry run: nothing was changed"
        );
        assert!(by_hand(&plan).is_empty());
        plan.executor = "dry_run".to_owned();
        plan.steps[0].said = "would scale service/shop/api: kubectl scale".to_owned();
        let expected = [
            "to do it by hand:",
            "  1. scale service/shop/api: kubectl scale",
            "  2. Restart instance/shop/api-1.",
            "i17 still needs a person: `forestall issues show i17`",
        ];
        assert_eq!(by_hand(&plan), expected);
        assert_eq!(sentence(&samples::cured()), "p4 is done, cured");
        let failed = WaitOperationResponse {
            done: true,
            error: "rolled_back: a step failed".to_owned(),
            plan: Some(samples::cured()),
        };
        let text = crate::hint::message(&end(Wanted::Done, &failed).unwrap_err());
        let expected = "p4 did not succeed: rolled_back: a step failed\nhint: `forestall plans show p4` tells what became of each step";
        assert_eq!(text, expected);
    }

    #[test]
    fn what_begins_much_later_is_not_waited_for() {
        let mut plan = samples::plan();
        plan.set_state(PlanState::Scheduled);
        plan.not_before_us = words::now().micros() + 3_600_000_000;
        assert!(later(&plan).unwrap().starts_with("p4 is scheduled for 2"));
        plan.not_before_us = 0;
        assert_eq!(later(&plan), None);
    }
}
