//! `forestall approve`: allows a plan to be carried out, after a look at it.

use std::io::{self, BufRead, IsTerminal, Write};

use anyhow::{Context, bail};
use clap::Args;
use proto::v1::plan_service_client::PlanServiceClient;
use proto::v1::{ApprovePlanRequest, ApprovePlanResponse, GetPlanRequest, Plan};
use series::Timestamp;

use super::acting::{Acting, ActorArgs, not_done};
use super::operation::{self, Wanted};
use super::words;
use crate::hint::WithHint;
use crate::page::Page;
use crate::plain;
use crate::runtime::block_on;

const EXAMPLES: &str = "\
Examples:
  forestall approve p4
      Shows what it does, asks, and tells each step as it is done.
  forestall approve p4 --check
      Whether you could approve it now; nothing is changed.
  forestall approve p4 --yes --no-wait --reason 'agreed in the channel'
      For scripts: exit code 0 when it is approved.";

/// Shows a plan, asks, approves it, and waits until it is carried out.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ApproveArgs {
    /// Which plan, such as p4
    #[arg(value_name = "PLAN")]
    plan: String,
    /// Why, for whoever reads it later
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
    /// Approve without asking; needed where nobody can be asked
    #[arg(long, short)]
    yes: bool,
    /// Only say whether you could approve it; nothing is changed
    #[arg(long, conflicts_with_all = ["yes", "no_wait"])]
    check: bool,
    /// Do not wait until it is carried out
    #[arg(long)]
    no_wait: bool,
    #[command(flatten)]
    actor: ActorArgs,
}

/// Runs it.
///
/// # Errors
/// When it may not be approved, nobody says yes, or it does not succeed.
pub(super) fn run(args: &ApproveArgs) -> anyhow::Result<()> {
    block_on(approve(args))
}

async fn approve(args: &ApproveArgs) -> anyhow::Result<()> {
    let acting = args.actor.begin().await?;
    // First of all: nobody is asked about what they may not approve.
    let possible = ask_server(args, &acting, true).await?;
    let plan = possible
        .plan
        .context("the server told nothing of the plan")?;
    let id = plain::line(&plan.id);
    if args.check {
        let mut out = io::stdout().lock();
        for line in possibly(&plan, words::now()) {
            writeln!(out, "{}", plain::line(&line))?;
        }
        writeln!(out, "nothing was changed")?;
        return Ok(());
    }
    if !args.yes {
        if !io::stdin().is_terminal() {
            let error = anyhow::anyhow!("nobody can be asked: standard input is no terminal");
            return Err(error.hint(format!(
                "look at `forestall plans show {id}`, then approve with --yes"
            )));
        }
        show(&acting, &id).await?;
        for line in words::holds(&plan, words::now()) {
            let line = format!("{id} would wait after that: {line}");
            writeln!(io::stdout(), "{}", plain::line(&line))?;
        }
        if !is_yes(&mut io::stdin().lock(), &mut io::stdout(), &question(&plan))? {
            bail!("{id} is not approved");
        }
    }
    let response = ask_server(args, &acting, false).await?;
    let plan = response
        .plan
        .context("the server told nothing of the plan")?;
    writeln!(
        io::stdout(),
        "{}",
        plain::line(&format!("{id} is approved, and {}", words::state(&plan)))
    )?;
    if args.no_wait {
        return Ok(());
    }
    operation::wait(Wanted::Done, acting.connection, &response.operation, &plan).await
}

async fn ask_server(
    args: &ApproveArgs,
    acting: &Acting,
    validate_only: bool,
) -> anyhow::Result<ApprovePlanResponse> {
    let response = acting.send(|connection, by| {
        let request = ApprovePlanRequest {
            id: args.plan.clone(),
            actor: by.actor,
            reason: args.reason.clone(),
            request_id: by.request_id,
            validate_only,
        };
        async {
            PlanServiceClient::new(connection)
                .approve_plan(request)
                .await
        }
    });
    response.await
}

async fn show(acting: &Acting, id: &str) -> anyhow::Result<()> {
    let mut client = PlanServiceClient::new(acting.connection.clone());
    let request = GetPlanRequest { id: id.to_owned() };
    let response = client.get_plan(request).await;
    let preview = response
        .map_err(|status| not_done(&status))?
        .into_inner()
        .preview;
    let mut out = io::stdout().lock();
    let mut page = Page::new(&mut out);
    page.verbatim(without_form(&preview))?;
    page.gap()?;
    Ok(())
}

/// The page without the lines for a pen at its end.
fn without_form(preview: &str) -> &str {
    let form = preview.find("\n[ ] approved");
    form.map_or(preview, |at| &preview[..at])
}

/// What would come of approving a plan now.
fn possibly(plan: &Plan, now: Timestamp) -> Vec<String> {
    let holds = words::holds(plan, now);
    let id = &plan.id;
    let mut lines = vec![match holds.is_empty() {
        true => format!("{id} could be approved now"),
        false => format!("{id} could be approved now, and would wait:"),
    }];
    lines.extend(holds.into_iter().map(|hold| format!("  {hold}")));
    if words::is_dry(plan) {
        lines.push("it would be a dry run: the steps are told, and nothing is done".to_owned());
    }
    lines
}

fn question(plan: &Plan) -> String {
    let id = plain::line(&plan.id);
    match words::is_dry(plan) {
        true => format!("approve {id} as a dry run: nothing is changed?"),
        false => format!("approve {id}?"),
    }
}

/// Asks, and takes nothing but a clear yes for one.
fn is_yes(from: &mut dyn BufRead, to: &mut dyn Write, question: &str) -> io::Result<bool> {
    write!(to, "{question} [y/N] ")?;
    to.flush()?;
    let mut line = String::new();
    from.read_line(&mut line)?;
    let answer = line.trim().to_ascii_lowercase();
    Ok(answer == "y" || answer == "yes")
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn only_a_clear_yes_is_one() {
        let check = |typed: &str| {
            let mut out = Vec::new();
            let yes = is_yes(&mut typed.as_bytes(), &mut out, "approve p4?").unwrap();
            assert_eq!(out, b"approve p4? [y/N] ");
            yes
        };
        assert!(check("y\n") && check(" YES \n") && check("yes"));
        assert!(
            !check("\n") && !check("") && !check("n\n") && !check("yep\n") && !check("approve\n")
        );
    }

    #[test]
    fn what_holds_it_and_a_dry_run_are_told_before_the_question() {
        let now = Timestamp::from_micros(samples::NOW_US);
        let mut plan = samples::plan();
        assert_eq!(question(&plan), "approve p4?");
        assert_eq!(possibly(&plan, now), ["p4 could be approved now"]);
        plan.held = "brake: the brake is engaged".to_owned();
        plan.executor = "dry_run".to_owned();
        assert_eq!(
            question(&plan),
            "approve p4 as a dry run: nothing is changed?"
        );
        let expected = [
            "p4 could be approved now, and would wait:",
            "  held by brake: the brake is engaged",
            "it would be a dry run: the steps are told, and nothing is done",
        ];
        assert_eq!(possibly(&plan, now), expected);
    }

    #[test]
    fn the_form_is_for_paper() {
        assert_eq!(
            without_form("plan p4\n---\n[ ] approved   [ ] refused\n\nname: _"),
            "plan p4\n---"
        );
        assert_eq!(without_form("plan p4"), "plan p4");
    }
}
