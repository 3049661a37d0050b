//! The labelled corpora, read into one shape. None of them is in the repository: each loader says where to get it.

mod cloud;
mod nab;
mod npy;
mod smap_msl;
mod table;

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use ::series::Timestamp;

pub use cloud::cloud_monitoring;
pub use nab::{nab, published};
pub use smap_msl::smap_msl;

/// One recorded series with its labels. All vectors have one entry per row, in order of time.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// File name with its folder, as the corpus's own labels spell it.
    pub name: String,
    /// Not decreasing; clock changes leave duplicates in some files.
    pub times: Vec<Timestamp>,
    /// One vector per variable; variable 0 is the metric that is judged, others accompany it. Missing values are
    /// filled from the past.
    pub columns: Vec<Vec<f64>>,
    /// True on rows of an anomaly.
    pub labels: Vec<bool>,
    /// The same as row ranges, in order and disjoint.
    pub windows: Vec<Range<usize>>,
    /// Rows at the start that are learned from and not judged.
    pub probation: usize,
}

impl Series {
    /// The metric itself: variable 0; empty if there is none.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        self.columns.first().map_or(&[], Vec::as_slice)
    }

    /// Labels and scores of the rows that are judged.
    #[must_use]
    pub fn judged<'a, T>(&'a self, scores: &'a [T]) -> crate::Labelled<'a, T> {
        crate::Labelled {
            labels: self.labels.get(self.probation..).unwrap_or_default(),
            scores: scores.get(self.probation..).unwrap_or_default(),
        }
    }
}

/// Why a corpus could not be read.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// The folder, or a file that the corpus consists of, is not there.
    #[error("{} is missing; get the public part of this corpus from {origin} and put it there", path.display())]
    Missing {
        /// What was looked for.
        path: PathBuf,
        /// Where the corpus is published and which of its folders are meant.
        origin: &'static str,
    },
    /// The operating system refused.
    #[error("reading {}", path.display())]
    Io {
        /// What was read.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// A table that is not as the corpus documents it.
    #[error("{}, line {line}, column {column}: {problem}", path.display())]
    Cell {
        /// The file.
        path: PathBuf,
        /// From 1, the header included.
        line: u64,
        /// The name of the column, or its number from 1 where it has none.
        column: String,
        /// What is wrong, with the offending text.
        problem: String,
    },
    /// A file that is wrong as a whole.
    #[error("{}: {problem}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
}

impl DatasetError {
    fn content(path: &Path, problem: impl Into<String>) -> Self {
        Self::Content {
            path: path.to_owned(),
            problem: problem.into(),
        }
    }
}

/// Reads a file whole; its absence is an incomplete corpus, not an I/O failure.
fn read(path: &Path, origin: &'static str) -> Result<Vec<u8>, DatasetError> {
    std::fs::read(path).map_err(|source| io_fault(path, origin, source))
}

/// The files `dir/*/*.csv` as (`folder/file.csv`, path), sorted, so that order never depends on the file system.
fn csv_files(dir: &Path, origin: &'static str) -> Result<Vec<(String, PathBuf)>, DatasetError> {
    let mut found = Vec::new();
    for folder in entries(dir, origin)? {
        if !folder.is_dir() {
            continue;
        }
        for path in entries(&folder, origin)? {
            if path.extension().is_some_and(|e| e == "csv") {
                let name = path.strip_prefix(dir).unwrap_or(&path);
                found.push((name.to_string_lossy().replace('\\', "/"), path));
            }
        }
    }
    if found.is_empty() {
        return Err(DatasetError::Missing {
            path: dir.join("*/*.csv"),
            origin,
        });
    }
    found.sort();
    Ok(found)
}

fn entries(dir: &Path, origin: &'static str) -> Result<Vec<PathBuf>, DatasetError> {
    std::fs::read_dir(dir)
        .and_then(|found| found.map(|e| e.map(|e| e.path())).collect())
        .map_err(|source| io_fault(dir, origin, source))
}

fn io_fault(path: &Path, origin: &'static str, source: io::Error) -> DatasetError {
    if source.kind() == io::ErrorKind::NotFound {
        DatasetError::Missing {
            path: path.to_owned(),
            origin,
        }
    } else {
        DatasetError::Io {
            path: path.to_owned(),
            source,
        }
    }
}
