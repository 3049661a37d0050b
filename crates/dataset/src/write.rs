//! Frames into parts, in the types and with the metadata that captured data has.

use std::fs::File;
use std::path::{Path, PathBuf};

use polars::io::prelude::KeyValueMetadata;
use polars::prelude::{
    Categories, Column, DataFrame, DataType, IntoColumn, ParquetCompression, ParquetWriter,
    PolarsResult, TimeUnit, TimeZone,
};

use crate::read::guarded;
use crate::table::Kind;
use crate::{Table, day_text};

/// Rows of a row group: what a reader holds at a time.
const ROW_GROUP_ROWS: usize = 65_536;

/// Why a part could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The operating system refused.
    #[error("writing {}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
    /// The encoder refused.
    #[error("writing {}: {problem}", path.display())]
    Encode {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        problem: String,
    },
}

/// Writes the parts of one data set, each under the day of its rows.
#[derive(Debug)]
pub(crate) struct Parts {
    root: PathBuf,
    /// Parts so far, over all days: their numbers tell in which order they came.
    n_parts: u32,
}

impl Parts {
    pub(crate) fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            n_parts: 0,
        }
    }

    /// Writes `frame`, whose columns are as [`crate::read::scan`] gives them, as the next part of `day`.
    ///
    /// `metadata` is that of a source: it names the schema of the features, the version that wrote the rows, and the
    /// types that other readers of Parquet see.
    pub(crate) fn write(
        &mut self,
        table: Table,
        day: i64,
        frame: &DataFrame,
        metadata: Option<&KeyValueMetadata>,
    ) -> Result<(), WriteError> {
        let name = match table {
            // A mark is a file of its own, by its number: whoever ends it writes that file again.
            Table::Provenance => format!("mark-{:08}.parquet", first_number(frame, "id")),
            Table::Samples | Table::Feedback => {
                let first = first_number(frame, "time");
                format!("part-{first}-{:08}.parquet", self.n_parts)
            }
        };
        self.n_parts += 1;
        let dir = self
            .root
            .join(table.folder())
            .join(format!("date={}", day_text(day)));
        let path = dir.join(name);
        let io = |source| WriteError::Io {
            path: path.clone(),
            source,
        };
        std::fs::create_dir_all(&dir).map_err(io)?;
        let mut file = File::create_new(&path).map_err(io)?;
        let written = guarded(|| {
            let mut typed = typed(table, frame)?;
            parquet(&mut file)
                .with_key_value_metadata(metadata.cloned())
                .finish(&mut typed)
        });
        written.map_err(|problem| WriteError::Encode {
            path: path.clone(),
            problem,
        })?;
        file.sync_all().map_err(io)
    }
}

/// A writer with our compression and row groups.
pub(crate) fn parquet<W: std::io::Write>(out: W) -> ParquetWriter<W> {
    ParquetWriter::new(out)
        .with_compression(ParquetCompression::Zstd(None))
        .with_row_group_size(Some(ROW_GROUP_ROWS))
}

/// UTC microseconds, as files carry instants.
pub(crate) fn instant_type() -> DataType {
    DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC))
}

/// Whole microseconds as instants in UTC. A cast would drop the time zone, which other readers want to see.
pub(crate) fn instants(column: &Column) -> PolarsResult<Column> {
    let micros = column.i64()?.clone();
    let instants = micros.into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC));
    Ok(instants.into_column())
}

/// The columns in the types of files.
fn typed(table: Table, frame: &DataFrame) -> PolarsResult<DataFrame> {
    let mut columns = Vec::new();
    for (name, kind) in table.columns() {
        let column = frame.column(&name)?;
        columns.push(match kind {
            Kind::Instant => instants(column)?,
            Kind::Word => column.cast(&DataType::from_categories(Categories::global()))?,
            Kind::Text | Kind::F64 | Kind::F32 | Kind::Id => column.clone(),
        });
    }
    DataFrame::new(
        frame.height(),
        columns.into_iter().map(IntoColumn::into_column).collect(),
    )
}

fn first_number(frame: &DataFrame, column: &str) -> i64 {
    let first = frame
        .column(column)
        .and_then(|column| column.i64().cloned());
    first.ok().and_then(|numbers| numbers.get(0)).unwrap_or(0)
}
