//! Captured samples, as the gate takes them.

use std::ops::Range;
use std::path::Path;

use series::{SeriesKey, Timestamp};
use store::Verdict;
use store::capture::{Provenance, ReadError, Reader, Rows};

use super::gate::{HeldOut, Mark};
use crate::capture::reader;

/// All instants there are.
pub const ALWAYS: Range<Timestamp> =
    Timestamp::from_micros(i64::MIN / 2)..Timestamp::from_micros(i64::MAX / 2);

/// What there is in a span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Survey {
    /// Rows.
    pub rows: u64,
    /// The time of the first and of the last row; `None` without rows.
    pub span: Option<(Timestamp, Timestamp)>,
}

impl Survey {
    /// Where the last `share` of the time begins.
    #[must_use]
    pub fn last_share(&self, share: f64) -> Option<Timestamp> {
        let (first, last) = self.span?;
        let back = ((last - first) as f64 * share.clamp(0.0, 1.0)) as i64;
        Some(last.plus_micros(-back))
    }

    fn take(&mut self, at: i64) {
        let at = Timestamp::from_micros(at);
        self.rows += 1;
        self.span = Some(match self.span {
            None => (at, at),
            Some((first, last)) => (first.min(at), last.max(at)),
        });
    }
}

/// Counts the rows in `range`.
///
/// # Errors
/// [`ReadError`] when the directory or a part of it cannot be read.
pub fn survey(dir: &Path, range: Range<Timestamp>) -> Result<Survey, ReadError> {
    let mut survey = Survey::default();
    each(dir, range, |rows, _| {
        for &at in &rows.times {
            survey.take(at);
        }
    })?;
    Ok(survey)
}

/// The rows in `range`, at most `max_rows`, to be judged on.
///
/// # Errors
/// [`ReadError`] when the directory or a part of it cannot be read.
pub fn held_out(
    dir: &Path,
    range: Range<Timestamp>,
    max_rows: usize,
) -> Result<HeldOut, ReadError> {
    let mut held_out = HeldOut::new(max_rows);
    each(dir, range, |rows, ids| {
        for i in 0..rows.len() {
            held_out.push(ids[rows.series[i] as usize], rows.columns[i], mark(rows, i));
        }
    })?;
    Ok(held_out)
}

fn mark(rows: &Rows, i: usize) -> Mark {
    if rows.use_as_normal(i) {
        return Mark::Normal;
    }
    let confirmed = rows.verdicts[i] == Some(Verdict::Confirmed);
    match rows.provenance[i] {
        Provenance::Mitigated => Mark::Unknown,
        Provenance::Fault => Mark::Fault,
        Provenance::Normal if confirmed => Mark::Fault,
        Provenance::Normal => Mark::Unknown,
    }
}

/// Hands batch after batch to `take`, with the stable number of each series.
fn each(
    dir: &Path,
    range: Range<Timestamp>,
    mut take: impl FnMut(&Rows, &[u64]),
) -> Result<(), ReadError> {
    let mut reader = reader(dir, range)?;
    let (mut rows, mut ids) = (Rows::default(), Vec::new());
    while reader.next(&mut rows)? {
        number(&reader, &mut ids);
        take(&rows, &ids);
    }
    Ok(())
}

/// Numbers the series that are new.
pub(crate) fn number(reader: &Reader, ids: &mut Vec<u64>) {
    let new = reader.series().iter().skip(ids.len());
    let new: Vec<u64> = new.map(|key| stable_id(key)).collect();
    ids.extend(new);
}

/// FNV-1a (64 bit) of the text of the key: the same in every run and on every machine.
fn stable_id(key: &SeriesKey) -> u64 {
    let text = key.to_string();
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
