//! Microsoft's cloud-monitoring-dataset: `FOLDER/FILE.csv` with `TimeStamp,Value,Label`.

use std::path::Path;

use super::table::Table;
use super::{DatasetError, Series, csv_files};
use crate::nab::probation;
use crate::segments;

const ORIGIN: &str =
    "https://github.com/microsoft/cloud-monitoring-dataset (its folders of .csv files)";

/// Reads the corpus in `dir`, one folder per kind of metric.
///
/// Rows are sorted by time; a missing value takes the one before it, and rows before the first value, for which there
/// is no past, are left out. The first 15 % of rows, at most 750, are warm-up.
///
/// # Errors
/// A label must be 0 or 1.
pub fn cloud_monitoring(dir: &Path) -> Result<Vec<Series>, DatasetError> {
    csv_files(dir, ORIGIN)?
        .into_iter()
        .map(|(name, path)| read_series(name, &path))
        .collect()
}

fn read_series(name: String, path: &Path) -> Result<Series, DatasetError> {
    let table = Table::read(path, ORIGIN)?;
    let (time, value, label) = (
        table.column("TimeStamp")?,
        table.column("Value")?,
        table.column("Label")?,
    );
    let mut rows = Vec::with_capacity(table.rows().len());
    for row in table.rows() {
        let odd = match row.text(label) {
            "0" => false,
            "1" => true,
            other => return Err(row.fault(label, format!("{other:?} is neither 0 nor 1"))),
        };
        rows.push((row.time(time)?, row.number(value)?, odd));
    }
    // Stable: rows of one instant stay in the order of the file.
    rows.sort_by_key(|(at, ..)| *at);
    let mut series = Series {
        name,
        times: Vec::new(),
        columns: Vec::new(),
        labels: Vec::new(),
        windows: Vec::new(),
        probation: 0,
    };
    let mut values = Vec::new();
    for (at, found, odd) in rows {
        if let Some(known) = found.or(values.last().copied()) {
            series.times.push(at);
            values.push(known);
            series.labels.push(odd);
        }
    }
    series.windows = segments(&series.labels);
    series.probation = probation(values.len());
    series.columns = vec![values];
    Ok(series)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn corpus_with(csv: &str) -> Result<Vec<Series>, DatasetError> {
        let dir = tempfile::tempdir().expect("a scratch folder");
        std::fs::create_dir(dir.path().join("rates")).expect("made");
        std::fs::write(dir.path().join("rates/a.csv"), csv).expect("written");
        cloud_monitoring(dir.path())
    }

    #[test]
    fn sorts_fills_forward_and_drops_what_has_no_past() {
        let csv = "TimeStamp,Value,Label\n2018-01-01T02:00:00Z,,1\n2018-01-01T00:00:00Z,,0\n\
                   \"2018-01-01T01:00:00Z\",\"7.5\",\"0\"\n2018-01-01 03:00:00,8,1\n";
        let series = &corpus_with(csv).expect("well-formed")[0];
        assert_eq!(series.name, "rates/a.csv");
        assert_eq!(series.columns, [[7.5, 7.5, 8.0]]);
        assert_eq!(series.labels, [false, true, true]);
        assert_eq!(series.windows.first(), Some(&(1..3)));
    }

    #[test]
    fn refuses_an_unknown_label() {
        let error =
            corpus_with("TimeStamp,Value,Label\n2018-01-01 03:00:00,8,yes\n").expect_err("refused");
        assert!(
            error
                .to_string()
                .ends_with("a.csv, line 2, column Label: \"yes\" is neither 0 nor 1"),
            "{error}"
        );
    }

    #[test]
    fn an_empty_folder_says_where_to_get_it() {
        let dir = tempfile::tempdir().expect("a scratch folder");
        let error = cloud_monitoring(dir.path())
            .expect_err("nothing there")
            .to_string();
        assert!(
            error.contains("github.com/microsoft/cloud-monitoring-dataset"),
            "{error}"
        );
    }
}
