//! The whole engine as a person meets it: what it says of series whose story is known.
//!
//! Judged on the default configuration alone. Each story is drawn from a seed, so a picture changes only when the engine
//! does; then look at it, and accept it with `UPDATE_EXPECT=1` if the new one is better.

#![expect(
    clippy::unwrap_used,
    reason = "a test may panic, and knows its numbers"
)]

mod calibration;
mod events;
mod feedback;
mod score;
#[path = "../support/mod.rs"]
mod support;

use std::ops::Range;

use hotpath::{EngineConfig, SeriesSpec, Shard};
use predict::{Phase, Risk};
use series::{SeriesId, Unit};
use testkit::Trace;

/// Where most stories put what happens: after warm-up, and before the first day is over.
const AT: usize = 500;

/// One shard with default settings, fed with one trace as its only series.
fn judge(trace: &Trace) -> Vec<Risk> {
    judge_as(Unit::None, trace)
}

/// The same when the metric's name tells what it measures.
fn judge_as(unit: Unit, trace: &Trace) -> Vec<Risk> {
    judge_all(unit, std::slice::from_ref(trace)).remove(0)
}

/// The same with several traces of one length, as they would arrive: the first samples of all, the second …
fn judge_all(unit: Unit, traces: &[Trace]) -> Vec<Vec<Risk>> {
    let mut shard = Shard::new(&EngineConfig::default()).unwrap();
    let spec = |trace: &Trace| SeriesSpec {
        kind: trace.kind,
        unit,
        group: None,
    };
    let ids: Vec<SeriesId> = traces
        .iter()
        .map(|trace| shard.add_series(spec(trace)))
        .collect();
    let mut samples: Vec<_> = ids
        .iter()
        .zip(traces)
        .map(|(&id, trace)| trace.samples(id))
        .collect();
    let (mut all, mut risks, mut refused) =
        (vec![Vec::new(); traces.len()], Vec::new(), Vec::new());
    loop {
        let tick: Vec<_> = samples.iter_mut().filter_map(Iterator::next).collect();
        if tick.is_empty() {
            return all;
        }
        shard.push(&tick, &mut risks, &mut refused);
        assert_eq!(refused, []);
        for risk in risks.drain(..) {
            all[risk.series.index()].push(risk);
        }
    }
}

/// `_` warming up   `.` quiet   `!` an event opens   `-` it goes on   `x` it closes
fn picture(risks: &[Risk]) -> String {
    let letter = |risk: &Risk| match risk.event.map(|event| event.phase) {
        Some(Phase::Opened) => '!',
        Some(Phase::Open) => '-',
        Some(Phase::Closed) => 'x',
        None if risk.confidence < 1.0 => '_',
        None => '.',
    };
    risks.iter().map(letter).collect()
}

/// Places of the samples that open an event.
fn opened(risks: &[Risk]) -> Vec<usize> {
    picture(risks)
        .match_indices('!')
        .map(|(place, _)| place)
        .collect()
}

/// Share of the samples in `range` whose score is above `level`.
fn share_above(risks: &[Risk], range: Range<usize>, level: f64) -> f64 {
    let above = risks[range.clone()]
        .iter()
        .filter(|risk| risk.score.get() > level)
        .count();
    above as f64 / range.len() as f64
}
