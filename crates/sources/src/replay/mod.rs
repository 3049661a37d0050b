//! Replay of recorded metrics: CSV in three shapes, plain or gzipped, from a file or standard input; and Parquet in
//! the same shapes, from a file.
//!
//! The shape is told from the header, whose names are read in any case and order:
//!
//! - **long**: `time,metric,labels,value`. `labels` is Prometheus label text without braces and may be empty or
//!   absent; without it the metric may carry its own in braces.
//! - **one value**: `timestamp,value`. The series is named `value`.
//! - **wide**: a time and any other columns, each of which is a series of that name.
//!
//! The time may be called `time`, `ts`, `timestamp`, `datetime` or `date`; it is RFC 3339, `YYYY-MM-DD
//! HH:MM:SS[.ffffff]` in UTC, or a number of seconds, milliseconds, microseconds or nanoseconds since the epoch,
//! told apart by its size (seconds under 10¹¹, then three more digits each; a plain index counts as seconds). In
//! every shape a column `label`, `is_anomaly` or `anomaly` may say what is known about the row.
//!
//! Rows come in the order of the file. The engine refuses samples that go back in time within a series, so a
//! file that is not sorted wants [`Order::ByTime`].

mod column;
mod columnar;
mod error;
mod input;
mod names;
mod record;
mod shape;
mod text;
mod time;

use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use series::{SeriesKey, Timestamp};

use crate::Source;
use columnar::Columnar;
use input::{Input, Progress};
use names::Names;
use text::Text;

pub use error::{CellError, HeaderError, RecordError, ReplayError};
pub use record::{MAX_COLUMNS, MAX_RECORD_BYTES};

/// This source's entry.
pub const SOURCE: Source = Source {
    name: "replay",
    about: "recorded metrics: CSV from files or standard input, Parquet from files",
};

/// At least this many rows make a batch, unless the file ends; a wide record is never split over two.
const BATCH_ROWS: usize = 4096;

/// How to read a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// What to do with a cell that cannot be read.
    pub cells: Cells,
    /// In which order the rows come.
    pub order: Order,
    /// Most series of one file.
    pub max_series: usize,
    /// Most rows that [`Order::ByTime`] holds, at 40 bytes each.
    pub max_sorted_rows: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            cells: Cells::Strict,
            order: Order::AsIs,
            max_series: 1_000_000,
            max_sorted_rows: 20_000_000,
        }
    }
}

/// What to do with a cell that cannot be read, or a line with too many or too few fields.
///
/// What breaks the file as a whole ends the replay either way: no header, broken quotes, bytes that are no UTF-8,
/// a damaged archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cells {
    /// It ends the replay with an error.
    #[default]
    Strict,
    /// It is left out and counted, see [`Replay::refused`].
    Lenient,
}

/// The order of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// As they stand in the file, in bounded memory.
    #[default]
    AsIs,
    /// By time, and as they stand where times are equal. Reads the whole file first.
    ByTime,
}

/// One value of one series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// Which series: an index into [`Replay::keys`].
    pub series: u32,
    /// When it was measured.
    pub at: Timestamp,
    /// What was measured; NaN where the cell is empty, `NaN`, `null`, `None` or `NA`.
    pub value: f64,
    /// Whether the file calls it an anomaly, where the file knows.
    pub label: Option<bool>,
    /// The line where it stands (in Parquet the row), counted from 1.
    pub line: u64,
}

/// What was left out under [`Cells::Lenient`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Refused {
    /// How many cells or lines.
    pub count: u64,
    /// The first few of them, with their place and what was expected.
    pub first: Vec<String>,
}

/// What is being read.
enum Format {
    Text(Box<Text>),
    Parquet(Box<Columnar>),
}

/// A recorded file while it is being read.
pub struct Replay {
    format: Format,
    names: Names,
    judge: Judge,
    progress: Progress,
    options: Options,
    sorted: Option<std::vec::IntoIter<Row>>,
    ended: bool,
}

impl Replay {
    /// Opens a file and reads its header; `-` is standard input.
    ///
    /// # Errors
    /// [`ReplayError`] if it cannot be opened, or its header names no columns that can be replayed.
    pub fn open(path: impl AsRef<Path>, options: Options) -> Result<Self, ReplayError> {
        let path = path.as_ref();
        let file = if path == Path::new("-") {
            "standard input".to_owned()
        } else {
            path.display().to_string()
        };
        let opened = input::open(path);
        let (input, progress) = opened.map_err(|source| ReplayError::Open {
            file: file.clone(),
            source,
        })?;
        Self::start(file, input, progress, options)
    }

    /// Reads CSV, plain or gzipped, from anywhere; `name` stands for the file in messages.
    ///
    /// # Errors
    /// As [`Replay::open`].
    pub fn from_reader(
        name: &str,
        input: impl Read + Send + 'static,
        options: Options,
    ) -> Result<Self, ReplayError> {
        let progress = Progress::default();
        let text = input::text(Box::new(input), &progress);
        let text = text.map_err(|source| ReplayError::Open {
            file: name.to_owned(),
            source,
        })?;
        Self::start(name.to_owned(), Input::Text(text), progress, options)
    }

    fn start(
        file: String,
        input: Input,
        progress: Progress,
        options: Options,
    ) -> Result<Self, ReplayError> {
        let mut names = Names::with_limit(options.max_series);
        let format = match input {
            Input::Text(text) => Format::Text(Box::new(Text::open(&file, text, &mut names)?)),
            Input::Parquet(input) => {
                Format::Parquet(Box::new(Columnar::open(&file, input, &mut names)?))
            }
        };
        let judge = Judge {
            file,
            cells: options.cells,
            refused: Refused::default(),
        };
        Ok(Self {
            format,
            names,
            judge,
            progress,
            options,
            sorted: None,
            ended: false,
        })
    }

    /// Replaces `rows` by the next batch; `false` when there are no more.
    ///
    /// # Errors
    /// [`ReplayError`]; `rows` then holds what was read of the batch before the error, and the replay is at its
    /// end.
    pub fn next_batch(&mut self, rows: &mut Vec<Row>) -> Result<bool, ReplayError> {
        rows.clear();
        match self.options.order {
            Order::AsIs => self.read(rows, BATCH_ROWS)?,
            Order::ByTime => {
                if self.sorted.is_none() {
                    self.sorted = Some(self.sort()?.into_iter());
                }
                rows.extend(self.sorted.iter_mut().flatten().take(BATCH_ROWS));
            }
        }
        Ok(!rows.is_empty())
    }

    fn read(&mut self, rows: &mut Vec<Row>, enough: usize) -> Result<(), ReplayError> {
        if !self.ended {
            let more = match &mut self.format {
                Format::Text(text) => text.read(&mut self.names, &mut self.judge, rows, enough),
                Format::Parquet(columnar) => {
                    let more = columnar.read(&mut self.names, &mut self.judge, rows, enough);
                    columnar.show(&self.progress);
                    more
                }
            };
            self.ended = !matches!(more, Ok(true));
            more?;
        }
        Ok(())
    }

    fn sort(&mut self) -> Result<Vec<Row>, ReplayError> {
        let limit = self.options.max_sorted_rows;
        let mut all = Vec::new();
        while !self.ended {
            let enough = all.len().saturating_add(BATCH_ROWS);
            self.read(&mut all, enough)?;
            if all.len() > limit {
                self.ended = true;
                return Err(ReplayError::ManyRows {
                    file: self.judge.file.clone(),
                    limit,
                });
            }
        }
        all.sort_by_key(|row| row.at);
        Ok(all)
    }

    /// The series met so far, in the order in which they were met.
    #[must_use]
    pub fn keys(&self) -> &[Arc<SeriesKey>] {
        self.names.keys()
    }

    /// What was left out so far; always empty under [`Cells::Strict`].
    #[must_use]
    pub fn refused(&self) -> &Refused {
        &self.judge.refused
    }

    /// The file's name, as messages show it.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.judge.file
    }

    /// How the times of the file are written, as the newest of them was: plain numbers of so many units per second
    /// since the epoch (1 for seconds, 1,000 for milliseconds …), or `None` for dates and for Parquet.
    #[must_use]
    pub fn time_units_per_second(&self) -> Option<i64> {
        match &self.format {
            Format::Text(text) => time::units_per_second(text.last_time()),
            Format::Parquet(_) => None,
        }
    }

    /// Bytes read so far, of the file as it is stored: compressed where it is compressed.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.progress.read.load(Ordering::Relaxed)
    }

    /// The file's size in bytes; `None` for a pipe.
    #[must_use]
    pub fn bytes_total(&self) -> Option<u64> {
        self.progress.total
    }
}

impl std::fmt::Debug for Replay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Replay")
            .field("judge", &self.judge)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// Decides what becomes of a bad cell.
#[derive(Debug)]
struct Judge {
    file: String,
    cells: Cells,
    refused: Refused,
}

impl Judge {
    fn refuse(&mut self, error: ReplayError) -> Result<(), ReplayError> {
        /// Enough to see the pattern.
        const FIRST: usize = 10;
        match self.cells {
            Cells::Strict => Err(error),
            Cells::Lenient => {
                self.refused.count += 1;
                if self.refused.first.len() < FIRST {
                    self.refused.first.push(error.to_string());
                }
                Ok(())
            }
        }
    }

    fn refuse_cell(
        &mut self,
        line: u64,
        column: &str,
        problem: CellError,
    ) -> Result<(), ReplayError> {
        let (file, column) = (self.file.clone(), error::shown(column));
        self.refuse(ReplayError::Cell {
            file,
            line,
            column,
            problem,
        })
    }
}
