//! Which version serves: a file of one line, replaced as a whole.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use series::Timestamp;

use super::files::Dir;
use super::history::stack;
use super::{Action, FileError, Name, ReadError, Record, Registry, Version};
use crate::snapshot::sync_dir;

const FILE: &str = "champion";
/// A number and an end of line.
const MAX_BYTES: u64 = 16;

/// Why the champion was not changed, or a history not read or written.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The system failed.
    #[error("{doing} {path}")]
    Io {
        /// What we were doing.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Another process is changing the same model.
    #[error("{path} is being changed by another process; try again")]
    Busy {
        /// The model's directory.
        path: PathBuf,
    },
    /// The version cannot be used.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The pointer cannot be read.
    #[error("{path} holds {text:?}, expected a version and an end of line")]
    Pointer {
        /// The file.
        path: PathBuf,
        /// What it holds.
        text: String,
    },
    /// Somebody else changed the champion meanwhile.
    #[error("the champion of {name} is {}, not {} any more: look again", shown(*.found), shown(*.expected))]
    Moved {
        /// The model.
        name: Name,
        /// What it is.
        found: Option<Version>,
        /// What it was when the change was decided on.
        expected: Option<Version>,
    },
    /// There is nothing to go back to.
    #[error("{name} has no earlier champion to go back to")]
    NoEarlier {
        /// The model.
        name: Name,
    },
}

fn shown(version: Option<Version>) -> String {
    version.map_or_else(|| "none".to_owned(), |version| version.to_string())
}

impl ChangeError {
    pub(super) fn io(doing: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io {
            doing,
            path: path.to_owned(),
            source,
        }
    }
}

impl From<FileError> for ChangeError {
    fn from(error: FileError) -> Self {
        Self::Read(error.into())
    }
}

/// What the pointer was when it was looked at: equal ones mean that nothing happened in between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// The file's bytes; none when it is not there.
    bytes: Option<Vec<u8>>,
    /// When it was written: the same version promoted again is a new sighting.
    modified: Option<std::time::SystemTime>,
}

/// A change of champion that somebody decided on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Promotion<'a> {
    /// The champion that the decision was made against.
    pub from: Option<Version>,
    /// The champion to be.
    pub to: Version,
    /// [`Action::Promote`], or [`Action::Force`] when no comparison spoke for it.
    pub action: Action,
    /// Why.
    pub why: &'a str,
}

/// Leave to change one model, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn(#[expect(dead_code, reason = "held for its lock")] File);

impl Registry {
    /// The version that serves; `None` when nobody chose one.
    ///
    /// # Errors
    /// [`ChangeError::Pointer`] when the file holds something else; [`ChangeError::Read`] when it cannot be read.
    pub fn champion(&self, name: &Name) -> Result<Option<Version>, ChangeError> {
        let dir = match Dir::open(self.root()).and_then(|root| root.enter(name.as_str())) {
            Err(FileError::Missing { .. }) => return Ok(None),
            other => other?,
        };
        let bytes = match dir.read(FILE, MAX_BYTES) {
            Err(FileError::Missing { .. }) => return Ok(None),
            other => other?,
        };
        let text = String::from_utf8_lossy(&bytes);
        let version = text.strip_suffix('\n').and_then(|line| line.parse().ok());
        version.map(Some).ok_or_else(|| ChangeError::Pointer {
            path: self.model_dir(name).join(FILE),
            text: text.into_owned(),
        })
    }

    /// What the pointer looks like now, for whoever waits for a change. Something that cannot be read looks like
    /// nothing.
    #[must_use]
    pub fn sighting(&self, name: &Name) -> Sighting {
        let path = self.model_dir(name).join(FILE);
        let dir = Dir::open(self.root()).and_then(|root| root.enter(name.as_str()));
        Sighting {
            bytes: dir.and_then(|dir| dir.read(FILE, MAX_BYTES)).ok(),
            modified: fs::symlink_metadata(path)
                .and_then(|about| about.modified())
                .ok(),
        }
    }

    /// Makes a version the champion.
    ///
    /// The version is read and checked first. The history is written before the pointer: a crash between the two
    /// leaves a line too many, which [`Registry::rollback`] knows to skip.
    ///
    /// # Errors
    /// [`ChangeError`]; the champion is as it was, except when the very last step (bringing a rename to the disk)
    /// fails.
    pub fn promote(
        &self,
        name: &Name,
        promotion: Promotion<'_>,
        now: Timestamp,
    ) -> Result<(), ChangeError> {
        let Promotion {
            from,
            to,
            action,
            why,
        } = promotion;
        let sha256 = self.read(name, to)?.card.sha256;
        let _turn = self.turn(name)?;
        let found = self.champion(name)?;
        if found != from {
            return Err(ChangeError::Moved {
                name: name.clone(),
                found,
                expected: from,
            });
        }
        self.note(
            name,
            Record {
                time_us: now.micros(),
                action,
                from,
                to: Some(to),
                why: why.to_owned(),
                sha256,
            },
        )?;
        self.point(name, Some(to))
    }

    /// The champion that a rollback would bring back: the latest one under the present one that was not itself rolled
    /// back from and can still be read. The outer `None` says that there is none, the inner one stands for the
    /// built-in model.
    ///
    /// # Errors
    /// As [`Registry::champion`] and [`Registry::history`].
    pub fn previous(&self, name: &Name) -> Result<Option<Option<Version>>, ChangeError> {
        let now = self.champion(name)?;
        let stack = stack(&self.history(name)?, now);
        let earlier = stack.iter().rev().skip(1);
        let usable = |version: &&Option<Version>| {
            version.is_none_or(|version| version_is_there(self, name, version)) && **version != now
        };
        Ok(earlier
            .copied()
            .collect::<Vec<_>>()
            .iter()
            .find(usable)
            .copied())
    }

    /// Makes the champion before this one the champion again, and returns it; `None` is the built-in model.
    ///
    /// # Errors
    /// [`ChangeError::NoEarlier`] and the others; the champion is as it was.
    pub fn rollback(
        &self,
        name: &Name,
        why: &str,
        now: Timestamp,
    ) -> Result<Option<Version>, ChangeError> {
        let _turn = self.turn(name)?;
        let from = self.champion(name)?;
        let Some(to) = self.previous(name)? else {
            return Err(ChangeError::NoEarlier { name: name.clone() });
        };
        let sha256 = match to {
            Some(version) => self.read(name, version)?.card.sha256,
            None => String::new(),
        };
        self.note(
            name,
            Record {
                time_us: now.micros(),
                action: Action::Rollback,
                from,
                to,
                why: why.to_owned(),
                sha256,
            },
        )?;
        self.point(name, to)?;
        Ok(to)
    }

    fn point(&self, name: &Name, to: Option<Version>) -> Result<(), ChangeError> {
        let dir = self.model_dir(name);
        let path = dir.join(FILE);
        let io = |source| ChangeError::io("writing", &path, source);
        match to {
            Some(version) => {
                let unfinished = dir.join(".champion.unfinished");
                let mut file = File::create(&unfinished).map_err(io)?;
                file.write_all(format!("{version}\n").as_bytes())
                    .map_err(io)?;
                file.sync_all().map_err(io)?;
                fs::rename(&unfinished, &path).map_err(io)?;
            }
            None => match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io(error)),
                Ok(()) | Err(_) => {}
            },
        }
        sync_dir(&dir).map_err(io)
    }

    /// Turns away a second writer, of this process or another. The lock is the kernel's: it goes with its holder.
    pub(super) fn turn(&self, name: &Name) -> Result<Turn, ChangeError> {
        let path = self.model_dir(name);
        let lock = path.join(".lock");
        let io = |source| ChangeError::io("locking", &lock, source);
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock)
            .map_err(io)?;
        match file.try_lock() {
            Ok(()) => Ok(Turn(file)),
            Err(TryLockError::WouldBlock) => Err(ChangeError::Busy { path }),
            Err(TryLockError::Error(source)) => Err(io(source)),
        }
    }
}

fn version_is_there(registry: &Registry, name: &Name, version: Version) -> bool {
    registry.card(name, version).is_ok()
}
