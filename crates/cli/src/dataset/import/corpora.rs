//! The labelled corpora of `forestall eval` as recordings: one series each.

use std::sync::Arc;

use anyhow::Context;
use eval::datasets::Series;
use series::SeriesKey;

use super::recording::{Recording, Sample};

/// One recording per series, of its first variable, as `metric{file="NAME"}`. The rows of each labelled window are a
/// fault, its last row included.
pub(super) fn recordings(metric: &str, corpus: Vec<Series>) -> anyhow::Result<Vec<Recording>> {
    let recording = |series: Series| {
        let key = SeriesKey::new(metric, [("file", series.name.as_str())])
            .with_context(|| format!("naming the series {}", series.name))?;
        let times: Vec<i64> = series.times.iter().map(|at| at.micros()).collect();
        let faults = series.windows.iter().filter_map(|window| {
            let (first, last) = (
                times.get(window.start)?,
                times.get(window.end.checked_sub(1)?)?,
            );
            Some(*first..last.saturating_add(1))
        });
        let faults = faults.filter(|fault| !fault.is_empty()).collect();
        let rows = times
            .iter()
            .zip(series.values())
            .map(|(time_us, value)| Sample {
                time_us: *time_us,
                series: 0,
                value: *value,
            })
            .collect();
        let mut recording = Recording {
            selector: key.to_string(),
            keys: vec![Arc::new(key)],
            rows,
            faults,
        };
        // Clock changes go back in some files; the engine takes the first of what is repeated.
        recording.rows.sort_by_key(|row| row.time_us);
        Ok(recording)
    };
    corpus.into_iter().map(recording).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use series::Timestamp;

    #[test]
    fn windows_become_intervals_that_hold_their_last_row() {
        let series = Series {
            name: "a/b.csv".to_owned(),
            times: [10, 20, 20, 30].map(Timestamp::from_micros).to_vec(),
            columns: vec![vec![1.0, 2.0, 3.0, 4.0], vec![9.0; 4]],
            labels: vec![false, true, true, false],
            windows: std::iter::once(1..3).collect(),
            probation: 0,
        };
        let recording = &recordings("nab", vec![series]).unwrap()[0];
        assert_eq!(recording.selector, "nab{file=\"a/b.csv\"}");
        assert_eq!(recording.faults.first(), Some(&(20..21)));
        assert_eq!(recording.rows.len(), 4);
        assert_eq!(recording.rows[3].value.to_bits(), 4.0_f64.to_bits());
    }
}
