//! Parts into frames. Whatever a file holds, reading it ends in rows or in an error that names it.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use polars::io::prelude::KeyValueMetadata;
use polars::prelude::{
    DataFrame, DataType, Engine, Expr, HiveOptions, LazyFrame, ParquetReader, PlRefPath,
    PolarsResult, ScanArgsParquet, Schema, SchemaExt, SerReader, col,
};

use crate::folder::{Folder, Part};
use crate::table::{FORMAT, Kind};
use crate::{Table, day_text};

/// Why a part could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It cannot be opened.
    #[error("opening {}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
    /// It is no Parquet file, or a damaged one.
    #[error("{}: not a readable Parquet file: {problem}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the reader met.
        problem: String,
    },
    /// It is a Parquet file of something else.
    #[error("{}: not captured data of this format: {problem}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What is missing or different.
        problem: String,
    },
    /// Parts of one table that do not go together, or a failure while several are read.
    #[error("reading {table} of {day}: {problem}")]
    Day {
        /// Which table.
        table: &'static str,
        /// Which day.
        day: String,
        /// What the reader met.
        problem: String,
    },
}

/// What stands at the end of a part.
#[derive(Debug, Clone)]
pub(crate) struct Footer {
    pub(crate) n_rows: u64,
    pub(crate) schema: Schema,
    /// Metadata as it stands in the file, to be handed on.
    pub(crate) metadata: Vec<(String, String)>,
    pub(crate) raw: Option<KeyValueMetadata>,
}

impl Footer {
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        let found = self.metadata.iter().find(|(name, _)| name == key);
        found.map(|(_, value)| value.as_str())
    }
}

/// Reads the footer of a part.
pub(crate) fn footer(part: &Part) -> Result<Footer, ReadError> {
    let file = open(part)?;
    let footer = guarded(|| {
        let mut reader = ParquetReader::new(file);
        let arrow = reader.schema()?;
        let found = reader.get_metadata()?;
        let pairs = found.key_value_metadata.clone();
        let metadata = pairs.iter().flatten();
        Ok(Footer {
            n_rows: found.num_rows as u64,
            schema: Schema::from_arrow_schema(arrow.as_ref()),
            metadata: metadata
                .map(|pair| (pair.key.clone(), pair.value.clone().unwrap_or_default()))
                .collect(),
            raw: pairs.map(KeyValueMetadata::Static),
        })
    });
    footer.map_err(|problem| damaged(part, problem))
}

/// The footer of a part that is what its table says; other files are refused.
pub(crate) fn known(table: Table, part: &Part) -> Result<Footer, ReadError> {
    let footer = footer(part)?;
    let problem = match footer.get("forestall.format") {
        Some(FORMAT) => table.mismatch(&footer.schema),
        Some(other) => Some(format!("format {other:?}, this program reads {FORMAT:?}")),
        None => Some("it carries no forestall.format".to_owned()),
    };
    match problem {
        Some(problem) => Err(ReadError::Foreign {
            path: part.path.clone(),
            problem,
        }),
        None => Ok(footer),
    }
}

/// The metadata of the first part of a table, to be written again.
pub(crate) fn metadata_of(
    sources: &[Folder],
    table: Table,
) -> Result<Option<KeyValueMetadata>, ReadError> {
    let first = sources.iter().flat_map(|source| source.parts(table)).next();
    first.map_or(Ok(None), |part| Ok(footer(part)?.raw))
}

/// Parts of one table, lazily: instants as whole microseconds, words as strings, columns in the order of the table.
pub(crate) fn scan(table: Table, parts: &[&Part]) -> PolarsResult<LazyFrame> {
    let paths = parts
        .iter()
        .map(|part| PlRefPath::try_from_path(&part.path))
        .collect::<PolarsResult<Vec<_>>>()?;
    let args = ScanArgsParquet {
        // Names are taken as they are, and the day of a row is told from its time, not from its folder.
        glob: false,
        hive_options: HiveOptions {
            enabled: Some(false),
            ..HiveOptions::default()
        },
        cache: false,
        low_memory: true,
        ..ScanArgsParquet::default()
    };
    let columns = table.columns();
    let plain = columns.iter().map(|(name, kind)| plain(name, *kind));
    Ok(LazyFrame::scan_parquet_files(paths.into(), args)?.select(plain.collect::<Vec<_>>()))
}

fn plain(name: &str, kind: Kind) -> Expr {
    match kind {
        Kind::Instant => col(name).cast(DataType::Int64),
        Kind::Word | Kind::Text => col(name).cast(DataType::String),
        Kind::F64 | Kind::F32 | Kind::Id => col(name),
    }
}

/// Runs a query over one part with the streaming engine.
pub(crate) fn of_part(
    table: Table,
    part: &Part,
    query: impl FnOnce(LazyFrame) -> LazyFrame,
) -> Result<DataFrame, ReadError> {
    collect(table, &[part], query).map_err(|problem| damaged(part, problem))
}

/// Runs a query over all parts of a day with the streaming engine.
pub(crate) fn of_day(
    table: Table,
    day: i64,
    parts: &[&Part],
    query: impl FnOnce(LazyFrame) -> LazyFrame,
) -> Result<DataFrame, ReadError> {
    collect(table, parts, query).map_err(|problem| ReadError::Day {
        table: table.folder(),
        day: day_text(day),
        problem,
    })
}

fn collect(
    table: Table,
    parts: &[&Part],
    query: impl FnOnce(LazyFrame) -> LazyFrame,
) -> Result<DataFrame, String> {
    guarded(|| {
        let lazy = query(scan(table, parts)?);
        lazy.collect_with_engine(Engine::Streaming)
            .map(|result| result.unwrap_single())
    })
}

/// Rows `from..from + n` of a part, as they stand.
pub(crate) fn slice(table: Table, part: &Part, from: u64, n: u64) -> Result<DataFrame, ReadError> {
    let n = u32::try_from(n).unwrap_or(u32::MAX);
    let from = i64::try_from(from).unwrap_or(i64::MAX);
    of_part(table, part, |lazy| lazy.slice(from, n))
}

fn open(part: &Part) -> Result<File, ReadError> {
    File::open(&part.path).map_err(|source| ReadError::Open {
        path: part.path.clone(),
        source,
    })
}

pub(crate) fn damaged(part: &Part, problem: String) -> ReadError {
    ReadError::Damaged {
        path: part.path.clone(),
        problem,
    }
}

/// Polars takes metadata of files at its word here and there and panics when it lies: that is a damaged file too.
pub(crate) fn guarded<T>(work: impl FnOnce() -> PolarsResult<T>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(first_line(&error.to_string())),
        Err(payload) => {
            let said = payload.downcast_ref::<String>().map(String::as_str);
            let said = said.or_else(|| payload.downcast_ref::<&str>().copied());
            Err(first_line(said.unwrap_or("the reader gave up on it")))
        }
    }
}

/// Polars adds its whole query plan to some messages: nobody wants to read that.
fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim().to_owned()
}
