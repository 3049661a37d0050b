//! Alarms that are sustained: how many episodes are caught in time, and how often nothing was the matter.
//!
//! An alarm sounds at the second question in a row at which P(within 30 minutes) reaches the threshold. An event is caught
//! when the alarm that lasts to the end sounded at least 5 minutes ahead. Whatever sounds in an episode that did not run
//! out is false, but for the stretches where nobody could know.

use super::figures::{Alarm, Budget};
use super::{Exam, Prediction};
use crate::spread::quantile;

/// Minutes of episode time before the event from which an alarm is of use.
const IN_TIME_MIN: f64 = 5.0;
/// The threshold that needs no choice.
const HALF: f64 = 0.5;
/// Place of the 30 minutes among the horizons.
const LONGEST: usize = 2;

/// What happened in each episode at each threshold.
#[derive(Debug, Clone)]
pub(super) struct Alarms {
    /// [`HALF`], then those that are chosen from.
    thresholds: Vec<f64>,
    /// One per episode with questions, and its place.
    parts: Vec<(usize, Part)>,
}

#[derive(Debug, Clone)]
enum Part {
    /// It ran out: minutes ahead at which the alarm sounded, per threshold; 0 if it did not.
    Event(Vec<f64>),
    /// It did not: hours of episode time, and false alarms per threshold.
    Quiet(f64, Vec<u32>),
}

impl Alarms {
    /// `predictions` answer the exam's questions, in their order.
    pub(super) fn new(exam: &Exam, predictions: &[Prediction]) -> Self {
        let thresholds: Vec<f64> = std::iter::once(HALF).chain(candidates()).collect();
        let mut parts = Vec::new();
        let mut rest = predictions;
        for (episode, truth) in exam.truths().iter().enumerate() {
            let questions = exam.about(episode);
            let (own, others) = rest.split_at(questions.len());
            rest = others;
            let (Some(first), Some(last)) = (questions.first(), questions.last()) else {
                continue;
            };
            let per_threshold = |threshold: &f64| -> Vec<bool> {
                own.iter()
                    .map(|prediction| prediction.p()[LONGEST] >= *threshold)
                    .collect()
            };
            let part = if truth.exhausted {
                let lead = |on: Vec<bool>| {
                    let calm = on.iter().rposition(|on| !on).map_or(0, |last| last + 1);
                    questions
                        .get(calm + 1)
                        .map_or(0.0, |sounds| sounds.remaining_min)
                };
                Part::Event(thresholds.iter().map(per_threshold).map(lead).collect())
            } else {
                let false_alarms = |on: Vec<bool>| {
                    let (mut run, mut sounded) = (0_u32, 0);
                    for (question, on) in questions.iter().zip(on) {
                        let fair = question.answerable[LONGEST].is_some()
                            || question.strict[LONGEST].is_none();
                        run = if on && fair { run + 1 } else { 0 };
                        sounded += u32::from(run == 2);
                    }
                    sounded
                };
                let hours = (last.ts - first.ts) * truth.time_scale / 3_600.0;
                let counts = thresholds.iter().map(per_threshold).map(false_alarms);
                Part::Quiet(hours, counts.collect())
            };
            parts.push((episode, part));
        }
        Self { thresholds, parts }
    }

    /// (caught, events, false alarms, quiet hours) at one of the thresholds.
    fn counts(&self, place: usize, times: &[u32]) -> (f64, f64, f64, f64) {
        let (mut caught, mut events, mut false_alarms, mut hours) = (0.0, 0.0, 0.0, 0.0);
        for (episode, part) in &self.parts {
            let times = f64::from(times[*episode]);
            match part {
                Part::Event(leads) => {
                    events += times;
                    caught += times * f64::from(u8::from(leads[place] >= IN_TIME_MIN));
                }
                Part::Quiet(of_part, counts) => {
                    hours += times * of_part;
                    false_alarms += times * f64::from(counts[place]);
                }
            }
        }
        (caught, events, false_alarms, hours)
    }

    /// At the threshold of one half.
    pub(super) fn at_half(&self, times: &[u32]) -> Alarm {
        let (caught, events, false_alarms, hours) = self.counts(0, times);
        let mut leads = Vec::new();
        for (episode, part) in &self.parts {
            if let Part::Event(of_part) = part {
                leads.extend((0..times[*episode]).map(|_| of_part[0]));
            }
        }
        Alarm {
            caught_5min: caught / events.max(1.0),
            lead_median_min: (!leads.is_empty()).then(|| quantile(&leads, 0.5)),
            false_per_hour: false_alarms / hours.max(1e-9),
            quiet_hours: hours,
        }
    }

    /// The most that is caught at any threshold with at most `budget` false alarms per hour of episode time, and that
    /// threshold. It is chosen anew for every resample.
    pub(super) fn at_budget(&self, budget: f64, times: &[u32]) -> Budget {
        let mut best = Budget {
            caught_5min: 0.0,
            threshold: None,
        };
        for (place, threshold) in self.thresholds.iter().enumerate().skip(1) {
            let (caught, events, false_alarms, hours) = self.counts(place, times);
            let share = caught / events.max(1.0);
            if false_alarms / hours.max(1e-9) <= budget && share > best.caught_5min {
                best = Budget {
                    caught_5min: share,
                    threshold: Some(*threshold),
                };
            }
        }
        best
    }
}

/// The thresholds that are chosen from, lowest first.
fn candidates() -> impl Iterator<Item = f64> {
    let even = (0_u32..30).map(|i| 0.05 + f64::from(i) * 0.03);
    even.chain([0.95, 0.97, 0.98, 0.99, 0.995, 1.0])
}

#[cfg(test)]
mod tests {
    use super::super::Truth;
    use super::*;

    /// 20 to a second; an event after 100 s or 100 quiet seconds: questions at 25, 30 … s.
    fn truth(exhausted: bool) -> Truth {
        Truth {
            id: format!("x{exhausted}"),
            kind: "fd".to_owned(),
            time_scale: 20.0,
            start_ts: 0.0,
            end_ts: 100.0,
            exhausted,
            exhaustion_ts: exhausted.then_some(100.0),
            onset_ts: None,
            driver_stop_ts: None,
            rows: 500,
        }
    }

    fn alarms(exhausted: bool, p30: &[f64]) -> Alarms {
        let exam = Exam::new(vec![truth(exhausted)]);
        assert_eq!(exam.questions().len(), p30.len());
        let predictions: Vec<Prediction> = p30
            .iter()
            .map(|p| Prediction::new([0.0, 0.0, *p], [1.0; 3]).unwrap())
            .collect();
        Alarms::new(&exam, &predictions)
    }

    #[test]
    fn thresholds_end_below_and_at_one() {
        let all: Vec<f64> = candidates().collect();
        assert_eq!(all.len(), 36);
        // One step below a half, as the scorer in Python has it: 0.05 + 15 · 0.03 is not 0.5 in binary.
        assert!(all[15] < 0.5 && all[15] > 0.499_999_999);
    }

    #[test]
    fn the_alarm_that_lasts_to_the_end_counts_from_its_second_question() {
        let mut p30 = [0.0; 15];
        p30[2..5].fill(0.9);
        p30[8..].fill(0.6);
        let found = alarms(true, &p30).at_half(&[1]);
        // From the ninth question, 65 s, on; so it sounds at 70 s, 30 s or 10 minutes ahead.
        assert_eq!(found.lead_median_min, Some(10.0));
        assert!((found.caught_5min - 1.0).abs() < 1e-12 && found.quiet_hours.abs() < 1e-12);
        p30[14] = 0.0;
        assert_eq!(alarms(true, &p30).at_half(&[1]).lead_median_min, Some(0.0));
        let mut late = [0.0; 15];
        late[14] = 1.0;
        assert_eq!(alarms(true, &late).at_half(&[1]).lead_median_min, Some(0.0));
    }

    #[test]
    fn false_alarms_are_runs_of_two() {
        let mut p30 = [0.0; 15];
        p30[0..4].fill(0.9);
        p30[6] = 0.9;
        p30[8..10].fill(0.7);
        let found = alarms(false, &p30);
        let hours = 70.0 * 20.0 / 3_600.0;
        assert!((found.at_half(&[1]).false_per_hour - 2.0 / hours).abs() < 1e-9);
        assert!((found.at_half(&[2]).quiet_hours - 2.0 * hours).abs() < 1e-9);
        assert_eq!(found.at_half(&[1]).lead_median_min, None);
    }

    #[test]
    fn the_threshold_within_the_budget_that_catches_most() {
        let exam = Exam::new(vec![truth(true), truth(false)]);
        let mut p30 = vec![0.8; 15];
        p30.extend([0.7; 15]);
        let predictions: Vec<Prediction> = p30
            .iter()
            .map(|p| Prediction::new([0.0, 0.0, *p], [1.0; 3]).unwrap())
            .collect();
        let found = Alarms::new(&exam, &predictions).at_budget(0.1, &[1, 1]);
        assert!((found.caught_5min - 1.0).abs() < 1e-12);
        assert!((found.threshold.unwrap() - 0.71).abs() < 1e-12);
        let silent = Alarms::new(&exam, &[Prediction::NONE; 30]).at_budget(0.1, &[1, 1]);
        assert_eq!(silent.threshold, None);
    }
}
