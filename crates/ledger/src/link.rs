//! Connections to either database, and rows of either: the only place where the two differ in types.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgRow};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, PgConnection, PgPool, Postgres, Row as _, Sqlite,
    SqliteConnection, SqlitePool, Transaction,
};

use crate::fault::Fault;
use crate::sql::{Statement, Value};

/// A statement that waits for another's lock gives up before the caller does.
const LOCK_WAIT: Duration = Duration::from_secs(5);
/// Readers at once; more of them wait for their turn.
const MAX_READERS: u32 = 4;
/// The log of SQLite is cut to this after it was written back: it would stay as large as it ever was.
const MAX_LOG_BYTES: &str = "67108864";

/// How a connection is made.
#[derive(Clone)]
pub(crate) enum Way {
    Sqlite(Box<SqliteConnectOptions>),
    Postgres(Box<PgConnectOptions>),
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Writing,
    Reading,
    /// Reading a file that nobody writes, and of a folder that we may not write.
    ReadingImmutable,
}

impl Way {
    /// To a file of SQLite.
    pub(crate) fn sqlite(path: &Path, purpose: Purpose) -> Self {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .busy_timeout(LOCK_WAIT)
            .disable_statement_logging();
        Self::Sqlite(Box::new(match purpose {
            // FULL: what is committed is on the disk, and survives the loss of power.
            Purpose::Writing => options
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .pragma("journal_size_limit", MAX_LOG_BYTES),
            Purpose::Reading => options.read_only(true),
            Purpose::ReadingImmutable => options.read_only(true).immutable(true),
        }))
    }

    /// To a database of PostgreSQL.
    pub(crate) fn postgres(
        url: &str,
        purpose: Purpose,
        limit: Duration,
    ) -> Result<Self, sqlx::Error> {
        let options: PgConnectOptions = url.parse()?;
        let ms = |time: Duration| time.as_millis().to_string();
        let settings = [
            ("statement_timeout", ms(limit)),
            ("lock_timeout", ms(LOCK_WAIT)),
            ("idle_in_transaction_session_timeout", ms(3 * limit)),
            // A server that lost its machine must not keep the lock of the writer for hours.
            ("tcp_keepalives_idle", "20".to_owned()),
            ("tcp_keepalives_interval", "10".to_owned()),
            ("tcp_keepalives_count", "3".to_owned()),
            match purpose {
                Purpose::Writing => ("synchronous_commit", "on".to_owned()),
                Purpose::Reading | Purpose::ReadingImmutable => {
                    ("default_transaction_read_only", "on".to_owned())
                }
            },
        ];
        let name = format!("forestall (process {})", std::process::id());
        let options = options
            .application_name(&name)
            .options(settings)
            .disable_statement_logging();
        Ok(Self::Postgres(Box::new(options)))
    }

    /// Connects.
    pub(crate) async fn connect(&self) -> Result<Link, Fault> {
        let fault = |error| Fault::sql("connecting", error);
        Ok(match self {
            Self::Sqlite(options) => Link::Sqlite(options.connect().await.map_err(fault)?),
            Self::Postgres(options) => Link::Postgres(options.connect().await.map_err(fault)?),
        })
    }

    /// Connections for readers, made when they are needed.
    pub(crate) fn pool(&self, limit: Duration) -> Pool {
        match self {
            Self::Sqlite(options) => Pool::Sqlite(
                SqlitePoolOptions::new()
                    .max_connections(MAX_READERS)
                    .acquire_timeout(limit)
                    .connect_lazy_with((**options).clone()),
            ),
            Self::Postgres(options) => Pool::Postgres(
                PgPoolOptions::new()
                    .max_connections(MAX_READERS)
                    .acquire_timeout(limit)
                    .connect_lazy_with((**options).clone()),
            ),
        }
    }
}

/// Options hold passwords.
impl fmt::Debug for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Way")
    }
}

/// One connection of our own.
#[derive(Debug)]
pub(crate) enum Link {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Link {
    pub(crate) fn session(&mut self) -> Session<'_> {
        match self {
            Self::Sqlite(connection) => Session::Sqlite(connection),
            Self::Postgres(connection) => Session::Postgres(connection),
        }
    }

    /// Says goodbye. A connection that is only dropped is found to be gone later.
    pub(crate) async fn close(self) {
        // Whatever goes wrong, it is gone.
        let _ = match self {
            Self::Sqlite(connection) => connection.close().await,
            Self::Postgres(connection) => connection.close().await,
        };
    }
}

/// Connections for readers.
#[derive(Clone)]
pub(crate) enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Pool {
    /// Sees the database as it is now, whatever is written meanwhile.
    pub(crate) async fn snapshot(&self) -> Result<Snapshot, Fault> {
        let fault = |error| Fault::sql("beginning to read", error);
        Ok(match self {
            Self::Sqlite(pool) => {
                let begun = pool.begin_with("BEGIN").await;
                Snapshot::Sqlite(begun.map_err(fault)?)
            }
            Self::Postgres(pool) => {
                let begun = pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY");
                Snapshot::Postgres(begun.await.map_err(fault)?)
            }
        })
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

/// A view of the database at one instant; dropping it gives the connection back.
pub(crate) enum Snapshot {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

impl Snapshot {
    pub(crate) async fn fetch(&mut self, statement: Statement) -> Result<Vec<Row>, Fault> {
        match self {
            Self::Sqlite(transaction) => Session::Sqlite(transaction).fetch(statement).await,
            Self::Postgres(transaction) => Session::Postgres(transaction).fetch(statement).await,
        }
    }
}

/// Somewhere to run statements.
pub(crate) enum Session<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut PgConnection),
}

/// The statement as sqlx takes it. It holds none but our own words: what is outside's is bound.
macro_rules! bound {
    ($statement:expr) => {
        $statement.values.into_iter().fold(
            sqlx::query(AssertSqlSafe($statement.sql)),
            |query, value| match value {
                Value::Int(n) => query.bind(n),
                Value::Text(text) => query.bind(text),
                Value::Bytes(bytes) => query.bind(bytes),
            },
        )
    };
}

impl Session<'_> {
    /// Runs a statement; how many rows it touched.
    pub(crate) async fn execute(self, statement: Statement) -> Result<u64, Fault> {
        let doing = statement.doing;
        let done = match self {
            Self::Sqlite(connection) => {
                let done = bound!(statement).execute(connection).await;
                done.map(|done| done.rows_affected())
            }
            Self::Postgres(connection) => {
                let done = bound!(statement).execute(connection).await;
                done.map(|done| done.rows_affected())
            }
        };
        done.map_err(|error| Fault::sql(doing, error))
    }

    /// Runs a statement; the rows that it found.
    pub(crate) async fn fetch(self, statement: Statement) -> Result<Vec<Row>, Fault> {
        let doing = statement.doing;
        let rows = match self {
            Self::Sqlite(connection) => {
                let rows = bound!(statement).fetch_all(connection).await;
                rows.map(|rows| rows.into_iter().map(Row::Sqlite).collect())
            }
            Self::Postgres(connection) => {
                let rows = bound!(statement).fetch_all(connection).await;
                rows.map(|rows| rows.into_iter().map(Row::Postgres).collect())
            }
        };
        rows.map_err(|error| Fault::sql(doing, error))
    }

    /// Runs statements that take no values, one after the other.
    pub(crate) async fn run(self, doing: &'static str, script: &'static str) -> Result<(), Fault> {
        let script = sqlx::raw_sql(script);
        let done = match self {
            Self::Sqlite(connection) => script.execute(connection).await.map(drop),
            Self::Postgres(connection) => script.execute(connection).await.map(drop),
        };
        done.map_err(|error| Fault::sql(doing, error))
    }
}

/// A row that was found. Columns are numbered from 0.
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

macro_rules! column {
    ($name:ident, $type:ty) => {
        pub(crate) fn $name(&self, i: usize) -> Result<$type, Fault> {
            let value = match self {
                Self::Sqlite(row) => row.try_get(i),
                Self::Postgres(row) => row.try_get(i),
            };
            value.map_err(|error| Fault::sql("reading a column", error))
        }
    };
}

impl Row {
    column!(int, i64);
    column!(int_or_null, Option<i64>);
    column!(text, String);
    column!(bytes, Vec<u8>);
}
