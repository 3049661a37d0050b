//! Calibration and false events.

use std::fmt;

use serde::Serialize;

use super::text;
use crate::Labelled;
use crate::calibration::{LEVELS, Level, false_events_per_week, level, share_within_limit};
use crate::column::{Column, ColumnError, check, parallel_map};
use crate::datasets::Series;
use crate::spread::{Measure, quantile};

/// Every column of one corpus.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CalibrationTable {
    /// The corpus.
    pub corpus: String,
    /// Series in it.
    pub n_series: usize,
    /// One per column. No floors: they promise nothing.
    pub rows: Vec<CalibrationRow>,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CalibrationRow {
    /// Its name.
    pub name: String,
    /// One per nominal rate, in the order of [`LEVELS`].
    pub levels: Vec<Level>,
    /// Share of series whose realised rate stays at or under 5 % at a nominal 1 %.
    pub within_at_1_percent: f64,
    /// The same at a nominal 5 %.
    pub within_at_5_percent: f64,
    /// Mean over series of false events per week at the column's default threshold; `None` if it has none.
    pub false_events_per_week: Option<Measure>,
    /// The median over series: one bad series does not show in it.
    pub median_false_events_per_week: Option<f64>,
}

/// Judges `columns` on the unlabelled samples of a corpus, warm-up left out. Meant for calibrated scores; of an alert score
/// only the false events mean anything.
///
/// # Errors
/// When a column does not have one score per row.
pub fn calibration(
    corpus: &str,
    series: &[Series],
    columns: &[Column],
) -> Result<CalibrationTable, ColumnError> {
    check(series, columns)?;
    let rows = parallel_map(columns, |column| row(series, column));
    Ok(CalibrationTable {
        corpus: corpus.to_owned(),
        n_series: series.len(),
        rows,
    })
}

fn row(series: &[Series], column: &Column) -> CalibrationRow {
    let set: Vec<Labelled<'_, f64>> = series
        .iter()
        .zip(&column.scores)
        .map(|(s, scores)| s.judged(scores))
        .collect();
    let rates: Option<Vec<f64>> = column.threshold.map(|threshold| {
        let rate = |(s, judged): (&Series, &Labelled<'_, f64>)| {
            false_events_per_week(
                *judged,
                s.times.get(s.probation..).unwrap_or_default(),
                threshold,
            )
        };
        series.iter().zip(&set).filter_map(rate).collect()
    });
    CalibrationRow {
        name: column.name.clone(),
        levels: LEVELS.iter().map(|p| level(&set, *p)).collect(),
        within_at_1_percent: share_within_limit(&set, 0.01),
        within_at_5_percent: share_within_limit(&set, 0.05),
        false_events_per_week: rates.as_deref().map(Measure::of_mean),
        median_false_events_per_week: rates.as_deref().map(|r| quantile(r, 0.5)),
    }
}

impl fmt::Display for CalibrationTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}: calibration on normal samples of {} series; realised rate over p: median [90 % of series] pooled",
            self.corpus, self.n_series
        )?;
        let header = [
            "score",
            "p = 0.1",
            "p = 0.01",
            "p = 0.001",
            "p = 0.0001",
            "<= 5 % at 1 %",
            "<= 5 % at 5 %",
            "false events/week",
            "median",
        ];
        let rows: Vec<Vec<String>> = self
            .rows
            .iter()
            .map(|row| {
                let levels = row.levels.iter().map(|l| {
                    let spread = Measure {
                        value: l.median_ratio,
                        low: l.low_ratio,
                        high: l.high_ratio,
                    };
                    format!(
                        "{} {}",
                        text::measure(spread, 2),
                        text::number(l.pooled_ratio, 2)
                    )
                });
                let rest = [
                    text::number(100.0 * row.within_at_1_percent, 1) + " %",
                    text::number(100.0 * row.within_at_5_percent, 1) + " %",
                    row.false_events_per_week
                        .map_or_else(|| "–".to_owned(), |m| text::measure(m, 2)),
                    text::number(row.median_false_events_per_week.unwrap_or(f64::NAN), 2),
                ];
                std::iter::once(row.name.clone())
                    .chain(levels)
                    .chain(rest)
                    .collect()
            })
            .collect();
        text::write(f, &header, &rows)
    }
}
