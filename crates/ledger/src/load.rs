//! What a planner starts with.

use std::time::Duration;

use remedy::audit::{Entry, Hash};
use remedy::record::{Brake, Memory, Numbers};
use serde::de::DeserializeOwned;
use series::Timestamp;

use crate::commit::{head, select_head};
use crate::fault::{Fault, within};
use crate::link::Snapshot;
use crate::open::Ledger;
use crate::query::{QueryError, values_at, verdicts};
use crate::sql::{Statement, Value};

/// All that is remembered is read at once, which may take longer than anything else.
const LIMIT: Duration = Duration::from_secs(60);
/// Rows at once: what was read is not held twice.
const CHUNK: usize = 1000;

/// How far back a planner remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Since {
    /// Actions from then on count as attempts.
    pub attempts: Timestamp,
    /// Issues that were resolved from then on may return.
    pub resolved: Timestamp,
}

/// Why a planner cannot start with what it remembers.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It cannot be read.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The audit does not end where it says.
    #[error(
        "the audit's end says that entry {head} is the last, and entry {last} is: entries were taken away or put in"
    )]
    Audit {
        /// The last entry as it was written down.
        head: u64,
        /// The last entry that is there, 0 when none is.
        last: u64,
    },
    /// The brake is not as the audit says that it was left.
    #[error(
        "the audit's last word on the brake is that it was engaged (entry {seq}), and the ledger says that it is not: somebody changed the ledger"
    )]
    Brake {
        /// The entry.
        seq: u64,
    },
}

impl From<Fault> for LoadError {
    fn from(fault: Fault) -> Self {
        Self::Query(fault.into())
    }
}

impl LoadError {
    /// Whether the same may go well later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Query(error) => error.is_transient(),
            Self::Audit { .. } | Self::Brake { .. } => false,
        }
    }
}

impl Ledger {
    /// What a planner starts with, all seen at one instant. The audit's last entry is held against its end; whether the
    /// whole chain holds is not asked here, because it grows without bound.
    ///
    /// # Errors
    /// See [`LoadError`].
    pub async fn load(&self, since: Since) -> Result<Memory, LoadError> {
        let work = async {
            let mut snapshot = self.pool.snapshot().await?;
            load(&mut snapshot, since).await
        };
        within(LIMIT.max(self.limit), "loading", work).await
    }
}

/// The hash of the first entry of the audit; of zeros without one.
async fn first(snapshot: &mut Snapshot) -> Result<Hash, QueryError> {
    let sql = "SELECT hash FROM audit WHERE seq = 1";
    let rows = snapshot
        .fetch(Statement::new(
            "reading the first entry of the audit",
            sql,
            [],
        ))
        .await?;
    let hash = rows.first().map(|row| row.text(0)).transpose()?;
    Ok(hash.and_then(|hash| hash.parse().ok()).unwrap_or_default())
}

/// The entry that engaged the brake, if it is the audit's last word on it.
async fn engaged(snapshot: &mut Snapshot) -> Result<Option<u64>, LoadError> {
    let sql = "SELECT body, CAST(seq AS TEXT) FROM audit WHERE subject = 'brake' \
               ORDER BY seq DESC LIMIT 1";
    let entries = all::<Entry>(snapshot, "audit entry", sql, []).await?;
    let engaged = entries.iter().find(|entry| entry.kind == "brake.engaged");
    Ok(engaged.map(|entry| entry.seq))
}

async fn load(snapshot: &mut Snapshot, since: Since) -> Result<Memory, LoadError> {
    let resolved = since.resolved.micros();
    let issues = "(is_live = 1 OR resolved >= ?)";
    let plans = "(is_over = 0 OR issue IN \
                 (SELECT id FROM issues WHERE is_live = 1 OR resolved >= ?))";
    let head = head(snapshot.fetch(select_head()).await?)?;
    let last = number(snapshot, "SELECT MAX(seq) FROM audit").await?;
    if head.seq != last {
        let head = head.seq;
        return Err(LoadError::Audit { head, last });
    }
    let attempts = since.attempts.micros();
    let mut brakes = all::<Brake>(snapshot, "brake", "SELECT body, '' FROM brake", []).await?;
    let brake = brakes.pop().unwrap_or_default();
    // Whoever takes the brake away must not release it so.
    if let Some(seq) = engaged(snapshot).await?
        && !brake.is_engaged
    {
        return Err(LoadError::Brake { seq });
    }
    Ok(Memory {
        issues: chunks(snapshot, "issue", "issues", issues, resolved).await?,
        plans: chunks(snapshot, "plan", "plans", plans, resolved).await?,
        findings: {
            let sql = "SELECT body, entity || ' in ' || signal FROM findings \
                       WHERE is_present = 1 AND issue IN (SELECT id FROM issues WHERE is_live = 1) \
                       ORDER BY issue, entity, class, source, signal";
            all(snapshot, "finding", sql, []).await?
        },
        rates: {
            let sql = "SELECT body, strategy || ' in ' || context FROM rates \
                       ORDER BY strategy, context";
            all(snapshot, "rate", sql, []).await?
        },
        actions: {
            let sql = "SELECT body, key FROM actions WHERE at >= ? ORDER BY at, key";
            all(snapshot, "action", sql, [attempts.into()]).await?
        },
        leases: {
            let sql = "SELECT body, target FROM leases ORDER BY target";
            all(snapshot, "lease", sql, []).await?
        },
        brake,
        head,
        first: first(snapshot).await?,
        last: Numbers {
            issue: last_id(snapshot, "issues").await?,
            plan: last_id(snapshot, "plans").await?,
            decision: last_id(snapshot, "decisions").await?,
        },
        verdicts: {
            let verdicts = verdicts(snapshot).await?.into_iter();
            let named = verdicts.map(|((strategy, verdict), n)| {
                let verdict = verdict.name().to_owned();
                ((strategy, verdict), n)
            });
            named.collect()
        },
    })
}

/// All values of a statement that asks for `body` and a key.
async fn all<T: DeserializeOwned>(
    snapshot: &mut Snapshot,
    table: &'static str,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Vec<T>, QueryError> {
    values_at(snapshot, table, Statement::new("loading", sql, values)).await
}

/// The rows of a numbered table for which a condition holds, some at a time.
async fn chunks<T: DeserializeOwned>(
    snapshot: &mut Snapshot,
    what: &'static str,
    table: &str,
    condition: &str,
    value: i64,
) -> Result<Vec<T>, QueryError> {
    let sql = format!(
        "SELECT body, CAST(id AS TEXT) AS named, id FROM {table} WHERE id > ? AND {condition} \
         ORDER BY id LIMIT {CHUNK}"
    );
    let (mut found, mut after) = (Vec::new(), -1);
    loop {
        let statement = Statement::new("loading", &sql, [after.into(), value.into()]);
        let rows = snapshot.fetch(statement).await?;
        let n = rows.len();
        if let Some(row) = rows.last() {
            after = row.int(2)?;
        }
        found.extend(crate::query::read::<T>(what, rows)?);
        if n < CHUNK {
            return Ok(found);
        }
    }
}

/// The largest number that was ever given, of what was forgotten too.
async fn last_id(snapshot: &mut Snapshot, table: &str) -> Result<u64, Fault> {
    let sql = format!(
        "SELECT MAX(id) FROM (SELECT id FROM {table} UNION ALL \
         SELECT value AS id FROM meta WHERE name = 'last_{table}') AS given"
    );
    number(snapshot, &sql).await
}

/// The one number that a statement asks for; 0 for NULL, and for what is below.
async fn number(snapshot: &mut Snapshot, sql: &str) -> Result<u64, Fault> {
    let rows = snapshot.fetch(Statement::new("loading", sql, [])).await?;
    let n = rows.first().map(|row| row.int_or_null(0)).transpose()?;
    Ok(u64::try_from(n.flatten().unwrap_or(0)).unwrap_or(0))
}
