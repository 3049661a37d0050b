//! Parquet into rows: the same three shapes as CSV, told from the same names.
//!
//! Pages may be plain, or packed with Snappy or Zstandard. Which types a column may have is told in `column`.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow_array::{Float64Array, RecordBatch, StringArray};
use arrow_schema::{ArrowError, Schema};
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use super::column::{self, Labels, Times};
use super::error::{HeaderError, ReplayError, shown};
use super::input::Progress;
use super::names::{Blame, Names};
use super::record::MAX_COLUMNS;
use super::shape::{Shape, Values};
use super::{Judge, Row};

/// How many cells are unpacked at a time.
const BATCH_CELLS: usize = 1 << 16;

/// A Parquet file whose schema has been read.
pub(super) struct Columnar {
    reader: ParquetRecordBatchReader,
    shape: Shape,
    rows_read: u64,
    rows_total: u64,
}

impl Columnar {
    pub(super) fn open(file: &str, input: File, names: &mut Names) -> Result<Self, ReplayError> {
        let header = |problem| ReplayError::Header {
            file: file.to_owned(),
            problem,
        };
        let builder = guarded(|| ParquetRecordBatchReaderBuilder::try_new(input));
        let builder = builder.map_err(|problem| damaged(file, 0, problem))?;
        let schema = builder.schema().clone();
        let found = schema.fields().len();
        if found > MAX_COLUMNS {
            return Err(header(HeaderError::ManyColumns {
                found,
                limit: MAX_COLUMNS,
            }));
        }
        let columns = schema
            .fields()
            .iter()
            .map(|field| field.name().trim().to_owned())
            .collect();
        let shape =
            Shape::of(columns, names).and_then(|shape| check(&shape, &schema).map(|()| shape));
        let shape = shape.map_err(header)?;
        let rows_total = u64::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or(0);
        let builder = builder.with_batch_size((BATCH_CELLS / found.max(1)).max(1));
        let reader = guarded(|| builder.build()).map_err(|problem| damaged(file, 0, problem))?;
        Ok(Self {
            reader,
            shape,
            rows_read: 0,
            rows_total,
        })
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
            let reader = &mut self.reader;
            let batch = guarded(|| reader.next().transpose());
            let Some(batch) =
                batch.map_err(|problem| damaged(&judge.file, self.rows_read, problem))?
            else {
                return Ok(false);
            };
            let columns = guarded(|| Columns::of(&self.shape, &batch));
            let columns =
                columns.map_err(|problem| damaged(&judge.file, self.rows_read, problem))?;
            for i in 0..batch.num_rows() {
                self.rows_read += 1;
                columns.take(i, self.rows_read, &self.shape, names, judge, rows)?;
            }
        }
        Ok(true)
    }

    /// Tells how far reading has come. The reader jumps about in the file, so rows stand for bytes.
    pub(super) fn show(&self, progress: &Progress) {
        progress.set_share(self.rows_read, self.rows_total);
    }
}

fn damaged(file: &str, row: u64, problem: String) -> ReplayError {
    ReplayError::Parquet {
        file: file.to_owned(),
        row,
        problem,
    }
}

/// Runs a step of the reader. It was written for files of friends: on some damaged ones it panics.
fn guarded<T, E: std::fmt::Display>(step: impl FnOnce() -> Result<T, E>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(step)) {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(e)) => Err(shown(&e.to_string())),
        Err(_) => Err("the file is damaged in a way that the reader does not foresee".to_owned()),
    }
}

/// Holds the types of all columns against their roles.
fn check(shape: &Shape, schema: &Schema) -> Result<(), HeaderError> {
    let kind = |i: usize| schema.field(i).data_type();
    let name = |i: usize| shape.columns[i].as_str();
    let time = "a timestamp, a date, a number or text";
    column::check(name(shape.time), kind(shape.time), time, column::fits_time)?;
    if let Some(i) = shape.label {
        column::check(
            name(i),
            kind(i),
            "a boolean, a number or text",
            column::fits_label,
        )?;
    }
    match &shape.values {
        Values::Columns(series) => {
            for &(i, _) in series {
                column::check(name(i), kind(i), "a number", column::fits_value)?;
            }
        }
        &Values::Long {
            metric,
            labels,
            value,
        } => {
            for i in [Some(metric), labels].into_iter().flatten() {
                column::check(name(i), kind(i), "text", column::fits_text)?;
            }
            column::check(name(value), kind(value), "a number", column::fits_value)?;
        }
    }
    Ok(())
}

/// One batch, its columns in the types that are read.
struct Columns {
    times: Times,
    label: Option<(usize, Labels)>,
    values: Cells,
}

enum Cells {
    Long(Box<Long>),
    Columns(Vec<(u32, Float64Array)>),
}

/// Beside the text, which column it is.
struct Long {
    metric: (usize, StringArray),
    labels: Option<(usize, StringArray)>,
    value: Float64Array,
}

impl Columns {
    fn of(shape: &Shape, batch: &RecordBatch) -> Result<Self, ArrowError> {
        let values = match &shape.values {
            &Values::Long {
                metric,
                labels,
                value,
            } => Cells::Long(Box::new(Long {
                metric: (metric, column::texts(batch.column(metric))?),
                labels: labels
                    .map(|i| Ok::<_, ArrowError>((i, column::texts(batch.column(i))?)))
                    .transpose()?,
                value: column::numbers(batch.column(value))?,
            })),
            Values::Columns(series) => {
                let cells = series
                    .iter()
                    .map(|&(i, series)| Ok((series, column::numbers(batch.column(i))?)));
                Cells::Columns(cells.collect::<Result<_, ArrowError>>()?)
            }
        };
        let label = shape
            .label
            .map(|i| Ok::<_, ArrowError>((i, Labels::of(batch.column(i))?)))
            .transpose()?;
        Ok(Self {
            times: Times::of(batch.column(shape.time))?,
            label,
            values,
        })
    }

    /// Row `i` of the batch, which is row `line` of the file.
    fn take(
        &self,
        i: usize,
        line: u64,
        shape: &Shape,
        names: &mut Names,
        judge: &mut Judge,
        rows: &mut Vec<Row>,
    ) -> Result<(), ReplayError> {
        let at = match self.times.at(i) {
            Ok(at) => at,
            Err(problem) => return judge.refuse_cell(line, &shape.columns[shape.time], problem),
        };
        let label = match self
            .label
            .as_ref()
            .map(|(column, labels)| (column, labels.at(i)))
        {
            None => None,
            Some((_, Ok(label))) => label,
            Some((&column, Err(problem))) => {
                return judge.refuse_cell(line, &shape.columns[column], problem);
            }
        };
        match &self.values {
            Cells::Columns(series) => {
                let row = |(series, values)| Row {
                    series,
                    at,
                    value: column::number(values, i),
                    label,
                    line,
                };
                rows.extend(series.iter().map(|(series, values)| row((*series, values))));
            }
            Cells::Long(long) => {
                let Long {
                    metric,
                    labels,
                    value,
                } = &**long;
                let text = labels
                    .as_ref()
                    .map(|(_, labels)| column::text_at(labels, i));
                match names.spelt(column::text_at(&metric.1, i), text) {
                    Ok(series) => rows.push(Row {
                        series,
                        at,
                        value: column::number(value, i),
                        label,
                        line,
                    }),
                    Err(Blame::Metric(problem)) => {
                        judge.refuse_cell(line, &shape.columns[metric.0], problem)?
                    }
                    Err(Blame::Labels(problem)) => {
                        let column = labels.as_ref().map_or(metric.0, |(column, _)| *column);
                        judge.refuse_cell(line, &shape.columns[column], problem)?;
                    }
                }
            }
        }
        Ok(())
    }
}
