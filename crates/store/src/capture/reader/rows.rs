//! One batch of rows, as plain columns.

use arrow_array::types::{Float32Type, Float64Type, TimestampMicrosecondType};
use features::N_COLUMNS;

use crate::Verdict;
use crate::capture::cells::{Cells, Texts};
use crate::capture::file::{ReadError, short};
use crate::capture::row::{EventPhase, Provenance};
use crate::capture::schema::feature_name;

/// Rows, column by column; all columns have the same length.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rows {
    /// In microseconds since 1970-01-01T00:00:00Z.
    pub times: Vec<i64>,
    /// Places in [`Reader::series`](super::Reader::series).
    pub series: Vec<u32>,
    /// The value as it came.
    pub values: Vec<f64>,
    /// What the detectors saw: the value, or the rate per second of a counter.
    pub levels: Vec<f64>,
    /// The features, in the order of [`features::SCHEMA`].
    pub columns: Vec<[f32; N_COLUMNS]>,
    /// Dense and calibrated, from 0 to 1.
    pub scores: Vec<f64>,
    /// Sparse, on an absolute scale from 0 to 1.
    pub alert_scores: Vec<f32>,
    /// Where each stands in an event.
    pub events: Vec<EventPhase>,
    /// The worst of what was known when the row was written and what marks said afterwards.
    pub provenance: Vec<Provenance>,
    /// What people said of it; the latest word where several are about one row.
    pub verdicts: Vec<Option<Verdict>>,
}

impl Rows {
    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// Whether row `i` may be learned as an example of normal behaviour.
    ///
    /// Not when it was observed during a fault; not after a mitigation, when quiet does not mean that nothing was
    /// wrong, only that somebody acted; and not when a person confirmed the alert that it belongs to. An alert that was
    /// confirmed and dismissed later is normal again. A dismissal does not undo a mark.
    ///
    /// # Panics
    /// When there is no row `i`.
    #[must_use]
    pub fn use_as_normal(&self, i: usize) -> bool {
        self.provenance[i] == Provenance::Normal && self.verdicts[i] != Some(Verdict::Confirmed)
    }

    pub(super) fn clear(&mut self) {
        let Self {
            times,
            series,
            values,
            levels,
            columns,
            scores,
            alert_scores,
            events,
            provenance,
            verdicts,
        } = self;
        times.clear();
        series.clear();
        values.clear();
        levels.clear();
        columns.clear();
        scores.clear();
        alert_scores.clear();
        events.clear();
        provenance.clear();
        verdicts.clear();
    }

    pub(super) fn push(
        &mut self,
        from: &Columns<'_>,
        i: usize,
        series: u32,
        event: EventPhase,
        provenance: Provenance,
        verdict: Option<Verdict>,
    ) {
        self.times.push(from.time[i]);
        self.series.push(series);
        self.values.push(from.value[i]);
        self.levels.push(from.level[i]);
        self.columns.push(from.features.map(|column| column[i]));
        self.scores.push(from.score[i]);
        self.alert_scores.push(from.alert_score[i]);
        self.events.push(event);
        self.provenance.push(provenance);
        self.verdicts.push(verdict);
    }
}

/// The columns of one batch of a file, checked.
#[derive(Debug)]
pub(super) struct Columns<'a> {
    pub(super) time: &'a [i64],
    pub(super) metric: Texts<'a>,
    pub(super) labels: Texts<'a>,
    value: &'a [f64],
    level: &'a [f64],
    features: [&'a [f32]; N_COLUMNS],
    score: &'a [f64],
    alert_score: &'a [f32],
    event: Texts<'a>,
    provenance: Texts<'a>,
}

impl<'a> Columns<'a> {
    pub(super) fn of(cells: &Cells<'a>) -> Result<Self, ReadError> {
        let mut features: [&[f32]; N_COLUMNS] = [&[]; N_COLUMNS];
        for (i, column) in features.iter_mut().enumerate() {
            *column = cells.numbers::<Float32Type>(&feature_name(i))?;
        }
        Ok(Self {
            time: cells.numbers::<TimestampMicrosecondType>("time")?,
            metric: cells.texts("metric")?,
            labels: cells.texts("labels")?,
            value: cells.numbers::<Float64Type>("value")?,
            level: cells.numbers::<Float64Type>("level")?,
            features,
            score: cells.numbers::<Float64Type>("score")?,
            alert_score: cells.numbers::<Float32Type>("alert_score")?,
            event: cells.texts("event")?,
            provenance: cells.texts("provenance")?,
        })
    }

    pub(super) fn event(&self, cells: &Cells<'_>, i: usize) -> Result<EventPhase, ReadError> {
        let text = self.event.at(i);
        EventPhase::parse(text)
            .ok_or_else(|| cells.blame("event", format!("{:?} is none", short(text))))
    }

    pub(super) fn provenance(&self, cells: &Cells<'_>, i: usize) -> Result<Provenance, ReadError> {
        let text = self.provenance.at(i);
        Provenance::parse(text)
            .ok_or_else(|| cells.blame("provenance", format!("{:?} is none", short(text))))
    }
}
