//! What bounds a run: a control group, a small file system, a database of its own; and what undoes them.

mod database;
mod group;
mod keeper;
mod small_disk;
mod undo;

use std::io;
use std::path::PathBuf;

pub(crate) use database::Database;
pub(crate) use group::{Group, Limits};
pub(crate) use keeper::Keeper;
pub use keeper::keeper_main;
pub(crate) use small_disk::SmallDisk;
pub(crate) use undo::Undo;

/// How the names of groups and folders begin, so that nothing else is ever removed.
pub(crate) const PREFIX: &str = "forestall-rig-";

/// A sandbox that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// Something was refused by the system.
    #[error("{doing} {path}")]
    Io {
        /// What it was about to do.
        doing: &'static str,
        /// With what.
        path: PathBuf,
        /// Why it could not.
        source: io::Error,
    },
    /// A program that is not there, or failed.
    #[error("{program} failed: {said}")]
    Program {
        /// Its name.
        program: &'static str,
        /// What it said.
        said: String,
    },
    /// Mounting is root's.
    #[error(
        "a small file system has to be mounted, which only root may: run `sudo forestall rig disk`; every other kind runs without"
    )]
    NotRoot,
    /// No PostgreSQL.
    #[error("PostgreSQL is not installed here: apt-get install postgresql")]
    NoPostgres,
    /// The keeper hung up.
    #[error("the process that cleans up ended by itself")]
    Keeper,
}

impl SandboxError {
    pub(crate) fn io(
        doing: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io {
            doing,
            path,
            source,
        }
    }
}

/// Runs a program of the system to its end.
pub(crate) fn program(
    name: &'static str,
    command: &mut std::process::Command,
) -> Result<(), SandboxError> {
    let failed = |said: String| SandboxError::Program {
        program: name,
        said,
    };
    let output = command
        .stdin(std::process::Stdio::null())
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().rfind(|line| !line.trim().is_empty());
    Err(failed(last.unwrap_or("without a word").to_owned()))
}

/// Whether this process may do what only root may.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
