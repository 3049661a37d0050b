//! `forestall plan`: thinks an issue over now.

use std::io::{self, Write};

use clap::Args;
use proto::v1::issue_service_client::IssueServiceClient;
use proto::v1::{PlanIssueRequest, PlanIssueResponse, PlanState};

use super::acting::ActorArgs;
use super::{explanation, json, words};
use crate::page::Page;
use crate::plain;
use crate::runtime::block_on;

const EXAMPLES: &str = "\
Examples:
  forestall plan i17 --dry-run
      What would be decided now, and why, without changing anything.
  forestall plan i17
      Makes the plan. A plan that waited for approval is replaced.";

/// Thinks an issue over now: shows the plan that comes of it, and why it is this one.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct PlanArgs {
    /// Which issue, such as i17
    #[arg(value_name = "ISSUE")]
    issue: String,
    /// Only say what would be decided; nothing is changed
    #[arg(long)]
    dry_run: bool,
    /// Print JSON, one object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    actor: ActorArgs,
}

/// Runs it.
///
/// # Errors
/// When the server cannot be reached, or no plan came of it.
pub(super) fn run(args: &PlanArgs) -> anyhow::Result<()> {
    let response = block_on(ask(args))?;
    let mut out = io::stdout().lock();
    if args.json {
        let value = serde_json::json!({
            "plan": response.plan.as_ref().map(json::plan),
            "explanation": response.explanation.as_ref().map(json::explanation),
            "preview": response.preview,
        });
        writeln!(out, "{}", plain::json(&value))?;
    } else {
        write(&mut Page::new(&mut out), &response, args.dry_run)?;
    }
    Ok(())
}

async fn ask(args: &PlanArgs) -> anyhow::Result<PlanIssueResponse> {
    let acting = args.actor.begin().await?;
    let response = acting.send(|connection, by| {
        let request = PlanIssueRequest {
            id: args.issue.clone(),
            actor: by.actor,
            validate_only: args.dry_run,
            request_id: by.request_id,
        };
        async {
            IssueServiceClient::new(connection)
                .plan_issue(request)
                .await
        }
    });
    response.await
}

fn write(page: &mut Page<'_>, response: &PlanIssueResponse, is_dry: bool) -> io::Result<()> {
    if !response.preview.is_empty() {
        page.verbatim(&response.preview)?;
        page.gap()?;
    }
    if let Some(told) = &response.explanation {
        explanation::write(page, told, !is_dry)?;
    }
    page.gap()?;
    let Some(plan) = &response.plan else {
        return page.text(0, "no plan would come of it; nothing was changed");
    };
    if is_dry {
        return page.text(
            0,
            "this was a dry run: there is no such plan, and nothing was changed",
        );
    }
    let id = &plan.id;
    let mut text = format!("{id} is {}", words::state(plan));
    if plan.state() == PlanState::AwaitingApproval {
        text.push_str(&format!(
            ": `forestall approve {id}`, or `forestall refuse {id} --reason …`"
        ));
    }
    page.text(0, &text)
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::page::written;

    #[test]
    fn the_end_says_what_was_changed_and_what_is_next() {
        let mut response = PlanIssueResponse {
            plan: Some(samples::plan()),
            explanation: Some(samples::explanation()),
            preview: "plan p4\u{1b}[2J\n-----\n".to_owned(),
        };
        let text = written(100, |page| write(page, &response, false));
        assert!(
            text.starts_with("plan p4\u{fffd}[2J\n-----\n\nd9: ask a person"),
            "{text}"
        );
        let end = "p4 is awaiting_approval: `forestall approve p4`, or `forestall refuse p4 --reason …`\n";
        assert!(text.ends_with(end), "{text}");
        let text = written(100, |page| write(page, &response, true));
        assert!(
            text.ends_with("dry run: there is no such plan, and nothing was changed\n"),
            "{text}"
        );
        (response.plan, response.preview) = (None, String::new());
        let text = written(100, |page| write(page, &response, true));
        assert!(
            text.ends_with("no plan would come of it; nothing was changed\n"),
            "{text}"
        );
    }
}
