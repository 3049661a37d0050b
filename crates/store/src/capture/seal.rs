//! Journals into Parquet. What a running engine closed and what a killed one left are the same thing here: recovery
//! is sealing.

use std::fs;
use std::io;
use std::path::PathBuf;

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;

use super::journal::Recovery;
use super::layout::{self, JournalFile, Part};
use super::pack;
use super::space::Space;

/// What became of one journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sealed {
    /// Rows that are in Parquet now.
    pub rows: u64,
    /// Size of the new part, in bytes; 0 when there were no rows.
    pub bytes: u64,
    /// Bytes at the journal's end that were no whole batch.
    pub torn_bytes: u64,
}

/// Why a journal was not sealed. It stays where it is, and can be tried again.
#[derive(Debug, thiserror::Error)]
#[error("sealing {path}")]
pub struct SealError {
    /// The journal.
    pub path: PathBuf,
    /// What the system said.
    #[source]
    pub source: io::Error,
}

/// Seals one journal. The part has its name from the journal's contents: when a kill comes between its renaming and
/// the removal of the journal, the next attempt writes the same part again, over the first.
pub(super) fn seal(space: &Space, journal: &JournalFile) -> Result<Sealed, SealError> {
    let failed = |source| SealError {
        path: journal.path.clone(),
        source,
    };
    let mut recovery = Recovery::open(&journal.path, journal.table).map_err(failed)?;
    let schema = journal.table.schema();
    let time = schema
        .index_of("time")
        .map_err(|e| failed(io::Error::other(e)))?;
    // While both are there, both count. Should there be no room even so, sealing goes on: it ends with less.
    space.make_room(fs::metadata(&journal.path).map_err(failed)?.len());
    let unfinished = journal.path.with_extension(layout::UNFINISHED);
    let (mut rows, mut start_us) = (0, i64::MAX);
    let batches = std::iter::from_fn(|| {
        let batch = recovery.next()?;
        rows += batch.num_rows() as u64;
        let times = batch
            .column(time)
            .as_primitive::<TimestampMicrosecondType>();
        start_us = times.values().iter().copied().fold(start_us, i64::min);
        Some(batch)
    });
    let bytes = pack::write(&unfinished, journal.table, batches).map_err(failed)?;
    let torn_bytes = recovery.torn_bytes();
    if rows == 0 {
        fs::remove_file(&unfinished).map_err(failed)?;
        fs::remove_file(&journal.path).map_err(failed)?;
        return Ok(Sealed {
            torn_bytes,
            ..Sealed::default()
        });
    }
    let folder = layout::day_dir(space.dir(), journal.table, journal.day);
    let path = folder.join(layout::part_name(start_us, journal.seq));
    pack::put_in_place(&unfinished, &path).map_err(failed)?;
    space.add(Part {
        day: journal.day,
        table: journal.table,
        seq: Some(journal.seq),
        path,
        bytes,
    });
    fs::remove_file(&journal.path).map_err(failed)?;
    Ok(Sealed {
        rows,
        bytes,
        torn_bytes,
    })
}
