//! Captured samples, as training takes them.

use std::ops::Range;
use std::path::{Path, PathBuf};

use series::Timestamp;
use store::capture::{ReadError, Rows};
use training::{SeriesChunk, Source, SourceError};

use crate::capture::reader;
use crate::models::number;

/// Captured rows as training reads them.
#[derive(Debug)]
pub struct CapturedSource {
    dir: PathBuf,
    range: Range<Timestamp>,
}

impl CapturedSource {
    /// The rows of `dir` in `range`.
    #[must_use]
    pub fn new(dir: &Path, range: Range<Timestamp>) -> Self {
        Self {
            dir: dir.to_owned(),
            range,
        }
    }
}

impl Source for CapturedSource {
    fn description(&self) -> String {
        format!(
            "captured samples of {} from {} to before {} (seconds since 1970)",
            self.dir.file_name().unwrap_or_default().to_string_lossy(),
            self.range.start,
            self.range.end
        )
    }

    fn chunks(
        &mut self,
        visit: &mut dyn FnMut(SeriesChunk<'_>) -> Result<(), training::SpoolError>,
    ) -> Result<(), SourceError> {
        let read = |error: ReadError| SourceError::Read(error.into());
        let mut reader = reader(&self.dir, self.range.clone()).map_err(read)?;
        let (mut rows, mut ids) = (Rows::default(), Vec::new());
        let mut order: Vec<usize> = Vec::new();
        let (mut times, mut columns, mut normal) = (Vec::new(), Vec::new(), Vec::new());
        while reader.next(&mut rows).map_err(read)? {
            number(&reader, &mut ids);
            order.clear();
            order.extend(0..rows.len());
            // Stable: rows of one series stay in order of time.
            order.sort_by_key(|&i| rows.series[i]);
            for of_series in order.chunk_by(|&a, &b| rows.series[a] == rows.series[b]) {
                times.clear();
                columns.clear();
                normal.clear();
                for &i in of_series {
                    times.push(rows.times[i]);
                    columns.push(rows.columns[i]);
                    normal.push(rows.use_as_normal(i));
                }
                visit(SeriesChunk {
                    series: ids[rows.series[of_series[0]] as usize],
                    times: &times,
                    columns: &columns,
                    use_as_normal: &normal,
                })?;
            }
        }
        Ok(())
    }
}
