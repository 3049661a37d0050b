//! One thing, by its key.

use remedy::audit::Head;
use remedy::decision::DecisionId;
use remedy::issue::{Issue, IssueId};
use remedy::plan::{Plan, PlanId};
use remedy::record::{DecisionRecord, RequestRecord};
use serde::de::DeserializeOwned;
use series::Timestamp;

use super::QueryError;
use crate::commit::{head, select_head};
use crate::open::Ledger;
use crate::sql::Statement;

impl Ledger {
    /// An issue.
    ///
    /// # Errors
    /// See [`QueryError`].
    pub async fn issue(&self, id: IssueId) -> Result<Option<Issue>, QueryError> {
        let sql = "SELECT body, CAST(id AS TEXT) AS named FROM issues WHERE id = ?";
        self.one("issue", "reading an issue", sql, id.0).await
    }

    /// A plan.
    ///
    /// # Errors
    /// See [`QueryError`].
    pub async fn plan(&self, id: PlanId) -> Result<Option<Plan>, QueryError> {
        let sql = "SELECT body, CAST(id AS TEXT) AS named FROM plans WHERE id = ?";
        self.one("plan", "reading a plan", sql, id.0).await
    }

    /// A decision: all that was known, and what was decided.
    ///
    /// # Errors
    /// See [`QueryError`].
    pub async fn decision(&self, id: DecisionId) -> Result<Option<DecisionRecord>, QueryError> {
        let sql = "SELECT body, CAST(id AS TEXT) AS named FROM decisions WHERE id = ?";
        self.one("decision", "reading a decision", sql, id.0).await
    }

    /// A request that was answered.
    ///
    /// # Errors
    /// See [`QueryError`].
    pub async fn request(&self, id: &str) -> Result<Option<RequestRecord>, QueryError> {
        let sql = "SELECT digest, at, reply FROM requests WHERE id = ?";
        let statement = Statement::new("reading a request", sql, [id.into()]);
        let rows = self.rows(statement).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let digest = row.text(0)?;
        let digest = digest.parse().map_err(|_| QueryError::Column {
            table: "requests",
            column: "digest",
            value: digest,
        })?;
        Ok(Some(RequestRecord {
            id: id.to_owned(),
            digest,
            reply: row.bytes(2)?,
            at: Timestamp::from_micros(row.int(1)?),
        }))
    }

    /// The end of the audit, as it was written last.
    ///
    /// # Errors
    /// See [`QueryError`].
    pub async fn head(&self) -> Result<Head, QueryError> {
        Ok(head(self.rows(select_head()).await?)?)
    }

    async fn one<T: DeserializeOwned>(
        &self,
        table: &'static str,
        doing: &'static str,
        sql: &str,
        id: u64,
    ) -> Result<Option<T>, QueryError> {
        // No row has a larger number.
        let Ok(id) = i64::try_from(id) else {
            return Ok(None);
        };
        let statement = Statement::new(doing, sql, [id.into()]);
        Ok(self.values(table, statement).await?.pop())
    }
}
