//! A part of a data set: some of its time, some of its series.

use std::path::Path;

use polars::prelude::{BooleanChunked, DataFrame, NewChunkedArray, PolarsResult};

use crate::folder::Folder;
use crate::fresh::{Fresh, FreshError};
use crate::read::{ReadError, metadata_of};
use crate::selector::select;
use crate::small::{self, SmallError};
use crate::windows::{Duplicates, Span, WINDOW_ROWS, WindowError, Windows};
use crate::write::{Parts, WriteError};
use crate::{Progress, Selector, Table};

/// What to keep.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cut {
    /// The first instant that is kept, in microseconds since the epoch; `None` keeps the beginning.
    pub from: Option<i64>,
    /// The first instant that is not kept any more; `None` keeps the end.
    pub to: Option<i64>,
    /// Series that are kept: those that any of these picks; all when empty.
    pub selectors: Vec<Selector>,
}

/// Why a data set could not be cut. Nothing is left behind then.
#[derive(Debug, thiserror::Error)]
pub enum CutError {
    /// The output cannot be made.
    #[error(transparent)]
    Fresh(#[from] FreshError),
    /// A part cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The samples cannot be taken in order.
    #[error(transparent)]
    Window(#[from] WindowError),
    /// The output cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// No sample is within the cut.
    #[error("no sample lies within the cut")]
    Empty,
}

/// Writes what `cut` keeps of `source` to a new folder `out`; returns how many samples that is.
///
/// Feedback is kept when its interval has a part in the time that is kept and its series is kept; marks are kept by
/// their interval alone.
///
/// # Errors
/// [`CutError`]; `out` is then as it was.
pub fn cut(
    source: &Folder,
    cut: &Cut,
    out: &Path,
    force: bool,
    progress: Progress<'_>,
) -> Result<u64, CutError> {
    let fresh = Fresh::folder(out, force)?;
    let span = Span {
        from: cut.from,
        to: cut.to,
    };
    let sources = std::slice::from_ref(source);
    let mut parts = Parts::new(fresh.path());
    let windows = Windows::plan(sources, span, WINDOW_ROWS)?;
    let metadata = metadata_of(sources, Table::Samples)?;
    let (mut done, mut written) = (0, 0);
    for window in &windows.windows {
        let frame = windows.load(*window, &cut.selectors, Duplicates::Keep)?;
        if frame.height() > 0 {
            parts.write(Table::Samples, window.day, &frame, metadata.as_ref())?;
        }
        written += frame.height() as u64;
        done += window.n_rows;
        progress(done, windows.n_rows);
    }
    if written == 0 {
        return Err(CutError::Empty);
    }
    small::write(sources, &mut parts, |table, frame| {
        let touched = touching(&frame, span)?;
        match table {
            Table::Feedback => select(touched, &cut.selectors),
            Table::Samples | Table::Provenance => Ok(touched),
        }
    })?;
    fresh.commit()?;
    Ok(written)
}

/// Rows whose `from..=to` has a part in the span.
fn touching(frame: &DataFrame, span: Span) -> PolarsResult<DataFrame> {
    let (from, to) = (frame.column("from")?.i64()?, frame.column("to")?.i64()?);
    let mask: Vec<bool> = from
        .iter()
        .zip(to.iter())
        .map(|(from, to)| span.touches(from.unwrap_or(i64::MIN), to.unwrap_or(i64::MAX)))
        .collect();
    frame.filter(&BooleanChunked::from_slice("kept".into(), &mask))
}

impl From<SmallError> for CutError {
    fn from(error: SmallError) -> Self {
        match error {
            SmallError::Read(error) => Self::Read(error),
            SmallError::Write(error) => Self::Write(error),
        }
    }
}
