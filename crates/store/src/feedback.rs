//! What people said about alerts, one JSON object a line, only ever appended to.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use series::{SeriesKey, Timestamp};

/// Most records in one log. People write feedback by hand; a program that floods it is told to stop.
const MAX_RECORDS: usize = 100_000;

/// What was said of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It was right.
    Confirmed,
    /// It was not worth having.
    Dismissed,
}

/// One submission, as it comes in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewFeedback {
    /// The caller's own name for the call; empty for none.
    pub request_id: String,
    /// The series it is about.
    #[serde(with = "key_text")]
    pub series: SeriesKey,
    /// The event it is about; 0 for none.
    pub event_id: u64,
    /// The time it is about, in microseconds since 1970-01-01T00:00:00Z.
    pub time_us: i64,
    /// What was said.
    pub verdict: Verdict,
    /// A remark.
    pub note: String,
    /// When it was submitted, in microseconds since 1970-01-01T00:00:00Z.
    pub submitted_us: i64,
}

/// One submission, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feedback {
    /// Its place in the log, from 1.
    pub id: u64,
    /// What was submitted.
    pub body: NewFeedback,
}

impl NewFeedback {
    /// The time it is about.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        Timestamp::from_micros(self.time_us)
    }
}

/// What came of an attempt to append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Appended {
    /// It is on the disk.
    New(Feedback),
    /// A record with the same `request_id` was there: this one.
    Repeated(Feedback),
}

/// Why the log cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FeedbackError {
    /// The system failed.
    #[error("{doing} the feedback log {path}")]
    Io {
        /// What we were doing.
        doing: &'static str,
        /// The log.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A line before the last is not a record.
    #[error("{path}, line {line}: {message}")]
    Line {
        /// The log.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        message: String,
    },
    /// It holds as many records as it may.
    #[error("the feedback log holds {MAX_RECORDS} records already")]
    Full,
}

/// The log, with all its records in memory.
#[derive(Debug)]
pub struct FeedbackLog {
    path: PathBuf,
    file: File,
    /// Where the next record goes.
    end: u64,
    records: Vec<Feedback>,
    by_request: HashMap<String, usize>,
    torn_bytes: usize,
}

impl FeedbackLog {
    /// Reads the log; makes it when it is not there. An unfinished last line is what a killed writer leaves: it was
    /// never acknowledged, and is cut off.
    pub(crate) fn open(path: PathBuf) -> Result<Self, FeedbackError> {
        let io = |doing| {
            let path = path.clone();
            move |source| FeedbackError::Io {
                doing,
                path,
                source,
            }
        };
        let mut file = File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(io("opening"))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(io("reading"))?;
        let end = bytes.iter().rposition(|&b| b == b'\n').map_or(0, |i| i + 1);
        let mut records = Vec::new();
        let mut by_request = HashMap::new();
        for (i, line) in bytes[..end]
            .split(|&b| b == b'\n')
            .filter(|line| !line.is_empty())
            .enumerate()
        {
            let body: NewFeedback =
                serde_json::from_slice(line).map_err(|e| FeedbackError::Line {
                    path: path.clone(),
                    line: i + 1,
                    message: e.to_string(),
                })?;
            if !body.request_id.is_empty() {
                by_request.insert(body.request_id.clone(), i);
            }
            records.push(Feedback {
                id: i as u64 + 1,
                body,
            });
        }
        let torn_bytes = bytes.len() - end;
        let end = end as u64;
        if torn_bytes > 0 {
            file.set_len(end).map_err(io("repairing"))?;
            file.sync_all().map_err(io("repairing"))?;
        }
        Ok(Self {
            path,
            file,
            end,
            records,
            by_request,
            torn_bytes,
        })
    }

    /// Bytes of an unfinished last line that were cut off when the log was opened.
    #[must_use]
    pub fn torn_bytes(&self) -> usize {
        self.torn_bytes
    }

    /// All records, oldest first.
    #[must_use]
    pub fn records(&self) -> &[Feedback] {
        &self.records
    }

    /// The record of an earlier call; `None` for the empty name.
    #[must_use]
    pub fn by_request_id(&self, request_id: &str) -> Option<&Feedback> {
        self.by_request.get(request_id).map(|&i| &self.records[i])
    }

    /// Appends a record and waits until it is on the disk, unless one with the same `request_id` is there.
    ///
    /// # Errors
    /// When the disk is full or fails, the log is as it was before. See [`FeedbackError`].
    pub fn append(&mut self, body: NewFeedback) -> Result<Appended, FeedbackError> {
        if let Some(earlier) = self.by_request_id(&body.request_id) {
            return Ok(Appended::Repeated(earlier.clone()));
        }
        if self.records.len() >= MAX_RECORDS {
            return Err(FeedbackError::Full);
        }
        let error = |source| FeedbackError::Io {
            doing: "writing",
            path: self.path.clone(),
            source,
        };
        let mut line = serde_json::to_vec(&body).map_err(|e| error(e.into()))?;
        line.push(b'\n');
        let written = write_at(&mut self.file, self.end, &line);
        if let Err(source) = written {
            // Cut off what was begun; when even that fails, the next record is still written over it.
            let _ = self.file.set_len(self.end);
            return Err(error(source));
        }
        self.end += line.len() as u64;
        let record = Feedback {
            id: self.records.len() as u64 + 1,
            body,
        };
        if !record.body.request_id.is_empty() {
            self.by_request
                .insert(record.body.request_id.clone(), self.records.len());
        }
        self.records.push(record.clone());
        Ok(Appended::New(record))
    }
}

fn write_at(file: &mut File, at: u64, line: &[u8]) -> io::Result<()> {
    file.seek(SeekFrom::Start(at))?;
    file.write_all(line)?;
    file.sync_data()
}

/// A key as the text that people write, so that the log can be read and searched with plain tools.
mod key_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use series::SeriesKey;

    pub(super) fn serialize<S: Serializer>(key: &SeriesKey, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(key)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<SeriesKey, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn record(request_id: &str) -> NewFeedback {
        NewFeedback {
            request_id: request_id.to_owned(),
            series: r#"load{host="a"}"#.parse().unwrap(),
            event_id: 4,
            time_us: 1_000,
            verdict: Verdict::Dismissed,
            note: "nightly\nbackup".to_owned(),
            submitted_us: 2_000,
        }
    }

    #[test]
    fn what_was_appended_is_read_again_and_a_repeated_call_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let mut log = FeedbackLog::open(path.clone()).unwrap();
        let first = Feedback {
            id: 1,
            body: record("a"),
        };
        assert_eq!(
            log.append(record("a")).unwrap(),
            Appended::New(first.clone())
        );
        assert!(matches!(log.append(record("")).unwrap(), Appended::New(_)));
        assert!(matches!(log.append(record("")).unwrap(), Appended::New(_)));
        assert_eq!(
            log.append(record("a")).unwrap(),
            Appended::Repeated(first.clone())
        );
        drop(log);
        let mut again = FeedbackLog::open(path).unwrap();
        assert_eq!(again.records().len(), 3);
        assert_eq!(
            again.append(record("a")).unwrap(),
            Appended::Repeated(first)
        );
    }

    #[test]
    fn a_line_cut_at_any_byte_is_forgotten_and_the_rest_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let mut log = FeedbackLog::open(path.clone()).unwrap();
        log.append(record("a")).unwrap();
        let one = fs::read(&path).unwrap().len();
        log.append(record("b")).unwrap();
        let whole = fs::read(&path).unwrap();
        for cut in one..whole.len() {
            fs::write(&path, &whole[..cut]).unwrap();
            let mut log = FeedbackLog::open(path.clone()).unwrap();
            assert_eq!((log.records().len(), log.torn_bytes()), (1, cut - one));
            log.append(record("c")).unwrap();
            assert_eq!(FeedbackLog::open(path.clone()).unwrap().records().len(), 2);
        }
    }

    #[test]
    fn a_broken_line_inside_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let good = serde_json::to_string(&record("a")).unwrap();
        fs::write(&path, format!("{good}\n{{\"series\": 3}}\n{good}\n")).unwrap();
        let message = FeedbackLog::open(path).unwrap_err().to_string();
        assert!(message.contains("line 2: "), "{message}");
    }
}
