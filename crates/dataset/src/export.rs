//! A data set as one plain file: `time,metric,labels,value`, by time.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use polars::prelude::{
    Column, CsvWriter, DataFrame, DataType, NamedFrom, PolarsResult, Schema, SerWriter, Series,
};

use crate::Progress;
use crate::date::instant_text;
use crate::folder::Folder;
use crate::fresh::{Fresh, FreshError};
use crate::read::guarded;
use crate::windows::{Duplicates, Span, WINDOW_ROWS, WindowError, Windows};
use crate::write::{instant_type, instants, parquet};

/// The columns of an export.
const COLUMNS: [&str; 4] = ["time", "metric", "labels", "value"];

/// How an export is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Text; times as RFC 3339 in UTC.
    Csv,
    /// Columns; times in microseconds, UTC.
    Parquet,
}

/// Why a data set could not be exported. Nothing is left behind then.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The output cannot be made.
    #[error(transparent)]
    Fresh(#[from] FreshError),
    /// The samples cannot be taken in order.
    #[error(transparent)]
    Window(#[from] WindowError),
    /// The output cannot be written.
    #[error("writing {}: {problem}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        problem: String,
    },
    /// There are no samples.
    #[error("there are no samples to write")]
    Empty,
}

/// Writes all samples to the file `out`; returns how many there are.
///
/// # Errors
/// [`ExportError`]; `out` is then as it was.
pub fn export(
    source: &Folder,
    format: Format,
    out: &Path,
    force: bool,
    progress: Progress<'_>,
) -> Result<u64, ExportError> {
    let failed = |problem: String| ExportError::Write {
        path: out.to_owned(),
        problem,
    };
    let fresh = Fresh::file(out, force)?;
    let windows = Windows::plan(std::slice::from_ref(source), Span::default(), WINDOW_ROWS)?;
    if windows.n_rows == 0 {
        return Err(ExportError::Empty);
    }
    let open = OpenOptions::new().write(true).open(fresh.path());
    let file = open.map_err(|e| failed(e.to_string()))?;
    let mut writer = guarded(|| Writer::new(format, file)).map_err(failed)?;
    let (mut done, mut written) = (0, 0);
    for window in &windows.windows {
        let frame = windows.load(*window, &[], Duplicates::Keep)?;
        guarded(|| writer.write(&frame)).map_err(failed)?;
        written += frame.height() as u64;
        done += window.n_rows;
        progress(done, windows.n_rows);
    }
    guarded(|| writer.finish()).map_err(failed)?;
    fresh.commit()?;
    Ok(written)
}

/// Label text as exporters write it, without the braces.
fn bare(labels: &str) -> &str {
    let inner = labels
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'));
    inner.unwrap_or(labels)
}

type ParquetOut = polars::io::parquet::write::BatchedWriter<File>;

enum Writer {
    Csv(BufWriter<File>),
    Parquet(File, Box<ParquetOut>),
}

impl Writer {
    fn new(format: Format, mut file: File) -> PolarsResult<Self> {
        match format {
            Format::Csv => {
                writeln!(file, "{}", COLUMNS.join(","))?;
                Ok(Self::Csv(BufWriter::new(file)))
            }
            Format::Parquet => {
                let text = DataType::String;
                let types = [instant_type(), text.clone(), text, DataType::Float64];
                let fields = COLUMNS.iter().zip(types);
                let schema: Schema = fields.map(|(name, kind)| ((*name).into(), kind)).collect();
                let writer = parquet(file.try_clone()?).batched(&schema)?;
                Ok(Self::Parquet(file, Box::new(writer)))
            }
        }
    }

    fn write(&mut self, frame: &DataFrame) -> PolarsResult<()> {
        let mut four = frame.select(COLUMNS)?;
        let labels = four.column("labels")?.str()?;
        let bare: Vec<&str> = labels
            .iter()
            .map(|text| bare(text.unwrap_or_default()))
            .collect();
        let bare = Series::new("labels".into(), bare);
        four.with_column(Column::from(bare))?;
        match self {
            Self::Csv(out) => {
                let times = four.column("time")?.i64()?;
                let text: Vec<String> =
                    times.iter().map(|t| instant_text(t.unwrap_or(0))).collect();
                four.with_column(Column::from(Series::new("time".into(), text)))?;
                CsvWriter::new(out).include_header(false).finish(&mut four)
            }
            Self::Parquet(_, out) => {
                let times = instants(four.column("time")?)?;
                four.with_column(times)?;
                four.rechunk_mut();
                out.write_batch(&four)
            }
        }
    }

    fn finish(self) -> PolarsResult<()> {
        let file = match self {
            Self::Csv(out) => out
                .into_inner()
                .map_err(std::io::IntoInnerError::into_error)?,
            Self::Parquet(file, out) => {
                out.finish()?;
                file
            }
        };
        Ok(file.sync_all()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::made::{Made, row};

    #[test]
    fn text_has_dates_and_bare_labels_and_every_digit() {
        let mut odd = row(0, "a", "{x=\"1\",y=\"p, \\\"q\\\"\"}");
        odd.time_us += 250;
        odd.value = 0.1 + 0.2;
        let made = Made::new().samples("2024-01-01", &[row(5, "b", ""), odd]);
        let folder = Folder::open(made.path()).unwrap();
        let out = made.path().join("out.csv");
        let rows = export(&folder, Format::Csv, &out, false, &mut |_, _| ()).unwrap();
        assert_eq!(rows, 2);
        assert_eq!(
            std::fs::read_to_string(&out).unwrap(),
            "time,metric,labels,value\n\
             2024-01-01T00:00:00.00025Z,a,\"x=\"\"1\"\",y=\"\"p, \\\"\"q\\\"\"\"\"\",0.30000000000000004\n\
             2024-01-01T00:00:05Z,b,\"\",5.0\n"
        );
        let again = export(&folder, Format::Csv, &out, false, &mut |_, _| ());
        assert!(matches!(
            again,
            Err(ExportError::Fresh(FreshError::Exists { .. }))
        ));
    }
}
