//! The small tables, read whole: marks and feedback.

use std::fs::File;
use std::io;
use std::path::Path;

use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch};
use series::SeriesKey;

use super::cells::Cells;
use super::file::{self, ReadError, short};
use super::journal::Recovery;
use super::layout;
use super::marks::{Mark, MarkKind, NewMark};
use super::schema::Table;
use super::verdict::{self, Said};

/// Rows that one of the small tables may have in all its files.
const MAX_ROWS: usize = 1_000_000;
/// Bytes that one file of a small table may have.
const MAX_BYTES: u64 = 64 << 20;

/// All rows of a file of marks.
pub(super) fn marks(path: &Path, file: File) -> Result<Vec<Mark>, ReadError> {
    let mut marks = Vec::new();
    for batch in batches(path, file, Table::Provenance)? {
        let cells = Cells {
            path,
            row_group: None,
            batch: &batch,
        };
        let ids = cells.numbers::<Int64Type>("id")?;
        let from = cells.numbers::<TimestampMicrosecondType>("from")?;
        let to = cells.optional_times("to")?;
        let kinds = cells.texts("kind")?;
        let (selectors, notes) = (cells.plain_text("selector")?, cells.plain_text("note")?);
        for i in 0..batch.num_rows() {
            let kind = MarkKind::parse(kinds.at(i))
                .ok_or_else(|| cells.blame("kind", format!("{:?} is none", short(kinds.at(i)))))?;
            let id = u64::try_from(ids[i])
                .map_err(|_| cells.blame("id", format!("{} is negative", ids[i])))?;
            marks.push(Mark {
                id,
                body: NewMark {
                    kind,
                    selector: selectors.value(i).to_owned(),
                    note: notes.value(i).to_owned(),
                    from_us: from[i],
                    to_us: to.is_valid(i).then(|| to.value(i)),
                },
            });
        }
    }
    Ok(marks)
}

/// All that was said about series of a directory, in the order in which it was said. What is not sealed yet counts.
pub(super) fn feedback(dir: &Path) -> Result<Vec<Said>, ReadError> {
    let mut said = Vec::new();
    // Journals first: one that is sealed meanwhile is then read twice, which changes nothing, and never missed.
    for journal in layout::journals(dir).map_err(ReadError::io(dir))? {
        if journal.table != Table::Feedback {
            continue;
        }
        let Some(mut recovery) =
            found(&journal.path, Recovery::open(&journal.path, journal.table))?
        else {
            continue;
        };
        while let Some(batch) = recovery.next() {
            verdicts(&journal.path, &batch, &mut said)?;
        }
    }
    for part in layout::parts(dir, Table::Feedback).map_err(ReadError::io(dir))? {
        let Some(file) = found(&part.path, File::open(&part.path))? else {
            continue;
        };
        for batch in batches(&part.path, file, Table::Feedback)? {
            verdicts(&part.path, &batch, &mut said)?;
        }
    }
    said.sort_by_key(|said| said.submitted_us);
    Ok(said)
}

/// `None` for a file that was removed since it was listed.
fn found<T>(path: &Path, opened: io::Result<T>) -> Result<Option<T>, ReadError> {
    match opened {
        Ok(open) => Ok(Some(open)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ReadError::io(path)(error)),
    }
}

fn verdicts(path: &Path, batch: &RecordBatch, said: &mut Vec<Said>) -> Result<(), ReadError> {
    let cells = Cells {
        path,
        row_group: None,
        batch,
    };
    let submitted = cells.numbers::<TimestampMicrosecondType>("time")?;
    let (metrics, labels) = (cells.texts("metric")?, cells.texts("labels")?);
    let from = cells.numbers::<TimestampMicrosecondType>("from")?;
    let to = cells.optional_times("to")?;
    let (verdicts, notes) = (cells.texts("verdict")?, cells.plain_text("note")?);
    if said.len() + batch.num_rows() > MAX_ROWS {
        return Err(too_large(
            path,
            format!("more than {MAX_ROWS} rows of feedback"),
        ));
    }
    for i in 0..batch.num_rows() {
        let series = key(&cells, metrics.at(i), labels.at(i))?;
        let verdict = verdict::parse(verdicts.at(i)).ok_or_else(|| {
            cells.blame("verdict", format!("{:?} is none", short(verdicts.at(i))))
        })?;
        said.push(Said {
            series,
            submitted_us: submitted[i],
            from_us: from[i],
            to_us: to.is_valid(i).then(|| to.value(i)),
            verdict,
            note: notes.value(i).to_owned(),
        });
    }
    Ok(())
}

/// The key that the columns `metric` and `labels` spell together.
pub(super) fn key(cells: &Cells<'_>, metric: &str, labels: &str) -> Result<SeriesKey, ReadError> {
    let bad = |error: series::KeyError| {
        let text = short(&format!("{metric}{labels}"));
        cells.blame("labels", format!("{text:?} is no series: {error}"))
    };
    format!("{metric}{labels}").parse().map_err(bad)
}

fn too_large(path: &Path, message: String) -> ReadError {
    ReadError::Large {
        path: path.to_owned(),
        row_group: None,
        message,
    }
}

fn batches(path: &Path, file: File, table: Table) -> Result<Vec<RecordBatch>, ReadError> {
    let bytes = file.metadata().map_err(ReadError::io(path))?.len();
    if bytes > MAX_BYTES {
        let message = format!("{bytes} bytes, at most {MAX_BYTES} are read");
        return Err(too_large(path, message));
    }
    let opened = file::open(path, file, table)?;
    if opened.n_rows() > MAX_ROWS as i64 {
        return Err(too_large(path, format!("more than {MAX_ROWS} rows")));
    }
    let mut all = Vec::new();
    for i in 0..opened.n_row_groups() {
        let mut batches = opened.row_group(i, MAX_ROWS)?;
        while let Some(batch) = opened.next(i, &mut batches)? {
            all.push(batch);
        }
    }
    Ok(all)
}
