//! Snapshots of learned state, two generations of them.
//!
//! A snapshot is written beside the others under a name of its own, brought to the disk, and only then given its name:
//! whoever loses power or is killed finds the one before. The generation before that is kept too, since a disk may
//! break a file long after it was written well.

mod format;

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use series::Timestamp;

pub use format::{FORMAT_VERSION, FormatError};

const CURRENT: &str = "engine.snapshot";
const PREVIOUS: &str = "engine.snapshot.previous";
const REFUSED: &str = "engine.snapshot.refused";
const UNFINISHED: &str = "engine.snapshot.unfinished";

/// The snapshots in one state directory.
#[derive(Debug, Clone)]
pub struct Snapshots {
    dir: PathBuf,
    schema_hash: u64,
}

/// Why a snapshot was not written. The ones before are untouched.
#[derive(Debug, thiserror::Error)]
#[error("writing the snapshot {path}")]
pub struct SaveError {
    /// Where it was to be.
    pub path: PathBuf,
    /// What the system said.
    #[source]
    pub source: io::Error,
}

/// Why a snapshot was not used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file is not what it should be.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// The file is whole, and the engine cannot take what it holds.
    #[error("its contents do not fit this engine: {0}")]
    Contents(Box<dyn Error + Send + Sync>),
}

/// A snapshot that was not used.
#[derive(Debug)]
pub struct Refused {
    /// Where it was.
    pub path: PathBuf,
    /// Where it was put so that nothing overwrites it; `None` when that failed.
    pub kept_as: Option<PathBuf>,
    /// What is wrong with it.
    pub error: LoadError,
}

/// What came of looking for a snapshot.
#[derive(Debug)]
pub struct Restored<T> {
    /// What the reader made of the newest good one, and when that was written; `None` when there was none.
    pub state: Option<(T, Timestamp)>,
    /// Those that were not good, newest first.
    pub refused: Vec<Refused>,
}

impl Snapshots {
    pub(crate) fn new(dir: PathBuf, schema_hash: u64) -> Self {
        Self { dir, schema_hash }
    }

    /// Writes a snapshot; `fill` writes the engine's bytes. Returns the file's size in bytes.
    ///
    /// # Errors
    /// When the disk is full or fails. What was begun is removed, and the snapshots before stay as they are.
    pub fn save(
        &self,
        created: Timestamp,
        fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<u64, SaveError> {
        let unfinished = self.dir.join(UNFINISHED);
        let bytes = self.write(&unfinished, created, fill).map_err(|source| {
            // Nothing better can be done when removing fails as well; the next attempt starts the file afresh.
            let _ = fs::remove_file(&unfinished);
            SaveError {
                path: unfinished.clone(),
                source,
            }
        })?;
        let current = self.dir.join(CURRENT);
        self.put_in_place(&unfinished, &current)
            .map_err(|source| SaveError {
                path: current,
                source,
            })?;
        Ok(bytes)
    }

    fn write(
        &self,
        path: &Path,
        created: Timestamp,
        fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<u64> {
        let mut out = BufWriter::with_capacity(256 << 10, File::create(path)?);
        let bytes = format::write(&mut out, self.schema_hash, created, fill)?;
        out.into_inner()?.sync_all()?;
        Ok(bytes)
    }

    /// If the machine stops between the two renames there is no current snapshot, and the previous one is found.
    fn put_in_place(&self, unfinished: &Path, current: &Path) -> io::Result<()> {
        match fs::rename(current, self.dir.join(PREVIOUS)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        fs::rename(unfinished, current)?;
        sync_dir(&self.dir)
    }

    /// Finds the newest snapshot that is whole, of our version and schema, and that `read` accepts.
    ///
    /// `read` gets exactly the bytes that `fill` wrote, after all of the file was checked. A snapshot that is refused
    /// is moved aside, so that it can be looked at and is not taken for a good one later.
    pub fn restore<T>(
        &self,
        mut read: impl FnMut(&mut dyn Read) -> Result<T, Box<dyn Error + Send + Sync>>,
    ) -> Restored<T> {
        let mut refused = Vec::new();
        for name in [CURRENT, PREVIOUS] {
            let path = self.dir.join(name);
            match self.read(&path, &mut read) {
                Ok(Some(state)) => {
                    return Restored {
                        state: Some(state),
                        refused,
                    };
                }
                Ok(None) => {}
                Err(error) => {
                    let aside = self.dir.join(REFUSED);
                    // The newest refused one is the one worth keeping.
                    let moved = if refused.is_empty() {
                        fs::rename(&path, &aside)
                    } else {
                        fs::remove_file(&path)
                    };
                    let kept_as = (refused.is_empty() && moved.is_ok()).then_some(aside);
                    refused.push(Refused {
                        path,
                        kept_as,
                        error,
                    });
                }
            }
        }
        Restored {
            state: None,
            refused,
        }
    }

    fn read<T>(
        &self,
        path: &Path,
        read: &mut impl FnMut(&mut dyn Read) -> Result<T, Box<dyn Error + Send + Sync>>,
    ) -> Result<Option<(T, Timestamp)>, LoadError> {
        let mut file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(FormatError::Io)?,
        };
        let length = file.metadata().map_err(FormatError::Io)?.len();
        let (created, payload) = format::verify(&mut file, length, self.schema_hash)?;
        file.seek(SeekFrom::Start(format::HEADER_BYTES))
            .map_err(FormatError::Io)?;
        let mut contents = BufReader::with_capacity(256 << 10, file.take(payload));
        let state = read(&mut contents).map_err(LoadError::Contents)?;
        Ok(Some((state, created)))
    }
}

/// A rename is on the disk once its directory is.
pub(crate) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests;
