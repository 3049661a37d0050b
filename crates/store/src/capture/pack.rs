//! How Parquet files of ours are written: whole or not at all.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use arrow_array::RecordBatch;
use arrow_schema::DataType;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use super::schema::{self, Table};

/// Rows of one row group: about 8 MiB packed, which is what whoever reads it has to hold.
const ROW_GROUP_ROWS: usize = 1 << 17;

/// How all files are written.
///
/// Text columns have dictionaries. Floats have their bytes regrouped by significance before zstd sees them, which packs
/// features a third better than plain floats do; times are differences. Level 1 of zstd: higher ones take several
/// times as long for a few percent.
fn properties(table: Table) -> WriterProperties {
    let level = ZstdLevel::try_new(1).unwrap_or_default();
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_statistics_enabled(EnabledStatistics::None)
        .set_dictionary_enabled(false)
        .set_created_by(concat!("forestall ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_key_value_metadata(Some(schema::metadata()));
    for field in table.schema().fields() {
        let path = ColumnPath::from(field.name().as_str());
        let kind = field.data_type();
        if matches!(kind, DataType::Dictionary(..)) {
            properties = properties.set_column_dictionary_enabled(path, true);
        } else if matches!(kind, DataType::Timestamp(..)) {
            properties = properties
                .set_column_encoding(path.clone(), Encoding::DELTA_BINARY_PACKED)
                .set_column_statistics_enabled(path, EnabledStatistics::Chunk);
        } else if kind.is_floating() {
            properties = properties.set_column_encoding(path, Encoding::BYTE_STREAM_SPLIT);
        }
    }
    properties.build()
}

/// Writes `batches` to a file that has no lasting name yet, and brings it to the disk. On an error nothing is left
/// behind. Returns its size in bytes.
pub(super) fn write(
    unfinished: &Path,
    table: Table,
    batches: impl Iterator<Item = RecordBatch>,
) -> io::Result<u64> {
    let packed = pack(unfinished, table, batches);
    if packed.is_err() {
        // Nothing better can be done when removing fails as well; what is unfinished is removed at the next start.
        let _ = fs::remove_file(unfinished);
    }
    packed
}

/// Gives a written file its lasting name, over one that has it already.
pub(super) fn put_in_place(unfinished: &Path, path: &Path) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let put = fs::create_dir_all(folder)
        .and_then(|()| fs::rename(unfinished, path))
        .and_then(|()| crate::snapshot::sync_dir(folder));
    if put.is_err() {
        let _ = fs::remove_file(unfinished);
    }
    put
}

fn pack(path: &Path, table: Table, batches: impl Iterator<Item = RecordBatch>) -> io::Result<u64> {
    let file = File::create(path)?;
    let mut writer =
        ArrowWriter::try_new(&file, table.schema(), Some(properties(table))).map_err(to_io)?;
    for batch in batches {
        writer.write(&batch).map_err(to_io)?;
    }
    writer.close().map_err(to_io)?;
    file.sync_all()?;
    Ok(file.metadata()?.len())
}

/// What the system said, where it was the system that said it: a full disk must be told from a bug.
fn to_io(error: ParquetError) -> io::Error {
    let ParquetError::External(cause) = error else {
        return io::Error::other(error);
    };
    match cause.downcast::<io::Error>() {
        Ok(error) => *error,
        Err(cause) => io::Error::other(cause),
    }
}
