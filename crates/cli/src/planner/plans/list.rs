//! Plans as a table.

use std::io;

use proto::v1::{Plan, PlanState};
use series::Timestamp;

use crate::outlook::words::length;
use crate::page::{Page, terminal_width};
use crate::planner::words;
use crate::table::{Align, Table};

/// Columns that are cut where a terminal is narrow: entity, strategy, and what is next.
const FLEXIBLE: [usize; 3] = [3, 4, 8];

pub(super) fn write(
    page: &mut Page<'_>,
    plans: &[Plan],
    is_cut: bool,
    now: Timestamp,
) -> io::Result<()> {
    if plans.is_empty() {
        return page.text(0, "no plan matches");
    }
    let table = table(plans, now);
    match terminal_width() {
        None => page.whole(&table)?,
        Some(_) => page.table(&table, 0, &FLEXIBLE)?,
    }
    let mut text = words::count(plans.len() as u64, "plan", "plans");
    if is_cut {
        text.push_str(", and there are more: --limit");
    }
    page.text(0, &text)
}

fn table(plans: &[Plan], now: Timestamp) -> Table {
    let mut table = Table::new(&[
        ("id", Align::Left),
        ("state", Align::Left),
        ("issue", Align::Left),
        ("entity", Align::Left),
        ("strategy", Align::Left),
        ("sure", Align::Right),
        ("risk", Align::Right),
        ("made", Align::Right),
        ("next, or why", Align::Left),
    ]);
    for plan in plans {
        table.row([
            plan.id.clone(),
            words::state(plan),
            plan.issue.clone(),
            plan.entity.clone(),
            plan.strategy.clone(),
            format!("{:.2}", plan.confidence),
            format!("{:.2}", plan.risk),
            words::ago(now, plan.created_us),
            next(plan, now),
        ]);
    }
    table
}

/// What is to happen next, or why it ended.
fn next(plan: &Plan, now: Timestamp) -> String {
    if let Some(outcome) = &plan.outcome {
        return outcome.reason.clone();
    }
    let until = |us: i64| length(us.saturating_sub(now.micros()) as f64 / 1e6);
    match plan.state() {
        PlanState::AwaitingApproval if plan.deadline_us > now.micros() => {
            format!("by {} within {}", plan.authority, until(plan.deadline_us))
        }
        PlanState::Scheduled if plan.not_before_us > now.micros() => {
            format!("in {}", until(plan.not_before_us))
        }
        _ => plan.held.clone(),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use crate::page::written;
    use crate::planner::samples;

    use super::*;

    #[test]
    fn a_line_for_each() {
        let now = Timestamp::from_micros(samples::NOW_US);
        let mut held = samples::plan();
        held.id = "p5".to_owned();
        held.set_state(PlanState::Scheduled);
        held.held = "the brake is engaged by ann: deploy".to_owned();
        let plans = [samples::plan(), held, samples::cured()];
        let text = written(80, |page| page.table(&table(&plans, now), 0, &FLEXIBLE));
        expect![[r#"
            id  state              issue  entity      strategy    sure  risk    made  next, or …
            p4  awaiting_approval  i17    instance/…  restart_r…  0.91  0.12  11 min  by operat…
            p5  scheduled          i17    instance/…  restart_r…  0.91  0.12  11 min  the brake…
            p4  done, cured        i17    instance/…  restart_r…  0.91  0.12  11 min  it moved …
        "#]].assert_eq(&text);
        let text = written(120, |page| page.table(&table(&plans, now), 0, &FLEXIBLE));
        expect![[r#"
            id  state              issue  entity               strategy         sure  risk    made  next, or why
            p4  awaiting_approval  i17    instance/shop/api-1  restart_rolling  0.91  0.12  11 min  by operator within 4 min
            p5  scheduled          i17    instance/shop/api-1  restart_rolling  0.91  0.12  11 min  the brake is engaged by ann: de…
            p4  done, cured        i17    instance/shop/api-1  restart_rolling  0.91  0.12  11 min  it moved as foretold
        "#]].assert_eq(&text);
        let text = written(120, |page| {
            write(page, &[samples::hostile_plan()], true, now)
        });
        assert!(
            !text.contains('\u{202e}') && text.lines().count() == 3,
            "{text}"
        );
    }
}
