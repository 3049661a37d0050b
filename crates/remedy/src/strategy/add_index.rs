//! Builds the index that a slow query lacks.

use super::draft::{amount, effect, identifier, only, step};
use super::{Authority, Case, Draft, Reversibility, Strategy, Unfit};
use crate::action::Action;
use crate::{Class, Kind};

/// More columns than this are a sign of a query, not of an index.
const MAX_COLUMNS: usize = 4;
/// Above this share of writes an index costs more than it saves.
const MAX_WRITES: f64 = 0.5;
/// Seconds of a query with the index, as a share of those without: a scan of some rows instead of all. Tenfold is usual; five
/// is promised.
const GAIN: f64 = 0.2;

/// Builds the index that a slow query lacks, without locking the table.
pub(super) const STRATEGY: Strategy = Strategy {
    name: "add_index",
    about: "build an index over the columns that the slow query filters by, without locking the table",
    classes: &[Class::SlowQueries],
    reversibility: Reversibility::Reversible,
    authority: Authority::Owner,
    // Reads the whole table once, and every write afterwards pays for it.
    cost_min: 5.0,
    duration_s: 900.0,
    prior: [8.0, 2.0],
    harm: 0.02,
    fallbacks: &["pause_jobs", "capture_diagnostics", "notify_owner"],
    draft,
};

fn draft(case: &Case) -> Result<Draft, Unfit> {
    only(case, &[Kind::Database])?;
    let table = case.fact("table").and_then(identifier);
    let columns = case.fact("columns").unwrap_or_default();
    let columns: Option<Vec<&str>> = columns.split(',').map(identifier).collect();
    let (Some(table), Some(columns)) = (table, columns) else {
        return Err(Unfit::because(format!(
            "which table and columns the slow query of {} filters by is not known",
            case.entity
        )));
    };
    if columns.len() > MAX_COLUMNS {
        return Err(Unfit::because(format!(
            "an index over {} columns is too wide: rewrite the query",
            columns.len()
        )));
    }
    if case.unit != "seconds" {
        return Err(Unfit::because(
            "what is measured is not how long queries take, and an index changes nothing else",
        ));
    }
    let writes = case.number("writes_ratio");
    if let Some(writes) = writes.filter(|&share| share > MAX_WRITES) {
        return Err(Unfit::because(format!(
            "{} of the statements on {table} write, and each would pay for the index",
            amount(writes, "ratio")
        )));
    }
    let create = Action::CreateIndex {
        target: case.entity.clone(),
        table: table.to_owned(),
        columns: columns.iter().map(|&column| column.to_owned()).collect(),
    };
    Ok(Draft {
        steps: vec![step(create, 3600.0)],
        effect: effect(case, case.value * GAIN, 900.0)?,
        because: format!(
            "the slow query reads all of {table} to find rows by {}",
            columns.join(", ")
        ),
        fit: match case.number("longest_s") {
            // Building without a lock waits for whoever began before: that query is cancelled first.
            Some(longest_s) if longest_s > 300.0 => 0.3,
            _ if writes.is_some() => 0.85,
            _ => 0.75,
        },
        capacity_away: 0.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::tests::with;

    #[test]
    fn names_that_are_no_names_are_refused() {
        let case = |table, columns| {
            let facts = [("table", table), ("columns", columns)];
            with("database/orders", Class::SlowQueries, 12.0, &facts)
        };
        let drafted = draft(&case("public.orders", "customer_id, created_at")).unwrap();
        assert_eq!(
            drafted.steps[0].action.to_string(),
            "create an index on public.orders(customer_id, created_at) of database/orders, concurrently"
        );
        assert!(draft(&case("orders; drop table x", "id")).is_err());
        assert!(draft(&case("orders", "id,")).is_err());
        assert!(draft(&case("orders", "")).is_err());
        let mut written = case("orders", "id");
        written.facts.insert("writes_ratio".into(), "0.9".into());
        assert!(draft(&written).unwrap_err().why.contains("90 %"));
    }
}
