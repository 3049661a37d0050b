//! Files read once, without following links and without reading more than agreed.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, open, openat};
use rustix::io::Errno;

/// How large files may be, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The model.
    pub model_bytes: u64,
    /// The golden inputs and outputs.
    pub golden_bytes: u64,
}

impl Default for Limits {
    /// 256 MiB for a model, 16 MiB for its golden file.
    fn default() -> Self {
        Self {
            model_bytes: 256 << 20,
            golden_bytes: 16 << 20,
        }
    }
}

/// Cards are for people to read.
pub(super) const CARD_BYTES: u64 = 64 << 10;

/// Why a file was not read.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It is not there.
    #[error("{path} does not exist")]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// It is a link, or lies behind one.
    #[error("{path} is a symbolic link; models are read from their own directory only")]
    Link {
        /// The link.
        path: PathBuf,
    },
    /// It is something else.
    #[error("{path} is not a {expected}")]
    Kind {
        /// What it should be.
        expected: &'static str,
        /// The path.
        path: PathBuf,
    },
    /// It is larger than agreed.
    #[error("{path} has {bytes} bytes, at most {limit} are read")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its length.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// Somebody wrote to it meanwhile.
    #[error("{path} changed while it was read")]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// The system failed.
    #[error("reading {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl FileError {
    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Missing { path }
            | Self::Link { path }
            | Self::Kind { path, .. }
            | Self::TooLarge { path, .. }
            | Self::Changed { path }
            | Self::Io { path, .. } => path,
        }
    }
}

/// An open directory: what is read through it stays the same directory, whatever is renamed meanwhile.
#[derive(Debug)]
pub(super) struct Dir {
    fd: OwnedFd,
    path: PathBuf,
}

fn refused(errno: Errno, path: &Path, expected: &'static str) -> FileError {
    let path = path.to_owned();
    match errno {
        Errno::NOENT => FileError::Missing { path },
        Errno::LOOP => FileError::Link { path },
        Errno::NOTDIR => FileError::Kind { expected, path },
        other => FileError::Io {
            path,
            source: other.into(),
        },
    }
}

impl Dir {
    /// The root may be a link: whoever runs the engine chose it.
    pub(super) fn open(path: &Path) -> Result<Self, FileError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = open(path, flags, Mode::empty());
        Ok(Self {
            fd: fd.map_err(|errno| refused(errno, path, "directory"))?,
            path: path.to_owned(),
        })
    }

    /// The directory `name` in this one.
    pub(super) fn enter(&self, name: &str) -> Result<Self, FileError> {
        let path = self.path.join(name);
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = openat(&self.fd, name, flags, Mode::empty()).map_err(|errno| {
            // With both flags, Linux calls a link "not a directory".
            let is_link = std::fs::symlink_metadata(&path).is_ok_and(|about| about.is_symlink());
            let errno = if is_link { Errno::LOOP } else { errno };
            refused(errno, &path, "directory")
        })?;
        Ok(Self { fd, path })
    }

    /// All bytes of the file `name`, at most `limit`.
    pub(super) fn read(&self, name: &str, limit: u64) -> Result<Vec<u8>, FileError> {
        let path = self.path.join(name);
        let io = |source| FileError::Io {
            path: path.clone(),
            source,
        };
        // Without NONBLOCK, opening a named pipe would wait for a writer for ever.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = openat(&self.fd, name, flags, Mode::empty());
        let file = File::from(fd.map_err(|errno| refused(errno, &path, "directory"))?);
        let before = file.metadata().map_err(io)?;
        if !before.is_file() {
            return Err(FileError::Kind {
                expected: "plain file",
                path,
            });
        }
        if before.len() > limit {
            return Err(FileError::TooLarge {
                path,
                bytes: before.len(),
                limit,
            });
        }
        let mut bytes = Vec::with_capacity(usize::try_from(before.len()).unwrap_or(0));
        (&file)
            .take(limit + 1)
            .read_to_end(&mut bytes)
            .map_err(io)?;
        let after = file.metadata().map_err(io)?;
        let same_time = before.modified().ok() == after.modified().ok();
        if bytes.len() as u64 != before.len() || after.len() != before.len() || !same_time {
            return Err(FileError::Changed { path });
        }
        Ok(bytes)
    }
}
