//! The table as text: blocks that fit a screen, one row per predictor in each.

use std::fmt;

use super::{ExhaustionTable, PredictorRow};
use crate::exhaustion::{Figures, Interval, Spread};
use crate::report::text;

/// A column: its heading, the cell of a predictor, and what stands in the row of targets.
type Column = (&'static str, fn(&Figures, &Spread) -> String, Option<usize>);

const HORIZONS: [Column; 6] = [
    ("F1 5 min", |_, s| text::measure(s.f1[0], 2), Some(0)),
    ("15 min", |_, s| text::measure(s.f1[1], 2), Some(1)),
    ("30 min", |_, s| text::measure(s.f1[2], 2), Some(2)),
    ("AUC-PR 5 min", |_, s| text::measure(s.auc_pr[0], 2), None),
    ("15 min", |_, s| text::measure(s.auc_pr[1], 2), Some(3)),
    ("30 min", |_, s| text::measure(s.auc_pr[2], 2), Some(4)),
];

const BRIER: [Column; 3] = [
    ("Brier 5 min", |_, s| text::measure(s.brier[0], 3), None),
    ("15 min", |_, s| text::measure(s.brier[1], 3), None),
    ("30 min", |_, s| text::measure(s.brier[2], 3), Some(5)),
];

const ALARMS: [Column; 7] = [
    (
        "caught at 0.1/h",
        |_, s| text::measure(s.caught[0], 2),
        Some(6),
    ),
    ("threshold", |f, _| threshold(f, 0), None),
    ("at 0.25/h", |_, s| text::measure(s.caught[1], 2), None),
    ("threshold", |f, _| threshold(f, 1), None),
    (
        "at P ≥ 0.5",
        |_, s| text::measure(s.caught_at_half, 2),
        None,
    ),
    ("false/h", |_, s| text::measure(s.false_per_hour, 2), None),
    (
        "lead, min",
        |f, _| text::number(f.alarm.lead_median_min.unwrap_or(f64::NAN), 1),
        None,
    ),
];

const TIMES: [Column; 5] = [
    (
        "ttf error, median",
        |_, s| text::measure(s.error_median[4], 2),
        Some(7),
    ),
    ("p90", |_, s| text::measure(s.error_p90[4], 2), Some(8)),
    ("coverage", |_, s| text::measure(s.coverage, 2), Some(9)),
    ("width", |_, s| text::measure(s.width, 2), Some(10)),
    ("finite", |_, s| text::measure(s.finite, 2), Some(11)),
];

const KINDS: [Column; 9] = [
    (
        "events",
        |f, _| format!("{}/{}", f.events, f.episodes),
        None,
    ),
    ("F1 30 min", |_, s| text::measure(s.f1[2], 2), None),
    ("AUC-PR 30 min", |_, s| text::measure(s.auc_pr[2], 2), None),
    ("Brier", |f, _| text::number(f.answerable[2].brier, 3), None),
    (
        "caught at P ≥ 0.5",
        |_, s| text::measure(s.caught_at_half, 2),
        None,
    ),
    (
        "false/h",
        |f, _| text::number(f.alarm.false_per_hour, 2),
        None,
    ),
    (
        "ttf error, median",
        |_, s| text::measure(s.error_median[4], 2),
        None,
    ),
    ("coverage", |f, _| interval(f, |i| Some(i.coverage)), None),
    ("width", |f, _| interval(f, |i| i.width_ratio_median), None),
];

const LEFT: [Column; 4] = [
    ("0–5 min left", |f, _| error(f, 0), None),
    ("5–15", |f, _| error(f, 1), None),
    ("15–30", |f, _| error(f, 2), None),
    ("30–60", |f, _| error(f, 3), None),
];

fn threshold(figures: &Figures, budget: usize) -> String {
    text::threshold(figures.budgets[budget].threshold.unwrap_or(f64::INFINITY))
}

fn interval(figures: &Figures, of: fn(&Interval) -> Option<f64>) -> String {
    text::number(
        figures.interval.as_ref().and_then(of).unwrap_or(f64::NAN),
        2,
    )
}

/// Median and 90th percentile of the relative error, and the share that was not foreseen.
fn error(figures: &Figures, band: usize) -> String {
    figures.time_errors[band].map_or_else(
        || text::number(f64::NAN, 2),
        |e| {
            format!(
                "{:.2} / {:.2} ({:.0} %)",
                e.relative_error_median,
                e.relative_error_p90,
                100.0 * e.not_foreseen
            )
        },
    )
}

impl ExhaustionTable {
    /// One row per predictor and, if any column has one, a row of targets.
    fn block(&self, f: &mut fmt::Formatter<'_>, title: &str, columns: &[Column]) -> fmt::Result {
        writeln!(f, "\n{title}")?;
        let header: Vec<&str> = std::iter::once("predictor")
            .chain(columns.iter().map(|c| c.0))
            .collect();
        let mut rows: Vec<Vec<String>> = self
            .predictors
            .iter()
            .map(|row| cells(&row.name, columns, &row.figures, &row.intervals))
            .collect();
        if columns.iter().any(|c| c.2.is_some()) {
            let target = |column: &Column| {
                column
                    .2
                    .map_or_else(String::new, |place| self.targets[place].to_string())
            };
            let targets = std::iter::once("target".to_owned());
            rows.push(targets.chain(columns.iter().map(target)).collect());
        }
        text::write(f, &header, &rows)
    }

    /// The same within each kind.
    fn kinds(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\nby kind")?;
        let n_kinds = self.predictors.first().map_or(0, |row| row.by_kind.len());
        let names = self.predictors.iter().map(|row| row.name.chars().count());
        let width = names.max().unwrap_or_default().max("predictor".len());
        // The second column is text too: to the left within its width.
        let second = format!("{:<width$}", "predictor");
        let mut header = vec!["kind", &second];
        header.extend(KINDS.iter().map(|c| c.0));
        let mut rows = Vec::new();
        for place in 0..n_kinds {
            for row in &self.predictors {
                let part = &row.by_kind[place];
                let name = format!("{:<width$}", row.name);
                let mut line = vec![part.kind.clone()];
                line.extend(cells(&name, &KINDS, &part.figures, &part.intervals));
                rows.push(line);
            }
        }
        text::write(f, &header, &rows)
    }

    /// Which targets a predictor meets, and what it has of the others.
    fn verdict(&self, f: &mut fmt::Formatter<'_>, row: &PredictorRow) -> fmt::Result {
        let missed = self.targets.iter().filter(|t| !t.is_met(&row.intervals));
        let missed: Vec<_> = missed.collect();
        let (n, of) = (self.targets.len() - missed.len(), self.targets.len());
        let rest = if missed.is_empty() { "" } else { "; it misses" };
        writeln!(f, "\n{} meets {n} of {of} targets{rest}", row.name)?;
        for target in missed {
            let value = text::number((target.of)(&row.intervals).value, 3);
            writeln!(f, "  {}: {value} ({target})", target.measure)?;
        }
        Ok(())
    }
}

fn cells(name: &str, columns: &[Column], figures: &Figures, intervals: &Spread) -> Vec<String> {
    let figures = columns.iter().map(|column| (column.1)(figures, intervals));
    std::iter::once(name.to_owned()).chain(figures).collect()
}

impl fmt::Display for ExhaustionTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "exhaustion: {} episodes, {} events, {} predictions asked for; 90 % interval over episodes; minutes and hours of \
             episode time",
            self.n_episodes, self.n_events, self.n_queries
        )?;
        for row in self.predictors.iter().filter(|r| r.figures.unanswered > 0) {
            let n = row.figures.unanswered;
            writeln!(
                f,
                "{}: {n} not answered, taken as nothing foreseen",
                row.name
            )?;
        }
        let horizons = "runs out within 5, 15, 30 minutes: answerable questions, F1 at P ≥ 0.5";
        self.block(f, horizons, &HORIZONS)?;
        self.block(f, "the same: Brier score", &BRIER)?;
        let alarms = "caught at least 5 minutes ahead, at a rate of false alarms per hour";
        self.block(f, alarms, &ALARMS)?;
        let times = "time to exhaustion: relative error with 5–30 minutes left; 90 % interval, its width over the true time";
        self.block(f, times, &TIMES)?;
        let left = "relative error by the time that was left: median / p90 (not foreseen)";
        self.block(f, left, &LEFT)?;
        self.kinds(f)?;
        match self.predictors.first() {
            Some(first) => self.verdict(f, first),
            None => Ok(()),
        }
    }
}
