//! Forgetting what is old, but for the audit.

use series::Timestamp;

use crate::fault::{Fault, within};
use crate::link::Row;
use crate::open::Ledger;
use crate::sql::{Statement, Value};
use crate::writer::{BeginError, Writing};

/// Issues in one call; and, of health and of requests, this many times as many.
const ISSUES_PER_CALL: i64 = 500;
const OTHERS_PER_ISSUE: i64 = 10;

/// How many were forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Forgotten {
    /// Issues.
    pub issues: u64,
    /// Plans of these.
    pub plans: u64,
    /// Decisions about these.
    pub decisions: u64,
    /// Findings of these.
    pub findings: u64,
    /// Actions of these plans.
    pub actions: u64,
    /// Health.
    pub health: u64,
    /// Requests.
    pub requests: u64,
    /// Whether there may be more: then it is called again.
    pub is_more: bool,
}

/// Why nothing was forgotten.
#[derive(Debug, thiserror::Error)]
pub enum ForgetError {
    /// It was opened for reading.
    #[error("the ledger {location} is open for reading only")]
    ReadOnly {
        /// Where it is.
        location: String,
    },
    /// Another server has the lock that was lost with the connection.
    #[error("the ledger is written by {who}")]
    Taken {
        /// Who does.
        who: String,
    },
    /// The database refused, or could not be reached.
    #[error("forgetting what is old")]
    Database(#[from] Fault),
}

impl ForgetError {
    /// Whether the same may go well later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::ReadOnly { .. } => false,
            Self::Taken { .. } => true,
            Self::Database(fault) => fault.is_transient(),
        }
    }
}

impl Ledger {
    /// Forgets issues that were resolved before a date, with their plans, findings and decisions, and health and requests from before
    /// it; a bounded number per call, in one transaction. An issue stays while a plan of it is not over. The audit stays
    /// whole; verdicts go on counting, and no number is given twice.
    ///
    /// # Errors
    /// See [`ForgetError`].
    pub async fn forget(&self, before: Timestamp) -> Result<Forgotten, ForgetError> {
        let Some(writer) = &self.writer else {
            return Err(ForgetError::ReadOnly {
                location: self.location().to_string(),
            });
        };
        let work = async {
            let mut writing = writer.begin().await.map_err(|error| match error {
                BeginError::Taken(who) => ForgetError::Taken { who },
                BeginError::Fault(fault) => fault.into(),
            })?;
            match forget(&mut writing, before).await {
                Ok(forgotten) => {
                    writing.commit().await?;
                    Ok(forgotten)
                }
                Err(fault) => {
                    writing.roll_back().await;
                    Err(fault.into())
                }
            }
        };
        within(self.limit, "forgetting", work).await
    }
}

async fn forget(writing: &mut Writing<'_>, before: Timestamp) -> Result<Forgotten, Fault> {
    let before = before.micros();
    let sql = "SELECT id FROM issues WHERE is_live = 0 AND resolved < ? AND NOT EXISTS \
               (SELECT 1 FROM plans WHERE plans.issue = issues.id AND plans.is_over = 0) \
               ORDER BY resolved LIMIT ?";
    let values = [before, ISSUES_PER_CALL].map(Value::from);
    let statement = Statement::new("looking for old issues", sql, values);
    let ids = writing.fetch(statement).await?;
    let ids = ids.iter().map(|row: &Row| row.int(0).map(Value::from));
    let ids = ids.collect::<Result<Vec<_>, _>>()?;
    let n_others = ISSUES_PER_CALL * OTHERS_PER_ISSUE;
    let mut forgotten = Forgotten {
        health: oldest(writing, "health", "at", before, n_others).await?,
        requests: oldest(writing, "requests", "id", before, n_others).await?,
        ..Forgotten::default()
    };
    let is_full = |n: u64, most: i64| i64::try_from(n).is_ok_and(|n| n >= most);
    forgotten.is_more = ids.len() as i64 >= ISSUES_PER_CALL
        || is_full(forgotten.health, n_others)
        || is_full(forgotten.requests, n_others);
    if ids.is_empty() {
        return Ok(forgotten);
    }
    let doing = "forgetting old issues";
    for table in ["issues", "plans", "decisions"] {
        let sql = format!(
            "INSERT INTO meta (name, value) \
             SELECT 'last_{table}', COALESCE(MAX(id), 0) FROM {table} WHERE 1 = 1 \
             ON CONFLICT (name) DO UPDATE SET value = excluded.value \
             WHERE meta.value < excluded.value"
        );
        writing.execute(Statement::new(doing, &sql, [])).await?;
    }
    let mut verdicts = Statement::new(
        doing,
        "INSERT INTO forgotten_verdicts (strategy, verdict, n) \
         SELECT strategy, verdict, COUNT(*) FROM plans \
         WHERE verdict IS NOT NULL AND state NOT IN ('shadow', 'withheld')",
        [],
    );
    verdicts.push_one_of("issue", ids.iter().cloned());
    let add = " GROUP BY strategy, verdict ON CONFLICT (strategy, verdict) \
               DO UPDATE SET n = forgotten_verdicts.n + excluded.n";
    verdicts.push(add, []);
    writing.execute(verdicts).await?;

    // Actions go first: their plans tell whose they are. Those that still count as attempts stay.
    let sql = "DELETE FROM actions WHERE at < ? AND plan IN (SELECT id FROM plans WHERE 1 = 1";
    let mut actions = Statement::new(doing, sql, [before.into()]);
    actions.push_one_of("issue", ids.iter().cloned());
    actions.push(")", []);
    forgotten.actions = writing.execute(actions).await?;
    for (table, column, n) in [
        ("findings", "issue", &mut forgotten.findings),
        ("decisions", "issue", &mut forgotten.decisions),
        ("plans", "issue", &mut forgotten.plans),
        ("issues", "id", &mut forgotten.issues),
    ] {
        let sql = format!("DELETE FROM {table} WHERE 1 = 1");
        let mut statement = Statement::new(doing, &sql, []);
        statement.push_one_of(column, ids.iter().cloned());
        *n = writing.execute(statement).await?;
    }
    Ok(forgotten)
}

/// Forgets the oldest rows of a table from before a time, at most so many.
async fn oldest(
    writing: &mut Writing<'_>,
    table: &str,
    key: &str,
    before: i64,
    most: i64,
) -> Result<u64, Fault> {
    let sql = format!(
        "DELETE FROM {table} WHERE {key} IN \
         (SELECT {key} FROM {table} WHERE at < ? ORDER BY at LIMIT ?)"
    );
    let values = [before, most].map(Value::from);
    let statement = Statement::new("forgetting what is old", &sql, values);
    writing.execute(statement).await
}
