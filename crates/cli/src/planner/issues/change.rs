//! `forestall issues ack`, `suppress`, `reopen` and `resolve`: what people say about an issue.

use std::io::Write;

use anyhow::{Context, bail};
use clap::Args;
use jiff::SignedDuration;
use proto::v1;
use proto::v1::issue_service_client::IssueServiceClient;

use crate::plain;
use crate::planner::acting::ActorArgs;
use crate::planner::{enums, words};

/// Which issue, and who says what about it.
#[derive(Debug, Args)]
struct Word {
    /// Which, such as i17
    #[arg(value_name = "ISSUE")]
    id: String,
    #[command(flatten)]
    actor: ActorArgs,
}

/// Say that you have seen it
#[derive(Debug, Args)]
pub(super) struct Ack {
    #[command(flatten)]
    word: Word,
    /// For whoever looks next
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
}

/// Plan nothing for it for some time; a plan that waits is cancelled
#[derive(Debug, Args)]
pub(super) struct Suppress {
    #[command(flatten)]
    word: Word,
    /// How long, such as 90m, 2h or 3d
    #[arg(long = "for", value_name = "TIME", value_parser = length)]
    length: SignedDuration,
    /// Why
    #[arg(long, value_name = "TEXT")]
    note: String,
}

/// End a suppression, or take an escalated issue back
#[derive(Debug, Args)]
pub(super) struct Reopen {
    #[command(flatten)]
    word: Word,
    /// For whoever looks next
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
}

/// Say that it is over; what is found again opens a new one
#[derive(Debug, Args)]
pub(super) struct Resolve {
    #[command(flatten)]
    word: Word,
    /// Why
    #[arg(long, value_name = "TEXT")]
    note: String,
}

/// A length of time: as `jiff` reads it, and days too.
fn length(text: &str) -> Result<SignedDuration, String> {
    let days = text
        .strip_suffix('d')
        .and_then(|days| days.parse::<u16>().ok());
    let length = match days {
        Some(days) => SignedDuration::from_hours(24 * i64::from(days)),
        None => text
            .parse::<SignedDuration>()
            .map_err(|_| "expected a length of time such as 90m, 2h or 3d".to_owned())?,
    };
    match length.is_positive() {
        true => Ok(length),
        false => Err("expected a length of time above 0".to_owned()),
    }
}

pub(super) async fn ack(args: &Ack) -> anyhow::Result<()> {
    let (id, note) = (&args.word.id, &args.note);
    let acting = args.word.actor.begin().await?;
    let response = acting.send(|connection, by| {
        let request = v1::AcknowledgeIssueRequest {
            id: id.clone(),
            actor: by.actor,
            note: note.clone(),
            request_id: by.request_id,
        };
        async {
            IssueServiceClient::new(connection)
                .acknowledge_issue(request)
                .await
        }
    });
    say(response.await?.issue)
}

pub(super) async fn suppress(args: &Suppress) -> anyhow::Result<()> {
    let (id, note) = (&args.word.id, &args.note);
    if note.trim().is_empty() {
        bail!("--note is empty: say why nothing is to be done about {id}");
    }
    let acting = args.word.actor.begin().await?;
    let response = acting.send(|connection, by| {
        let request = v1::SuppressIssueRequest {
            id: id.clone(),
            actor: by.actor,
            note: note.clone(),
            duration_s: args.length.as_secs_f64(),
            request_id: by.request_id,
        };
        async {
            IssueServiceClient::new(connection)
                .suppress_issue(request)
                .await
        }
    });
    say(response.await?.issue)
}

pub(super) async fn reopen(args: &Reopen) -> anyhow::Result<()> {
    let (id, note) = (&args.word.id, &args.note);
    let acting = args.word.actor.begin().await?;
    let response = acting.send(|connection, by| {
        let request = v1::ReopenIssueRequest {
            id: id.clone(),
            actor: by.actor,
            note: note.clone(),
            request_id: by.request_id,
        };
        async {
            IssueServiceClient::new(connection)
                .reopen_issue(request)
                .await
        }
    });
    say(response.await?.issue)
}

pub(super) async fn resolve(args: &Resolve) -> anyhow::Result<()> {
    let (id, note) = (&args.word.id, &args.note);
    let acting = args.word.actor.begin().await?;
    let response = acting.send(|connection, by| {
        let request = v1::ResolveIssueRequest {
            id: id.clone(),
            actor: by.actor,
            note: note.clone(),
            request_id: by.request_id,
        };
        async {
            IssueServiceClient::new(connection)
                .resolve_issue(request)
                .await
        }
    });
    say(response.await?.issue)
}

fn say(issue: Option<v1::Issue>) -> anyhow::Result<()> {
    let issue = issue.context("the server told nothing of the issue")?;
    writeln!(std::io::stdout(), "{}", sentence(&issue))?;
    Ok(())
}

/// `i17 is suppressed until 2026-11-26 14:00:00 (UTC): memory_exhaustion on instance/shop/api-1`.
fn sentence(issue: &v1::Issue) -> String {
    let until = match issue.suppressed_until_us {
        0 => String::new(),
        until => format!(" until {} (UTC)", words::date(until)),
    };
    let (state, class) = (enums::issue_state(issue), enums::class(issue.class()));
    plain::line(&format!(
        "{} is {state}{until}: {class} on {}",
        issue.id, issue.entity
    ))
}

#[cfg(test)]
mod tests {
    use crate::planner::samples;

    use super::*;

    #[test]
    fn what_came_of_it_is_one_sentence() {
        let mut issue = samples::leak();
        issue.set_state(v1::IssueState::Suppressed);
        issue.suppressed_until_us = samples::NOW_US + 7_200_000_000;
        let expected = "i17 is suppressed until 2026-11-26 14:00:00 (UTC): memory_exhaustion on instance/shop/api-1";
        assert_eq!(sentence(&issue), expected);
        assert!(!sentence(&samples::hostile()).chars().any(char::is_control));
    }

    #[test]
    fn lengths_are_read_with_days() {
        let s = |text: &str| length(text).map(|length| length.as_secs());
        assert_eq!(
            (s("90m"), s("2h"), s("3d"), s("1h30m")),
            (Ok(5_400), Ok(7_200), Ok(259_200), Ok(5_400))
        );
        assert!(s("0s").unwrap_err().contains("above 0") && s("-2h").is_err());
        assert!(s("soon").unwrap_err().contains("such as 90m, 2h or 3d"));
    }
}
