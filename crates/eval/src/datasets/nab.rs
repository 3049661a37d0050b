//! The Numenta Anomaly Benchmark: `data/*/*.csv` and the labelled windows.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use ::series::Timestamp;

use super::table::{Table, parse_time};
use super::{DatasetError, Series, csv_files, read};
use crate::nab::probation;

const ORIGIN: &str = "https://github.com/numenta/NAB (folder data/, and labels/combined_windows.json as windows.json beside it)";

type Windows = BTreeMap<String, Vec<(String, String)>>;

/// Reads the corpus in `dir`: `data/FOLDER/FILE.csv` with `timestamp,value`, and `windows.json` or, as in a clone of the
/// benchmark, `labels/combined_windows.json`.
///
/// # Errors
/// Files and windows must match one to one, so that no series is left out unnoticed.
pub fn nab(dir: &Path) -> Result<Vec<Series>, DatasetError> {
    let cloned = dir.join("labels/combined_windows.json");
    let labels_path = if cloned.exists() {
        cloned
    } else {
        dir.join("windows.json")
    };
    let mut windows: Windows = serde_json::from_slice(&read(&labels_path, ORIGIN)?)
        .map_err(|e| DatasetError::content(&labels_path, format!("not a map of windows: {e}")))?;
    let mut corpus = Vec::new();
    for (name, path) in csv_files(&dir.join("data"), ORIGIN)? {
        let bounds = windows.remove(&name).ok_or_else(|| {
            DatasetError::content(&labels_path, format!("no entry for the file {name}"))
        })?;
        let table = Table::read(&path, ORIGIN)?;
        let (time, value) = (table.column("timestamp")?, table.column("value")?);
        let mut times = Vec::with_capacity(table.rows().len());
        let mut values = Vec::with_capacity(table.rows().len());
        for row in table.rows() {
            times.push(row.time(time)?);
            values.push(
                row.number(value)?
                    .ok_or_else(|| row.fault(value, "the cell is empty"))?,
            );
        }
        let mut ranges = Vec::new();
        for (from, to) in &bounds {
            let at = |text: &str| {
                parse_time(text).ok_or_else(|| {
                    DatasetError::content(&labels_path, format!("{name}: {text:?} is not a time"))
                })
            };
            ranges.extend(rows_between(&times, at(from)?, at(to)?));
        }
        ranges.sort_by_key(|r| r.start);
        if ranges.windows(2).any(|pair| pair[0].end > pair[1].start) {
            return Err(DatasetError::content(
                &labels_path,
                format!("{name}: its windows overlap"),
            ));
        }
        let mut labels = vec![false; times.len()];
        for range in &ranges {
            labels[range.clone()].fill(true);
        }
        let probation = probation(times.len());
        corpus.push(Series {
            name,
            times,
            columns: vec![values],
            labels,
            windows: ranges,
            probation,
        });
    }
    match windows.into_keys().next() {
        Some(name) => Err(DatasetError::Missing {
            path: dir.join("data").join(name),
            origin: ORIGIN,
        }),
        None => Ok(corpus),
    }
}

/// The scores that a published detector gave on the corpus: `dir/FOLDER/FILE.csv`, one `anomaly_score` per row.
///
/// Returns one vector per series, in the order of `corpus`.
///
/// # Errors
/// Every series must have a file with as many scores as it has rows.
pub fn published(dir: &Path, corpus: &[Series]) -> Result<Vec<Vec<f64>>, DatasetError> {
    let read_one = |series: &Series| {
        let path = dir.join(&series.name);
        let table = Table::read(&path, ORIGIN)?;
        let column = table.column("anomaly_score")?;
        let scores = table
            .rows()
            .map(|row| {
                row.number(column)?
                    .ok_or_else(|| row.fault(column, "the cell is empty"))
            })
            .collect::<Result<Vec<f64>, DatasetError>>()?;
        if scores.len() == series.times.len() {
            Ok(scores)
        } else {
            let problem = format!(
                "{} scores for a series of {} rows",
                scores.len(),
                series.times.len()
            );
            Err(DatasetError::content(&path, problem))
        }
    };
    corpus.iter().map(read_one).collect()
}

/// Rows from the first at or after `from` to the first at `to`. Where a clock change repeats the last instant the
/// benchmark closes the window at its first row, and so do we; else the score differs.
fn rows_between(times: &[Timestamp], from: Timestamp, to: Timestamp) -> Option<Range<usize>> {
    let start = times.iter().position(|t| *t >= from)?;
    let end = times
        .iter()
        .position(|t| *t >= to)
        .map_or(times.len(), |i| if times[i] == to { i + 1 } else { i });
    (start < end).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn corpus_with(csv: &str, windows: &str) -> Result<Vec<Series>, DatasetError> {
        let dir = tempfile::tempdir().expect("a scratch folder");
        std::fs::create_dir_all(dir.path().join("data/real")).expect("made");
        std::fs::write(dir.path().join("data/real/a.csv"), csv).expect("written");
        std::fs::write(dir.path().join("windows.json"), windows).expect("written");
        nab(dir.path())
    }

    const CSV: &str = "timestamp,value\n2014-04-10 00:00:00,1\n2014-04-10 00:05:00,2\n2014-04-10 00:05:00,3\n\
                       2014-04-10 00:10:00,4\n";

    #[test]
    fn windows_become_rows() {
        let windows =
            r#"{"real/a.csv": [["2014-04-10 00:00:00.000000", "2014-04-10 00:05:00.000000"]]}"#;
        let series = &corpus_with(CSV, windows).expect("well-formed")[0];
        assert_eq!(
            series.windows.first(),
            Some(&(0..2)),
            "a repeated instant closes the window at its first row"
        );
        assert_eq!(series.labels, [true, true, false, false]);
        assert_eq!(series.columns, [[1.0, 2.0, 3.0, 4.0]]);
    }

    #[test]
    fn files_and_windows_match_or_say_which_does_not() {
        let message = |windows: &str| corpus_with(CSV, windows).expect_err("refused").to_string();
        assert!(message("{}").contains("no entry for the file real/a.csv"));
        let missing = message(r#"{"real/a.csv": [], "real/b.csv": []}"#);
        assert!(
            missing.contains("b.csv is missing") && missing.contains("github.com/numenta/NAB"),
            "{missing}"
        );
        assert!(message(r#"{"real/a.csv": [["then", "now"]]}"#).contains("\"then\" is not a time"));
        assert!(message("[]").contains("windows.json: not a map of windows"));
    }
}
