//! What goes out.

use features::SCHEMA;
use predict::{Event, Factor, Phase, Risk};
use proto::v1;
use series::{Refusal, SeriesKey};
use store::{Feedback, Verdict};

use crate::board::{Point, Record};
use crate::culprits::Culprit;

/// The names behind the numbers of factors.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    detectors: Vec<&'static str>,
}

impl Names {
    pub(crate) fn new(detectors: Vec<&'static str>) -> Self {
        Self { detectors }
    }

    pub(crate) fn detectors(&self) -> &[&'static str] {
        &self.detectors
    }
}

pub(super) fn key(key: &SeriesKey) -> v1::SeriesKey {
    let labels = key
        .labels()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    v1::SeriesKey {
        metric: key.metric().to_owned(),
        labels,
    }
}

/// A risk without its series: see [`v1::Risk`] for the two ways to name it.
pub(super) fn risk(risk: &Risk, names: &Names, culprits: &[Culprit]) -> v1::Risk {
    let contributors = |factors: &[Factor], name: &dyn Fn(usize) -> Option<&'static str>| {
        let present = factors.iter().filter(|factor| factor.share > 0.0);
        present
            .filter_map(|factor| {
                let name = name(usize::from(factor.index))?.to_owned();
                Some(v1::Contributor {
                    name,
                    share: factor.share,
                })
            })
            .collect()
    };
    v1::Risk {
        series: None,
        series_ref: 0,
        time_us: risk.at.micros(),
        value: risk.value,
        level: risk.level,
        expected: risk.expected,
        band: risk.band,
        score: risk.score.get(),
        alert_score: risk.alert_score,
        confidence: risk.confidence,
        detectors: contributors(&risk.detectors, &|i| names.detectors.get(i).copied()),
        features: contributors(&risk.features, &|i| SCHEMA.get(i).map(|column| column.name)),
        event: risk.event.as_ref().map(event),
        history: Vec::new(),
        culprits: culprits.iter().map(culprit).collect(),
    }
}

fn culprit(culprit: &Culprit) -> v1::Culprit {
    v1::Culprit {
        series: Some(key(&culprit.key)),
        value: culprit.value,
        increase: culprit.increase,
        share: culprit.share as f32,
    }
}

pub(super) fn point(point: &Point) -> v1::RiskPoint {
    v1::RiskPoint {
        time_us: point.at.micros(),
        value: point.value,
        score: point.score,
        alert_score: point.alert_score,
    }
}

pub(super) fn event(event: &Event) -> v1::Event {
    let phase = match event.phase {
        Phase::Opened => v1::event::Phase::Opened,
        Phase::Open => v1::event::Phase::Open,
        Phase::Closed => v1::event::Phase::Closed,
    };
    v1::Event {
        id: event.id.0,
        phase: phase.into(),
        since_us: event.since.micros(),
        peak_alert_score: event.peak,
    }
}

pub(super) fn record(
    record: &Record,
    series: &SeriesKey,
    names: &Names,
    culprits: &[Culprit],
) -> v1::EventRecord {
    v1::EventRecord {
        series: Some(key(series)),
        event: Some(event(&record.event)),
        closed_us: record.closed.map(|at| at.micros()),
        peak: Some(risk(&record.peak, names, culprits)),
    }
}

pub(super) fn refusal(why: Refusal) -> v1::Refusal {
    match why {
        Refusal::NotFinite => v1::Refusal::NotFinite,
        Refusal::OutOfOrder => v1::Refusal::OutOfOrder,
        Refusal::Duplicate => v1::Refusal::Duplicate,
        Refusal::TooFarAhead => v1::Refusal::TooFarAhead,
        Refusal::UnknownSeries => v1::Refusal::UnknownSeries,
        Refusal::SeriesLimit => v1::Refusal::SeriesLimit,
        Refusal::BadKey => v1::Refusal::BadKey,
    }
}

pub(super) fn feedback(feedback: &Feedback) -> v1::Feedback {
    let body = &feedback.body;
    let verdict = match body.verdict {
        Verdict::Confirmed => v1::Verdict::Confirmed,
        Verdict::Dismissed => v1::Verdict::Dismissed,
    };
    v1::Feedback {
        id: feedback.id.to_string(),
        series: Some(key(&body.series)),
        event_id: body.event_id,
        time_us: body.time_us,
        verdict: verdict.into(),
        note: body.note.clone(),
        submitted_us: body.submitted_us,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::tests::{in_event, risk as made};

    #[test]
    fn only_factors_with_a_share_are_named() {
        let mut given = in_event(made(0, 7, 0.5), 3, Phase::Closed);
        given.detectors[0] = Factor {
            index: 1,
            share: 0.75,
        };
        given.detectors[1] = Factor {
            index: 9,
            share: 0.25,
        };
        given.features[0] = Factor {
            index: 0,
            share: 1.0,
        };
        let risk = risk(&given, &Names::new(vec!["a", "b"]), &[]);
        assert_eq!(
            risk.detectors,
            [v1::Contributor {
                name: "b".to_owned(),
                share: 0.75
            }]
        );
        assert_eq!(
            risk.features,
            [v1::Contributor {
                name: SCHEMA[0].name.to_owned(),
                share: 1.0
            }]
        );
        let event = risk.event.unwrap();
        assert_eq!((event.id, event.phase()), (3, v1::event::Phase::Closed));
        let series = SeriesKey::new("process_cpu_ratio", [("pid", "7")]).unwrap();
        let blamed = Culprit {
            key: series.clone().into(),
            value: 1.0,
            increase: 0.75,
            share: 0.5,
        };
        let expected = v1::Culprit {
            series: Some(key(&series)),
            value: 1.0,
            increase: 0.75,
            share: 0.5,
        };
        assert_eq!(culprit(&blamed), expected);
        assert_eq!(risk.time_us, 7_000_000);
    }
}
