//! One series, reduced while it streams by: enough to draw it, whatever its length.

use predict::{Phase, Risk};
use series::Timestamp;

use super::super::row::{Contributions, Row, Verdict};

/// Most columns of one track: about two to a pixel. A track that reaches it is halved, so it holds at least half.
pub(super) const MAX_COLUMNS: usize = 2_000;

/// A few neighbouring samples: their extremes, so that no spike is lost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Column {
    /// Time of the first sample.
    pub(super) from: Timestamp,
    /// Time of the last sample.
    pub(super) to: Timestamp,
    /// Lowest value.
    pub(super) low: f64,
    /// Highest value.
    pub(super) high: f64,
    /// Mean of what was expected.
    pub(super) expected: f64,
    /// Mean half width of the usual band.
    pub(super) band: f64,
    /// Highest score.
    pub(super) score: f64,
    /// Highest alert score.
    pub(super) alert: f32,
    /// Whether the file calls one of the samples an anomaly.
    pub(super) labelled: bool,
}

impl Column {
    fn of(row: &Row<'_>, risk: &Risk) -> Self {
        Self {
            from: row.at,
            to: row.at,
            low: risk.level,
            high: risk.level,
            expected: risk.expected,
            band: risk.band,
            score: risk.score.get(),
            alert: risk.alert_score,
            labelled: row.label == Some(true),
        }
    }

    /// Both hold about as many samples, so the mean of means will do.
    fn join(self, next: Self) -> Self {
        Self {
            from: self.from,
            to: next.to,
            low: self.low.min(next.low),
            high: self.high.max(next.high),
            expected: f64::midpoint(self.expected, next.expected),
            band: f64::midpoint(self.band, next.band),
            score: self.score.max(next.score),
            alert: self.alert.max(next.alert),
            labelled: self.labelled || next.labelled,
        }
    }
}

/// One event, to be shaded.
#[derive(Debug, Clone)]
pub(super) struct Span {
    /// The event.
    pub(super) id: u64,
    /// When it began.
    pub(super) since: Timestamp,
    /// Its last sample so far.
    pub(super) until: Timestamp,
    /// Whether it was still open at the end of the file.
    pub(super) open: bool,
    /// Highest alert score.
    pub(super) peak: f32,
    /// Who contributed.
    pub(super) contributions: Contributions,
}

/// Everything that is drawn of one series.
#[derive(Debug, Clone, Default)]
pub(super) struct Track {
    /// The file.
    pub(super) file: String,
    /// The series.
    pub(super) name: String,
    /// Samples that were scored.
    pub(super) samples: u64,
    /// Highest alert score.
    pub(super) peak: f32,
    /// Whether the file has labels for it.
    pub(super) has_labels: bool,
    /// In order of time.
    pub(super) columns: Vec<Column>,
    /// In order of time.
    pub(super) spans: Vec<Span>,
    /// Samples to a column; doubles each time the track is halved.
    per_column: u64,
}

impl Track {
    /// Nothing yet of this series.
    pub(super) fn new(file: &str, name: &str) -> Self {
        Self {
            file: file.to_owned(),
            name: name.to_owned(),
            per_column: 1,
            ..Self::default()
        }
    }

    /// Takes one row in; keeps at most `most` columns (at least 2).
    pub(super) fn take(&mut self, row: &Row<'_>, most: usize) {
        self.has_labels |= row.label.is_some();
        let Verdict::Judged { risk, .. } = row.verdict else {
            return;
        };
        self.peak = self.peak.max(risk.alert_score);
        let column = Column::of(row, risk);
        match self.columns.last_mut() {
            Some(last) if !self.samples.is_multiple_of(self.per_column) => {
                *last = last.join(column)
            }
            _ => self.columns.push(column),
        }
        self.samples += 1;
        while self.columns.len() >= most.max(2) {
            // Column i begins at sample i × per_column, so pairs from the front stay aligned, whatever the last holds.
            self.columns = self
                .columns
                .chunks(2)
                .filter_map(|two| two.iter().copied().reduce(Column::join))
                .collect();
            self.per_column *= 2;
        }
        self.take_event(risk);
    }

    fn take_event(&mut self, risk: &Risk) {
        let Some(event) = risk.event else { return };
        if self.spans.last().is_none_or(|span| span.id != event.id.0) {
            self.spans.push(Span {
                id: event.id.0,
                since: event.since,
                until: risk.at,
                open: true,
                peak: event.peak,
                contributions: Contributions::default(),
            });
        }
        if let Some(span) = self.spans.last_mut() {
            span.until = risk.at;
            span.open = event.phase != Phase::Closed;
            span.peak = span.peak.max(event.peak);
            span.contributions
                .add(&risk.detectors, risk.alert_score.max(f32::MIN_POSITIVE));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dates::TimeForm;
    use predict::{Factor, MAX_FACTORS, Score};
    use series::SeriesId;

    fn take(track: &mut Track, i: i64, value: f64, most: usize) {
        let at = Timestamp::from_millis(i * 1_000);
        let risk = Risk {
            series: SeriesId(0),
            at,
            value,
            level: value,
            expected: 0.0,
            band: 1.0,
            score: Score::from_tail(0.5),
            alert_score: 0.0,
            confidence: 1.0,
            event: None,
            detectors: [Factor::default(); MAX_FACTORS],
            features: [Factor::default(); MAX_FACTORS],
        };
        let verdict = Verdict::Judged {
            risk: &risk,
            members: &[],
        };
        let row = Row {
            file: "f",
            series: "s",
            series_idx: 0,
            at,
            times: TimeForm::Date,
            value,
            label: None,
            verdict,
            latest: None,
        };
        track.take(&row, most);
    }

    #[test]
    fn a_long_series_keeps_its_spike_its_ends_and_few_columns() {
        let mut track = Track::new("f", "s");
        for i in 0..100_003 {
            take(
                &mut track,
                i,
                if i == 77_777 { 99.0 } else { (i % 7) as f64 },
                64,
            );
        }
        assert!(
            (32..64).contains(&track.columns.len()),
            "{}",
            track.columns.len()
        );
        let high = track.columns.iter().map(|c| c.high).fold(0.0, f64::max);
        let low = track.columns.iter().map(|c| c.low).fold(9.0, f64::min);
        assert_eq!((low as i64, high as i64), (0, 99));
        assert_eq!(track.columns[0].from.micros(), 0);
        assert_eq!(
            track.columns.last().map(|c| c.to.micros()),
            Some(100_002_000_000)
        );
        assert!(
            track
                .columns
                .windows(2)
                .all(|pair| pair[0].to < pair[1].from)
        );
    }

    #[test]
    fn a_short_series_is_kept_sample_by_sample() {
        let mut track = Track::new("f", "s");
        (0..5).for_each(|i| take(&mut track, i, i as f64, 64));
        assert_eq!(
            track
                .columns
                .iter()
                .map(|c| c.low as i64)
                .collect::<Vec<_>>(),
            [0, 1, 2, 3, 4]
        );
    }
}
