//! `forestall issues`: what is wrong, or will be, and what is being done about it.

mod change;
mod list;
mod show;
mod watch;

use std::io::Write;

use clap::{Args, Subcommand};
use proto::v1::issue_service_client::IssueServiceClient;
use proto::v1::plan_service_client::PlanServiceClient;
use proto::v1::{
    Issue, IssueClass, IssueState, ListIssuesRequest, ListPlansRequest, Plan, Severity,
};
use tokio::task::JoinSet;

use super::acting::not_done;
use super::{enums, json};
use crate::connect::{Connection, ServerArgs};
use crate::page::{Page, terminal_width};
use crate::plain;
use crate::planner::words::now;
use crate::runtime::block_on;

const EXAMPLES: &str = "\
Examples:
  forestall issues
      What is wrong or will be, gravest first, and the plan for each.
  forestall issues --severity high --class memory_exhaustion
  forestall issues --all --entity host/web-1 --json | jq -r .cause
  forestall issues show i17
      One issue on one page: what, why, the numbers, the plans, and everything that happened.
  forestall issues watch
  forestall issues suppress i17 --for 2h --note 'the migration runs until noon'";

/// Lists issues, tells the story of one, and takes what people say about it.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub(crate) struct IssuesArgs {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    list: List,
}

#[derive(Debug, Subcommand)]
enum What {
    Show(show::ShowArgs),
    Watch(watch::WatchArgs),
    Ack(change::Ack),
    Suppress(change::Suppress),
    Reopen(change::Reopen),
    Resolve(change::Resolve),
}

#[derive(Debug, Args)]
struct List {
    /// Resolved ones too, newest first
    #[arg(long)]
    all: bool,
    /// Only of this class; may be given more than once
    #[arg(long, value_parser = enums::classes(), value_name = "CLASS")]
    class: Vec<IssueClass>,
    /// Only in this state; may be given more than once
    #[arg(long, value_parser = enums::issue_states(), value_name = "STATE")]
    state: Vec<IssueState>,
    /// At least this grave
    #[arg(long, value_parser = enums::severities(), value_name = "SEVERITY")]
    severity: Option<Severity>,
    /// Only about this entity, such as host/web-1
    #[arg(long, value_name = "ENTITY", default_value = "")]
    entity: String,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..))]
    limit: u16,
    /// One JSON object per line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// Runs it.
///
/// # Errors
/// When the server cannot be reached, or refuses.
pub(in crate::planner) fn run(args: &IssuesArgs) -> anyhow::Result<()> {
    match &args.what {
        None => block_on(list(&args.list)),
        Some(What::Show(args)) => block_on(show::run(args)),
        Some(What::Watch(args)) => block_on(watch::run(args)),
        Some(What::Ack(args)) => block_on(change::ack(args)),
        Some(What::Suppress(args)) => block_on(change::suppress(args)),
        Some(What::Reopen(args)) => block_on(change::reopen(args)),
        Some(What::Resolve(args)) => block_on(change::resolve(args)),
    }
}

async fn list(args: &List) -> anyhow::Result<()> {
    let connection = args.server.connect().await?;
    let (issues, is_cut) = pages(connection.clone(), args).await?;
    if args.json {
        let mut out = std::io::stdout().lock();
        for issue in &issues {
            writeln!(out, "{}", plain::json(&json::issue(issue)))?;
        }
        return Ok(());
    }
    let plans = last_plans(connection, &issues).await?;
    let shown = list::Shown {
        issues: &issues,
        plans: &plans,
        now: now(),
        is_all: args.all,
        is_cut,
    };
    let mut out = std::io::stdout().lock();
    shown.write(&mut Page::new(&mut out), terminal_width())?;
    Ok(())
}

/// What matches, and whether there is more.
async fn pages(connection: Connection, args: &List) -> anyhow::Result<(Vec<Issue>, bool)> {
    let mut client = IssueServiceClient::new(connection);
    let (mut issues, mut page_token) = (Vec::new(), String::new());
    let most = usize::from(args.limit);
    loop {
        let request = ListIssuesRequest {
            states: args.state.iter().map(|&state| state.into()).collect(),
            classes: args.class.iter().map(|&class| class.into()).collect(),
            min_severity: args.severity.unwrap_or_default().into(),
            entity: args.entity.clone(),
            include_resolved: args.all || args.state.contains(&IssueState::Resolved),
            page_size: i32::try_from((most - issues.len()).min(1_000)).unwrap_or(i32::MAX),
            page_token,
        };
        let response = client.list_issues(request).await;
        let response = response.map_err(|status| not_done(&status))?.into_inner();
        issues.extend(response.issues);
        page_token = response.next_page_token;
        if page_token.is_empty() || issues.len() >= most {
            issues.truncate(most);
            return Ok((issues, !page_token.is_empty()));
        }
    }
}

/// The newest plan of each issue that has any: an issue names its plans, and not what became of them.
async fn last_plans(connection: Connection, issues: &[Issue]) -> anyhow::Result<Vec<Plan>> {
    let client = PlanServiceClient::new(connection);
    let mut asked = JoinSet::new();
    for issue in issues.iter().filter(|issue| !issue.plans.is_empty()) {
        let mut client = client.clone();
        let request = ListPlansRequest {
            issue: issue.id.clone(),
            page_size: 1,
            ..ListPlansRequest::default()
        };
        asked.spawn(async move { client.list_plans(request).await });
    }
    let mut plans = Vec::new();
    while let Some(answer) = asked.join_next().await {
        let answer = answer?.map_err(|status| not_done(&status))?;
        plans.extend(answer.into_inner().plans);
    }
    Ok(plans)
}
