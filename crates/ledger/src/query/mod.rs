//! Reading: what is asked for by key, by filter and page by page.

mod by_key;
mod filter;
mod pages;
mod statistics;

pub use filter::{EntityFilter, IssueFilter, PlanFilter};
pub use statistics::Statistics;
pub(crate) use statistics::verdicts;

use serde::de::DeserializeOwned;

use crate::fault::{Fault, within};
use crate::link::{Row, Snapshot};
use crate::open::Ledger;
use crate::sql::Statement;

/// Most rows of a page, whatever is asked for.
pub const MAX_PAGE: u32 = 1000;

/// Which part of a long list: some rows from a place on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// From where.
    pub from: Cursor,
    /// How many, at most [`MAX_PAGE`].
    pub limit: u32,
}

/// A place in a list that is ordered by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cursor {
    /// From the smallest number up.
    Oldest,
    /// From the one after this up.
    After(u64),
    /// From the largest number down.
    Newest,
    /// From the one before this down.
    Before(u64),
}

/// Why something cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The database refuses, or cannot be reached.
    #[error("asking the ledger")]
    Database(#[from] Fault),
    /// A row that is not what was written: somebody else changed it.
    #[error("reading {table} {id}")]
    Body {
        /// In which table.
        table: &'static str,
        /// Its key.
        id: String,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// A column that says what this program does not know.
    #[error("{table} holds a row whose {column} is {value:?}, which is none")]
    Column {
        /// In which table.
        table: &'static str,
        /// Which.
        column: &'static str,
        /// What it says.
        value: String,
    },
}

impl QueryError {
    /// Whether the same may go well later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Database(fault) if fault.is_transient())
    }
}

impl Ledger {
    /// The rows of one statement.
    pub(crate) async fn rows(&self, statement: Statement) -> Result<Vec<Row>, Fault> {
        let work = async {
            let mut snapshot = self.pool.snapshot().await?;
            snapshot.fetch(statement).await
        };
        within(self.limit, "reading", work).await
    }

    /// The values of a statement that asks for `body` and a key.
    pub(crate) async fn values<T: DeserializeOwned>(
        &self,
        table: &'static str,
        statement: Statement,
    ) -> Result<Vec<T>, QueryError> {
        read(table, self.rows(statement).await?)
    }
}

/// The values in `body`; the column after it says which row is broken. It has a name of its own: PostgreSQL would call a cast
/// as what is cast, and sort by that text.
pub(crate) fn read<T: DeserializeOwned>(
    table: &'static str,
    rows: Vec<Row>,
) -> Result<Vec<T>, QueryError> {
    let value = |row: Row| {
        serde_json::from_str(&row.text(0)?).map_err(|source| {
            let id = row.text(1).unwrap_or_default();
            QueryError::Body { table, id, source }
        })
    };
    rows.into_iter().map(value).collect()
}

/// The values of a statement, seen at one instant with others.
pub(crate) async fn values_at<T: DeserializeOwned>(
    snapshot: &mut Snapshot,
    table: &'static str,
    statement: Statement,
) -> Result<Vec<T>, QueryError> {
    read(table, snapshot.fetch(statement).await?)
}

impl Page {
    /// Adds what makes a statement answer with this page only.
    pub(crate) fn push_to(self, statement: &mut Statement, key: &str) {
        let n = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        let order = match self.from {
            Cursor::Oldest => "",
            Cursor::After(id) => {
                statement.push(&format!(" AND {key} > ?"), [n(id).into()]);
                ""
            }
            Cursor::Newest => " DESC",
            Cursor::Before(id) => {
                statement.push(&format!(" AND {key} < ?"), [n(id).into()]);
                " DESC"
            }
        };
        let limit = i64::from(self.limit.min(MAX_PAGE));
        let end = format!(" ORDER BY {key}{order} LIMIT ?");
        statement.push(&end, [limit.into()]);
    }
}
