//! What is not sealed yet: an Arrow IPC stream, so that a killed engine leaves a file that any Arrow reader takes.
//!
//! A batch is written as one piece and counts once it is there whole. What a kill or a full disk leaves of a piece is
//! cut off, and nothing else is lost. Dictionaries are written as they grow, never twice. A journal is brought to the
//! disk when it is sealed, not at each batch: a kill loses nothing, a power cut what the system had not written.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::{DictionaryHandling, IpcWriteOptions, StreamWriter};
use arrow_schema::ArrowError;

use super::schema::Table;

/// A journal that is being written.
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    /// Encodes into memory: only whole pieces go to the file.
    stream: StreamWriter<Vec<u8>>,
    bytes: u64,
    rows: u64,
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal")
            .field("path", &self.path)
            .field("bytes", &self.bytes)
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

impl Journal {
    /// A new one. Writes nothing yet.
    pub(super) fn create(path: PathBuf, table: Table) -> io::Result<Self> {
        let options =
            IpcWriteOptions::default().with_dictionary_handling(DictionaryHandling::Delta);
        let stream = StreamWriter::try_new_with_options(Vec::new(), &table.schema(), options)
            .map_err(io::Error::other)?;
        let file = File::create_new(&path)?;
        Ok(Self {
            path,
            file,
            stream,
            bytes: 0,
            rows: 0,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes in the file.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Rows in the file.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// Encodes a batch; returns how many bytes [`Journal::write`] will add to the file.
    pub(super) fn encode(&mut self, batch: &RecordBatch) -> Result<u64, ArrowError> {
        self.stream.write(batch)?;
        Ok(self.stream.get_ref().len() as u64)
    }

    /// Writes what was encoded, `rows` rows. After an error the file ends with the piece before, and the journal can
    /// only be closed: its dictionaries know of a piece that is not there.
    pub(super) fn write(&mut self, rows: u64) -> io::Result<()> {
        let piece = self.stream.get_mut();
        let written = self.file.write_all_at(piece, self.bytes);
        if let Err(error) = written {
            // When cutting fails as well, whoever reads it finds the torn piece and stops before it.
            let _ = self.file.set_len(self.bytes);
            return Err(error);
        }
        self.bytes += piece.len() as u64;
        self.rows += rows;
        piece.clear();
        Ok(())
    }
}

/// Reads a journal up to its last whole batch.
pub(super) struct Recovery {
    stream: Option<StreamReader<Counted<BufReader<File>>>>,
    table: Table,
    good_bytes: u64,
    all_bytes: u64,
}

/// Counts what is read through it.
#[derive(Debug)]
struct Counted<R> {
    inner: R,
    bytes: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.bytes += n as u64;
        Ok(n)
    }
}

impl Recovery {
    /// Opens a journal. One that was cut within its first piece has no batches.
    pub(super) fn open(path: &Path, table: Table) -> io::Result<Self> {
        let file = File::open(path)?;
        let all_bytes = file.metadata()?.len();
        let input = Counted {
            inner: BufReader::with_capacity(1 << 20, file),
            bytes: 0,
        };
        let stream = guarded(|| StreamReader::try_new(input, None));
        Ok(Self {
            stream: stream.filter(|stream| stream.schema() == table.schema()),
            table,
            good_bytes: 0,
            all_bytes,
        })
    }

    /// The next whole batch; `None` at the end, or where it is torn.
    pub(super) fn next(&mut self) -> Option<RecordBatch> {
        let stream = self.stream.as_mut()?;
        let batch = guarded(|| stream.next().transpose()).flatten();
        match batch {
            Some(batch) if batch.schema() == self.table.schema() => {
                self.good_bytes = stream.get_ref().bytes;
                Some(batch)
            }
            Some(_) | None => {
                self.stream = None;
                None
            }
        }
    }

    /// Bytes after the last whole batch that was read.
    pub(super) fn torn_bytes(&self) -> u64 {
        self.all_bytes.saturating_sub(self.good_bytes)
    }
}

/// Runs a step of the reader, which was written for whole files: torn ones may make it panic. What is wrong with the
/// tail of a journal does not matter, only where it begins.
fn guarded<T>(step: impl FnOnce() -> Result<T, ArrowError>) -> Option<T> {
    catch_unwind(AssertUnwindSafe(step)).ok()?.ok()
}
