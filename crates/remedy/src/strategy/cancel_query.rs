//! Cancels queries that run away.

use super::draft::{calm, only, step};
use super::{Authority, Case, Draft, Reversibility, Strategy, Unfit};
use crate::action::Action;
use crate::{Class, Kind};

/// Seconds under which a query is slow, but may well end: its user has waited for it.
const RUNAWAY_S: f64 = 60.0;

/// Cancels queries that run away; their sessions stay.
pub(super) const STRATEGY: Strategy = Strategy {
    name: "cancel_query",
    about: "cancel queries that have run for minutes and hold up the others",
    classes: &[Class::SlowQueries],
    // Whoever asked can ask again.
    reversibility: Reversibility::SelfHealing,
    authority: Authority::Operator,
    cost_min: 2.0,
    duration_s: 10.0,
    prior: [9.0, 1.0],
    harm: 0.03,
    fallbacks: &["analyze_table", "add_index", "pause_jobs", "notify_owner"],
    draft,
};

fn draft(case: &Case) -> Result<Draft, Unfit> {
    only(case, &[Kind::Database])?;
    if case.warns("long_queries") {
        return Err(Unfit::because(format!(
            "queries of minutes are the work of {}",
            case.entity
        )));
    }
    if case.fact("family") == Some("connections") {
        return Err(Unfit::because(
            "a cancelled query leaves its session, and connections are what runs out",
        ));
    }
    let longest_s = case.number("longest_s");
    let longest_s =
        longest_s.ok_or_else(|| Unfit::because("how long the longest query runs is not known"))?;
    if longest_s < RUNAWAY_S {
        return Err(Unfit::because(format!(
            "the longest query runs for {longest_s:.0} s: slow, but it may well end"
        )));
    }
    // Half of the longest takes its likes with it and leaves alone what is merely slow.
    let longer_than_s = (longest_s / 2.0).max(RUNAWAY_S).round();
    let cancel = Action::CancelQueries {
        target: case.entity.clone(),
        longer_than_s,
    };
    Ok(Draft {
        steps: vec![step(cancel, 30.0)],
        effect: calm(case, 120.0)?,
        because: format!(
            "a query runs for {longest_s:.0} s and holds locks, memory or a processor that others wait for"
        ),
        fit: if longest_s > 10.0 * RUNAWAY_S {
            0.85
        } else {
            0.65
        },
        capacity_away: 0.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::tests::with;

    #[test]
    fn what_is_merely_slow_goes_on() {
        let drafted = |facts: &[(&str, &str)]| {
            draft(&with("database/orders", Class::SlowQueries, 30.0, facts))
        };
        let drafted_steps = drafted(&[("longest_s", "900")]).unwrap().steps;
        assert_eq!(
            drafted_steps[0].action.to_string(),
            "cancel queries over 450 s on database/orders"
        );
        assert!(
            drafted(&[("longest_s", "20")])
                .unwrap_err()
                .why
                .contains("20 s")
        );
        assert!(drafted(&[("longest_s", "900"), ("long_queries", "yes")]).is_err());
        assert!(drafted(&[]).is_err());
    }
}
