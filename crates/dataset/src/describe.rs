//! What is in a data set.

use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::{DataFrame, DataType, LazyFrame, PolarsResult, col, len, lit};
use serde::Serialize;

use crate::date::instant_text;
use crate::folder::Folder;
use crate::read::{ReadError, damaged, guarded, known, of_part};
use crate::{Progress, Table};

/// A data set in figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Description {
    /// Samples.
    pub rows: u64,
    /// Series that they belong to.
    pub series: u64,
    /// The first instant in RFC 3339; `None` without samples.
    pub from: Option<String>,
    /// The last instant.
    pub to: Option<String>,
    /// The hashes of the feature schemas of its files: one, unless files of several versions were thrown together.
    pub schema_hashes: Vec<String>,
    /// The versions that wrote its files.
    pub versions: Vec<String>,
    /// What each table takes.
    pub tables: Vec<TableSize>,
    /// Each metric, by name.
    pub metrics: Vec<MetricSummary>,
    /// How many marks there are of each kind. They count on top of what rows say of themselves.
    pub marks: Vec<MarkCount>,
    /// Files that a recorder has not sealed yet; their rows are not in these figures.
    pub unsealed: Vec<String>,
    /// Files that do not belong here.
    pub foreign: Vec<String>,
}

/// The size of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableSize {
    /// Which.
    pub table: Table,
    /// Its files.
    pub files: u64,
    /// Its rows.
    pub rows: u64,
    /// Its bytes on disk.
    pub bytes: u64,
}

/// The series of one metric together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MetricSummary {
    /// The metric's name.
    pub metric: String,
    /// Samples.
    pub rows: u64,
    /// Series.
    pub series: u64,
    /// The first instant in RFC 3339.
    pub from: String,
    /// The last instant.
    pub to: String,
    /// Seconds from sample to sample, the median over its series of the median of each; `None` where no series has two.
    pub step_s: Option<f64>,
    /// Share of samples that came at least two usual steps after the one before.
    pub gap_share: f64,
    /// Events that opened.
    pub events: u64,
    /// Share of samples within an event.
    pub event_share: f64,
    /// Under which circumstances they were observed.
    pub provenance: Shares,
    /// Alerts that people confirmed.
    pub confirmed: u64,
    /// Alerts that people dismissed.
    pub dismissed: u64,
}

/// Shares of samples, which sum to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Shares {
    /// Nobody interfered.
    pub normal: f64,
    /// During a fault.
    pub fault: f64,
    /// After a mitigation.
    pub mitigated: f64,
}

/// How many marks of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MarkCount {
    /// `fault` or `mitigated`.
    pub kind: String,
    /// Marks.
    pub count: u64,
}

/// The figures of one series, over the parts so far.
#[derive(Debug, Clone, Default)]
struct Tally {
    rows: i64,
    first: i64,
    last: i64,
    gaps: i64,
    opened: i64,
    in_event: i64,
    fault: i64,
    mitigated: i64,
    /// The median step in the part with the most rows, and how many those were.
    step: Option<(i64, f64)>,
}

type SeriesTallies = BTreeMap<(String, String), Tally>;

/// Reads a data set and sums it up. Memory grows with the number of series, not of samples.
///
/// # Errors
/// At the first part that cannot be read.
pub fn describe(folder: &Folder, progress: Progress<'_>) -> Result<Description, ReadError> {
    let mut tables = Vec::new();
    let (mut hashes, mut versions) = (BTreeSet::new(), BTreeSet::new());
    for table in Table::ALL {
        let mut size = TableSize {
            table,
            files: 0,
            rows: 0,
            bytes: 0,
        };
        for part in folder.parts(table) {
            let footer = known(table, part)?;
            size.files += 1;
            size.rows += footer.n_rows;
            size.bytes += part.bytes;
            let text = |key: &str| footer.get(key).unwrap_or("none").to_owned();
            if table == Table::Samples {
                hashes.insert(text("forestall.schema_hash"));
            }
            versions.insert(text("forestall.version"));
        }
        tables.push(size);
    }
    let total = tables.iter().map(|size| size.rows).sum();
    let mut series = SeriesTallies::new();
    let mut done = 0;
    for part in folder.parts(Table::Samples) {
        let figures = of_part(Table::Samples, part, tally)?;
        let added = guarded(|| add(&mut series, &figures));
        done += added.map_err(|problem| damaged(part, problem))?;
        progress(done, total);
    }
    let verdicts = counts(folder, Table::Feedback, ["metric", "verdict"])?;
    let marks = counts(folder, Table::Provenance, ["kind", "kind"])?;
    progress(total, total);
    let tallies = || series.values().filter(|tally| tally.rows > 0);
    Ok(Description {
        rows: tallies().map(|t| t.rows.unsigned_abs()).sum(),
        series: series.len() as u64,
        from: tallies().map(|t| t.first).min().map(instant_text),
        to: tallies().map(|t| t.last).max().map(instant_text),
        schema_hashes: hashes.into_iter().collect(),
        versions: versions.into_iter().collect(),
        tables,
        metrics: metrics(&series, &verdicts),
        marks: marks
            .into_iter()
            .map(|((kind, _), count)| MarkCount { kind, count })
            .collect(),
        unsealed: folder.journal().to_vec(),
        foreign: folder.foreign().to_vec(),
    })
}

/// One row of figures per series of a part.
fn tally(samples: LazyFrame) -> LazyFrame {
    // log2 of steps: from 1 on, at least one sample is missing.
    const GAP: f64 = 1.0;
    let times = || col("time");
    let count = |condition: polars::prelude::Expr| condition.cast(DataType::Int64).sum();
    samples
        .select([
            times(),
            col("metric"),
            col("labels"),
            col("f_gap"),
            col("event"),
            col("provenance"),
        ])
        .group_by([col("metric"), col("labels")])
        .agg([
            len().cast(DataType::Int64).alias("rows"),
            times().min().alias("first"),
            times().max().alias("last"),
            count(col("f_gap").gt_eq(lit(GAP))).alias("gaps"),
            count(col("event").eq(lit("opened"))).alias("opened"),
            count(col("event").neq(lit(""))).alias("in_event"),
            count(col("provenance").eq(lit("fault"))).alias("fault"),
            count(col("provenance").eq(lit("mitigated"))).alias("mitigated"),
            (times() - times().shift(lit(1))).median().alias("step"),
        ])
}

/// Adds the figures of a part; returns how many samples they are of.
fn add(series: &mut SeriesTallies, figures: &DataFrame) -> PolarsResult<u64> {
    let number = |name: &str| figures.column(name).and_then(|c| c.i64().cloned());
    let (metrics, labels) = (
        figures.column("metric")?.str()?,
        figures.column("labels")?.str()?,
    );
    let names = [
        "rows",
        "first",
        "last",
        "gaps",
        "opened",
        "in_event",
        "fault",
        "mitigated",
    ];
    let columns = names
        .iter()
        .map(|name| number(name))
        .collect::<PolarsResult<Vec<_>>>()?;
    let steps = figures.column("step")?.cast(&DataType::Float64)?;
    let steps = steps.f64()?;
    let mut done = 0;
    for i in 0..figures.height() {
        let of = |column: usize| columns[column].get(i).unwrap_or(0);
        let key = (
            metrics.get(i).unwrap_or_default().to_owned(),
            labels.get(i).unwrap_or_default().to_owned(),
        );
        let fresh = Tally {
            first: i64::MAX,
            last: i64::MIN,
            ..Tally::default()
        };
        let tally = series.entry(key).or_insert(fresh);
        let rows = of(0);
        tally.rows += rows;
        tally.first = tally.first.min(of(1));
        tally.last = tally.last.max(of(2));
        tally.gaps += of(3);
        tally.opened += of(4);
        tally.in_event += of(5);
        tally.fault += of(6);
        tally.mitigated += of(7);
        if let Some(step) = steps
            .get(i)
            .filter(|_| tally.step.is_none_or(|(n, _)| n < rows))
        {
            tally.step = Some((rows, step));
        }
        done += rows.unsigned_abs();
    }
    Ok(done)
}

fn metrics(
    series: &SeriesTallies,
    verdicts: &BTreeMap<(String, String), u64>,
) -> Vec<MetricSummary> {
    let mut by_metric: BTreeMap<&str, Vec<&Tally>> = BTreeMap::new();
    for ((metric, _), tally) in series {
        by_metric.entry(metric).or_default().push(tally);
    }
    let said = |metric: &str, verdict: &str| {
        let key = (metric.to_owned(), verdict.to_owned());
        verdicts.get(&key).copied().unwrap_or(0)
    };
    let summary = |(metric, tallies): (&str, Vec<&Tally>)| {
        let sum = |get: fn(&Tally) -> i64| tallies.iter().map(|t| get(t)).sum::<i64>();
        let rows = sum(|t| t.rows);
        let share = |n: i64| n as f64 / rows.max(1) as f64;
        let mut steps: Vec<f64> = tallies
            .iter()
            .filter_map(|t| Some(t.step?.1 / 1e6))
            .collect();
        steps.sort_by(f64::total_cmp);
        let (fault, mitigated) = (share(sum(|t| t.fault)), share(sum(|t| t.mitigated)));
        MetricSummary {
            metric: metric.to_owned(),
            rows: rows.unsigned_abs(),
            series: tallies.len() as u64,
            from: instant_text(tallies.iter().map(|t| t.first).min().unwrap_or(0)),
            to: instant_text(tallies.iter().map(|t| t.last).max().unwrap_or(0)),
            step_s: steps.get(steps.len() / 2).copied(),
            gap_share: share(sum(|t| t.gaps)),
            events: sum(|t| t.opened).unsigned_abs(),
            event_share: share(sum(|t| t.in_event)),
            provenance: Shares {
                normal: 1.0 - fault - mitigated,
                fault,
                mitigated,
            },
            confirmed: said(metric, "confirmed"),
            dismissed: said(metric, "dismissed"),
        }
    };
    by_metric.into_iter().map(summary).collect()
}

/// How many rows of a table have each pair of words.
fn counts(
    folder: &Folder,
    table: Table,
    words: [&str; 2],
) -> Result<BTreeMap<(String, String), u64>, ReadError> {
    let mut found = BTreeMap::new();
    for part in folder.parts(table) {
        let frame = of_part(table, part, |lazy| lazy)?;
        let counted = guarded(|| {
            let (a, b) = (
                frame.column(words[0])?.str()?,
                frame.column(words[1])?.str()?,
            );
            for (a, b) in a.iter().zip(b.iter()) {
                let key = (
                    a.unwrap_or_default().to_owned(),
                    b.unwrap_or_default().to_owned(),
                );
                *found.entry(key).or_insert(0) += 1;
            }
            Ok(())
        });
        counted.map_err(|problem| damaged(part, problem))?;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::made::{Made, row};

    #[test]
    fn figures_are_over_all_parts() {
        let mut first: Vec<_> = (0..10).map(|i| row(i * 10, "a", "{x=\"1\"}")).collect();
        first[3].event = "opened";
        first[4].event = "closed";
        first[5].provenance = Some("fault");
        first[6].features = 1.5;
        first.push(row(95, "b", ""));
        let second: Vec<_> = (8_640..8_645)
            .map(|i| row(i * 10, "a", "{x=\"2\"}"))
            .collect();
        let made = Made::new()
            .samples("2024-01-01", &first)
            .samples("2024-01-02", &second);
        let made = made
            .feedback("2024-01-01", 0, 10)
            .mark("2024-01-01", 0, None);
        let folder = Folder::open(made.path()).unwrap();
        let mut seen = (0, 0);
        let found = describe(&folder, &mut |done, all| seen = (done, all)).unwrap();
        assert_eq!(seen, (18, 18));
        assert_eq!((found.rows, found.series), (16, 3));
        assert_eq!(found.from.as_deref(), Some("2024-01-01T00:00:00Z"));
        assert_eq!(found.to.as_deref(), Some("2024-01-02T00:00:40Z"));
        assert_eq!(found.schema_hashes.len(), 1);
        assert_eq!(found.tables[0].files, 2);
        assert!(found.tables[0].bytes > 0);
        let a = &found.metrics[0];
        assert_eq!((a.metric.as_str(), a.rows, a.series), ("a", 15, 2));
        assert_eq!((a.step_s, a.events, a.dismissed), (Some(10.0), 1, 1));
        let close = |x: f64, y: f64| (x - y).abs() < 1e-12;
        assert!(
            close(a.gap_share, 1.0 / 15.0) && close(a.event_share, 2.0 / 15.0),
            "{a:?}"
        );
        assert!(close(a.provenance.fault, 1.0 / 15.0), "{a:?}");
        assert_eq!(found.metrics[1].step_s, None);
        assert_eq!(
            found.marks,
            [MarkCount {
                kind: "fault".to_owned(),
                count: 1
            }]
        );
    }
}
