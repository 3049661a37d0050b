//! `forestall refuse`, `cancel` and `undo`: the ways out of a plan, each with a reason.

use std::io::Write;

use anyhow::Context;
use clap::Args;
use proto::v1;
use proto::v1::plan_service_client::PlanServiceClient;

use super::acting::ActorArgs;
use super::operation::{self, Wanted};
use super::words;
use crate::plain;
use crate::runtime::block_on;

const REFUSE: &str = "\
Examples:
  forestall refuse p4 --reason 'the release of noon fixes it'
      It is not carried out; the issue goes to people.";

const CANCEL: &str = "\
Examples:
  forestall cancel p4 --reason 'wrong instance'
      A plan that has not begun is dropped; one that has is undone.";

const UNDO: &str = "\
Examples:
  forestall undo p4 --reason 'latency doubled'
      Undoes its steps, last first, and tells each as it is done.";

/// Which plan, why, and who says so.
#[derive(Debug, Args)]
struct Why {
    /// Which plan, such as p4
    #[arg(value_name = "PLAN")]
    plan: String,
    /// Why, for whoever reads it later
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    actor: ActorArgs,
}

/// Says no to a plan that waits for approval.
#[derive(Debug, Args)]
#[command(after_help = REFUSE)]
pub(crate) struct RefuseArgs {
    #[command(flatten)]
    why: Why,
}

/// Stops a plan, and undoes what was done of it.
#[derive(Debug, Args)]
#[command(after_help = CANCEL)]
pub(crate) struct CancelArgs {
    #[command(flatten)]
    why: Why,
    /// Do not wait until what was done is undone
    #[arg(long)]
    no_wait: bool,
}

/// Undoes a plan that was carried out.
#[derive(Debug, Args)]
#[command(after_help = UNDO)]
pub(crate) struct UndoArgs {
    #[command(flatten)]
    why: Why,
    /// Do not wait until it is undone
    #[arg(long)]
    no_wait: bool,
}

/// Runs `refuse`.
///
/// # Errors
/// When the server cannot be reached, or refuses.
pub(super) fn refuse(args: &RefuseArgs) -> anyhow::Result<()> {
    let Why {
        plan,
        reason,
        actor,
    } = &args.why;
    block_on(async {
        let acting = actor.begin().await?;
        let response = acting.send(|connection, by| {
            let request = v1::RefusePlanRequest {
                id: plan.clone(),
                actor: by.actor,
                reason: reason.clone(),
                request_id: by.request_id,
            };
            async {
                PlanServiceClient::new(connection)
                    .refuse_plan(request)
                    .await
            }
        });
        say(response.await?.plan).map(drop)
    })
}

/// Runs `cancel`.
///
/// # Errors
/// When the server cannot be reached, or refuses, or what was done cannot be undone.
pub(super) fn cancel(args: &CancelArgs) -> anyhow::Result<()> {
    let Why {
        plan,
        reason,
        actor,
    } = &args.why;
    block_on(async {
        let acting = actor.begin().await?;
        let response = acting.send(|connection, by| {
            let request = v1::CancelPlanRequest {
                id: plan.clone(),
                actor: by.actor,
                reason: reason.clone(),
                request_id: by.request_id,
            };
            async {
                PlanServiceClient::new(connection)
                    .cancel_plan(request)
                    .await
            }
        });
        let plan = say(response.await?.plan)?;
        if args.no_wait || plan.state() != v1::PlanState::Undoing {
            return Ok(());
        }
        operation::wait(
            Wanted::Undone,
            acting.connection,
            &format!("operations/{}", plan.id),
            &plan,
        )
        .await
    })
}

/// Runs `undo`.
///
/// # Errors
/// When the server cannot be reached, or refuses, or it cannot be undone.
pub(super) fn undo(args: &UndoArgs) -> anyhow::Result<()> {
    let Why {
        plan,
        reason,
        actor,
    } = &args.why;
    block_on(async {
        let acting = actor.begin().await?;
        let response = acting.send(|connection, by| {
            let request = v1::UndoPlanRequest {
                id: plan.clone(),
                actor: by.actor,
                reason: reason.clone(),
                request_id: by.request_id,
            };
            async { PlanServiceClient::new(connection).undo_plan(request).await }
        });
        let response = response.await?;
        let plan = say(response.plan)?;
        if args.no_wait || plan.state() != v1::PlanState::Undoing {
            return Ok(());
        }
        operation::wait(
            Wanted::Undone,
            acting.connection,
            &response.operation,
            &plan,
        )
        .await
    })
}

fn say(plan: Option<v1::Plan>) -> anyhow::Result<v1::Plan> {
    let plan = plan.context("the server told nothing of the plan")?;
    writeln!(std::io::stdout(), "{}", sentence(&plan))?;
    Ok(plan)
}

/// `p4 is refused: restart_rolling on instance/shop/api-1`.
fn sentence(plan: &v1::Plan) -> String {
    plain::line(&format!(
        "{} is {}: {} on {}",
        plan.id,
        words::state(plan),
        plan.strategy,
        plan.entity
    ))
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn what_came_of_it_is_one_sentence() {
        let mut plan = samples::plan();
        plan.set_state(v1::PlanState::Refused);
        assert_eq!(
            sentence(&plan),
            "p4 is refused: restart_rolling on instance/shop/api-1"
        );
        assert!(
            !sentence(&samples::hostile_plan())
                .chars()
                .any(char::is_control)
        );
    }
}
