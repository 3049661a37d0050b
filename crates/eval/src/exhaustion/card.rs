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
        self.at(&vec![1; self.n_episodes])
    }

    /// Every figure when episode `i` counts `times[i]` times; what is only counted is told of the episodes as they are.
    fn at(&self, times: &[u32]) -> Figures {
        let horizons = |all: &[Classified; 3]| [0, 1, 2].map(|i: usize| all[i].at(times));
        Figures {
            episodes: self.n_episodes as u64,
            events: self.events,
            queries: self.queries,
            unanswered: self.unanswered,
            answerable: horizons(&self.answerable),
            strict: horizons(&self.strict),
            alarm: self.alarms.at_half(times),
            budgets: BUDGETS.map(|budget| self.alarms.at_budget(budget, times)),
            time_errors: [0, 1, 2, 3, 4].map(|i: usize| self.errors[i].at(times)),
            interval: self.intervals.at(times),
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

#[cfg(test)]
mod tests {
    use super::super::Truth;
    use super::*;
    use crate::rng::SplitMix;

    /// Two that run out and two that do not, under other names in each copy.
    fn truth(kind: usize, copy: usize) -> Truth {
        let exhausted = kind.is_multiple_of(2);
        let length_s = 120.0 + 40.0 * kind as f64;
        Truth {
            id: format!("x{kind}-{copy}"),
            kind: "disk".to_owned(),
            time_scale: 20.0,
            start_ts: 1_000.0,
            end_ts: 1_000.0 + length_s,
            exhausted,
            exhaustion_ts: exhausted.then_some(1_000.0 + length_s),
            onset_ts: exhausted.then_some(1_030.0),
            driver_stop_ts: None,
            rows: 500,
        }
    }

    /// The same guesses in each copy.
    fn guesses(exam: &Exam, kinds: &[usize]) -> Predictions {
        let mut all = Predictions::default();
        for (episode, kind) in kinds.iter().enumerate() {
            let mut random = SplitMix::new(*kind as u64);
            for question in exam.about(episode) {
                let mut unit = || f64::from(random.unit());
                let p = [unit(), unit(), unit()].map(|p| (p * 10.0).round() / 10.0);
                let low = 900.0 * unit();
                let high = if unit() < 0.2 {
                    f64::INFINITY
                } else {
                    3.0 * low
                };
                let guess = Prediction::new(p, [low, 1.5 * low, high]).unwrap();
                all.insert(&exam.truths()[episode].id, question.ts, guess);
            }
        }
        all
    }

    fn card(kinds: &[usize]) -> Card {
        let copies = kinds.iter().enumerate();
        let exam = Exam::new(copies.map(|(copy, kind)| truth(*kind, copy)).collect());
        Card::new(&exam, &guesses(&exam, kinds))
    }

    #[test]
    fn an_episode_drawn_twice_is_an_episode_that_is_there_twice() {
        let found = card(&[0, 1, 2, 3]).at(&[2, 3, 1, 0]);
        let expected = card(&[0, 0, 1, 1, 1, 2]).figures();
        let text = |figures: &Figures| {
            let mut value = serde_json::to_value(figures).unwrap();
            for counted in ["episodes", "events", "queries"] {
                value[counted].take();
            }
            // Sums in another order differ in their last digits.
            let rounded = |number: &str| match number.parse::<f64>() {
                Ok(number) => format!("{number:.9}"),
                Err(_) => number.to_owned(),
            };
            let text = value.to_string();
            text.split([':', ',', '}']).map(rounded).collect::<Vec<_>>()
        };
        assert_eq!(text(&found), text(&expected));
        assert_ne!(text(&found), text(&card(&[0, 1, 2, 3]).figures()));
    }

    #[test]
    fn without_a_question_nothing_is_defined_and_nothing_breaks() {
        let mut short = truth(0, 0);
        short.exhaustion_ts = Some(1_020.0);
        let card = Card::new(&Exam::new(vec![short]), &Predictions::default());
        let (figures, spread) = (card.figures(), card.spread());
        assert_eq!(
            (figures.events, figures.queries, figures.interval),
            (1, 0, None)
        );
        assert!(spread.brier[0].value.is_nan() && spread.coverage.value.is_nan());
        let none = Card::new(&Exam::new(Vec::new()), &Predictions::default());
        assert!(none.spread().auc_pr[2].low.is_nan());
    }
}
