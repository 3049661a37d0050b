//! `history.jsonl`: what happened to a model, one JSON object a line, only ever appended to.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use serde::{Deserialize, Serialize};

use super::{ChangeError, Name, Registry, Version};

/// How much of the end of a history is read: some ten thousand records.
const TAIL_BYTES: u64 = 4 << 20;
/// Longest reason, in bytes.
const WHY_BYTES: usize = 4096;
const FILE: &str = "history.jsonl";

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// `to` was put into the registry.
    Install,
    /// `to` was compared with `from` and is not worse.
    Passed,
    /// `to` was compared with `from` and is worse, or could not be judged.
    Failed,
    /// `to` became the champion.
    Promote,
    /// `to` became the champion although no comparison spoke for it.
    Force,
    /// `to` is the champion again.
    Rollback,
    /// `to` could not be loaded or did not compute what its golden file says; `from` went on.
    Refuse,
    /// `to` was deleted.
    Remove,
}

/// One line of a history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// When, in microseconds since 1970-01-01T00:00:00Z.
    pub time_us: i64,
    /// What happened.
    pub action: Action,
    /// The champion before; none stands for the model that is built in, or for no model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Version>,
    /// The version that it is about; none as in `from`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Version>,
    /// Why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// The checksum of the model that was judged, where that matters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sha256: String,
}

impl Registry {
    /// The last records of a model, oldest first; none when there is no such model. An unfinished last line, which a
    /// killed writer leaves, and lines that a later version wrote are left out.
    ///
    /// # Errors
    /// [`ChangeError::Io`] when the file cannot be read.
    pub fn history(&self, name: &Name) -> Result<Vec<Record>, ChangeError> {
        let path = self.model_dir(name).join(FILE);
        let io = |source| ChangeError::io("reading", &path, source);
        let mut file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(io)?,
        };
        let length = file.metadata().map_err(io)?.len();
        let start = length.saturating_sub(TAIL_BYTES);
        file.seek(SeekFrom::Start(start)).map_err(io)?;
        let mut bytes = Vec::new();
        file.take(TAIL_BYTES).read_to_end(&mut bytes).map_err(io)?;
        let mut lines = bytes.split(|&b| b == b'\n');
        if start > 0 {
            // The first line was cut.
            lines.next();
        }
        Ok(lines
            .filter_map(|line| serde_json::from_slice(line).ok())
            .collect())
    }

    /// Appends a record and waits until it is on the disk.
    ///
    /// # Errors
    /// [`ChangeError::Io`] when the disk is full or fails.
    pub fn note(&self, name: &Name, mut record: Record) -> Result<(), ChangeError> {
        let mut end = record.why.len().min(WHY_BYTES);
        while !record.why.is_char_boundary(end) {
            end -= 1;
        }
        record.why.truncate(end);
        let path = self.model_dir(name).join(FILE);
        let io = |source| ChangeError::io("writing", &path, source);
        let mut line = serde_json::to_vec(&record).map_err(|e| io(e.into()))?;
        line.push(b'\n');
        let mut file = File::options()
            .create(true)
            .append(true)
            .read(true)
            .open(&path)
            .map_err(io)?;
        if ends_torn(&mut file).map_err(io)? {
            line.insert(0, b'\n');
        }
        // One call: lines of two writers do not mix.
        file.write_all(&line).map_err(io)?;
        file.sync_data().map_err(io)
    }
}

fn ends_torn(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last != [b'\n'])
}

/// The champions under the present one, as a stack: a promotion lays one on top, a rollback takes down to the one it
/// names. The last is the one that serves now. A record whose pointer was never written, as a crash between the two
/// leaves it, lies above `now` and is dropped.
pub(super) fn stack(records: &[Record], now: Option<Version>) -> Vec<Option<Version>> {
    let mut stack = Vec::new();
    for record in records {
        match record.action {
            Action::Promote | Action::Force => {
                if stack.last() != Some(&record.from) {
                    stack.push(record.from);
                }
                stack.push(record.to);
            }
            Action::Rollback => {
                let place = stack.iter().rposition(|version| *version == record.to);
                stack.truncate(place.map_or(0, |place| place + 1));
                if place.is_none() {
                    stack.push(record.to);
                }
            }
            Action::Install | Action::Passed | Action::Failed | Action::Refuse | Action::Remove => {
            }
        }
    }
    match stack.iter().rposition(|version| *version == now) {
        Some(place) => stack.truncate(place + 1),
        // Nobody knows how it came about; what served before is still what to go back to.
        None => stack.push(now),
    }
    stack
}
