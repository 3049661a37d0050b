//! Telemetry of two spacecraft, SMAP and MSL, as NASA JPL's Telemanom published it (Hundman et al., KDD 2018).

use std::collections::BTreeMap;
use std::path::Path;

use ::series::Timestamp;

use super::table::Table;
use super::{DatasetError, Series, npy};
use crate::segments;

const ORIGIN: &str = "NASA JPL's Telemanom, https://github.com/khundman/telemanom (train/, test/ and labeled_anomalies.csv)";
/// Telemetry carries no times; the documentation says one sample a minute.
const STEP_US: i64 = 60_000_000;

/// Reads the corpus in `dir`: `train/CHANNEL.npy`, `test/CHANNEL.npy` and `labeled_anomalies.csv`, channels in order of
/// their names.
///
/// A series is the train part followed by the test part. The train part is warm-up; labels, inclusive index ranges of
/// the test part, are shifted to match. Times start at the epoch.
///
/// # Errors
/// Every channel of the table needs both files, with the same number of variables.
pub fn smap_msl(dir: &Path) -> Result<Vec<Series>, DatasetError> {
    let table = Table::read(&dir.join("labeled_anomalies.csv"), ORIGIN)?;
    let (channel, sequences) = (table.column("chan_id")?, table.column("anomaly_sequences")?);
    // The published table lists one channel twice, with different anomalies: both count.
    let mut labelled: BTreeMap<String, Vec<(usize, usize)>> = BTreeMap::new();
    for row in table.rows() {
        let text = row.text(sequences);
        let ranges: Vec<(usize, usize)> = serde_json::from_str(text).map_err(|e| {
            row.fault(
                sequences,
                format!("{text:?} is not a list of index pairs: {e}"),
            )
        })?;
        labelled
            .entry(row.text(channel).to_owned())
            .or_default()
            .extend(ranges);
    }
    labelled
        .into_iter()
        .map(|(name, ranges)| read_channel(dir, name, &ranges))
        .collect()
}

fn read_channel(
    dir: &Path,
    name: String,
    anomalies: &[(usize, usize)],
) -> Result<Series, DatasetError> {
    let file = format!("{name}.npy");
    let mut columns = npy::read_columns(&dir.join("train").join(&file), ORIGIN)?;
    let test_path = dir.join("test").join(&file);
    let test = npy::read_columns(&test_path, ORIGIN)?;
    if test.len() != columns.len() {
        let problem = format!(
            "{} variables, the train part has {}",
            test.len(),
            columns.len()
        );
        return Err(DatasetError::content(&test_path, problem));
    }
    let n_train = columns.first().map_or(0, Vec::len);
    for (all, part) in columns.iter_mut().zip(test) {
        all.extend(part);
    }
    let n_rows = columns.first().map_or(0, Vec::len);
    let mut labels = vec![false; n_rows];
    for &(first, last) in anomalies {
        if first > last || first >= n_rows - n_train {
            let problem = format!(
                "label {first}..={last} in a test part of {} rows",
                n_rows - n_train
            );
            return Err(DatasetError::content(&test_path, problem));
        }
        // Some publishers count the last index as exclusive, so one past the end is cut and not refused.
        labels[n_train + first..=(n_rows - 1).min(last.saturating_add(n_train))].fill(true);
    }
    let times = (0_i64..)
        .take(n_rows)
        .map(|i| Timestamp::from_micros(i * STEP_US))
        .collect();
    Ok(Series {
        name,
        times,
        columns,
        windows: segments(&labels),
        labels,
        probation: n_train,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn corpus_with(sequences: &str) -> Result<Vec<Series>, DatasetError> {
        let dir = tempfile::tempdir().expect("a scratch folder");
        for (part, values) in [
            ("train", &[1.0, 0.0][..]),
            ("test", &[2.0, 1.0, 3.0, 0.0, 4.0, 0.0][..]),
        ] {
            std::fs::create_dir(dir.path().join(part)).expect("made");
            std::fs::write(dir.path().join(part).join("P-1.npy"), npy::write(2, values))
                .expect("written");
        }
        let labels = format!("chan_id,spacecraft,anomaly_sequences\nP-1,SMAP,\"{sequences}\"\n");
        std::fs::write(dir.path().join("labeled_anomalies.csv"), labels).expect("written");
        smap_msl(dir.path())
    }

    #[test]
    fn joins_the_parts_and_shifts_the_labels() {
        let series = &corpus_with("[[1, 2]]").expect("well-formed")[0];
        assert_eq!(series.columns, [[1.0, 2.0, 3.0, 4.0], [0.0, 1.0, 0.0, 0.0]]);
        assert_eq!(series.labels, [false, false, true, true]);
        assert_eq!(
            (series.windows.first(), series.probation),
            (Some(&(2..4)), 1)
        );
        assert_eq!(series.times[3], Timestamp::from_micros(180_000_000));
    }

    #[test]
    fn refuses_labels_beyond_the_end_and_broken_lists() {
        let error = corpus_with("[[3, 4]]").expect_err("three rows").to_string();
        assert!(
            error.contains("label 3..=4 in a test part of 3 rows"),
            "{error}"
        );
        let error = corpus_with("[[1, 2]").expect_err("not closed").to_string();
        assert!(
            error.contains("line 2, column anomaly_sequences"),
            "{error}"
        );
        assert!(corpus_with("[[2, 1]]").is_err());
        let cut = &corpus_with("[[2, 3]]").expect("cut at the end")[0];
        assert_eq!(cut.windows.first(), Some(&(3..4)));
    }
}
