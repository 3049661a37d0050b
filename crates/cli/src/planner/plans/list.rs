//! Plans as a table.

use std::io;

use proto::v1::{Plan, PlanState};
use series::Timestamp;

use crate::outlook::words::length;
use crate::page::Page;
use crate::planner::words;
use crate::table::{Align, Table};

/// Writes them; `terminal` is how many columns there are, unless it goes into a file or a pipe.
pub(super) fn write(
    page: &mut Page<'_>,
    plans: &[Plan],
    is_cut: bool,
    now: Timestamp,
    terminal: Option<usize>,
) -> io::Result<()> {
    if plans.is_empty() {
        return page.text(0, "no plan matches");
    }
    let table = table(plans, now);
    match terminal {
        Some(columns) if table.width() > columns => {
            plans.iter().try_for_each(|plan| narrow(page, plan, now))?;
        }
        _ => page.whole(&table)?,
    }
    let mut text = words::count(plans.len() as u64, "plan", "plans");
    if is_cut {
        text.push_str(", and there are more: --limit");
    }
    page.text(0, &text)
}

/// A plan on two lines.
fn narrow(page: &mut Page<'_>, plan: &Plan, now: Timestamp) -> io::Result<()> {
    let Plan {
        strategy,
        entity,
        issue,
        ..
    } = plan;
    let head = format!(
        "{}: {strategy} on {entity}, for {issue}",
        words::state(plan)
    );
    page.hanging(0, &crate::plain::cut(&plan.id, 8), 6, &head)?;
    let mut told = vec![format!(
        "confidence {:.2}, risk {:.2}",
        plan.confidence, plan.risk
    )];
    told.push(format!("made {} ago", words::ago(now, plan.created_us)));
    told.push(next(plan, now));
    told.retain(|part| !part.is_empty());
    page.text(6, &told.join("; "))
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
    let is = |state, us: i64| plan.state() == state && us > now.micros();
    if is(PlanState::AwaitingApproval, plan.deadline_us) {
        let needs = format!(
            "needs {} within {}",
            plan.authority,
            until(plan.deadline_us)
        );
        let holds = words::holds(plan, now).join("; ");
        match holds.is_empty() {
            true => needs,
            false => format!("{needs}; {holds}"),
        }
    } else if is(PlanState::Scheduled, plan.not_before_us) {
        format!("in {}", until(plan.not_before_us))
    } else {
        plan.held.clone()
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
        let mut waiting = samples::plan();
        waiting.held = "brake: the brake is engaged".to_owned();
        assert_eq!(
            next(&waiting, now),
            "needs operator within 4 min; held by brake: the brake is engaged"
        );
        let plans = [samples::plan(), held, samples::cured()];
        let text = written(80, |page| write(page, &plans, false, now, Some(80)));
        expect![[r#"
            p4    awaiting_approval: restart_rolling on instance/shop/api-1, for i17
                  confidence 0.91, risk 0.12; made 11 min ago; needs operator within 4 min
            p5    scheduled: restart_rolling on instance/shop/api-1, for i17
                  confidence 0.91, risk 0.12; made 11 min ago; the brake is engaged by ann:
                  deploy
            p4    done, cured: restart_rolling on instance/shop/api-1, for i17
                  confidence 0.91, risk 0.12; made 11 min ago; it moved as foretold
            3 plans
        "#]]
        .assert_eq(&text);
        let text = written(120, |page| write(page, &plans, true, now, Some(120)));
        expect![[r#"
            p4    awaiting_approval: restart_rolling on instance/shop/api-1, for i17
                  confidence 0.91, risk 0.12; made 11 min ago; needs operator within 4 min
            p5    scheduled: restart_rolling on instance/shop/api-1, for i17
                  confidence 0.91, risk 0.12; made 11 min ago; the brake is engaged by ann: deploy
            p4    done, cured: restart_rolling on instance/shop/api-1, for i17
                  confidence 0.91, risk 0.12; made 11 min ago; it moved as foretold
            3 plans, and there are more: --limit
        "#]]
        .assert_eq(&text);
        for terminal in [None, Some(80)] {
            let plans = [samples::hostile_plan()];
            let text = written(120, |page| write(page, &plans, true, now, terminal));
            assert!(!text.contains('\u{202e}'), "{text}");
        }
    }
}
