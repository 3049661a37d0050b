//! `forestall issues show`: the whole story of one issue on one page.

use std::io::{self, Write};

use clap::Args;
use proto::v1::issue_service_client::IssueServiceClient;
use proto::v1::{
    Finding, GetIssueRequest, GetIssueResponse, Issue, IssueState, PlanIssueRequest,
    PlanIssueResponse,
};
use series::Timestamp;

use crate::connect::{Connection, ServerArgs};
use crate::page::Page;
use crate::plain;
use crate::planner::acting::not_done;
use crate::planner::words::now;
use crate::planner::{enums, explanation, history, json, plans, words};

/// One issue on one page: what, why, the numbers, the plans, and everything that happened
#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// Which, such as i17
    #[arg(value_name = "ISSUE")]
    id: String,
    /// Print JSON, one object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArgs,
}

pub(super) async fn run(args: &ShowArgs) -> anyhow::Result<()> {
    let mut client = IssueServiceClient::new(args.server.connect().await?);
    let request = GetIssueRequest {
        id: args.id.clone(),
    };
    let story = client.get_issue(request).await;
    let story = story.map_err(|status| not_done(&status))?.into_inner();
    let weighed = weighed(&mut client, &story).await;
    let mut out = io::stdout().lock();
    if args.json {
        let mut value = json::story(&story);
        let told = weighed.as_ref().and_then(|now| now.explanation.as_ref());
        value["explanation"] = told.map(json::explanation).into();
        writeln!(out, "{}", plain::json(&value))?;
    } else {
        write(&mut Page::new(&mut out), &story, weighed.as_ref(), now())?;
    }
    Ok(())
}

/// What would be decided now about an issue that is left to people, which says why; `None` of any other, and where the server
/// cannot tell.
async fn weighed(
    client: &mut IssueServiceClient<Connection>,
    story: &GetIssueResponse,
) -> Option<PlanIssueResponse> {
    let issue = story.issue.as_ref()?;
    if issue.state() != IssueState::Escalated {
        return None;
    }
    let request = PlanIssueRequest {
        id: issue.id.clone(),
        validate_only: true,
        ..PlanIssueRequest::default()
    };
    let response = client.plan_issue(request).await.ok()?;
    Some(response.into_inner())
}

/// The story.
pub(super) fn write(
    page: &mut Page<'_>,
    story: &GetIssueResponse,
    weighed: Option<&PlanIssueResponse>,
    now: Timestamp,
) -> io::Result<()> {
    let issue = story.issue.clone().unwrap_or_default();
    let (severity, class) = (enums::severity(&issue), enums::class(issue.class()));
    let state = enums::issue_state(&issue);
    page.text(
        0,
        &format!(
            "{}: {severity} {class} on {}, {state}",
            issue.id, issue.entity
        ),
    )?;
    page.gap()?;
    what(page, &issue, now)?;
    if !issue.evidence.is_empty() {
        page.heading("Evidence, most telling first")?;
    }
    for (i, finding) in issue.evidence.iter().enumerate() {
        evidence(page, i + 1, finding, &issue, now)?;
    }
    for (i, plan) in story.plans.iter().enumerate() {
        if i == 0 {
            page.heading("Plans")?;
        }
        plans::brief(page, plan, now)?;
    }
    if let Some(told) = weighed.and_then(|now| now.explanation.as_ref()) {
        page.heading("Why it is left to people, as it would be decided now")?;
        explanation::why_not(page, told)?;
    }
    if !story.history.is_empty() {
        page.heading("History")?;
        history::write(page, &story.history)?;
    }
    let waiting = story
        .plans
        .iter()
        .find(|plan| enums::plan_state(plan) == "awaiting_approval");
    if let Some(plan) = waiting {
        let id = &plan.id;
        page.gap()?;
        page.text(0, &format!("next: `forestall plans show {id}`, then `forestall approve {id}` or `forestall refuse {id} --reason …`"))?;
    } else if issue.state() == IssueState::Escalated {
        page.gap()?;
        page.text(0, &next(&issue.id, weighed))?;
    }
    Ok(())
}

/// What a person can do about an issue that is left to them.
fn next(id: &str, weighed: Option<&PlanIssueResponse>) -> String {
    match weighed.and_then(|now| now.plan.as_ref()) {
        Some(plan) => format!(
            "next: `forestall plan {id}` makes a plan, {}; or mend it, then `forestall issues resolve {id} --note …`",
            plan.strategy
        ),
        None => format!(
            "next: mend it, then `forestall issues resolve {id} --note …`; `forestall issues ack {id} --note …` says that you \
             are at it, and `forestall plan {id} --dry-run` shows all that was weighed"
        ),
    }
}

fn what(page: &mut Page<'_>, issue: &Issue, now: Timestamp) -> io::Result<()> {
    let odds = issue.evidence.first().and_then(words::odds);
    let what = words::what(issue);
    page.fact(
        "what",
        &odds.map_or(what.clone(), |odds| format!("{what}; {odds}")),
    )?;
    page.fact("cause", &issue.cause)?;
    page.fact("severity", &issue.severity_reason)?;
    page.fact("affected", &issue.affected.join(", "))?;
    page.fact("also", &also(issue))?;
    let since = format!(
        "{} (UTC), {} ago",
        words::date(issue.opened_us),
        words::ago(now, issue.opened_us)
    );
    page.fact("since", &since)?;
    match issue.resolved_us {
        0 => page.fact(
            "last seen",
            &format!("{} ago", words::ago(now, issue.seen_us)),
        )?,
        resolved => page.fact("resolved", &format!("{} (UTC)", words::date(resolved)))?,
    }
    if issue.suppressed_until_us > 0 {
        page.fact(
            "suppressed",
            &format!("until {} (UTC)", words::date(issue.suppressed_until_us)),
        )?;
    }
    if !issue.part_of.is_empty() {
        page.fact("part of", &issue.part_of)?;
    }
    if !issue.seen_by.is_empty() {
        page.fact("seen by", &issue.seen_by)?;
    }
    if !issue.returned_from.is_empty() {
        page.fact("returned", &format!("it is {} again", issue.returned_from))?;
    }
    page.fact("note", &issue.note)
}

/// Others with the same trouble; not all are named.
fn also(issue: &Issue) -> String {
    let named = issue.also.join(", ");
    match issue.also_count.saturating_sub(issue.also.len() as u64) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

fn evidence(
    page: &mut Page<'_>,
    n: usize,
    finding: &Finding,
    issue: &Issue,
    now: Timestamp,
) -> io::Result<()> {
    let head = format!("{}: {}", finding.source, finding.signal);
    page.hanging(2, &format!("{n}."), 4, &head)?;
    let mut told = vec![words::measured(finding)];
    told.extend(words::foreseen(finding));
    told.extend(words::odds(finding));
    told.push(format!("confidence {:.2}", finding.confidence));
    if !finding.cause.is_empty() && finding.cause != issue.cause {
        told.push(finding.cause.clone());
    }
    told.push(format!("{} ago", words::ago(now, finding.time_us)));
    page.text(6, &told.join("; "))?;
    let facts: Vec<String> = finding
        .facts
        .iter()
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    match facts.is_empty() {
        true => Ok(()),
        false => page.text(6, &facts.join("; ")),
    }
}

#[cfg(test)]
#[path = "show_tests.rs"]
mod tests;
