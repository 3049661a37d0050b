//! The one connection that writes.

use std::fs::File;

use tokio::sync::{Mutex, MutexGuard};

use crate::fault::Fault;
use crate::link::{Link, Row, Way};
use crate::lock::lock_database;
use crate::sql::Statement;

/// The connection that writes, made anew when it broke. It holds the lock of the database, so whoever has it may write; a
/// pool with the lock beside it could write after the lock was lost.
#[derive(Debug)]
pub(crate) struct Writer {
    way: Way,
    link: Mutex<Option<Link>>,
    _file: Option<File>,
}

/// Why a transaction did not begin.
#[derive(Debug)]
pub(crate) enum BeginError {
    /// Somebody else has the lock.
    Taken(String),
    Fault(Fault),
}

impl From<Fault> for BeginError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Writer {
    /// Over a connection that holds the lock.
    pub(crate) fn new(way: Way, link: Link, file: Option<File>) -> Self {
        Self {
            way,
            link: Mutex::new(Some(link)),
            _file: file,
        }
    }

    /// Begins a transaction. When the connection turns out to be gone, another is made: nothing was sent yet.
    pub(crate) async fn begin(&self) -> Result<Writing<'_>, BeginError> {
        let mut slot = self.link.lock().await;
        // Taken out: whoever gives up in the middle leaves no half transaction for the next.
        if let Some(mut link) = slot.take() {
            match begin(&mut link).await {
                Ok(()) => return Ok(Writing { slot, link }),
                Err(fault) if fault.is_lost() => {}
                Err(fault) => {
                    link.close().await;
                    return Err(fault.into());
                }
            }
        }
        let mut link = self.way.connect().await?;
        if let Err(who) = lock_database(&mut link).await? {
            link.close().await;
            return Err(BeginError::Taken(who));
        }
        begin(&mut link).await?;
        Ok(Writing { slot, link })
    }

    /// Ends the connection, and gives the lock back.
    pub(crate) async fn close(&self) {
        if let Some(link) = self.link.lock().await.take() {
            link.close().await;
        }
    }

    #[cfg(test)]
    pub(crate) async fn lend(&self) -> MutexGuard<'_, Option<Link>> {
        self.link.lock().await
    }
}

async fn begin(link: &mut Link) -> Result<(), Fault> {
    let sql = match link {
        // Otherwise it would begin to write when it has already read, and fail if somebody else wrote in between.
        Link::Sqlite(_) => "BEGIN IMMEDIATE",
        Link::Postgres(_) => "BEGIN",
    };
    link.session().run("beginning to write", sql).await
}

/// A transaction. Dropping it takes the connection down with it, and so nothing of it is written.
pub(crate) struct Writing<'w> {
    slot: MutexGuard<'w, Option<Link>>,
    link: Link,
}

impl Writing<'_> {
    pub(crate) async fn execute(&mut self, statement: Statement) -> Result<u64, Fault> {
        self.link.session().execute(statement).await
    }

    pub(crate) async fn fetch(&mut self, statement: Statement) -> Result<Vec<Row>, Fault> {
        self.link.session().fetch(statement).await
    }

    /// Writes it all. After an error it is not known whether it was written.
    pub(crate) async fn commit(mut self) -> Result<(), Fault> {
        self.link.session().run("committing", "COMMIT").await?;
        *self.slot = Some(self.link);
        Ok(())
    }

    /// Writes nothing of it.
    pub(crate) async fn roll_back(mut self) {
        // SQLite has done so by itself after some errors, and then says that there is nothing to roll back: like any other
        // connection that is in doubt, this one is not used again.
        match self.link.session().run("rolling back", "ROLLBACK").await {
            Ok(()) => *self.slot = Some(self.link),
            Err(_) => self.link.close().await,
        }
    }
}
