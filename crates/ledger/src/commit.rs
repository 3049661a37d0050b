//! Writing records: all of a batch, or none.

use remedy::audit::Head;
use remedy::record::Record;

use crate::fault::{Fault, within};
use crate::open::Ledger;
use crate::sql::{Statement, Value};
use crate::tables::Rows;
use crate::writer::{BeginError, Writing};

/// Why a batch was not written. Nothing of it was, but for a fault that is transient: then it may have been, and committing
/// the same batch again tells (see [`Ledger::commit`]).
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// It was opened for reading.
    #[error("the ledger {location} is open for reading only")]
    ReadOnly {
        /// Where it is.
        location: String,
    },
    /// Another server has the lock that was lost with the connection.
    #[error("the ledger {location} is written by {who}")]
    Taken {
        /// Where it is.
        location: String,
        /// Who does.
        who: String,
    },
    /// Another server went on from where we had been.
    #[error("audit entry {first} does not follow entry {}, which is the last in the ledger ({}): another server wrote to it", head.seq, head.hash)]
    Forked {
        /// The first entry of the batch.
        first: u64,
        /// The end in the database.
        head: Head,
    },
    /// The entries of the batch do not follow each other.
    #[error("audit entry {seq} does not follow entry {before} of its batch")]
    Unlinked {
        /// Which.
        seq: u64,
        /// The one before.
        before: u64,
    },
    /// A number that no database holds.
    #[error(
        "{record} has the number {number}, the largest that can be written is {}",
        i64::MAX
    )]
    Number {
        /// Of which record.
        record: String,
        /// It.
        number: u64,
    },
    /// A record that is not what it was when it is read back.
    #[error("{record} would not be read back as it is: a number in it is not finite")]
    Changed {
        /// Which.
        record: String,
    },
    /// A record that cannot be written as JSON, or not be read back.
    #[error("{record} cannot be written as JSON that is read back")]
    Json {
        /// Which.
        record: String,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// Something that may be added once was there already.
    #[error("something with the same key was there already")]
    Duplicate(#[source] Fault),
    /// The database refused, or could not be reached.
    #[error("committing {n} records to {location}")]
    Database {
        /// How many.
        n: usize,
        /// Where.
        location: String,
        /// What it failed with.
        #[source]
        source: Fault,
    },
}

impl CommitError {
    /// Whether the same batch may go well later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            // Whoever has it may be our own connection, of which the database does not know yet that it broke.
            Self::Taken { .. } => true,
            Self::Database { source, .. } => source.is_transient(),
            Self::ReadOnly { .. }
            | Self::Forked { .. }
            | Self::Unlinked { .. }
            | Self::Number { .. }
            | Self::Changed { .. }
            | Self::Json { .. }
            | Self::Duplicate(_) => false,
        }
    }
}

/// What can go wrong once there is a transaction.
enum Failure {
    Begin(BeginError),
    Fault(Fault),
    Forked(Head),
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// The audit entries of a batch: where they begin, and where they lead.
#[derive(Debug, Clone, Copy)]
struct Link {
    from: Head,
    to: Head,
}

impl Ledger {
    /// Writes all of these records in one transaction. Of several for the same key, the last counts.
    ///
    /// A batch whose last audit entry is already the last in the ledger was written before: this is said to be a success.
    /// So a batch that failed with a transient error may be committed again, even if the connection broke when all was
    /// written and only the answer was lost. (A batch without audit entries has no such mark; what it adds, rather than
    /// replaces, is then refused as [`CommitError::Duplicate`].)
    ///
    /// # Errors
    /// See [`CommitError`].
    pub async fn commit(&self, records: &[Record]) -> Result<(), CommitError> {
        let location = || self.location().to_string();
        let Some(writer) = &self.writer else {
            return Err(CommitError::ReadOnly {
                location: location(),
            });
        };
        if records.is_empty() {
            return Ok(());
        }
        let link = link(records)?;
        let rows = Rows::of(records)?;
        let work = async {
            let mut writing = writer.begin().await.map_err(Failure::Begin)?;
            match write(&mut writing, link, rows).await {
                Ok(true) => Ok(writing.commit().await?),
                Ok(false) => {
                    writing.roll_back().await;
                    Ok(())
                }
                Err(failure) => {
                    writing.roll_back().await;
                    Err(failure)
                }
            }
        };
        let done: Result<(), Failure> = within(self.limit, "committing", work).await;
        done.map_err(|failure| match failure {
            Failure::Begin(BeginError::Taken(who)) => CommitError::Taken {
                location: location(),
                who,
            },
            Failure::Fault(fault) if fault.is_duplicate() => CommitError::Duplicate(fault),
            Failure::Begin(BeginError::Fault(source)) | Failure::Fault(source) => {
                CommitError::Database {
                    n: records.len(),
                    location: location(),
                    source,
                }
            }
            Failure::Forked(head) => CommitError::Forked {
                first: link.map_or(0, |link| link.from.seq + 1),
                head,
            },
        })
    }
}

/// Where the audit entries of a batch begin and lead; `None` without any.
fn link(records: &[Record]) -> Result<Option<Link>, CommitError> {
    let mut link: Option<Link> = None;
    for record in records {
        let Record::Audit(entry) = record else {
            continue;
        };
        let Some(before) = entry.seq.checked_sub(1) else {
            // Entries count from 1.
            return Err(CommitError::Unlinked { seq: 0, before: 0 });
        };
        let from = Head {
            seq: before,
            hash: entry.prev,
        };
        let to = Head {
            seq: entry.seq,
            hash: entry.hash,
        };
        match &mut link {
            None => link = Some(Link { from, to }),
            Some(link) if link.to == from => link.to = to,
            Some(link) => {
                return Err(CommitError::Unlinked {
                    seq: entry.seq,
                    before: link.to.seq,
                });
            }
        }
    }
    Ok(link)
}

/// Writes a batch; `false` when it is there already.
async fn write(writing: &mut Writing<'_>, link: Option<Link>, rows: Rows) -> Result<bool, Failure> {
    if let Some(Link { from, to }) = link {
        // Compared and set in one statement: whoever comes second finds another end.
        let sql = "UPDATE audit_head SET seq = ?, hash = ? WHERE id = 1 AND seq = ? AND hash = ?";
        let values = [to, from].into_iter().flat_map(|head| {
            let seq = i64::try_from(head.seq).unwrap_or(i64::MAX);
            [Value::from(seq), head.hash.to_string().into()]
        });
        let statement = Statement::new("moving the end of the audit", sql, values);
        if writing.execute(statement).await? != 1 {
            let head = head(writing.fetch(select_head()).await?)?;
            return if head == to {
                Ok(false)
            } else {
                Err(Failure::Forked(head))
            };
        }
    }
    for statement in rows.statements() {
        writing.execute(statement).await?;
    }
    Ok(true)
}

/// Asks for the end of the audit.
pub(crate) fn select_head() -> Statement {
    let sql = "SELECT seq, hash FROM audit_head WHERE id = 1";
    Statement::new("reading the end of the audit", sql, [])
}

/// What was answered. A hash that is none equals no other, so it is told as a fork or as a broken end.
pub(crate) fn head(rows: Vec<crate::link::Row>) -> Result<Head, Fault> {
    let Some(row) = rows.first() else {
        return Ok(Head::default());
    };
    let seq = u64::try_from(row.int(0)?).unwrap_or(u64::MAX);
    let hash = row.text(1)?.parse().unwrap_or_default();
    Ok(Head { seq, hash })
}
