//! One server writes a ledger: a file lock beside SQLite's file, or an advisory lock of PostgreSQL's. Both are gone with who
//! held them, however that ends.

use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use crate::fault::Fault;
use crate::link::Link;
use crate::sql::Statement;

/// The key of the advisory lock: `Forestal` in bytes. A lock belongs to one database, and a database holds one ledger.
const KEY: i64 = i64::from_be_bytes(*b"Forestal");

/// A connection that broke holds its lock until the server notices, which takes it some milliseconds. Nobody else's is
/// given up so soon, and waiting for longer would hide that there is another.
const TRIES: u32 = 20;
const BETWEEN_TRIES: Duration = Duration::from_millis(50);

/// Takes the lock beside a file; or says who has it.
pub(crate) fn lock_file(path: &Path) -> io::Result<Result<File, String>> {
    let mut file = File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .mode(0o600)
        .open(path)?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0)?;
            write!(file, "process {}", std::process::id())?;
            Ok(Ok(file))
        }
        Err(TryLockError::WouldBlock) => {
            let mut who = Vec::new();
            file.take(100).read_to_end(&mut who)?;
            let who = String::from_utf8_lossy(&who);
            let who = who.replace(char::is_control, " ");
            Ok(Err(if who.is_empty() {
                "another process".to_owned()
            } else {
                who
            }))
        }
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Takes the lock of a database for this connection; or says who has it. There is nothing to do for SQLite, whose file is
/// locked for the whole time.
pub(crate) async fn lock_database(link: &mut Link) -> Result<Result<(), String>, Fault> {
    if matches!(link, Link::Sqlite(_)) {
        return Ok(Ok(()));
    }
    let doing = "taking the writer's lock";
    let mut who = None;
    for _ in 0..TRIES {
        let sql = "SELECT pg_try_advisory_lock(?)::int::bigint";
        let rows = link
            .session()
            .fetch(Statement::new(doing, sql, [KEY.into()]));
        if rows.await?.first().map(|row| row.int(0)).transpose()? == Some(1) {
            return Ok(Ok(()));
        }
        let sql = "SELECT COALESCE(NULLIF(a.application_name, ''), 'some program') \
             || COALESCE(' at ' || host(a.client_addr), '') \
             || ', connected since ' || to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') || ' UTC' \
             FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid \
             WHERE l.locktype = 'advisory' AND l.granted \
             AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
             AND ((l.classid::bigint << 32) | l.objid::bigint) = ? LIMIT 1";
        let rows = link
            .session()
            .fetch(Statement::new(doing, sql, [KEY.into()]));
        // It may have gone between the two questions.
        who = rows.await?.first().map(|row| row.text(0)).transpose()?;
        tokio::time::sleep(BETWEEN_TRIES).await;
    }
    Ok(Err(who.unwrap_or_else(|| "another server".to_owned())))
}
