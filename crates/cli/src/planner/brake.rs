//! `forestall brake` and `release`: holds everything, until a person lets go.

use std::io::Write;

use anyhow::Context;
use clap::Args;
use proto::v1::safety_service_client::SafetyServiceClient;
use proto::v1::{Brake, EngageBrakeRequest, ReleaseBrakeRequest};

use super::acting::ActorArgs;
use super::words;
use crate::hint::WithHint;
use crate::plain;
use crate::runtime::block_on;

const BRAKE: &str = "\
Examples:
  forestall brake --reason 'the database is being moved'
      Nothing new is carried out from now on, over restarts too, until `forestall release`.

Where no server answers, a file named `brake` in its state directory does the same.";

const RELEASE: &str = "\
Examples:
  forestall release --reason 'the database has moved'
      Takes the authority of an owner.";

/// Holds everything: no step is carried out until a person releases it.
#[derive(Debug, Args)]
#[command(after_help = BRAKE)]
pub(crate) struct BrakeArgs {
    /// Why, for whoever reads it later
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    actor: ActorArgs,
}

/// Releases the brake.
#[derive(Debug, Args)]
#[command(after_help = RELEASE)]
pub(crate) struct ReleaseArgs {
    /// Why, for whoever reads it later
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    actor: ActorArgs,
}

/// Runs `brake`.
///
/// # Errors
/// When the server cannot be reached, or refuses.
pub(super) fn engage(args: &BrakeArgs) -> anyhow::Result<()> {
    let reason = &args.reason;
    block_on(async {
        let acting = args.actor.begin().await.map_err(without_server)?;
        let response = acting.send(|connection, by| {
            let request = EngageBrakeRequest {
                actor: by.actor,
                reason: reason.clone(),
                request_id: by.request_id,
            };
            async {
                SafetyServiceClient::new(connection)
                    .engage_brake(request)
                    .await
            }
        });
        say(response.await?.brake)
    })
}

/// The error of a brake that no server hears, with the way that takes none.
fn without_server(error: anyhow::Error) -> anyhow::Error {
    let told = crate::hint::message(&error);
    let told = told.lines().next().unwrap_or_default().to_owned();
    let Some(dir) = server::Config::default().state.resolved_dir() else {
        return error;
    };
    let file = plain::line(&dir.join("brake").to_string_lossy());
    anyhow::anyhow!("{told}").hint(format!(
        "on the machine of the server: `touch {file}` (where it was started with --state-dir DIR: `touch DIR/brake`)"
    ))
}

/// Runs `release`.
///
/// # Errors
/// When the server cannot be reached, or refuses.
pub(super) fn release(args: &ReleaseArgs) -> anyhow::Result<()> {
    let reason = &args.reason;
    block_on(async {
        let acting = args.actor.begin().await?;
        let response = acting.send(|connection, by| {
            let request = ReleaseBrakeRequest {
                actor: by.actor,
                reason: reason.clone(),
                request_id: by.request_id,
            };
            async {
                SafetyServiceClient::new(connection)
                    .release_brake(request)
                    .await
            }
        });
        say(response.await?.brake)
    })
}

fn say(brake: Option<Brake>) -> anyhow::Result<()> {
    let brake = brake.context("the server told nothing of the brake")?;
    writeln!(
        std::io::stdout(),
        "the brake is {}",
        plain::line(&sentence(&brake))
    )?;
    Ok(())
}

/// `engaged by ann since 2026-11-26 12:00:00 (UTC): deploy`.
pub(super) fn sentence(brake: &Brake) -> String {
    let state = if brake.engaged { "engaged" } else { "released" };
    if brake.since_us == 0 {
        return state.to_owned();
    }
    let since = words::date(brake.since_us);
    format!(
        "{state} by {} since {since} (UTC): {}",
        brake.actor, brake.reason
    )
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn without_a_server_there_is_a_file() {
        let error = anyhow::anyhow!("cannot reach the server").hint("start one");
        let text = crate::hint::message(&without_server(error));
        assert!(
            text.starts_with("cannot reach the server\nhint: "),
            "{text}"
        );
        assert!(
            text.contains("/brake`") && !text.contains("start one"),
            "{text}"
        );
    }

    #[test]
    fn the_brake_says_who_and_why() {
        let mut brake = Brake {
            engaged: true,
            actor: "ann".to_owned(),
            reason: "deploy".to_owned(),
            since_us: samples::NOW_US,
        };
        assert_eq!(
            sentence(&brake),
            "engaged by ann since 2026-11-26 12:00:00 (UTC): deploy"
        );
        brake.engaged = false;
        assert!(sentence(&brake).starts_with("released by ann"));
        assert_eq!(sentence(&Brake::default()), "released");
    }
}
