//! Lets a database collect dead rows and statistics.

use super::draft::{effect, identifier, only, step};
use super::{Authority, Case, Draft, Reversibility, Strategy, Unfit};
use crate::action::Action;
use crate::{Class, Kind};

/// Share of dead or uncounted rows from which plans of queries go wrong; autovacuum of PostgreSQL begins at 0.2 too.
const STALE: f64 = 0.2;

/// Lets a database collect dead rows and statistics: for plans that were right for yesterday's rows.
pub(super) const STRATEGY: Strategy = Strategy {
    name: "analyze_table",
    about: "collect dead rows and statistics of the table that is slow",
    classes: &[Class::SlowQueries],
    reversibility: Reversibility::SelfHealing,
    authority: Authority::Operator,
    cost_min: 1.0,
    duration_s: 300.0,
    prior: [7.0, 3.0],
    harm: 0.01,
    fallbacks: &["add_index", "pause_jobs", "notify_owner"],
    draft,
};

fn draft(case: &Case) -> Result<Draft, Unfit> {
    only(case, &[Kind::Database])?;
    if case.unit != "seconds" {
        return Err(Unfit::because(
            "what is measured is not how long queries take, and statistics change nothing else",
        ));
    }
    let dead = case.number("dead_rows_ratio");
    if dead.is_some_and(|share| share < STALE / 2.0) {
        return Err(Unfit::because(
            "the rows of the table are counted and alive, and its plans are as good as they get",
        ));
    }
    let table = case.fact("table").and_then(identifier).unwrap_or_default();
    let analyze = Action::Analyze {
        target: case.entity.clone(),
        table: table.to_owned(),
    };
    let of = if table.is_empty() {
        "some table"
    } else {
        table
    };
    Ok(Draft {
        steps: vec![step(analyze, 1800.0)],
        effect: effect(case, case.value * 0.5, 600.0)?,
        because: format!("queries may be planned by statistics of {of} that are out of date"),
        fit: match dead {
            // Rows that a query of minutes may still see are not collected.
            Some(_)
                if case
                    .number("longest_s")
                    .is_some_and(|longest_s| longest_s > 300.0) =>
            {
                0.3
            }
            Some(share) if share >= STALE => 0.95,
            _ if table.is_empty() => 0.2,
            _ => 0.35,
        },
        capacity_away: 0.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::tests::with;

    #[test]
    fn dead_rows_decide() {
        let fit = |dead| {
            let facts = [("table", "orders"), ("dead_rows_ratio", dead)];
            let case = with("database/orders", Class::SlowQueries, 12.0, &facts);
            draft(&case).map(|draft| draft.fit)
        };
        assert_eq!(fit("0.4"), Ok(0.95));
        assert_eq!(fit("0.15"), Ok(0.35));
        assert!(fit("0.01").is_err());
    }
}
