//! One predictor's answers, gathered so that every figure can be had for any choice of episodes.

use super::alarm::Alarms;
use super::classified::{Answer, Classified};
use super::figures::{BANDS_MIN, BUDGETS, Figures, Spread};
use super::remaining::{Errors, Intervals};
use super::{Exam, Prediction, Predictions, Question};
use crate::spread::Measure;

/// The score card of one predictor.
#[derive(Debug, Clone)]
pub struct Card {
    n_episodes: usize,
    events: u64,
    queries: u64,
    unanswered: u64,
    answerable: [Classified; 3],
    strict: [Classified; 3],
    alarms: Alarms,
    errors: [Errors; 5],
    intervals: Intervals,
}

impl Card {
    /// Marks `predictions`. Where one is missing, nothing foreseen counts; those that nobody asked for are passed over.
    #[must_use]
    pub fn new(exam: &Exam, predictions: &Predictions) -> Self {
        let mut unanswered = 0;
        let answers: Vec<Prediction> = exam
            .questions()
            .iter()
            .map(|question| {
                let episode = &exam.truths()[question.episode].id;
                predictions.get(episode, question.ts).unwrap_or_else(|| {
                    unanswered += 1;
                    Prediction::NONE
                })
            })
            .collect();
        let n_episodes = exam.truths().len();
        let classified = |place: usize, label: fn(&Question) -> [Option<bool>; 3]| {
            let asked = exam.questions().iter().zip(&answers);
            let known = asked.filter_map(|(question, prediction)| {
                Some(Answer {
                    episode: question.episode,
                    p: prediction.p()[place],
                    right: label(question)[place]?,
                })
            });
            Classified::new(n_episodes, known.collect())
        };
        Self {
            n_episodes,
            events: exam.truths().iter().filter(|truth| truth.exhausted).count() as u64,
            queries: answers.len() as u64,
            unanswered,
            answerable: [0, 1, 2].map(|place| classified(place, |q| q.answerable)),
            strict: [0, 1, 2].map(|place| classified(place, |q| q.strict)),
            alarms: Alarms::new(exam, &answers),
            errors: BANDS_MIN.map(|band| Errors::new(exam, &answers, band)),
            intervals: Intervals::new(exam, &answers),
        }
    }

    /// Every figure on the episodes as they are.
    #[must_use]
    pub fn figures(&self) -> Figures {
        let once = vec![1; self.n_episodes];
        let horizons = |all: &[Classified; 3]| [0, 1, 2].map(|i: usize| all[i].at(&once));
        Figures {
            episodes: self.n_episodes as u64,
            events: self.events,
            queries: self.queries,
            unanswered: self.unanswered,
            answerable: horizons(&self.answerable),
            strict: horizons(&self.strict),
            alarm: self.alarms.at_half(&once),
            budgets: BUDGETS.map(|budget| self.alarms.at_budget(budget, &once)),
            time_errors: [0, 1, 2, 3, 4].map(|i: usize| self.errors[i].at(&once)),
            interval: self.intervals.at(&once),
        }
    }

    /// The figures that have targets, with 90 % intervals: bootstrap over episodes.
    #[must_use]
    pub fn spread(&self) -> Spread {
        let horizon = |figure: fn(&Classified, &[u32]) -> f64| {
            [0, 1, 2].map(|i: usize| self.over(|times| figure(&self.answerable[i], times)))
        };
        let interval = |figure: fn(&super::Interval) -> Option<f64>| {
            self.over(|times| {
                let found = self.intervals.at(times);
                found.as_ref().and_then(figure).unwrap_or(f64::NAN)
            })
        };
        let error = |figure: fn(&super::TimeError) -> f64| {
            [0, 1, 2, 3, 4].map(|i: usize| {
                self.over(|times| self.errors[i].at(times).as_ref().map_or(f64::NAN, figure))
            })
        };
        Spread {
            f1: horizon(Classified::f1),
            auc_pr: horizon(Classified::auc_pr),
            brier: horizon(Classified::brier),
            caught: BUDGETS
                .map(|budget| self.over(|times| self.alarms.at_budget(budget, times).caught_5min)),
            caught_at_half: self.over(|times| self.alarms.at_half(times).caught_5min),
            false_per_hour: self.over(|times| self.alarms.at_half(times).false_per_hour),
            error_median: error(|e| e.relative_error_median),
            error_p90: error(|e| e.relative_error_p90),
            coverage: interval(|i| Some(i.coverage)),
            finite: interval(|i| Some(i.finite)),
            width: interval(|i| i.width_ratio_median),
        }
    }

    /// A figure over resamples of the episodes, which it is told as how often each was drawn.
    fn over(&self, figure: impl Fn(&[u32]) -> f64) -> Measure {
        Measure::over(self.n_episodes, |drawn| {
            let mut times = vec![0; self.n_episodes];
            for episode in drawn {
                times[*episode] += 1;
            }
            figure(&times)
        })
    }
}
