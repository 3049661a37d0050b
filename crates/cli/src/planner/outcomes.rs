//! `forestall outcomes`: what came of plans.

use std::io::{self, Write};

use clap::Args;
use proto::v1::plan_service_client::PlanServiceClient;
use proto::v1::{ListOutcomesRequest, Plan, PlanState};

use super::acting::not_done;
use super::{enums, json, words};
use crate::connect::ServerArgs;
use crate::page::{Page, terminal_width};
use crate::plain;
use crate::runtime::block_on;
use crate::table::{Align, Table};

const EXAMPLES: &str = "\
Examples:
  forestall outcomes
  forestall outcomes --strategy restart_rolling --json | jq .outcome.verdict

A verdict is made by a rule that was written down before anything was done. Of shadows and controls it says
whether the issue went away by itself.";

/// Lists plans that were judged, newest first: what was foretold, what was measured.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct OutcomesArgs {
    /// Only of this strategy
    #[arg(long, value_name = "STRATEGY", default_value = "")]
    strategy: String,
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
pub(super) fn run(args: &OutcomesArgs) -> anyhow::Result<()> {
    let (plans, is_cut) = block_on(pages(args))?;
    let mut out = io::stdout().lock();
    if args.json {
        for plan in &plans {
            writeln!(out, "{}", plain::json(&json::plan(plan)))?;
        }
        return Ok(());
    }
    let terminal = terminal_width();
    write(&mut Page::new(&mut out), &plans, is_cut, terminal)?;
    Ok(())
}

async fn pages(args: &OutcomesArgs) -> anyhow::Result<(Vec<Plan>, bool)> {
    let mut client = PlanServiceClient::new(args.server.connect().await?);
    let (mut plans, mut page_token) = (Vec::new(), String::new());
    let most = usize::from(args.limit);
    loop {
        let request = ListOutcomesRequest {
            strategy: args.strategy.clone(),
            page_size: i32::try_from((most - plans.len()).min(200)).unwrap_or(i32::MAX),
            page_token,
        };
        let response = client.list_outcomes(request).await;
        let response = response.map_err(|status| not_done(&status))?.into_inner();
        plans.extend(response.plans);
        page_token = response.next_page_token;
        if page_token.is_empty() || plans.len() >= most {
            return Ok((plans, !page_token.is_empty()));
        }
    }
}

fn write(
    page: &mut Page<'_>,
    plans: &[Plan],
    is_cut: bool,
    terminal: Option<usize>,
) -> io::Result<()> {
    if plans.is_empty() {
        return page.text(0, "no plan was judged yet");
    }
    let table = table(plans);
    match terminal {
        Some(columns) if table.width() > columns => {
            plans.iter().try_for_each(|plan| narrow(page, plan))?;
        }
        _ => page.whole(&table)?,
    }
    let mut text = words::count(plans.len() as u64, "outcome", "outcomes");
    if is_cut {
        text.push_str(", and there are more: --limit");
    }
    page.text(0, &text)
}

/// An outcome on two lines.
fn narrow(page: &mut Page<'_>, plan: &Plan) -> io::Result<()> {
    let (strategy, entity) = (&plan.strategy, &plan.entity);
    let judged = plan.outcome.as_ref().map_or(0, |outcome| outcome.time_us);
    let head = format!(
        "{strategy} on {entity}, judged {} (UTC)",
        words::date(judged)
    );
    page.hanging(0, &plain::cut(&plan.id, 8), 6, &head)?;
    let state = match plan.state() == PlanState::Done {
        true => String::new(),
        false => format!("{}: ", enums::plan_state(plan)),
    };
    page.text(6, &format!("{state}{}", words::outcome(plan)))
}

fn table(plans: &[Plan]) -> Table {
    let mut table = Table::new(&[
        ("plan", Align::Left),
        ("judged (UTC)", Align::Left),
        ("verdict", Align::Left),
        ("entity", Align::Left),
        ("strategy", Align::Left),
        ("foretold", Align::Right),
        ("measured", Align::Right),
        ("why", Align::Left),
    ]);
    for plan in plans {
        let Some(outcome) = &plan.outcome else {
            continue;
        };
        let effect = plan.effect.clone().unwrap_or_default();
        let value = |value| words::quantity(value, &effect.unit);
        let state = enums::plan_state(plan);
        let verdict = enums::verdict(outcome.verdict());
        table.row([
            plan.id.clone(),
            words::date(outcome.time_us),
            match state.as_str() {
                "done" => verdict,
                state => format!("{verdict} ({state})"),
            },
            plan.entity.clone(),
            plan.strategy.clone(),
            value(effect.to_value),
            outcome.value.map_or_else(|| "-".to_owned(), value),
            outcome.reason.clone(),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::super::samples;
    use super::*;
    use crate::page::written;

    #[test]
    fn foretold_beside_measured() {
        let mut shadow = samples::cured();
        shadow.set_state(PlanState::Shadow);
        if let Some(outcome) = &mut shadow.outcome {
            outcome.value = None;
        }
        let plans = [samples::cured(), shadow];
        let text = written(80, |page| write(page, &plans, false, Some(80)));
        expect![[r#"
            p4    restart_rolling on instance/shop/api-1, judged 2026-11-26 12:09:00 (UTC)
                  cured: 31 % where 30 % was foretold: it moved as foretold
            p4    restart_rolling on instance/shop/api-1, judged 2026-11-26 12:09:00 (UTC)
                  shadow: cured: it moved as foretold
            2 outcomes
        "#]]
        .assert_eq(&text);
        let text = written(120, |page| write(page, &plans, false, Some(120)));
        expect![[r#"
            p4    restart_rolling on instance/shop/api-1, judged 2026-11-26 12:09:00 (UTC)
                  cured: 31 % where 30 % was foretold: it moved as foretold
            p4    restart_rolling on instance/shop/api-1, judged 2026-11-26 12:09:00 (UTC)
                  shadow: cured: it moved as foretold
            2 outcomes
        "#]]
        .assert_eq(&text);
        for terminal in [None, Some(80)] {
            let plans = [samples::hostile_plan()];
            let text = written(120, |page| write(page, &plans, true, terminal));
            assert!(!text.contains('\u{202e}'), "{text}");
        }
    }
}
