//! How many there are.

use std::collections::BTreeMap;

use remedy::Class;
use remedy::issue::IssueState;
use remedy::plan::{PlanState, Verdict};

use super::QueryError;
use crate::fault::{Fault, within};
use crate::link::{Row, Snapshot};
use crate::open::Ledger;
use crate::sql::{Statement, unescaped};

/// How many there are in the ledger, all seen at one instant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Statistics {
    /// Issues by class and state.
    pub issues: BTreeMap<(Class, IssueState), u64>,
    /// Plans by state.
    pub plans: BTreeMap<PlanState, u64>,
    /// Verdicts by strategy: of all plans there ever were, those that are forgotten too.
    pub verdicts: BTreeMap<(String, Verdict), u64>,
}

impl Ledger {
    /// Counts what is there.
    ///
    /// # Errors
    /// See [`QueryError`].
    pub async fn statistics(&self) -> Result<Statistics, QueryError> {
        let work = async {
            let mut snapshot = self.pool.snapshot().await?;
            Ok(Statistics {
                issues: issues(&mut snapshot).await?,
                plans: plans(&mut snapshot).await?,
                verdicts: verdicts(&mut snapshot).await?,
            })
        };
        within(self.limit, "counting", work).await
    }
}

async fn issues(snapshot: &mut Snapshot) -> Result<BTreeMap<(Class, IssueState), u64>, QueryError> {
    let sql = "SELECT class, state, COUNT(*) FROM issues GROUP BY class, state";
    let rows = snapshot.fetch(Statement::new("counting issues", sql, []));
    let count = |row: Row| {
        let class = known("issues", "class", row.text(0)?, Class::from_name)?;
        let state = known("issues", "state", row.text(1)?, |name| {
            let mut states = IssueState::ALL.into_iter();
            states.find(|state| state.name() == name)
        })?;
        Ok(((class, state), number(&row, 2)?))
    };
    rows.await?.into_iter().map(count).collect()
}

async fn plans(snapshot: &mut Snapshot) -> Result<BTreeMap<PlanState, u64>, QueryError> {
    let sql = "SELECT state, COUNT(*) FROM plans GROUP BY state";
    let rows = snapshot.fetch(Statement::new("counting plans", sql, []));
    let count = |row: Row| {
        let state = known("plans", "state", row.text(0)?, |name| {
            let mut states = PlanState::ALL.into_iter();
            states.find(|state| state.name() == name)
        })?;
        Ok((state, number(&row, 1)?))
    };
    rows.await?.into_iter().map(count).collect()
}

/// Verdicts by strategy, of forgotten plans too. Of those that were not carried out, shadows and controls, none: what went away
/// without a strategy was not cured by it.
pub(crate) async fn verdicts(
    snapshot: &mut Snapshot,
) -> Result<BTreeMap<(String, Verdict), u64>, QueryError> {
    let sql = "SELECT strategy, verdict, CAST(SUM(n) AS BIGINT) FROM ( \
                 SELECT strategy, verdict, COUNT(*) AS n FROM plans \
                   WHERE verdict IS NOT NULL AND state NOT IN ('shadow', 'withheld') \
                   GROUP BY strategy, verdict \
                 UNION ALL SELECT strategy, verdict, n FROM forgotten_verdicts \
               ) AS counted GROUP BY strategy, verdict";
    let rows = snapshot.fetch(Statement::new("counting verdicts", sql, []));
    let count = |row: Row| {
        let verdict = known("plans", "verdict", row.text(1)?, |name| {
            let mut verdicts = Verdict::ALL.into_iter();
            verdicts.find(|verdict| verdict.name() == name)
        })?;
        Ok(((unescaped(&row.text(0)?), verdict), number(&row, 2)?))
    };
    rows.await?.into_iter().map(count).collect()
}

fn known<T>(
    table: &'static str,
    column: &'static str,
    value: String,
    find: impl Fn(&str) -> Option<T>,
) -> Result<T, QueryError> {
    find(&value).ok_or(QueryError::Column {
        table,
        column,
        value,
    })
}

/// A count, which is never below 0.
fn number(row: &Row, i: usize) -> Result<u64, Fault> {
    Ok(u64::try_from(row.int(i)?).unwrap_or(0))
}
