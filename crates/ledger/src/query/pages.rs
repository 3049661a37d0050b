//! Lists, page by page.

use remedy::audit::Entry;
use remedy::health::Health;
use remedy::issue::Issue;
use remedy::plan::Plan;
use series::Timestamp;

use super::{Cursor, IssueFilter, MAX_PAGE, Page, PlanFilter, QueryError};
use crate::open::Ledger;
use crate::sql::{Statement, Value};

impl Ledger {
    /// Issues that match, ordered by their numbers.
    ///
    /// # Errors
    /// See [`QueryError`].
    pub async fn issues(&self, filter: &IssueFilter, page: Page) -> Result<Vec<Issue>, QueryError> {
        let sql = "SELECT body, CAST(id AS TEXT) AS named FROM issues WHERE 1 = 1";
        let mut statement = Statement::new("listing issues", sql, []);
        filter.push_to(&mut statement);
        page.push_to(&mut statement, "id");
        self.values("issue", statement).await
    }

    /// Plans that match, ordered by their numbers.
    ///
    /// # Errors
    /// See [`QueryError`].
    pub async fn plans(&self, filter: &PlanFilter, page: Page) -> Result<Vec<Plan>, QueryError> {
        let sql = "SELECT body, CAST(id AS TEXT) AS named FROM plans WHERE 1 = 1";
        let mut statement = Statement::new("listing plans", sql, []);
        filter.push_to(&mut statement);
        page.push_to(&mut statement, "id");
        self.values("plan", statement).await
    }

    /// Plans that match and were judged, ordered by their numbers.
    ///
    /// # Errors
    /// See [`QueryError`].
    pub async fn outcomes(&self, filter: &PlanFilter, page: Page) -> Result<Vec<Plan>, QueryError> {
        let filter = PlanFilter {
            is_judged: Some(true),
            ..filter.clone()
        };
        self.plans(&filter, page).await
    }

    /// How everything was from `since` until before `until`, ordered by time: the first `limit` of it, at most
    /// [`MAX_PAGE`]. What follows is asked for from a microsecond after the last.
    ///
    /// # Errors
    /// See [`QueryError`].
    pub async fn health(
        &self,
        since: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Health>, QueryError> {
        let sql = "SELECT body, CAST(at AS TEXT) AS named FROM health WHERE at >= ? AND at < ? \
                   ORDER BY at LIMIT ?";
        let limit = i64::from(limit.min(MAX_PAGE));
        let values = [since.micros(), until.micros(), limit].map(Into::into);
        let statement = Statement::new("listing health", sql, values);
        self.values("health", statement).await
    }

    /// The newest health.
    ///
    /// # Errors
    /// See [`QueryError`].
    pub async fn newest_health(&self) -> Result<Option<Health>, QueryError> {
        let sql = "SELECT body, CAST(at AS TEXT) AS named FROM health ORDER BY at DESC LIMIT 1";
        let statement = Statement::new("reading the newest health", sql, []);
        Ok(self.values("health", statement).await?.pop())
    }

    /// Entries of the audit after a place, 0 for the first: `limit` of them, at most [`MAX_PAGE`]. Whether they hold
    /// together is for [`remedy::audit::Verifier`] to say.
    ///
    /// # Errors
    /// See [`QueryError`].
    pub async fn audit(&self, after: u64, limit: u32) -> Result<Vec<Entry>, QueryError> {
        let sql = "SELECT body, CAST(seq AS TEXT) AS named FROM audit WHERE 1 = 1";
        let mut statement = Statement::new("reading the audit", sql, []);
        let from = Cursor::After(after);
        Page { from, limit }.push_to(&mut statement, "seq");
        self.values("audit entry", statement).await
    }

    /// Entries of the audit about any of some subjects: `i17`, `p4`, `brake`. All entries when there is no subject.
    ///
    /// # Errors
    /// See [`QueryError`].
    pub async fn audit_of(
        &self,
        subjects: impl IntoIterator<Item = &str>,
        page: Page,
    ) -> Result<Vec<Entry>, QueryError> {
        let sql = "SELECT body, CAST(seq AS TEXT) AS named FROM audit WHERE 1 = 1";
        let mut statement = Statement::new("reading the audit", sql, []);
        statement.push_one_of("subject", subjects.into_iter().map(Value::from));
        page.push_to(&mut statement, "seq");
        self.values("audit entry", statement).await
    }
}
