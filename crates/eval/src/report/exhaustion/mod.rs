//! Exhaustion predictions: every predictor on the same episodes, whole, by kind, and by the time that was left.

mod targets;
mod text;

use serde::Serialize;

use crate::column::parallel_map;
use crate::exhaustion::{Card, Exam, Figures, Predictions, Spread};

pub use targets::{TARGETS, Target};

/// Every predictor on every episode.
#[derive(Debug, Clone, Serialize)]
pub struct ExhaustionTable {
    /// Episodes.
    pub n_episodes: usize,
    /// Those that ran out.
    pub n_events: usize,
    /// Points at which a prediction was asked for.
    pub n_queries: usize,
    /// What is aimed at.
    pub targets: Vec<Target>,
    /// In the order in which they were given.
    pub predictors: Vec<PredictorRow>,
}

/// One predictor.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PredictorRow {
    /// Its name.
    pub name: String,
    /// On all episodes, under the names of the scorer in Python.
    pub figures: Figures,
    /// The 90 % intervals of those that have targets.
    pub intervals: Spread,
    /// The same for each kind of resource, sorted by its name.
    pub by_kind: Vec<KindRow>,
}

/// One predictor on one kind of resource.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KindRow {
    /// The kind.
    pub kind: String,
    /// On the episodes of this kind.
    pub figures: Figures,
    /// Their intervals.
    pub intervals: Spread,
}

/// Marks every predictor. `done` is called after each part, from any thread: one per predictor for all episodes, and
/// one per predictor and kind.
#[must_use]
pub fn exhaustion(
    exam: &Exam,
    predictors: &[(String, Predictions)],
    done: &(dyn Fn() + Sync),
) -> ExhaustionTable {
    let kinds = exam.kinds();
    let exams: Vec<Exam> = std::iter::once(exam.clone())
        .chain(kinds.iter().map(|kind| exam.of_kind(kind)))
        .collect();
    let jobs: Vec<(&Predictions, &Exam)> = predictors
        .iter()
        .flat_map(|(_, predictions)| exams.iter().map(move |exam| (predictions, exam)))
        .collect();
    let marks = parallel_map(&jobs, |(predictions, exam)| {
        let card = Card::new(exam, predictions);
        let marks = (card.figures(), card.spread());
        done();
        marks
    });
    let mut marks = marks.into_iter();
    let mut rows = Vec::new();
    for (name, _) in predictors {
        let Some((figures, intervals)) = marks.next() else {
            break;
        };
        let by_kind = kinds
            .iter()
            .zip(marks.by_ref().take(kinds.len()))
            .map(|(kind, (figures, intervals))| KindRow {
                kind: kind.clone(),
                figures,
                intervals,
            })
            .collect();
        rows.push(PredictorRow {
            name: name.clone(),
            figures,
            intervals,
            by_kind,
        });
    }
    ExhaustionTable {
        n_episodes: exam.truths().len(),
        n_events: exam.truths().iter().filter(|t| t.exhausted).count(),
        n_queries: exam.questions().len(),
        targets: TARGETS.to_vec(),
        predictors: rows,
    }
}

#[cfg(test)]
mod tests;
