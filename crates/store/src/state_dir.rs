//! The directory that one running engine owns.

use std::fs::{DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::snapshot::sync_dir;
use crate::{FeedbackError, FeedbackLog, Snapshots};

/// A state directory, locked for as long as this lives.
///
/// Two engines that write the same files would each undo the other's work, so the second one is turned away. The lock
/// is the kernel's: it is gone with the process, however that ends.
#[derive(Debug)]
pub struct StateDir {
    path: PathBuf,
    _lock: File,
}

/// Why a state directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It cannot be made or written.
    #[error("opening the state directory {path}")]
    Io {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Another engine has it.
    #[error("the state directory {path} is in use by another engine")]
    InUse {
        /// The directory.
        path: PathBuf,
    },
}

impl StateDir {
    /// Makes the directory if it is not there, and locks it.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let io = |source| OpenError::Io {
            path: path.to_owned(),
            source,
        };
        // What a machine does, and what people remark on it, is for the owner's eyes only.
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(io)?;
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join("lock"))
            .map_err(io)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(OpenError::InUse {
                    path: path.to_owned(),
                });
            }
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        sync_dir(path).map_err(io)?;
        Ok(Self {
            path: path.to_owned(),
            _lock: lock,
        })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The snapshots of an engine whose features have this schema.
    #[must_use]
    pub fn snapshots(&self, schema_hash: u64) -> Snapshots {
        Snapshots::new(self.path.clone(), schema_hash)
    }

    /// The log of feedback, read to its end.
    ///
    /// # Errors
    /// See [`FeedbackError`].
    pub fn feedback(&self) -> Result<FeedbackLog, FeedbackError> {
        FeedbackLog::open(self.path.join("feedback.jsonl"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_engine_is_turned_away_until_the_first_is_gone() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("not/yet/there");
        let first = StateDir::open(&path).unwrap();
        assert!(matches!(
            StateDir::open(&path),
            Err(OpenError::InUse { .. })
        ));
        drop(first);
        StateDir::open(&path).unwrap();
    }
}
