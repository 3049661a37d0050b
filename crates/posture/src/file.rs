//! Whole files into memory, none larger than allowed, and none that would keep us waiting.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

/// Why a file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It cannot be opened or read.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A folder, a pipe, a device or a socket.
    #[error("not a regular file")]
    NotAFile,
    /// Larger than is read.
    #[error("larger than {limit} bytes")]
    Large {
        /// How many bytes are read at most.
        limit: u64,
    },
}

impl ReadError {
    /// Whether there is nothing at that path.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Io(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory))
    }
}

/// The bytes of a regular file of at most `limit` bytes, and what the system says about it. Links are followed.
pub(crate) fn read(path: &Path, limit: u64) -> Result<(Vec<u8>, Metadata), ReadError> {
    let large = ReadError::Large { limit };
    let (file, metadata) = open(path)?;
    if metadata.len() > limit {
        return Err(large);
    }
    let mut bytes = Vec::new();
    // The length may be wrong: files of /proc have none, and others grow.
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(large);
    }
    Ok((bytes, metadata))
}

/// Looks before it opens, because opening a device may do something, and opens without waiting, because a pipe that has
/// no writer would never open; then looks again, because the file may have been exchanged.
fn open(path: &Path) -> Result<(File, Metadata), ReadError> {
    if !fs::metadata(path)?.is_file() {
        return Err(ReadError::NotAFile);
    }
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(ReadError::NotAFile);
    }
    Ok((file, metadata))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(path: &Path) -> String {
        read(path, 10).unwrap_err().to_string()
    }

    #[test]
    fn reads_up_to_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        fs::write(&path, "0123456789").unwrap();
        assert_eq!(read(&path, 10).unwrap().0, b"0123456789");
        fs::write(&path, "0123456789a").unwrap();
        assert_eq!(problem(&path), "larger than 10 bytes");
    }

    #[test]
    fn what_is_no_file_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(problem(folder.path()), "not a regular file");
        assert_eq!(problem(Path::new("/dev/zero")), "not a regular file");
        let pipe = folder.path().join("pipe");
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        assert_eq!(problem(&pipe), "not a regular file");
    }

    #[test]
    fn a_file_without_a_length_is_bounded_too() {
        assert_eq!(
            problem(Path::new("/proc/self/maps")),
            "larger than 10 bytes"
        );
    }

    #[test]
    fn what_is_not_there_is_missing() {
        let missing = |path: &str| read(Path::new(path), 1).unwrap_err().is_missing();
        assert!(missing("/no/such/file"));
        assert!(missing("/proc/self/maps/below-a-file"));
        assert!(!missing("/"));
    }
}
