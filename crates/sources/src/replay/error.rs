//! What can be wrong with a recorded file, and where.

use std::io;

use series::KeyError;

/// Why a replay could not start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The file cannot be opened.
    #[error("opening {file}")]
    Open {
        /// The file.
        file: String,
        /// What the system says.
        source: io::Error,
    },
    /// The file was opened, and cannot be read on; a gzip stream that is cut short or damaged ends up here.
    #[error("reading {file} after line {line}")]
    Read {
        /// The file.
        file: String,
        /// The last line that was read; 0 if none was.
        line: u64,
        /// What the system says.
        source: io::Error,
    },
    /// The first line does not name columns that can be replayed.
    #[error("{file}: {problem}")]
    Header {
        /// The file.
        file: String,
        /// What is wrong.
        problem: HeaderError,
    },
    /// A line is not CSV.
    #[error("{file}:{line}: {problem}")]
    Record {
        /// The file.
        file: String,
        /// The line on which the record begins, counted from 1.
        line: u64,
        /// What is wrong.
        problem: RecordError,
    },
    /// A line has more or fewer fields than the header.
    #[error("{file}:{line}: {found} fields, the header names {expected}")]
    Fields {
        /// The file.
        file: String,
        /// The line, counted from 1.
        line: u64,
        /// How many the line has.
        found: usize,
        /// How many the header has.
        expected: usize,
    },
    /// One cell cannot be read.
    #[error("{file}:{line}: column {column:?}: {problem}")]
    Cell {
        /// The file.
        file: String,
        /// The line (in Parquet the row), counted from 1.
        line: u64,
        /// The column's name.
        column: String,
        /// What is wrong.
        problem: CellError,
    },
    /// A Parquet file is damaged, or uses what the reader does not know.
    #[error("{file}: after row {row}: {problem}")]
    Parquet {
        /// The file.
        file: String,
        /// The last row that was read; 0 if none was.
        row: u64,
        /// What the reader says.
        problem: String,
    },
    /// Sorting by time was asked for, and the file has more rows than may be held.
    #[error("{file}: more than {limit} samples, too many to sort by time")]
    ManyRows {
        /// The file.
        file: String,
        /// How many may be held.
        limit: usize,
    },
}

/// Why the columns of a file cannot be replayed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// The file is empty.
    #[error("no header line; expected one such as timestamp,value")]
    Missing,
    /// None of the columns holds the time.
    #[error(
        "no time column among {columns}; expected one named time, ts, timestamp, datetime or date"
    )]
    NoTime {
        /// The names of the first columns.
        columns: String,
    },
    /// A name is given twice, or two columns claim one role.
    #[error("columns {first:?} and {second:?} both hold the {role}")]
    Twice {
        /// The earlier one.
        first: String,
        /// The later one.
        second: String,
        /// What both would hold.
        role: String,
    },
    /// A column has no name.
    #[error("column {0} has no name")]
    Unnamed(usize),
    /// There is a metric column and no value column, or labels without a metric.
    #[error(
        "there is a {present} column and no {absent} column; the long form is time,metric,labels,value"
    )]
    HalfLong {
        /// What is there.
        present: &'static str,
        /// What is not.
        absent: &'static str,
    },
    /// The long form has a column that means nothing in it.
    #[error("column {0:?} is not part of the long form time,metric,labels,value,label")]
    NotLong(String),
    /// There is nothing beside the time.
    #[error("no column of values beside {0:?}")]
    NoValues(String),
    /// A column of a Parquet file is of a type that cannot hold what its name says.
    #[error("column {column:?} is of type {found}, expected {expected}")]
    Type {
        /// The column.
        column: String,
        /// Its type, as Arrow names it.
        found: String,
        /// What can be read.
        expected: &'static str,
    },
    /// More columns than a file may have.
    #[error("{found} columns, at most {limit} are allowed")]
    ManyColumns {
        /// How many there are.
        found: usize,
        /// How many there may be.
        limit: usize,
    },
    /// More series than the replay may hold.
    #[error("{found} columns of values, at most {limit} series are allowed")]
    ManySeries {
        /// How many there are.
        found: usize,
        /// How many there may be.
        limit: usize,
    },
    /// A column's name cannot be made into the name of a series.
    #[error("column {column:?}: {source}")]
    Name {
        /// The column.
        column: String,
        /// Why not.
        source: KeyError,
    },
}

/// Why a line is not CSV.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Longer than a line may be; an unclosed quote in a large file ends up here too.
    #[error("more than {0} bytes in one record")]
    Long(usize),
    /// Too many fields.
    #[error("more than {0} columns")]
    ManyColumns(usize),
    /// Not UTF-8.
    #[error("byte {0} is not valid UTF-8")]
    Utf8(usize),
    /// A quoted field runs to the end of the file.
    #[error("column {0}: a quote is opened and never closed")]
    OpenQuote(usize),
    /// A quote within a field that does not begin with one.
    #[error(
        "column {0}: a quote inside an unquoted field; quote the whole field and double the quote"
    )]
    StrayQuote(usize),
    /// A quoted field goes on after its closing quote.
    #[error(
        "column {column}: {found:?} after the closing quote, expected a comma or the end of the line"
    )]
    AfterQuote {
        /// The column's number, counted from 1.
        column: usize,
        /// What follows.
        found: char,
    },
}

/// Why a cell cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CellError {
    /// Not a time.
    #[error(
        "{0:?} is not a time; expected RFC 3339, YYYY-MM-DD HH:MM:SS, or a number since the epoch"
    )]
    Time(String),
    /// Not a number.
    #[error("{0:?} is not a number")]
    Number(String),
    /// Not a label of ground truth.
    #[error("{0:?} is not a label; expected 0, 1, true, false or nothing")]
    Label(String),
    /// The metric's name or the labels are malformed.
    #[error("{text:?} does not name a series: {source}")]
    Key {
        /// The cell.
        text: String,
        /// What is wrong with it.
        source: KeyError,
    },
    /// A new series beyond the limit.
    #[error("a new series, and {0} are known already, which is the limit")]
    SeriesLimit(usize),
}

/// The beginning of a cell, enough to find it by: a hostile cell may be a megabyte.
pub(super) fn shown(text: &str) -> String {
    const CHARS: usize = 40;
    match text.char_indices().nth(CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
