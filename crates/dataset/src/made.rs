//! Captured data for tests, written by hand.

use std::path::Path;

use features::{SCHEMA, schema_hash};
use polars::io::prelude::KeyValueMetadata;
use polars::prelude::{Column, DataFrame, NamedFrom, Series};
use tempfile::TempDir;

use crate::write::Parts;
use crate::{Table, day_text};

/// 2024-01-01T00:00:00Z.
pub(crate) const START_US: i64 = 1_704_067_200_000_000;
const START_DAY: i64 = 19_723;

#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) time_us: i64,
    pub(crate) metric: String,
    pub(crate) labels: String,
    pub(crate) value: f64,
    pub(crate) features: f32,
    pub(crate) event: &'static str,
    pub(crate) provenance: Option<&'static str>,
}

/// A quiet row, `seconds` after 2024-01-01.
pub(crate) fn row(seconds: i64, metric: &str, labels: &str) -> Row {
    Row {
        time_us: START_US + seconds * 1_000_000,
        metric: metric.to_owned(),
        labels: labels.to_owned(),
        value: seconds as f64,
        features: 0.5,
        event: "",
        provenance: Some("normal"),
    }
}

#[derive(Debug)]
pub(crate) struct Made {
    dir: TempDir,
    parts: Parts,
    n_marks: i64,
}

impl Made {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let parts = Parts::new(dir.path());
        Self {
            dir,
            parts,
            n_marks: 0,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Adds one part with these rows under `day`, whatever their times.
    pub(crate) fn samples(mut self, day: &str, rows: &[Row]) -> Self {
        let f64s = |name: &str, get: fn(&Row) -> f64| {
            column(name, rows.iter().map(get).collect::<Vec<_>>())
        };
        let texts = |name: &str, get: fn(&Row) -> &str| {
            let all: Vec<&str> = rows.iter().map(get).collect();
            Column::from(Series::new(name.into(), all))
        };
        let times: Vec<i64> = rows.iter().map(|r| r.time_us).collect();
        let mut columns = vec![
            Column::from(Series::new("time".into(), times)),
            texts("metric", |r| &r.metric),
            texts("labels", |r| &r.labels),
            f64s("value", |r| r.value),
            f64s("level", |r| r.value),
        ];
        for one in &SCHEMA {
            let all: Vec<f32> = rows.iter().map(|r| r.features).collect();
            columns.push(Column::from(Series::new(
                format!("f_{}", one.name).into(),
                all,
            )));
        }
        columns.push(f64s("score", |_| 0.5));
        let alerts: Vec<f32> = rows.iter().map(|_| 0.0).collect();
        columns.push(Column::from(Series::new("alert_score".into(), alerts)));
        columns.push(texts("event", |r| r.event));
        let provenance: Vec<Option<&str>> = rows.iter().map(|r| r.provenance).collect();
        columns.push(Column::from(Series::new("provenance".into(), provenance)));
        self.write(Table::Samples, day, columns);
        self
    }

    /// Adds a verdict about `from..=to` of the series `a`, seconds after 2024-01-01.
    pub(crate) fn feedback(mut self, day: &str, from: i64, to: i64) -> Self {
        let at = |seconds: i64| START_US + seconds * 1_000_000;
        let text = |name: &str, value: &str| Column::from(Series::new(name.into(), [value]));
        let columns = vec![
            Column::from(Series::new("time".into(), [at(from)])),
            text("metric", "a"),
            text("labels", ""),
            Column::from(Series::new("from".into(), [at(from)])),
            Column::from(Series::new("to".into(), [at(to)])),
            text("verdict", "dismissed"),
            text("note", "nightly"),
        ];
        self.write(Table::Feedback, day, columns);
        self
    }

    /// Adds a mark of a fault, seconds after 2024-01-01.
    pub(crate) fn mark(mut self, day: &str, from: i64, to: Option<i64>) -> Self {
        self.n_marks += 1;
        let at = |seconds: i64| START_US + seconds * 1_000_000;
        let text = |name: &str, value: &str| Column::from(Series::new(name.into(), [value]));
        let columns = vec![
            Column::from(Series::new("id".into(), [self.n_marks])),
            Column::from(Series::new("from".into(), [at(from)])),
            Column::from(Series::new("to".into(), [to.map(at)])),
            text("kind", "fault"),
            text("selector", ""),
            text("note", ""),
        ];
        self.write(Table::Provenance, day, columns);
        self
    }

    fn write(&mut self, table: Table, day: &str, columns: Vec<Column>) {
        let height = columns.first().map_or(0, Column::len);
        let frame = DataFrame::new(height, columns).unwrap();
        let day = (START_DAY..).find(|d| day_text(*d) == day).unwrap();
        let pairs = [
            ("forestall.format", "1".to_owned()),
            ("forestall.schema_hash", format!("{:#018x}", schema_hash())),
            ("forestall.version", "0.0.0".to_owned()),
        ];
        let pairs = pairs.map(|(key, value)| (key.to_owned(), value)).to_vec();
        let metadata = KeyValueMetadata::from_static(pairs);
        self.parts
            .write(table, day, &frame, Some(&metadata))
            .unwrap();
    }
}

fn column(name: &str, values: Vec<f64>) -> Column {
    Column::from(Series::new(name.into(), values))
}
