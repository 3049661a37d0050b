//! `forestall plans`: what is to be done, was done, and how it was decided.

mod list;
mod show;

pub(super) use show::{brief, step_sentence};

use std::io::Write;

use clap::{Args, Subcommand};
use proto::v1::plan_service_client::PlanServiceClient;
use proto::v1::{ExplainPlanRequest, GetPlanRequest, ListPlansRequest, Plan, PlanState};

use super::acting::not_done;
use super::words::now;
use super::{enums, explanation, json};
use crate::connect::ServerArgs;
use crate::page::{Page, terminal_width};
use crate::plain;
use crate::runtime::block_on;

const EXAMPLES: &str = "\
Examples:
  forestall plans
  forestall plans --state awaiting_approval
      What waits for a person.
  forestall plans show p4
      What it does step by step, how that is done by hand, and how it is undone: the page to review.
  forestall plans explain p4
      All strategies that were weighed: chances, risks, costs, and what speaks against each.";

/// Lists plans, shows one as its reviewer needs it, and explains how it came about.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub(crate) struct PlansArgs {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    list: List,
}

#[derive(Debug, Subcommand)]
enum What {
    /// One plan: the page to review, and what became of it
    Show(One),
    /// How it was decided: all strategies that were weighed, and why this one
    Explain(One),
}

#[derive(Debug, Args)]
struct One {
    /// Which, such as p4
    #[arg(value_name = "PLAN")]
    id: String,
    /// Print JSON, one object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Debug, Args)]
struct List {
    /// Only for this issue
    #[arg(long, value_name = "ISSUE", default_value = "")]
    issue: String,
    /// Only in this state; may be given more than once
    #[arg(long, value_parser = enums::plan_states(), value_name = "STATE")]
    state: Vec<PlanState>,
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
pub(super) fn run(args: &PlansArgs) -> anyhow::Result<()> {
    match &args.what {
        None => block_on(list(&args.list)),
        Some(What::Show(args)) => block_on(show(args)),
        Some(What::Explain(args)) => block_on(explain(args)),
    }
}

async fn list(args: &List) -> anyhow::Result<()> {
    let (plans, is_cut) = pages(args).await?;
    let mut out = std::io::stdout().lock();
    if args.json {
        for plan in &plans {
            writeln!(out, "{}", plain::json(&json::plan(plan)))?;
        }
        return Ok(());
    }
    let terminal = terminal_width();
    list::write(&mut Page::new(&mut out), &plans, is_cut, now(), terminal)?;
    Ok(())
}

async fn pages(args: &List) -> anyhow::Result<(Vec<Plan>, bool)> {
    let mut client = PlanServiceClient::new(args.server.connect().await?);
    let (mut plans, mut page_token) = (Vec::new(), String::new());
    let most = usize::from(args.limit);
    loop {
        let request = ListPlansRequest {
            issue: args.issue.clone(),
            states: args.state.iter().map(|&state| state.into()).collect(),
            page_size: i32::try_from((most - plans.len()).min(200)).unwrap_or(i32::MAX),
            page_token,
        };
        let response = client.list_plans(request).await;
        let response = response.map_err(|status| not_done(&status))?.into_inner();
        plans.extend(response.plans);
        page_token = response.next_page_token;
        if page_token.is_empty() || plans.len() >= most {
            return Ok((plans, !page_token.is_empty()));
        }
    }
}

async fn show(args: &One) -> anyhow::Result<()> {
    let mut client = PlanServiceClient::new(args.server.connect().await?);
    let request = GetPlanRequest {
        id: args.id.clone(),
    };
    let response = client.get_plan(request).await;
    let response = response.map_err(|status| not_done(&status))?.into_inner();
    let plan = response.plan.unwrap_or_default();
    let mut out = std::io::stdout().lock();
    if args.json {
        let mut value = json::plan(&plan);
        value["preview"] = response.preview.into();
        writeln!(out, "{}", plain::json(&value))?;
    } else {
        show::page(&mut Page::new(&mut out), &plan, &response.preview, now())?;
    }
    Ok(())
}

async fn explain(args: &One) -> anyhow::Result<()> {
    let mut client = PlanServiceClient::new(args.server.connect().await?);
    let request = ExplainPlanRequest {
        id: args.id.clone(),
    };
    let response = client.explain_plan(request).await;
    let response = response.map_err(|status| not_done(&status))?.into_inner();
    let told = response.explanation.unwrap_or_default();
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, "{}", plain::json(&json::explanation(&told)))?;
    } else {
        explanation::write(&mut Page::new(&mut out), &told, true)?;
    }
    Ok(())
}
