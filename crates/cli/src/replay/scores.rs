//! The scores file: one row per row of input, so that anybody can judge the engine with their own tools.
//!
//! A row that was not scored (refused, missing, the first of a counter) repeats the score that its series had, 0 before
//! the first, so that every row has a number; its alert score is 0 and its event empty.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use arrow_array::builder::{
    Float32Builder, Float64Builder, StringBuilder, TimestampMicrosecondBuilder, UInt64Builder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::row::{Observer, Row, Verdict};
use crate::numbers::{shortest, shortest_f32};

/// Columns before the members; `event` follows them.
const FIRST_COLUMNS: [&str; 6] = [
    "file",
    "series",
    "timestamp",
    "value",
    "score",
    "alert_score",
];
/// Rows gathered before a Parquet batch is handed over: a few megabytes at most.
const BATCH_ROWS: usize = 16_384;

/// Writes rows as CSV or Parquet, by the ending of the path.
pub(crate) enum ScoresFile {
    /// Text.
    Csv {
        /// Where to.
        writer: Box<csv::Writer<Box<dyn Write>>>,
        /// Score fields of a row.
        n_scores: usize,
    },
    /// Columns.
    Parquet(Box<Columns>),
}

impl ScoresFile {
    /// Creates `path` (`-` is CSV on standard output) for an engine with these members.
    ///
    /// # Errors
    /// When the ending is neither `.csv` nor `.parquet`, or the file cannot be created.
    pub(crate) fn create(path: &Path, members: &[&str]) -> anyhow::Result<Self> {
        let open = || File::create(path).with_context(|| format!("creating {}", path.display()));
        let ending = path
            .extension()
            .and_then(|e| e.to_str())
            .unwrap_or_default()
            .to_ascii_lowercase();
        match ending.as_str() {
            _ if path == Path::new("-") => Self::csv(Box::new(std::io::stdout()), members),
            "csv" => Self::csv(Box::new(BufWriter::new(open()?)), members),
            "parquet" => Ok(Self::Parquet(Box::new(Columns::new(open()?, members)?))),
            _ => bail!(
                "--scores {}: name a file that ends in .csv or .parquet",
                path.display()
            ),
        }
    }

    fn csv(out: Box<dyn Write>, members: &[&str]) -> anyhow::Result<Self> {
        let mut writer = csv::Writer::from_writer(out);
        writer.write_record(FIRST_COLUMNS.iter().chain(members).chain(&["event"]))?;
        Ok(Self::Csv {
            writer: Box::new(writer),
            n_scores: members.len() + 2,
        })
    }

    /// Writes what is still held back; without it a Parquet file cannot be read.
    ///
    /// # Errors
    /// When writing fails, for instance because the disk is full.
    pub(crate) fn finish(self) -> anyhow::Result<()> {
        match self {
            Self::Csv { mut writer, .. } => writer.flush().context("writing the scores"),
            Self::Parquet(columns) => columns.finish(),
        }
    }
}

impl Observer for ScoresFile {
    fn row(&mut self, row: &Row<'_>) -> anyhow::Result<()> {
        match self {
            Self::Csv { writer, n_scores } => {
                write_csv(writer, *n_scores, row).context("writing the scores")
            }
            Self::Parquet(columns) => columns.row(row),
        }
    }
}

/// The alert score of a row: 0 for one that was not scored, which is no alert of its own.
fn alert_of(row: &Row<'_>) -> f32 {
    match row.verdict {
        Verdict::Judged { risk, .. } => risk.alert_score,
        Verdict::Pending | Verdict::Refused(_) => 0.0,
    }
}

/// The event that the row belongs to, if it was scored.
fn event_of(row: &Row<'_>) -> Option<u64> {
    match row.verdict {
        Verdict::Judged { risk, .. } => risk.event.map(|event| event.id.0),
        Verdict::Pending | Verdict::Refused(_) => None,
    }
}

fn write_csv<W: Write>(
    writer: &mut csv::Writer<W>,
    n_scores: usize,
    row: &Row<'_>,
) -> csv::Result<()> {
    writer.write_field(row.file)?;
    writer.write_field(row.series)?;
    writer.write_field(row.times.write(row.at))?;
    writer.write_field(shortest(row.value))?;
    if let Some((risk, members)) = row.latest {
        writer.write_field(shortest(risk.score.get()))?;
        writer.write_field(shortest_f32(alert_of(row)))?;
        for &member in members {
            writer.write_field(shortest_f32(member))?;
        }
    } else {
        for _ in 0..n_scores {
            writer.write_field("0")?;
        }
    }
    writer.write_field(event_of(row).map(|id| id.to_string()).unwrap_or_default())?;
    writer.write_record(None::<&[u8]>)
}

/// Rows on their way into a Parquet file.
pub(crate) struct Columns {
    writer: ArrowWriter<File>,
    schema: SchemaRef,
    file: StringBuilder,
    series: StringBuilder,
    at: TimestampMicrosecondBuilder,
    value: Float64Builder,
    score: Float64Builder,
    alert: Float32Builder,
    members: Vec<Float32Builder>,
    event: UInt64Builder,
    rows: usize,
}

impl Columns {
    fn new(out: File, members: &[&str]) -> anyhow::Result<Self> {
        let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let mut fields = vec![
            Field::new("file", DataType::Utf8, false),
            Field::new("series", DataType::Utf8, false),
            Field::new("timestamp", utc, false),
            Field::new("value", DataType::Float64, true),
            Field::new("score", DataType::Float64, true),
            Field::new("alert_score", DataType::Float32, true),
        ];
        fields.extend(
            members
                .iter()
                .map(|name| Field::new(*name, DataType::Float32, true)),
        );
        fields.push(Field::new("event", DataType::UInt64, true));
        let schema = Arc::new(Schema::new(fields));
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .build();
        Ok(Self {
            writer: ArrowWriter::try_new(out, Arc::clone(&schema), Some(properties))?,
            schema,
            file: StringBuilder::new(),
            series: StringBuilder::new(),
            at: TimestampMicrosecondBuilder::new().with_timezone("UTC"),
            value: Float64Builder::new(),
            score: Float64Builder::new(),
            alert: Float32Builder::new(),
            members: members.iter().map(|_| Float32Builder::new()).collect(),
            event: UInt64Builder::new(),
            rows: 0,
        })
    }

    fn row(&mut self, row: &Row<'_>) -> anyhow::Result<()> {
        self.file.append_value(row.file);
        self.series.append_value(row.series);
        self.at.append_value(row.at.micros());
        self.value
            .append_option(row.value.is_finite().then_some(row.value));
        self.score
            .append_value(row.latest.map_or(0.0, |(risk, _)| risk.score.get()));
        self.alert.append_value(alert_of(row));
        let members = row.latest.map_or(&[][..], |(_, members)| members);
        for (i, column) in self.members.iter_mut().enumerate() {
            column.append_value(members.get(i).copied().unwrap_or(0.0));
        }
        self.event.append_option(event_of(row));
        self.rows += 1;
        if self.rows == BATCH_ROWS {
            self.hand_over()
        } else {
            Ok(())
        }
    }

    fn hand_over(&mut self) -> anyhow::Result<()> {
        let mut arrays: Vec<ArrayRef> = vec![
            Arc::new(self.file.finish()),
            Arc::new(self.series.finish()),
            Arc::new(self.at.finish()),
            Arc::new(self.value.finish()),
            Arc::new(self.score.finish()),
            Arc::new(self.alert.finish()),
        ];
        arrays.extend(
            self.members
                .iter_mut()
                .map(|column| Arc::new(column.finish()) as ArrayRef),
        );
        arrays.push(Arc::new(self.event.finish()));
        self.rows = 0;
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), arrays)
            .context("gathering the scores")?;
        self.writer.write(&batch).context("writing the scores")
    }

    fn finish(mut self) -> anyhow::Result<()> {
        self.hand_over()?;
        self.writer
            .close()
            .context("writing the end of the scores file")?;
        Ok(())
    }
}
