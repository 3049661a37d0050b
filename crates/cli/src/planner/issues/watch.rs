//! `forestall issues watch`: a line for each change.

use std::collections::BTreeMap;
use std::io::Write;

use clap::Args;
use proto::v1::issue_service_client::IssueServiceClient;
use proto::v1::{Issue, IssueClass, IssueState, Severity, WatchIssuesRequest};
use series::Timestamp;

use crate::connect::ServerArgs;
use crate::plain;
use crate::planner::acting::not_done;
use crate::planner::words::now;
use crate::planner::{enums, json, words};

/// Print a line for each issue as it is, then one for each change, until Ctrl-C
#[derive(Debug, Args)]
pub(super) struct WatchArgs {
    /// Only of this class; may be given more than once
    #[arg(long, value_parser = enums::classes(), value_name = "CLASS")]
    class: Vec<IssueClass>,
    /// At least this grave
    #[arg(long, value_parser = enums::severities(), value_name = "SEVERITY")]
    severity: Option<Severity>,
    /// One JSON object per line, for every message of the server
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArgs,
}

pub(super) async fn run(args: &WatchArgs) -> anyhow::Result<()> {
    let mut client = IssueServiceClient::new(args.server.connect().await?);
    let request = WatchIssuesRequest {
        classes: args.class.iter().map(|&class| class.into()).collect(),
        min_severity: args.severity.unwrap_or_default().into(),
    };
    let stream = client.watch_issues(request).await;
    let mut stream = stream.map_err(|status| not_done(&status))?.into_inner();
    let mut seen = Seen::default();
    let mut out = std::io::stdout();
    loop {
        let message = stream.message().await.map_err(|status| not_done(&status))?;
        let Some(message) = message else {
            return Ok(());
        };
        for issue in &message.issues {
            if args.json {
                writeln!(out, "{}", plain::json(&json::issue(issue)))?;
            } else if seen.is_news(issue) {
                writeln!(out, "{}", line(issue, now()))?;
            }
        }
        if message.dropped_count > 0 && !args.json {
            let n = words::count(message.dropped_count, "change", "changes");
            writeln!(
                out,
                "{}  … {n} in between left out",
                words::time(now().micros())
            )?;
        }
        out.flush()?;
    }
}

/// What was shown of each issue: numbers that only move a little are no news.
#[derive(Debug, Default)]
struct Seen(BTreeMap<String, (IssueState, Severity, String, Option<String>)>);

impl Seen {
    fn is_news(&mut self, issue: &Issue) -> bool {
        let shown = (
            issue.state(),
            issue.severity(),
            issue.note.clone(),
            issue.plans.last().cloned(),
        );
        if issue.state() == IssueState::Resolved {
            self.0.remove(&issue.id);
            return true;
        }
        let before = self.0.insert(issue.id.clone(), shown.clone());
        before != Some(shown)
    }
}

/// `12:00:00  i17  critical  planned  memory_exhaustion on instance/shop/api-1: in 12 min (7–20); p4: …`.
fn line(issue: &Issue, now: Timestamp) -> String {
    let mut text = format!(
        "{}  {:<5} {:<8}  {:<12}  {} on {}: {}",
        words::time(now.micros()),
        issue.id,
        enums::severity(issue),
        enums::issue_state(issue),
        enums::class(issue.class()),
        issue.entity,
        words::what(issue)
    );
    if !issue.note.is_empty() {
        text.push_str(&format!("; {}", issue.note));
    }
    plain::line(&text)
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use crate::planner::samples;

    use super::*;

    #[test]
    fn a_line_for_each_change_and_none_for_a_number_that_moved() {
        let mut issue = samples::leak();
        let mut seen = Seen::default();
        assert!(seen.is_news(&issue));
        issue.seen_us += 1;
        issue.evidence[0].value += 0.01;
        assert!(!seen.is_news(&issue));
        issue.set_state(IssueState::Mitigating);
        assert!(seen.is_news(&issue));
        issue.set_state(IssueState::Resolved);
        assert!(seen.is_news(&issue) && seen.0.is_empty());
    }

    #[test]
    fn a_line_reads_at_a_glance() {
        let now = Timestamp::from_micros(samples::NOW_US);
        expect!["12:00:00  i17   critical  planned       memory_exhaustion on instance/shop/api-1: in 12 min (7–20); p4: restart_rolling waits for approval"].assert_eq(&line(&samples::leak(), now));
        let text = line(&samples::hostile(), now);
        assert!(
            !text.chars().any(char::is_control) && !text.contains('\u{202e}'),
            "{text}"
        );
    }
}
