//! Captured samples, read back: part after part, with memory for one batch and one entry per series.

mod catalog;
mod rows;

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use parquet::arrow::arrow_reader::ParquetRecordBatchReader;
use series::{SeriesKey, Timestamp};

use super::cells::Cells;
use super::file::{self, Opened, ReadError};
use super::layout::{self, Day, Part};
use super::marks::{self, Entry, Selectors};
use super::schema::Table;
use super::tables;

pub use rows::Rows;

use catalog::Catalog;
use rows::Columns;

/// Rows of a batch: 1.7 MiB or so.
const BATCH_ROWS: usize = 1 << 14;

/// What a [`Reader`] did not hand out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Skipped {
    /// Parts that were removed to make room between being listed and being read.
    pub vanished_parts: u64,
    /// Rows not later than the row before of the same series: a part that is there twice, or an engine that began anew
    /// and was sent history again.
    pub repeated_rows: u64,
}

/// Reads the sealed samples of a capture directory, which may be written meanwhile. What is still in a journal is not
/// seen; marks and feedback are, even those made long after the rows that they are about.
#[derive(Debug)]
pub struct Reader {
    parts: VecDeque<Part>,
    current: Option<Current>,
    range_us: Range<i64>,
    catalog: Catalog,
    marks: Vec<Arc<Entry>>,
    skipped: Skipped,
}

/// The part under way.
#[derive(Debug)]
struct Current {
    opened: Opened,
    /// The row group under way, and what is left of it.
    batches: Option<(usize, ParquetRecordBatchReader)>,
    next_row_group: usize,
}

impl Reader {
    /// Lists what there is from `range.start` until before `range.end`. `selectors` reads what marks pick. A directory
    /// without samples has no rows; that is no error.
    ///
    /// # Errors
    /// See [`ReadError`]. Marks or feedback that cannot be read are errors here: without them, faults would pass for
    /// normal behaviour.
    pub fn open(
        dir: &Path,
        range: Range<Timestamp>,
        selectors: Selectors,
    ) -> Result<Self, ReadError> {
        std::fs::read_dir(dir).map_err(ReadError::io(dir))?;
        let range_us = range.start.micros()..range.end.micros();
        let last_us = range_us.end.saturating_sub(1);
        let days = Day::of(range_us.start)..=Day::of(last_us);
        let mut parts = layout::parts(dir, Table::Samples).map_err(ReadError::io(dir))?;
        parts.retain(|part| days.contains(&part.day) && !range_us.is_empty());
        let marks = marks::load(dir, selectors)?;
        Ok(Self {
            parts: parts.into(),
            current: None,
            range_us,
            catalog: Catalog::new(tables::feedback(dir)?),
            marks: marks.into_iter().map(Arc::new).collect(),
            skipped: Skipped::default(),
        })
    }

    /// Puts the next rows into `rows`, in place of what was there; `false` at the end. Rows of one part are in order of
    /// arrival; rows of one series ascend in time, over all parts.
    ///
    /// # Errors
    /// See [`ReadError`]. The call after an error goes on with the next part.
    pub fn next(&mut self, rows: &mut Rows) -> Result<bool, ReadError> {
        rows.clear();
        loop {
            let Some(mut current) = self.current.take() else {
                let Some(part) = self.parts.pop_front() else {
                    return Ok(false);
                };
                self.open_part(&part)?;
                continue;
            };
            let Some((row_group, mut batches)) = current.batches.take() else {
                let i = current.next_row_group;
                if i < current.opened.n_row_groups() {
                    current.next_row_group += 1;
                    if self.may_hold(&current.opened, i) {
                        current.batches = Some((i, current.opened.row_group(i, BATCH_ROWS)?));
                    }
                    self.current = Some(current);
                }
                continue;
            };
            if let Some(batch) = current.opened.next(row_group, &mut batches)? {
                let cells = Cells {
                    path: current.opened.path(),
                    row_group: Some(row_group),
                    batch: &batch,
                };
                self.take(&cells, rows)?;
                current.batches = Some((row_group, batches));
            }
            self.current = Some(current);
            if !rows.is_empty() {
                return Ok(true);
            }
        }
    }

    fn open_part(&mut self, part: &Part) -> Result<(), ReadError> {
        let file = match File::open(&part.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.skipped.vanished_parts += 1;
                return Ok(());
            }
            other => other.map_err(ReadError::io(&part.path))?,
        };
        self.current = Some(Current {
            opened: file::open(&part.path, file, Table::Samples)?,
            batches: None,
            next_row_group: 0,
        });
        Ok(())
    }

    /// Whether a row group may hold rows of the range, as far as the file tells.
    fn may_hold(&self, opened: &Opened, row_group: usize) -> bool {
        let bounds = opened.bounds(row_group, "time");
        bounds.is_none_or(|(min, max)| max >= self.range_us.start && min < self.range_us.end)
    }

    fn take(&mut self, cells: &Cells<'_>, rows: &mut Rows) -> Result<(), ReadError> {
        let columns = Columns::of(cells)?;
        self.catalog.begin_batch();
        for i in 0..cells.batch.num_rows() {
            let time_us = columns.time[i];
            if !self.range_us.contains(&time_us) {
                continue;
            }
            let (series, state) = self.catalog.series(cells, &columns, i)?;
            // Older rows would be taken for later ones by whoever carries a state along.
            if state.last_us.is_some_and(|last_us| time_us <= last_us) {
                self.skipped.repeated_rows += 1;
                continue;
            }
            state.last_us = Some(time_us);
            let event = columns.event(cells, i)?;
            let marked = state.hits.provenance(&self.marks, &state.key, time_us);
            let provenance = columns.provenance(cells, i)?.max(marked);
            let verdict = state.verdict(time_us, event);
            rows.push(&columns, i, series, event, provenance, verdict);
        }
        Ok(())
    }

    /// The series met so far; [`Rows::series`] are places in here.
    #[must_use]
    pub fn series(&self) -> &[Arc<SeriesKey>] {
        self.catalog.keys()
    }

    /// What was not handed out so far.
    #[must_use]
    pub fn skipped(&self) -> Skipped {
        self.skipped
    }

    /// Parts that have not been begun.
    #[must_use]
    pub fn parts_left(&self) -> usize {
        self.parts.len()
    }
}
