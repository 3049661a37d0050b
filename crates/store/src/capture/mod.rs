//! What came in, what was scored, which features it had and what people said of it, as Parquet.
//!
//! Rows go to a journal at once, and from there, when it is large or old enough, to a sealed part. A kill loses what was
//! not flushed, a second's rows; a part is there whole or not at all. When the directory has grown to its bound, the
//! oldest parts make room. `layout` tells where files lie, `schema` what is in them; README.md of the project, what
//! the columns mean.
//!
//! Two threads share the work, so that packing a part keeps no row waiting: [`Writer`] writes journals, and
//! [`Capture::seal_next`] seals them. Neither reads a clock.

mod batch;
mod cells;
mod file;
mod journal;
mod layout;
mod marks;
mod pack;
mod reader;
mod row;
mod schema;
mod seal;
mod space;
mod tables;
mod verdict;
mod writer;

use std::fs::{DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use series::Timestamp;

pub use file::ReadError;
pub use marks::{Mark, MarkError, MarkKind, NewMark, Picker, Selectors};
pub use reader::{Reader, Rows, Skipped};
pub use row::{EventPhase, Provenance, Row};
pub use schema::Table;
pub use seal::{SealError, Sealed};
pub use space::Status;
pub use verdict::Said;
pub use writer::Writer;

use marks::Marks;
use space::Space;

/// When journals are sealed, and how much there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// A journal with so many rows is sealed.
    pub rotate_rows: u64,
    /// A journal of so many bytes is sealed. A packed part has a third to a half of that.
    pub rotate_bytes: u64,
    /// A journal that was begun so long ago is sealed, in microseconds.
    pub rotate_age_us: i64,
    /// Bytes of all files together; a few times `rotate_bytes`, or there is no room for parts beside journals.
    pub max_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            rotate_rows: 1 << 20,
            rotate_bytes: 128 << 20,
            rotate_age_us: 300_000_000,
            max_bytes: 10 << 30,
        }
    }
}

/// Why a directory cannot be captured to.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// It cannot be made, read or written.
    #[error("opening the capture directory {path}")]
    Io {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Another engine captures to it.
    #[error("the capture directory {path} is in use by another engine")]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// Its marks cannot be read. Without them faults would pass for normal behaviour.
    #[error("the marks in {path} cannot be used")]
    Marks {
        /// The directory.
        path: PathBuf,
        /// What is wrong with them.
        #[source]
        source: ReadError,
    },
}

/// A capture directory, locked for as long as this or its [`Writer`] lives. For any number of threads.
#[derive(Debug, Clone)]
pub struct Capture {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    space: Space,
    marks: Marks,
    options: Options,
    _lock: File,
}

impl Capture {
    /// Makes the directory if it is not there, locks it, and takes stock. Journals that a killed process left are the
    /// first that [`Capture::seal_next`] seals.
    ///
    /// # Errors
    /// See [`CaptureError`].
    pub fn open(
        dir: &Path,
        options: Options,
        selectors: Selectors,
    ) -> Result<(Self, Writer), CaptureError> {
        let io = |source| CaptureError::Io {
            path: dir.to_owned(),
            source,
        };
        // What a machine does is for the owner's eyes only.
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir.join(layout::JOURNAL))
            .map_err(io)?;
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(dir.join(layout::JOURNAL).join("lock"))
            .map_err(io)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(CaptureError::InUse {
                    path: dir.to_owned(),
                });
            }
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        let space = Space::open(dir, options.max_bytes).map_err(io)?;
        let marks = Marks::open(&space, selectors).map_err(|source| CaptureError::Marks {
            path: dir.to_owned(),
            source,
        })?;
        let shared = Arc::new(Shared {
            space,
            marks,
            options,
            _lock: lock,
        });
        let writer = Writer::new(Arc::clone(&shared));
        Ok((Self { shared }, writer))
    }

    /// Where it is.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.shared.space.dir()
    }

    /// How it goes.
    #[must_use]
    pub fn status(&self) -> Status {
        self.shared.space.status()
    }

    /// Seals the oldest journal that is ready; `None` when there is none.
    ///
    /// # Errors
    /// See [`SealError`]. The journal stays, and is the next again.
    pub fn seal_next(&self) -> Option<Result<Sealed, SealError>> {
        let space = &self.shared.space;
        let (journal, bytes) = space.next_closed()?;
        let sealed = seal::seal(space, &journal);
        match &sealed {
            Ok(sealed) => {
                space.sealed(journal.table, bytes, *sealed);
                space.make_room(0);
            }
            Err(error) => {
                let why = format!("{error}: {}", error.source);
                space.put_back(journal, bytes, why);
            }
        }
        Some(sealed)
    }

    /// Begins a mark, which may lie in the past, and may have an end already. It is on the disk when this returns.
    ///
    /// # Errors
    /// See [`MarkError`].
    pub fn start_mark(&self, mark: NewMark) -> Result<Mark, MarkError> {
        self.shared.marks.start(&self.shared.space, mark)
    }

    /// Ends a mark; `to` is the instant after its last. It is on the disk when this returns. Rows that were written
    /// between an end in the past and now keep what they were given: better lose an example than learn a wrong one.
    ///
    /// # Errors
    /// See [`MarkError`].
    pub fn end_mark(&self, id: u64, to: Timestamp) -> Result<Mark, MarkError> {
        self.shared.marks.end(&self.shared.space, id, to.micros())
    }

    /// All marks, in order of their numbers.
    #[must_use]
    pub fn marks(&self) -> Vec<Mark> {
        let list = self.shared.marks.list();
        list.iter().map(|entry| entry.mark.clone()).collect()
    }
}

#[cfg(test)]
mod tests;
