//! The tables that people write, feedback and marks: few rows, taken whole.

use polars::prelude::{
    Column, DataFrame, NamedFrom, PolarsResult, Series, SortMultipleOptions, UniqueKeepStrategy,
};

use crate::folder::Folder;
use crate::read::{ReadError, guarded, known, metadata_of, of_day};
use crate::table::Kind;
use crate::write::{Parts, WriteError};
use crate::{Table, day_text};

/// Why feedback or marks could not be carried over.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SmallError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Writes what `keep` leaves of the feedback and the marks of all sources.
pub(crate) fn write(
    sources: &[Folder],
    parts: &mut Parts,
    keep: impl Fn(Table, DataFrame) -> PolarsResult<DataFrame>,
) -> Result<(), SmallError> {
    let mut id = 0_i64;
    for table in [Table::Feedback, Table::Provenance] {
        let metadata = metadata_of(sources, table)?;
        for (day, frame) in read(sources, table)? {
            let failed = |problem| day_error(table, day, problem);
            let kept = guarded(|| keep(table, frame)).map_err(failed)?;
            if kept.height() > 0 && table == Table::Feedback {
                parts.write(table, day, &kept, metadata.as_ref())?;
            }
            if table == Table::Feedback {
                continue;
            }
            // One mark, one file: whoever ends a mark later writes its file again.
            for row in 0..kept.height() {
                id += 1;
                let numbered = guarded(|| {
                    let mut one = kept.slice(row as i64, 1);
                    one.with_column(Column::from(Series::new("id".into(), [id])))?;
                    Ok(one)
                });
                parts.write(table, day, &numbered.map_err(failed)?, metadata.as_ref())?;
            }
        }
    }
    Ok(())
}

/// The rows of a table day by day, each row once and in order.
pub(crate) fn read(sources: &[Folder], table: Table) -> Result<Vec<(i64, DataFrame)>, ReadError> {
    let mut days: Vec<i64> = Vec::new();
    for part in sources.iter().flat_map(|source| source.parts(table)) {
        known(table, part)?;
        days.push(part.day);
    }
    days.sort_unstable();
    days.dedup();
    // Each source numbers its marks from 1: numbers say nothing, and are given anew.
    let names: Vec<String> = table
        .columns()
        .into_iter()
        .filter(|(_, kind)| *kind != Kind::Id)
        .map(|(name, _)| name)
        .collect();
    let mut found = Vec::new();
    for day in days {
        let mut all = DataFrame::default();
        for source in sources {
            let parts: Vec<_> = source
                .parts(table)
                .iter()
                .filter(|part| part.day == day)
                .collect();
            if !parts.is_empty() {
                let rows = of_day(table, day, &parts, |lazy| lazy)?;
                let stacked = guarded(|| all.vstack_mut(&rows).map(drop));
                stacked.map_err(|problem| day_error(table, day, problem))?;
            }
        }
        let sorted = guarded(|| {
            all.unique_stable(Some(&names), UniqueKeepStrategy::First, None)?
                .sort(&names, SortMultipleOptions::default())
        });
        let sorted = sorted.map_err(|problem| day_error(table, day, problem))?;
        if sorted.height() > 0 {
            found.push((day, sorted));
        }
    }
    Ok(found)
}

fn day_error(table: Table, day: i64, problem: String) -> ReadError {
    ReadError::Day {
        table: table.folder(),
        day: day_text(day),
        problem,
    }
}
