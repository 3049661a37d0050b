//! VUS-PR and events on a corpus with a label per sample.

use std::fmt;

use serde::Serialize;

use super::text;
use crate::Labelled;
use crate::column::{Column, ColumnError, check, parallel_map};
use crate::datasets::Series;
use crate::events::{self, Counts, Point};
use crate::floors::floors;
use crate::spread::Measure;
use crate::vus;

/// The false alarms per 1,000 normal samples at which recall is compared.
const FALSE_PER_1000: f64 = 1.0;

/// Every column of one corpus.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LabelledTable {
    /// The corpus.
    pub corpus: String,
    /// Series in it, and those of them with a label after warm-up.
    pub n_series: usize,
    /// See `n_series`.
    pub n_labelled: usize,
    /// One per column, floors last.
    pub rows: Vec<LabelledRow>,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LabelledRow {
    /// Its name.
    pub name: String,
    /// Mean over series with a label.
    pub vus_pr: Measure,
    /// At the threshold of the best F1.
    pub f1: Measure,
    /// That threshold and its counts; `None` if nothing can be compared.
    pub at_best_f1: Option<Point>,
    /// Event recall at the threshold with at most one false alarm per 1,000 normal samples; 0 if every threshold has more.
    pub recall: Measure,
    /// That threshold and its counts.
    pub at_false_rate: Option<Point>,
    /// The trade-off between false alarms and recall, thresholds from the highest down.
    pub curve: Vec<Point>,
    /// VUS-PR of each series with a label.
    pub series: Vec<(String, f64)>,
}

/// Judges `columns` and the floors on a corpus, warm-up left out.
///
/// # Errors
/// When a column does not have one score per row.
pub fn labelled(
    corpus: &str,
    series: &[Series],
    columns: &[Column],
) -> Result<LabelledTable, ColumnError> {
    check(series, columns)?;
    let floors = floors(series);
    let columns: Vec<&Column> = columns.iter().chain(&floors).collect();
    let windows = parallel_map(series, |s| vus::period(s.values()).min(vus::MAX_WINDOW));
    let rows = parallel_map(&columns, |column| row(series, &windows, column));
    let has_label = |s: &&Series| s.labels.iter().skip(s.probation).any(|l| *l);
    Ok(LabelledTable {
        corpus: corpus.to_owned(),
        n_series: series.len(),
        n_labelled: series.iter().filter(has_label).count(),
        rows,
    })
}

fn row(series: &[Series], windows: &[usize], column: &Column) -> LabelledRow {
    let set: Vec<Labelled<'_, f64>> = series
        .iter()
        .zip(&column.scores)
        .map(|(s, scores)| s.judged(scores))
        .collect();
    let volumes: Vec<f64> = set
        .iter()
        .zip(windows)
        .map(|(s, window)| vus::vus_pr(s.labels, s.scores, *window))
        .collect();
    let curve = events::curve(&set);
    let best = events::best_f1(&curve);
    let quiet = events::at_false_rate(&curve, FALSE_PER_1000);
    LabelledRow {
        name: column.name.clone(),
        vus_pr: Measure::of_mean(&volumes),
        f1: over_series(&set, best, Counts::f1),
        at_best_f1: best,
        recall: over_series(&set, quiet, Counts::recall),
        at_false_rate: quiet,
        curve,
        series: series
            .iter()
            .zip(&volumes)
            .filter(|(_, v)| !v.is_nan())
            .map(|(s, v)| (s.name.clone(), *v))
            .collect(),
    }
}

/// A figure of the pooled counts at one threshold; without a threshold nothing is alerted on and nothing found.
fn over_series(
    set: &[Labelled<'_, f64>],
    at: Option<Point>,
    figure: impl Fn(&Counts) -> f64,
) -> Measure {
    let threshold = at.map_or(f64::INFINITY, |p| p.threshold);
    let counts: Vec<Counts> = set.iter().map(|s| events::at(*s, threshold)).collect();
    Measure::over(counts.len(), |drawn| {
        figure(
            &drawn
                .iter()
                .map(|i| counts[*i])
                .fold(Counts::default(), Counts::plus),
        )
    })
}

impl fmt::Display for LabelledTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}: {} series, {} with labels; one threshold for all, 90 % interval over series",
            self.corpus, self.n_series, self.n_labelled
        )?;
        let header = [
            "score",
            "VUS-PR",
            "event F1",
            "recall",
            "precision",
            "false/1000",
            "threshold",
            "recall at 1/1000",
            "threshold",
        ];
        let rows: Vec<Vec<String>> = self
            .rows
            .iter()
            .map(|row| {
                let best = |figure: fn(&Counts) -> f64| {
                    row.at_best_f1.map_or(f64::NAN, |p| figure(&p.counts))
                };
                let threshold =
                    |p: Option<Point>| text::threshold(p.map_or(f64::INFINITY, |p| p.threshold));
                vec![
                    row.name.clone(),
                    text::measure(row.vus_pr, 3),
                    text::measure(row.f1, 3),
                    text::number(best(Counts::recall), 3),
                    text::number(best(Counts::precision), 3),
                    text::number(best(Counts::false_per_1000), 2),
                    threshold(row.at_best_f1),
                    text::measure(row.recall, 2),
                    threshold(row.at_false_rate),
                ]
            })
            .collect();
        text::write(f, &header, &rows)
    }
}
