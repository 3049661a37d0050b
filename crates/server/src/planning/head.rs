//! The end of the audit, kept beside the ledger: a ledger that was cut, or put in the place of another, is told by it.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ledger::{Ledger, QueryError};
use remedy::audit::Head;

/// The end is written down at most so often: what is in the file may be older than the ledger, never newer.
const EVERY: Duration = Duration::from_secs(1);

/// The file that it is kept in.
#[derive(Debug)]
pub(super) struct HeadFile {
    path: PathBuf,
    written: Option<(Instant, Head)>,
}

/// How the ledger differs from what is kept.
#[derive(Debug)]
pub(super) struct Cut {
    pub(super) found: u64,
    pub(super) kept: u64,
}

impl HeadFile {
    pub(super) const fn new(path: PathBuf) -> Self {
        Self {
            path,
            written: None,
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Holds a ledger that ends at `found` against what is kept. A file that is not there, or not readable as one, says
    /// nothing.
    pub(super) async fn check(
        &self,
        ledger: &Ledger,
        found: Head,
    ) -> Result<Option<Cut>, QueryError> {
        let kept = fs::read_to_string(&self.path).ok();
        let Some(kept) = kept.as_deref().and_then(parse) else {
            return Ok(None);
        };
        let is_there = match kept.seq {
            0 => true,
            seq if seq > found.seq => false,
            seq => {
                let entries = ledger.audit(seq - 1, 1).await?;
                let entry = entries.first();
                entry.is_some_and(|entry| entry.seq == seq && entry.hash == kept.hash)
            }
        };
        Ok((!is_there).then_some(Cut {
            found: found.seq,
            kept: kept.seq,
        }))
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

fn parse(text: &str) -> Option<Head> {
    let (seq, hash) = text.trim().split_once(' ')?;
    Some(Head {
        seq: seq.parse().ok()?,
        hash: hash.parse().ok()?,
    })
}

/// In one step: a reader finds the old end or the new one.
fn write(path: &Path, head: Head) -> std::io::Result<()> {
    let new = path.with_extension("head.new");
    let mut file = fs::File::create(&new)?;
    writeln!(file, "{} {}", head.seq, head.hash)?;
    fs::rename(&new, path)
}
