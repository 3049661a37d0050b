//! What a database fails with, and whether it is worth trying again.

use std::time::Duration;

use sqlx::error::ErrorKind;

/// What a database, or the way to it, failed with; its message says during what, its source says why.
#[derive(Debug, thiserror::Error)]
#[error("{doing}")]
pub struct Fault {
    doing: &'static str,
    #[source]
    why: Why,
}

#[derive(Debug, thiserror::Error)]
enum Why {
    #[error(transparent)]
    Sql(sqlx::Error),
    #[error("no answer within {0:?}")]
    Late(Duration),
}

/// SQLSTATEs, or their first two characters, of what goes away by itself or by an operator's hand: connections (08),
/// resources such as disk and memory (53), a server that stops, starts or cancels (57), deadlocks (40), a lock that is not
/// given (55P03), input and output (58), and a standby that is not yet promoted (25006).
const TRANSIENT_IN_POSTGRES: [&str; 7] = ["08", "53", "57", "40", "55P03", "58", "25006"];

/// The same of SQLite: busy, locked, input or output, full, cannot open.
const TRANSIENT_IN_SQLITE: [i64; 5] = [5, 6, 10, 13, 14];

impl Fault {
    pub(crate) fn sql(doing: &'static str, error: sqlx::Error) -> Self {
        let why = Why::Sql(error);
        Self { doing, why }
    }

    pub(crate) fn late(doing: &'static str, limit: Duration) -> Self {
        let why = Why::Late(limit);
        Self { doing, why }
    }

    /// Whether the same may go well later: the database is busy, full, stopped, or out of reach.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match &self.why {
            Why::Late(_) => true,
            Why::Sql(sqlx::Error::Database(error)) => {
                let code = error.code().unwrap_or_default();
                match error.try_downcast_ref::<sqlx::sqlite::SqliteError>() {
                    // The lowest byte is the primary code.
                    Some(_) => code
                        .parse::<i64>()
                        .is_ok_and(|code| TRANSIENT_IN_SQLITE.contains(&(code & 0xff))),
                    None => TRANSIENT_IN_POSTGRES
                        .iter()
                        .any(|start| code.starts_with(start)),
                }
            }
            Why::Sql(_) => self.is_lost(),
        }
    }

    /// Whether the connection is of no use any more.
    pub(crate) fn is_lost(&self) -> bool {
        match &self.why {
            Why::Late(_) => true,
            // The server says that it ends the connection (57P01 to 57P05), or that it is none (08).
            Why::Sql(sqlx::Error::Database(error)) => {
                let code = error.code().unwrap_or_default();
                code.starts_with("57P") || code.starts_with("08")
            }
            Why::Sql(error) => matches!(
                error,
                sqlx::Error::Io(_)
                    | sqlx::Error::Tls(_)
                    | sqlx::Error::Protocol(_)
                    | sqlx::Error::PoolTimedOut
                    | sqlx::Error::PoolClosed
                    | sqlx::Error::WorkerCrashed
                    | sqlx::Error::BeginFailed
            ),
        }
    }

    /// Whether a key was there already.
    pub(crate) fn is_duplicate(&self) -> bool {
        let Why::Sql(sqlx::Error::Database(error)) = &self.why else {
            return false;
        };
        matches!(error.kind(), ErrorKind::UniqueViolation)
    }
}

/// Gives `work` up after `limit`.
pub(crate) async fn within<T, E: From<Fault>>(
    limit: Duration,
    doing: &'static str,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    match tokio::time::timeout(limit, work).await {
        Ok(done) => done,
        Err(_) => Err(Fault::late(doing, limit).into()),
    }
}
