//! Rows on their way into a journal: columns that grow, and the dictionaries of one journal.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, DictionaryArray, Float32Array, Float64Array, Int32Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow_schema::ArrowError;
use features::N_COLUMNS;
use series::SeriesKey;

use super::row::{EventPhase, Provenance, Row};
use super::schema::Table;
use super::verdict::{Said, name as verdict_name};

/// Text values and their codes, in the order in which they came. Never forgets: that is what lets a journal write only
/// what is new.
#[derive(Debug, Default)]
pub(super) struct Words {
    codes: HashMap<Arc<str>, i32>,
    list: Vec<Arc<str>>,
    bytes: usize,
    array: Option<Arc<StringArray>>,
}

impl Words {
    fn of<'a>(all: impl IntoIterator<Item = &'a str>) -> Self {
        let mut words = Self::default();
        for text in all {
            words.code(text);
        }
        words
    }

    pub(super) fn code(&mut self, text: &str) -> i32 {
        if let Some(&code) = self.codes.get(text) {
            return code;
        }
        let (code, text): (i32, Arc<str>) = (self.list.len() as i32, text.into());
        self.bytes += text.len();
        self.codes.insert(Arc::clone(&text), code);
        self.list.push(text);
        self.array = None;
        code
    }

    /// Bytes of all texts together.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    fn column(&mut self, codes: Vec<i32>) -> Result<ArrayRef, ArrowError> {
        let list = &self.list;
        let values = self
            .array
            .get_or_insert_with(|| Arc::new(StringArray::from_iter_values(list)));
        let values = Arc::clone(values) as ArrayRef;
        let column = DictionaryArray::<Int32Type>::try_new(Int32Array::from(codes), values)?;
        Ok(Arc::new(column))
    }
}

/// What a series is called, as the columns `metric` and `labels` have it: the second with its braces, empty without
/// labels, so that one after the other they are the key's text.
#[derive(Debug, Clone)]
pub(super) struct Name {
    pub(super) metric: Arc<str>,
    pub(super) labels: Arc<str>,
}

impl Name {
    pub(super) fn of(key: &SeriesKey) -> Self {
        let text = key.to_string();
        Self {
            metric: key.metric().into(),
            labels: text[key.metric().len()..].into(),
        }
    }
}

/// A table's rows that are not in its journal yet.
pub(super) trait Batch {
    /// Which table.
    const TABLE: Table;
    /// An empty one with empty dictionaries, for a new journal.
    fn new() -> Self;
    /// Rows.
    fn len(&self) -> usize;
    /// Bytes of text in the dictionaries.
    fn text_bytes(&self) -> usize;
    /// The rows, leaving none behind.
    fn take(&mut self) -> Result<RecordBatch, ArrowError>;
}

/// Rows of the table of samples.
#[derive(Debug)]
pub(super) struct Samples {
    metrics: Words,
    labels: Words,
    events: Words,
    provenances: Words,
    /// Codes of metric and labels by the caller's number of a series; negative is not known yet.
    codes: Vec<(i32, i32)>,
    rows: Columns,
}

#[derive(Debug, Default)]
struct Columns {
    time: Vec<i64>,
    metric: Vec<i32>,
    labels: Vec<i32>,
    value: Vec<f64>,
    level: Vec<f64>,
    features: [Vec<f32>; N_COLUMNS],
    score: Vec<f64>,
    alert_score: Vec<f32>,
    event: Vec<i32>,
    provenance: Vec<i32>,
}

impl Samples {
    /// Adds a row of a series that is called `name`.
    pub(super) fn push(&mut self, row: &Row, name: &Name, provenance: Provenance) {
        let place = row.series as usize;
        if place >= self.codes.len() {
            self.codes.resize(place + 1, (-1, -1));
        }
        let (mut metric, mut labels) = self.codes[place];
        if metric < 0 {
            (metric, labels) = (
                self.metrics.code(&name.metric),
                self.labels.code(&name.labels),
            );
            self.codes[place] = (metric, labels);
        }
        let rows = &mut self.rows;
        rows.time.push(row.time_us);
        rows.metric.push(metric);
        rows.labels.push(labels);
        rows.value.push(row.value);
        rows.level.push(row.level);
        for (column, value) in rows.features.iter_mut().zip(row.columns) {
            column.push(value);
        }
        rows.score.push(row.score);
        rows.alert_score.push(row.alert_score);
        // The dictionaries of these two are complete from the start, in the order of the enums.
        rows.event.push(row.event as i32);
        rows.provenance.push(provenance as i32);
    }
}

impl Batch for Samples {
    const TABLE: Table = Table::Samples;

    fn new() -> Self {
        Self {
            metrics: Words::default(),
            labels: Words::default(),
            events: Words::of(EventPhase::ALL.map(EventPhase::name)),
            provenances: Words::of(Provenance::ALL.map(Provenance::name)),
            codes: Vec::new(),
            rows: Columns::default(),
        }
    }

    fn len(&self) -> usize {
        self.rows.time.len()
    }

    fn text_bytes(&self) -> usize {
        self.metrics.bytes() + self.labels.bytes()
    }

    fn take(&mut self) -> Result<RecordBatch, ArrowError> {
        let rows = std::mem::take(&mut self.rows);
        let mut columns = vec![
            times(rows.time),
            self.metrics.column(rows.metric)?,
            self.labels.column(rows.labels)?,
            Arc::new(Float64Array::from(rows.value)),
            Arc::new(Float64Array::from(rows.level)),
        ];
        for feature in rows.features {
            columns.push(Arc::new(Float32Array::from(feature)));
        }
        columns.extend([
            Arc::new(Float64Array::from(rows.score)) as ArrayRef,
            Arc::new(Float32Array::from(rows.alert_score)),
            self.events.column(rows.event)?,
            self.provenances.column(rows.provenance)?,
        ]);
        RecordBatch::try_new(Self::TABLE.schema(), columns)
    }
}

/// Rows of the table of feedback.
#[derive(Debug)]
pub(super) struct Verdicts {
    metrics: Words,
    labels: Words,
    verdicts: Words,
    rows: Vec<Said>,
}

impl Verdicts {
    pub(super) fn push(&mut self, said: Said) {
        self.rows.push(said);
    }
}

impl Batch for Verdicts {
    const TABLE: Table = Table::Feedback;

    fn new() -> Self {
        Self {
            metrics: Words::default(),
            labels: Words::default(),
            verdicts: Words::default(),
            rows: Vec::new(),
        }
    }

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn text_bytes(&self) -> usize {
        self.metrics.bytes() + self.labels.bytes()
    }

    fn take(&mut self) -> Result<RecordBatch, ArrowError> {
        let rows = std::mem::take(&mut self.rows);
        let (mut metrics, mut labels, mut verdicts) = (Vec::new(), Vec::new(), Vec::new());
        for row in &rows {
            let name = Name::of(&row.series);
            metrics.push(self.metrics.code(&name.metric));
            labels.push(self.labels.code(&name.labels));
            verdicts.push(self.verdicts.code(verdict_name(row.verdict)));
        }
        let to: TimestampMicrosecondArray = rows.iter().map(|row| row.to_us).collect();
        let columns = vec![
            times(rows.iter().map(|row| row.submitted_us).collect()),
            self.metrics.column(metrics)?,
            self.labels.column(labels)?,
            times(rows.iter().map(|row| row.from_us).collect()),
            Arc::new(to.with_timezone("UTC")),
            self.verdicts.column(verdicts)?,
            Arc::new(StringArray::from_iter_values(
                rows.iter().map(|row| &row.note),
            )),
        ];
        RecordBatch::try_new(Self::TABLE.schema(), columns)
    }
}

/// A column of instants.
pub(super) fn times(us: Vec<i64>) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from(us).with_timezone("UTC"))
}

/// A column of words from a closed set.
pub(super) fn words(texts: &[&str]) -> Result<ArrayRef, ArrowError> {
    let mut words = Words::default();
    let codes = texts.iter().map(|text| words.code(text)).collect();
    words.column(codes)
}
