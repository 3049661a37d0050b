//! The end of the audit, kept in the state directory: a ledger that was cut, or put in the place of another, is told by it.

use std::fmt;
use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ledger::Ledger;
use remedy::audit::{Head, HeadError};

use super::PlanningError;

/// The end is written down at most so often: what is in the file may be older than the ledger, never newer.
const EVERY: Duration = Duration::from_secs(1);

/// Where a server keeps the end of the audit that it writes, wherever the ledger is.
#[must_use]
pub fn head_file(state_dir: &Path) -> PathBuf {
    state_dir.join("audit.head")
}

/// The file that it is kept in.
#[derive(Debug)]
pub(super) struct HeadFile {
    path: PathBuf,
    written: Option<(Instant, Head)>,
}

impl HeadFile {
    pub(super) fn new(state_dir: &Path) -> Self {
        Self {
            path: head_file(state_dir),
            written: None,
        }
    }

    /// Holds a ledger that ends at `found` against what is kept; where nothing is kept yet, nothing is said.
    pub(super) async fn check(&self, ledger: &Ledger, found: Head) -> Result<(), PlanningError> {
        let kept: Head = match fs::read_to_string(&self.path) {
            Ok(text) => text.parse().map_err(|error: HeadError| self.odd(error))?,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(self.odd(error)),
        };
        let is_there = match kept.seq {
            0 => true,
            seq if seq > found.seq => false,
            seq => {
                let entries = ledger.audit(seq - 1, 1).await;
                let entries = entries.map_err(ledger::LoadError::from)?;
                let entry = entries.first();
                entry.is_some_and(|entry| entry.seq == seq && entry.hash == kept.hash)
            }
        };
        match is_there {
            true => Ok(()),
            false => Err(PlanningError::Cut {
                ledger: ledger.location().to_string(),
                found: found.seq,
                kept: kept.seq,
                path: self.path.clone(),
            }),
        }
    }

    fn odd(&self, why: impl fmt::Display) -> PlanningError {
        PlanningError::Head {
            path: self.path.clone(),
            why: why.to_string(),
        }
    }

    /// Writes down the end, unless it was written a moment ago.
    pub(super) fn keep(&mut self, head: Head, is_last: bool) {
        let is_due = self
            .written
            .as_ref()
            .is_none_or(|(at, known)| *known != head && (is_last || at.elapsed() >= EVERY));
        if !is_due {
            return;
        }
        self.written = Some((Instant::now(), head));
        if let Err(error) = write(&self.path, head) {
            tracing::warn!(%error, path = %self.path.display(), "the end of the audit is not kept");
        }
    }
}

/// In one step, on the disk: a reader finds the old end or the new one, whatever fails meanwhile.
fn write(path: &Path, head: Head) -> std::io::Result<()> {
    let new = path.with_extension("head.new");
    let mut file = fs::File::create(&new)?;
    writeln!(file, "{head}")?;
    file.sync_data()?;
    fs::rename(&new, path)
}
