//! One suite, run on both databases.

mod any;
mod failures;
mod hostile;
mod one_writer;
mod postgres;
mod queries;
mod records;
mod retention;
mod round_trip;
mod tls;

use std::path::PathBuf;

use remedy::record::{Memory, Numbers, Record};
use series::Timestamp;

use crate::fault::Fault;
use crate::link::{Link, Purpose, Way};
use crate::sql::Statement;
use crate::{Ledger, Location, Since};

/// An empty place for a ledger.
struct Place {
    location: Location,
    /// Where SQLite's file is.
    path: PathBuf,
    _folder: tempfile::TempDir,
}

impl Place {
    fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        Self {
            location: Location::Sqlite(path.clone()),
            path,
            _folder: folder,
        }
    }

    fn is_sqlite(&self) -> bool {
        matches!(self.location, Location::Sqlite(_))
    }

    async fn open(&self) -> Ledger {
        Ledger::open_for_writing(&self.location).await.unwrap()
    }

    /// A connection that knows nothing of ledgers: anybody's.
    async fn stranger(&self) -> Link {
        let way = match &self.location {
            Location::Sqlite(path) => Way::sqlite(path, Purpose::Writing),
            Location::Postgres(url) => {
                Way::postgres(url, Purpose::Writing, std::time::Duration::from_secs(10)).unwrap()
            }
        };
        way.connect().await.unwrap()
    }

    /// What anybody may do who has the file or the password.
    async fn run(&self, sql: &str) -> Result<u64, Fault> {
        let mut link = self.stranger().await;
        let done = link.session().execute(Statement::new("x", sql, [])).await;
        link.close().await;
        done
    }

    async fn count(&self, table: &str) -> i64 {
        let mut link = self.stranger().await;
        let sql = format!("SELECT COUNT(*) FROM {table}");
        let rows = link.session().fetch(Statement::new("x", &sql, [])).await;
        link.close().await;
        rows.unwrap()[0].int(0).unwrap()
    }
}

fn numbers(issue: u64, plan: u64, decision: u64) -> Numbers {
    Numbers {
        issue,
        plan,
        decision,
    }
}

fn block_on(work: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    runtime.block_on(work);
}

/// Runs a test in an empty place of each kind.
fn on_both(test: impl AsyncFn(&Place)) {
    block_on(async {
        test(&Place::sqlite()).await;
        if let Some(url) = postgres::new_database().await {
            let place = Place {
                location: Location::Postgres(url),
                ..Place::sqlite()
            };
            test(&place).await;
        }
    });
}

fn at(s: i64) -> Timestamp {
    Timestamp::from_millis(s * 1000)
}

/// Everything there is.
async fn all(ledger: &Ledger) -> Memory {
    let since = Since {
        attempts: at(0),
        resolved: at(0),
    };
    ledger.load(since).await.unwrap()
}

/// An error with what caused it.
fn told(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

async fn commit(ledger: &Ledger, records: &[Record]) {
    if let Err(error) = ledger.commit(records).await {
        panic!("{}", told(&error));
    }
}
