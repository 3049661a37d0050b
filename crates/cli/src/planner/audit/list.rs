//! The audit as a running server tells it.

use std::io::Write;
use std::time::Duration;

use clap::Args;
use proto::v1::safety_service_client::SafetyServiceClient;
use proto::v1::{AuditEntry, GetSafetyRequest, ListAuditRequest};

use crate::connect::{Connection, ServerArgs};
use crate::page::{Page, terminal_width};
use crate::plain;
use crate::planner::acting::{not_done, twice};
use crate::planner::{history, json, words};

/// Entries in one answer.
const PAGE: i32 = 500;
/// How often a follower asks.
const TURN: Duration = Duration::from_secs(1);

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Only about this: an issue, plan or decision, such as i17, p4 or d9; or `brake`
    #[arg(long, value_name = "SUBJECT", default_value = "")]
    subject: String,
    /// Only what comes after this entry, oldest first; without it, the newest
    #[arg(long, value_name = "ENTRY")]
    after: Option<u64>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..))]
    limit: u16,
    /// Go on with what happens next, until Ctrl-C
    #[arg(long, short)]
    follow: bool,
    /// One JSON object per line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArgs,
}

pub(super) async fn run(args: &ListArgs) -> anyhow::Result<()> {
    let mut client = SafetyServiceClient::new(args.server.connect().await?);
    let entries = first(&mut client, args).await?;
    let mut out = std::io::stdout();
    if args.json {
        for entry in &entries {
            writeln!(out, "{}", plain::json(&json::entry(entry)))?;
        }
    } else if entries.is_empty() && !args.follow {
        writeln!(out, "nothing that matches has happened")?;
    } else if args.follow {
        for entry in &entries {
            writeln!(out, "{}", line(entry))?;
        }
    } else {
        let terminal = terminal_width();
        history::list(&mut Page::new(&mut out), &entries, terminal)?;
    }
    if args.follow {
        let last = entries
            .last()
            .map_or(args.after.unwrap_or(0), |entry| entry.seq);
        follow(&mut client, args, last).await?;
    }
    Ok(())
}

type Client = SafetyServiceClient<Connection>;

/// What is shown at first, oldest first.
async fn first(client: &mut Client, args: &ListArgs) -> anyhow::Result<Vec<AuditEntry>> {
    let most = usize::from(args.limit);
    let after = match (args.after, args.subject.is_empty()) {
        (Some(after), _) => after,
        // The end is known, so the newest are a stretch before it.
        (None, true) => end(client).await?.saturating_sub(most as u64),
        (None, false) => 0,
    };
    let (mut entries, mut after) = (Vec::new(), after);
    loop {
        let page = page(client, args, after).await?;
        let is_last = page.len() < PAGE as usize;
        after = page.last().map_or(after, |entry| entry.seq);
        entries.extend(page);
        if args.after.is_some() && entries.len() >= most {
            entries.truncate(most);
            return Ok(entries);
        }
        // Of a subject, the end is found by reading all of it.
        if args.after.is_none() && entries.len() > most {
            entries.drain(..entries.len() - most);
        }
        if is_last {
            return Ok(entries);
        }
    }
}

async fn end(client: &Client) -> anyhow::Result<u64> {
    let answer = twice(|| {
        let mut client = client.clone();
        async move { client.get_safety(GetSafetyRequest {}).await }
    });
    Ok(answer.await.map_err(|status| not_done(&status))?.audit_seq)
}

async fn page(client: &Client, args: &ListArgs, after_seq: u64) -> anyhow::Result<Vec<AuditEntry>> {
    let answer = twice(|| {
        let mut client = client.clone();
        let request = ListAuditRequest {
            after_seq,
            subject: args.subject.clone(),
            page_size: PAGE,
        };
        async move { client.list_audit(request).await }
    });
    Ok(answer.await.map_err(|status| not_done(&status))?.entries)
}

async fn follow(client: &mut Client, args: &ListArgs, mut after: u64) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    loop {
        let entries = page(client, args, after).await?;
        for entry in &entries {
            match args.json {
                true => writeln!(out, "{}", plain::json(&json::entry(entry)))?,
                false => writeln!(out, "{}", line(entry))?,
            }
            after = entry.seq;
        }
        out.flush()?;
        if entries.is_empty() {
            tokio::time::sleep(TURN).await;
        }
    }
}

/// `1234  2026-11-26 12:00:00  ann  p4 approved: seen this before (operator)`.
fn line(entry: &AuditEntry) -> String {
    let what = history::sentence(entry);
    plain::line(&format!(
        "{:>6}  {}  {:<10}  {what}",
        entry.seq,
        words::date(entry.time_us),
        entry.actor
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planner::samples;

    #[test]
    fn a_line_for_each() {
        let expected =
            "     4  2026-11-26 12:04:00  ann         p4 approved: seen this before (operator)";
        assert_eq!(line(&samples::history()[3]), expected);
        let text = samples::HOSTILE;
        let text = line(&samples::entry(1, text, text, text, text));
        assert!(!text.chars().any(char::is_control) && !text.contains('\u{202e}'));
    }
}
