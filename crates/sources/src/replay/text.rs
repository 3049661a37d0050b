//! CSV records into rows.

use std::io::BufRead;

use super::error::{CellError, HeaderError, ReplayError, shown};
use super::names::{Blame, Names};
use super::record::{Broken, Record, Records};
use super::shape::{Shape, Values};
use super::{Judge, Row, time};

/// A CSV file whose header has been read.
pub(super) struct Text {
    records: Records<Box<dyn BufRead + Send>>,
    shape: Shape,
    /// The last time that was read, as it stood: in the long form whole scrapes share one.
    last_time: (String, Option<series::Timestamp>),
}

impl Text {
    pub(super) fn open(
        file: &str,
        input: Box<dyn BufRead + Send>,
        names: &mut Names,
    ) -> Result<Self, ReplayError> {
        let mut records = Records::new(input);
        let header = |problem| ReplayError::Header {
            file: file.to_owned(),
            problem,
        };
        let columns = match records.next() {
            Ok(Some(record)) => record.fields().map(str::to_owned).collect(),
            Ok(None) => return Err(header(HeaderError::Missing)),
            Err(broken) => return Err(stopped(file, 0, broken)),
        };
        let shape = Shape::of(columns, names).map_err(header)?;
        Ok(Self {
            records,
            shape,
            last_time: Default::default(),
        })
    }

    /// The last time that was read, as it stands; empty before the first.
    pub(super) fn last_time(&self) -> &str {
        &self.last_time.0
    }

    /// Appends rows until there are at least `enough`; returns `false` at the end of the file.
    pub(super) fn read(
        &mut self,
        names: &mut Names,
        judge: &mut Judge,
        rows: &mut Vec<Row>,
        enough: usize,
    ) -> Result<bool, ReplayError> {
        while rows.len() < enough {
            let lines = self.records.lines();
            match self.records.next() {
                Ok(Some(record)) => {
                    take(&self.shape, &mut self.last_time, record, names, judge, rows)?
                }
                Ok(None) => return Ok(false),
                Err(broken) => return Err(stopped(&judge.file, lines, broken)),
            }
        }
        Ok(true)
    }
}

fn stopped(file: &str, lines: u64, broken: Broken) -> ReplayError {
    let file = file.to_owned();
    match broken {
        Broken::Io(source) => ReplayError::Read {
            file,
            line: lines,
            source,
        },
        Broken::Record { line, problem } => ReplayError::Record {
            file,
            line,
            problem,
        },
    }
}

/// One record into rows: one in the long form, one for each column of values otherwise.
fn take(
    shape: &Shape,
    last_time: &mut (String, Option<series::Timestamp>),
    record: Record<'_>,
    names: &mut Names,
    judge: &mut Judge,
    rows: &mut Vec<Row>,
) -> Result<(), ReplayError> {
    let (line, columns) = (record.line, &shape.columns);
    if record.len() != columns.len() {
        let file = judge.file.clone();
        return judge.refuse(ReplayError::Fields {
            file,
            line,
            found: record.len(),
            expected: columns.len(),
        });
    }
    let text = record.field(shape.time);
    if last_time.1.is_none() || last_time.0 != text {
        text.clone_into(&mut last_time.0);
        last_time.1 = time::parse(text);
    }
    let Some(at) = last_time.1 else {
        return judge.refuse_cell(line, &columns[shape.time], CellError::Time(shown(text)));
    };
    let label = match shape.label.map(|i| (i, label(record.field(i)))) {
        None => None,
        Some((_, Some(label))) => label,
        Some((i, None)) => {
            return judge.refuse_cell(line, &columns[i], CellError::Label(shown(record.field(i))));
        }
    };
    let cell = |i: usize, series: u32| {
        let text = record.field(i);
        let value = number(text).ok_or_else(|| CellError::Number(shown(text)))?;
        Ok(Row {
            series,
            at,
            value,
            label,
            line,
        })
    };
    match &shape.values {
        Values::Columns(series) => {
            for &(i, series) in series {
                match cell(i, series) {
                    Ok(row) => rows.push(row),
                    Err(problem) => judge.refuse_cell(line, &columns[i], problem)?,
                }
            }
        }
        &Values::Long {
            metric,
            labels,
            value,
        } => match names.spelt(record.field(metric), labels.map(|i| record.field(i))) {
            Ok(series) => match cell(value, series) {
                Ok(row) => rows.push(row),
                Err(problem) => judge.refuse_cell(line, &columns[value], problem)?,
            },
            Err(Blame::Metric(problem)) => judge.refuse_cell(line, &columns[metric], problem)?,
            Err(Blame::Labels(problem)) => {
                judge.refuse_cell(line, &columns[labels.unwrap_or(metric)], problem)?;
            }
        },
    }
    Ok(())
}

/// A number, or NaN for the ways in which tools write that there is none.
fn number(text: &str) -> Option<f64> {
    match text {
        "" | "null" | "NULL" | "None" | "NA" | "N/A" => Some(f64::NAN),
        _ => text.parse().ok(),
    }
}

/// A label of ground truth; `Some(None)` where the cell says nothing.
pub(super) fn label(text: &str) -> Option<Option<bool>> {
    match text {
        "0" | "0.0" => Some(Some(false)),
        "1" | "1.0" => Some(Some(true)),
        _ if text.eq_ignore_ascii_case("false") => Some(Some(false)),
        _ if text.eq_ignore_ascii_case("true") => Some(Some(true)),
        _ => number(text).filter(|x| x.is_nan()).map(|_| None),
    }
}
