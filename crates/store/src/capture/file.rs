//! What is held against a Parquet file before it is read.

use std::fs::File;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder,
};
use parquet::file::statistics::Statistics;

use super::schema::{self, FORMAT, FORMAT_KEY, HASH_KEY, Table};

/// Rows that a row group of somebody else may have.
const MAX_ROW_GROUP_ROWS: i64 = 1 << 23;
/// Bytes, unpacked, that a row group of somebody else may have.
const MAX_ROW_GROUP_BYTES: i64 = 1 << 30;
/// Columns that a file of somebody else may have.
const MAX_COLUMNS: usize = 4096;

/// Why captured data cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The system failed.
    #[error("reading {path}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file is no Parquet, or damaged.
    #[error("{path}{}: {message}", in_row_group(*.row_group))]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Counted from 0; `None` for the file as a whole.
        row_group: Option<usize>,
        /// What the reader said.
        message: String,
    },
    /// The file is whole, and not one of captured data of this version.
    #[error("{path}: {key} is {found}, this build reads {expected}")]
    Metadata {
        /// The file.
        path: PathBuf,
        /// Which of its metadata.
        key: &'static str,
        /// What it says; `missing` when it says nothing.
        found: String,
        /// What it should say.
        expected: String,
    },
    /// A column is missing, or of another type, or holds what it must not.
    #[error("{path}{}, column {column}: {message}", in_row_group(*.row_group))]
    Column {
        /// The file.
        path: PathBuf,
        /// Counted from 0; `None` for the file as a whole.
        row_group: Option<usize>,
        /// The column's name.
        column: String,
        /// What is wrong with it.
        message: String,
    },
    /// It is larger than memory should be spent on.
    #[error("{path}{}: {message}", in_row_group(*.row_group))]
    Large {
        /// The file.
        path: PathBuf,
        /// Counted from 0; `None` for the file as a whole.
        row_group: Option<usize>,
        /// How large, and how large it may be.
        message: String,
    },
}

fn in_row_group(row_group: Option<usize>) -> String {
    row_group.map_or_else(String::new, |i| format!(", row group {i}"))
}

impl ReadError {
    pub(super) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io {
            path: path.to_owned(),
            source,
        }
    }
}

/// A file whose schema and sizes fit.
#[derive(Debug)]
pub(super) struct Opened {
    path: PathBuf,
    file: File,
    metadata: ArrowReaderMetadata,
    mask: ProjectionMask,
}

/// Opens a file; its columns will come in the order and the types of the table.
pub(super) fn open(path: &Path, file: File, table: Table) -> Result<Opened, ReadError> {
    let whole = |message| damaged(path, None, message);
    // Read by what the columns are, not by what the writer's library called them: others may have rewritten the file.
    let options = || ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let metadata = guarded(|| ArrowReaderMetadata::load(&file, options())).map_err(whole)?;
    check_metadata(path, &metadata)?;
    check_sizes(path, &metadata)?;
    let wanted = Arc::new(wanted(path, table, metadata.schema())?);
    let metadata = guarded(|| {
        let inner = Arc::clone(metadata.metadata());
        ArrowReaderMetadata::try_new(inner, options().with_schema(wanted))
    })
    .map_err(whole)?;
    let names = table.schema();
    let names = names.fields().iter().map(|field| field.name().as_str());
    let mask = ProjectionMask::columns(metadata.parquet_schema(), names);
    Ok(Opened {
        path: path.to_owned(),
        file,
        metadata,
        mask,
    })
}

impl Opened {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn n_row_groups(&self) -> usize {
        self.metadata.metadata().num_row_groups()
    }

    /// Rows in the file, by its own account.
    pub(super) fn n_rows(&self) -> i64 {
        let groups = self.metadata.metadata().row_groups();
        groups.iter().map(|group| group.num_rows()).sum()
    }

    /// The smallest and the largest of an integer column of a row group, where the file tells.
    pub(super) fn bounds(&self, row_group: usize, column: &str) -> Option<(i64, i64)> {
        let group = self.metadata.metadata().row_groups().get(row_group)?;
        let column = group
            .columns()
            .iter()
            .find(|it| it.column_path().string() == column)?;
        let Statistics::Int64(it) = column.statistics()? else {
            return None;
        };
        Some((*it.min_opt()?, *it.max_opt()?))
    }

    /// The batches of one row group, of up to `rows` rows each.
    pub(super) fn row_group(
        &self,
        i: usize,
        rows: usize,
    ) -> Result<ParquetRecordBatchReader, ReadError> {
        let file = self.file.try_clone().map_err(ReadError::io(&self.path))?;
        let builder =
            ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.metadata.clone())
                .with_projection(self.mask.clone())
                .with_row_groups(vec![i])
                .with_batch_size(rows);
        guarded(|| builder.build()).map_err(|message| damaged(&self.path, Some(i), message))
    }

    /// The next batch of a row group.
    pub(super) fn next(
        &self,
        i: usize,
        batches: &mut ParquetRecordBatchReader,
    ) -> Result<Option<RecordBatch>, ReadError> {
        guarded(|| batches.next().transpose())
            .map_err(|message| damaged(&self.path, Some(i), message))
    }
}

fn damaged(path: &Path, row_group: Option<usize>, message: String) -> ReadError {
    ReadError::Damaged {
        path: path.to_owned(),
        row_group,
        message,
    }
}

fn check_metadata(path: &Path, metadata: &ArrowReaderMetadata) -> Result<(), ReadError> {
    let pairs = metadata.metadata().file_metadata().key_value_metadata();
    let found = |key: &str| {
        let pair = pairs?.iter().find(|pair| pair.key == key)?;
        pair.value.clone()
    };
    for (key, expected) in [
        (FORMAT_KEY, FORMAT.to_owned()),
        (HASH_KEY, schema::hash_text()),
    ] {
        let found = found(key);
        if found.as_ref() != Some(&expected) {
            let found = found.map_or_else(|| "missing".to_owned(), |text| short(&text));
            return Err(ReadError::Metadata {
                path: path.to_owned(),
                key,
                found,
                expected,
            });
        }
    }
    Ok(())
}

fn check_sizes(path: &Path, metadata: &ArrowReaderMetadata) -> Result<(), ReadError> {
    let large = |row_group, message| ReadError::Large {
        path: path.to_owned(),
        row_group,
        message,
    };
    let n = metadata.schema().fields().len();
    if n > MAX_COLUMNS {
        return Err(large(
            None,
            format!("{n} columns, at most {MAX_COLUMNS} are read"),
        ));
    }
    for (i, group) in metadata.metadata().row_groups().iter().enumerate() {
        let (rows, bytes) = (group.num_rows(), group.total_byte_size());
        if !(0..=MAX_ROW_GROUP_ROWS).contains(&rows) {
            let message = format!("{rows} rows, at most {MAX_ROW_GROUP_ROWS} are read");
            return Err(large(Some(i), message));
        }
        if !(0..=MAX_ROW_GROUP_BYTES).contains(&bytes) {
            let message = format!("{bytes} bytes, at most {MAX_ROW_GROUP_BYTES} are read");
            return Err(large(Some(i), message));
        }
    }
    Ok(())
}

/// The file's own columns, with the types that we want to see those in that we read.
fn wanted(path: &Path, table: Table, found: &Schema) -> Result<Schema, ReadError> {
    let column = |name: &str, message: String| ReadError::Column {
        path: path.to_owned(),
        row_group: None,
        column: name.to_owned(),
        message,
    };
    let ours = table.schema();
    for field in ours.fields() {
        let mut same = found
            .fields()
            .iter()
            .filter(|other| other.name() == field.name());
        match (same.next(), same.next()) {
            (None, _) => return Err(column(field.name(), "missing".to_owned())),
            (Some(_), Some(_)) => return Err(column(field.name(), "there twice".to_owned())),
            (Some(other), None) if !fits(other.data_type(), field.data_type()) => {
                let message = format!(
                    "{} cannot be read as {}",
                    other.data_type(),
                    field.data_type()
                );
                return Err(column(field.name(), short(&message)));
            }
            (Some(_), None) => {}
        }
    }
    let fields = found
        .fields()
        .iter()
        .map(|other| match ours.field_with_name(other.name()) {
            // Whether nulls are there is looked at in the rows.
            Ok(field) => Field::new(field.name(), field.data_type().clone(), other.is_nullable())
                .with_metadata(other.metadata().clone()),
            Err(_) => other.as_ref().clone(),
        });
    Ok(Schema::new(fields.collect::<Vec<_>>()))
}

fn fits(found: &DataType, wanted: &DataType) -> bool {
    if matches!(wanted, DataType::Dictionary(..) | DataType::Utf8) {
        return matches!(
            found,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
        );
    }
    found == wanted
}

/// Runs a step of the reader. It was written for files of friends: on some damaged ones it panics.
pub(super) fn guarded<T, E: std::fmt::Display>(
    step: impl FnOnce() -> Result<T, E>,
) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(step)) {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(e)) => Err(short(&e.to_string())),
        Err(_) => Err("damaged in a way that the reader does not foresee".to_owned()),
    }
}

/// Text of a stranger, fit for one line of a message.
pub(super) fn short(text: &str) -> String {
    let mut line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(200)
        .collect();
    if text.chars().nth(200).is_some() {
        line.push('…');
    }
    line
}
