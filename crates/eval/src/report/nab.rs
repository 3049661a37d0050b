//! NAB scores in the three profiles.

use std::fmt;

use serde::Serialize;

use super::text;
use crate::column::{Column, ColumnError, check, parallel_map};
use crate::datasets::Series;
use crate::floors::floors;
use crate::nab::{PROFILES, Part, Profile, Scored, best, normalise, part_at};
use crate::spread::Measure;

/// Every column in every profile.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NabTable {
    /// Series in the corpus.
    pub n_series: usize,
    /// Windows after probation.
    pub n_windows: usize,
    /// One per column, floors last.
    pub rows: Vec<NabRow>,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NabRow {
    /// Its name.
    pub name: String,
    /// One per profile, in the order of [`PROFILES`].
    pub cells: Vec<NabCell>,
}

/// One column in one profile.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NabCell {
    /// The profile's name.
    pub profile: &'static str,
    /// Normalised score at the best threshold over all series jointly.
    pub score: Measure,
    /// That threshold; infinite (in JSON null) when silence is best.
    pub threshold: f64,
    /// Raw score per series at that threshold, null detector at 0: where the points come from.
    pub series: Vec<(String, f64)>,
}

/// Scores `columns` and the floors on a corpus with windows.
///
/// # Errors
/// When a column does not have one score per row.
pub fn nab(series: &[Series], columns: &[Column]) -> Result<NabTable, ColumnError> {
    check(series, columns)?;
    let floors = floors(series);
    let columns: Vec<&Column> = columns.iter().chain(&floors).collect();
    let jobs: Vec<(&Column, Profile)> = columns
        .iter()
        .flat_map(|c| PROFILES.map(|p| (*c, p)))
        .collect();
    let cells = parallel_map(&jobs, |(column, profile)| cell(series, column, *profile));
    let rows = columns
        .iter()
        .zip(cells.chunks(PROFILES.len()))
        .map(|(c, cells)| NabRow {
            name: c.name.clone(),
            cells: cells.to_vec(),
        })
        .collect();
    let n_windows = series
        .iter()
        .flat_map(|s| s.windows.iter().map(|w| w.end > s.probation))
        .filter(|w| *w)
        .count();
    Ok(NabTable {
        n_series: series.len(),
        n_windows,
        rows,
    })
}

fn cell(series: &[Series], column: &Column, profile: Profile) -> NabCell {
    let corpus: Vec<Scored<'_, f64>> = series
        .iter()
        .zip(&column.scores)
        .map(|(s, scores)| Scored {
            scores,
            windows: &s.windows,
            probation: s.probation,
        })
        .collect();
    let threshold = best(&corpus, profile).threshold;
    let parts: Vec<Part> = corpus
        .iter()
        .map(|s| part_at(*s, profile, threshold))
        .collect();
    let score = Measure::over(parts.len(), |drawn| {
        let drawn: Vec<Part> = drawn.iter().map(|i| parts[*i]).collect();
        normalise(&drawn, profile)
    });
    let series = series
        .iter()
        .zip(&parts)
        .map(|(s, p)| {
            (
                s.name.clone(),
                p.raw + profile.false_negative * p.n_windows as f64,
            )
        })
        .collect();
    NabCell {
        profile: profile.name,
        score,
        threshold,
        series,
    }
}

impl fmt::Display for NabTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "NAB score: {} series, {} windows; best threshold of each profile, 90 % interval over series",
            self.n_series, self.n_windows
        )?;
        let header = [
            "score",
            "standard",
            "threshold",
            "low FP",
            "threshold",
            "low FN",
            "threshold",
        ];
        let rows: Vec<Vec<String>> = self
            .rows
            .iter()
            .map(|row| {
                let cells = row
                    .cells
                    .iter()
                    .flat_map(|c| [text::measure(c.score, 2), text::threshold(c.threshold)]);
                std::iter::once(row.name.clone()).chain(cells).collect()
            })
            .collect();
        text::write(f, &header, &rows)
    }
}
