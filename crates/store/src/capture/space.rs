//! How much of the disk is used, what is removed when it is too much, and what there is to seal.

use std::collections::{BTreeSet, VecDeque};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::layout::{self, Day, JournalFile, Part};
use super::schema::Table;
use super::seal::Sealed;

/// What was captured, and how it goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// Rows of samples that reached a journal since the start.
    pub rows_written: u64,
    /// Rows that did not since the start, because the disk was full or failed, or the bound was reached.
    pub rows_lost: u64,
    /// Rows in Parquet since the start, those of recovered journals included.
    pub rows_sealed: u64,
    /// Journals that a process before left, and that were sealed by this one.
    pub recovered_journals: u64,
    /// Bytes that were cut off torn journals.
    pub torn_bytes: u64,
    /// Parquet files of samples and feedback there are.
    pub parts: u64,
    /// Their size, in bytes.
    pub part_bytes: u64,
    /// Journals there are.
    pub journals: u64,
    /// Their size, in bytes.
    pub journal_bytes: u64,
    /// Parquet files removed to make room since the start.
    pub removed_parts: u64,
    /// Their size, in bytes.
    pub removed_bytes: u64,
    /// Whether nothing is written until the next attempt.
    pub is_paused: bool,
    /// Why the last attempt to write or to seal failed; empty when it did not.
    pub last_error: String,
}

/// The account of one capture directory.
#[derive(Debug)]
pub(super) struct Space {
    dir: PathBuf,
    max_bytes: u64,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// What may be removed, oldest first.
    parts: BTreeSet<Part>,
    /// What counts and is never removed: marks, and files of others.
    kept_bytes: u64,
    /// Journals to seal, with their sizes.
    closed: VecDeque<(JournalFile, u64)>,
    next_seq: u64,
    status: Status,
}

impl Space {
    /// Takes stock of what is there. Journals that a process before left are the first to be sealed; what it was
    /// writing when it was killed is removed.
    pub(super) fn open(dir: &Path, max_bytes: u64) -> io::Result<Self> {
        let journal_dir = dir.join(layout::JOURNAL);
        for entry in fs::read_dir(&journal_dir)? {
            let path = entry?.path();
            if path.extension().is_some_and(|it| it == layout::UNFINISHED) {
                fs::remove_file(path)?;
            }
        }
        let (mut parts, mut next_seq) = (BTreeSet::new(), 1);
        let (mut status, mut kept_bytes) = (Status::default(), 0);
        for table in [Table::Samples, Table::Feedback, Table::Provenance] {
            for part in layout::parts(dir, table)? {
                let is_ours = table != Table::Provenance && part.seq.is_some();
                next_seq = next_seq.max(part.seq.map_or(0, |seq| seq.saturating_add(1)));
                if is_ours {
                    status.parts += 1;
                    status.part_bytes += part.bytes;
                    parts.insert(part);
                } else {
                    kept_bytes += part.bytes;
                }
            }
        }
        let mut closed = VecDeque::new();
        for journal in layout::journals(dir)? {
            let bytes = fs::metadata(&journal.path)?.len();
            next_seq = next_seq.max(journal.seq.saturating_add(1));
            status.journals += 1;
            status.journal_bytes += bytes;
            status.recovered_journals += 1;
            closed.push_back((journal, bytes));
        }
        Ok(Self {
            dir: dir.to_owned(),
            max_bytes,
            inner: Mutex::new(Inner {
                parts,
                kept_bytes,
                closed,
                next_seq,
                status,
            }),
        })
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn status(&self) -> Status {
        self.lock().status.clone()
    }

    pub(super) fn count(&self, change: impl FnOnce(&mut Status)) {
        change(&mut self.lock().status);
    }

    /// A number that no part or journal has had.
    pub(super) fn next_seq(&self) -> u64 {
        let mut inner = self.lock();
        inner.next_seq += 1;
        inner.next_seq - 1
    }

    /// The day of the oldest samples that are sealed.
    pub(super) fn oldest_day(&self) -> Option<Day> {
        let inner = self.lock();
        let mut samples = inner
            .parts
            .iter()
            .filter(|part| part.table == Table::Samples);
        samples.next().map(|part| part.day)
    }

    /// Removes the oldest parts until `bytes` more fit below the bound. Returns whether they do.
    pub(super) fn make_room(&self, bytes: u64) -> bool {
        let mut inner = self.lock();
        while inner.used().saturating_add(bytes) > self.max_bytes {
            let Some(oldest) = inner.parts.pop_first() else {
                return false;
            };
            match fs::remove_file(&oldest.path) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    inner.status.last_error =
                        format!("removing {}: {error}", oldest.path.display());
                    inner.parts.insert(oldest);
                    return false;
                }
            }
            // The folder goes with its last part; as long as there are others, this fails and should.
            let _ = oldest.path.parent().map(fs::remove_dir);
            inner.status.parts -= 1;
            inner.status.part_bytes -= oldest.bytes;
            inner.status.removed_parts += 1;
            inner.status.removed_bytes += oldest.bytes;
        }
        true
    }

    /// A new part is there. One of the same name, from before a kill, was replaced by it.
    pub(super) fn add(&self, part: Part) {
        let mut inner = self.lock();
        let replaced: Vec<Part> = inner
            .parts
            .iter()
            .filter(|other| other.path == part.path)
            .cloned()
            .collect();
        for old in replaced {
            inner.parts.remove(&old);
            inner.status.parts -= 1;
            inner.status.part_bytes -= old.bytes;
        }
        inner.status.parts += 1;
        inner.status.part_bytes += part.bytes;
        inner.parts.insert(part);
    }

    /// Bytes of files that are never removed.
    pub(super) fn keep(&self, bytes: u64) {
        self.lock().kept_bytes += bytes;
    }

    /// A journal is ready to be sealed.
    pub(super) fn close(&self, journal: JournalFile, bytes: u64) {
        self.lock().closed.push_back((journal, bytes));
    }

    /// The oldest journal that is ready.
    pub(super) fn next_closed(&self) -> Option<(JournalFile, u64)> {
        self.lock().closed.pop_front()
    }

    /// A journal was not sealed: it is the next again.
    pub(super) fn put_back(&self, journal: JournalFile, bytes: u64, why: String) {
        let mut inner = self.lock();
        inner.status.last_error = why;
        inner.closed.push_front((journal, bytes));
    }

    /// A journal was sealed and is gone.
    pub(super) fn sealed(&self, table: Table, journal_bytes: u64, sealed: Sealed) {
        let status = &mut self.lock().status;
        status.journals -= 1;
        status.journal_bytes -= journal_bytes;
        status.torn_bytes += sealed.torn_bytes;
        if table == Table::Samples {
            status.rows_sealed += sealed.rows;
        }
    }
}

impl Inner {
    fn used(&self) -> u64 {
        self.status.part_bytes + self.status.journal_bytes + self.kept_bytes
    }
}
