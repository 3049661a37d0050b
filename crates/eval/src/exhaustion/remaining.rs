//! How far the time to exhaustion is off, and whether the interval holds.

use super::figures::{Interval, TimeError};
use super::{Exam, Prediction};

/// One second of the recording at the scale of the development data, in minutes: an interval may miss by that much.
const SLACK_MIN: f64 = 1.0 / 3.0;
/// Minutes left between which the interval is judged.
const JUDGED_MIN: (f64, f64) = (1.0, 60.0);

/// A value of one episode, in an order that is kept.
#[derive(Debug, Clone, Copy)]
struct Of {
    episode: usize,
    value: f64,
}

fn sorted(mut values: Vec<Of>) -> Vec<Of> {
    values.sort_by(|a, b| a.value.total_cmp(&b.value));
    values
}

/// The value at `place` when each counts as often as its episode.
fn nth(values: &[Of], times: &[u32], place: u64) -> Option<f64> {
    let mut before = 0;
    values
        .iter()
        .find(|of| {
            before += u64::from(times[of.episode]);
            before > place
        })
        .map(|of| of.value)
}

fn count(values: &[Of], times: &[u32]) -> u64 {
    values.iter().map(|of| u64::from(times[of.episode])).sum()
}

/// Relative errors of the median among questions with so many minutes left.
#[derive(Debug, Clone)]
pub(super) struct Errors(Vec<Of>);

impl Errors {
    /// Of the questions after the onset with more than `from_min` and at most `to_min` minutes left.
    pub(super) fn new(
        exam: &Exam,
        predictions: &[Prediction],
        (from_min, to_min): (f64, f64),
    ) -> Self {
        let asked = exam.questions().iter().zip(predictions);
        let judged = asked.filter(|(question, _)| {
            let left = question.remaining_min;
            question.after_onset && from_min < left && left <= to_min
        });
        let errors = judged.map(|(question, prediction)| {
            let left = question.remaining_min;
            Of {
                episode: question.episode,
                value: (prediction.ttf_s()[1] / 60.0 - left).abs() / left,
            }
        });
        Self(sorted(errors.collect()))
    }

    /// `None` if nothing was asked there.
    pub(super) fn at(&self, times: &[u32]) -> Option<TimeError> {
        let n = count(&self.0, times);
        if n == 0 {
            return None;
        }
        // The smallest value with at least the share `q` at or below it; what is not foreseen stands at the end, infinite.
        let quantile = |q: f64| {
            #[expect(clippy::cast_sign_loss, reason = "held above 0")]
            let place = (n as f64 * q - 1.0).ceil().max(0.0) as u64;
            nth(&self.0, times, place).unwrap_or(f64::INFINITY)
        };
        let missed = self.0.iter().filter(|of| of.value.is_infinite());
        let n_missed: u64 = missed.map(|of| u64::from(times[of.episode])).sum();
        Some(TimeError {
            n,
            relative_error_median: quantile(0.5),
            relative_error_p90: quantile(0.9),
            not_foreseen: n_missed as f64 / n as f64,
        })
    }
}

/// The intervals from the 5 to the 95 % quantile.
#[derive(Debug, Clone)]
pub(super) struct Intervals {
    /// 1 where the truth lies inside, 0 where not.
    inside: Vec<Of>,
    /// Width over the time that was left, of those that end.
    widths: Vec<Of>,
}

impl Intervals {
    pub(super) fn new(exam: &Exam, predictions: &[Prediction]) -> Self {
        let (mut inside, mut widths) = (Vec::new(), Vec::new());
        for (question, prediction) in exam.questions().iter().zip(predictions) {
            let (left, episode) = (question.remaining_min, question.episode);
            if !(question.after_onset && JUDGED_MIN.0 < left && left <= JUDGED_MIN.1) {
                continue;
            }
            let [low, _, high] = prediction.ttf_s().map(|s| s / 60.0);
            let holds = low - SLACK_MIN <= left && left <= high + SLACK_MIN;
            let value = f64::from(u8::from(holds));
            inside.push(Of { episode, value });
            if high.is_finite() {
                let value = (high - low) / left;
                widths.push(Of { episode, value });
            }
        }
        let widths = sorted(widths);
        Self { inside, widths }
    }

    /// `None` if nothing was asked there.
    pub(super) fn at(&self, times: &[u32]) -> Option<Interval> {
        let n = count(&self.inside, times);
        if n == 0 {
            return None;
        }
        let holds = self
            .inside
            .iter()
            .map(|of| of.value * f64::from(times[of.episode]));
        let n_finite = count(&self.widths, times);
        let width = n_finite.checked_sub(1).and_then(|last| {
            let lower = nth(&self.widths, times, last / 2)?;
            let upper = nth(&self.widths, times, last.div_ceil(2))?;
            Some(f64::midpoint(lower, upper))
        });
        Some(Interval {
            n,
            coverage: holds.sum::<f64>() / n as f64,
            finite: n_finite as f64 / n as f64,
            width_ratio_median: width,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Truth;
    use super::*;

    /// At a scale of 60, questions at 25, 30, 35 s of 46 s: 21, 16, 11, 6 minutes left at 25, 30, 35, 40.
    fn exam() -> Exam {
        Exam::new(vec![Truth {
            id: "x".to_owned(),
            kind: "fd".to_owned(),
            time_scale: 60.0,
            start_ts: 0.0,
            end_ts: 50.0,
            exhausted: true,
            exhaustion_ts: Some(46.0),
            onset_ts: None,
            driver_stop_ts: None,
            rows: 500,
        }])
    }

    fn predictions(minutes: [[f64; 3]; 4]) -> Vec<Prediction> {
        let one = |ttf: [f64; 3]| Prediction::new([0.0; 3], ttf.map(|m| m * 60.0)).unwrap();
        minutes.map(one).to_vec()
    }

    #[test]
    fn errors_by_hand() {
        let inf = f64::INFINITY;
        let all = predictions([[inf; 3], [0.0, 8.0, inf], [0.0, 11.0, inf], [0.0, 9.0, inf]]);
        let found = Errors::new(&exam(), &all, (5.0, 30.0)).at(&[1]).unwrap();
        // 0, 0.5, 0.5, not foreseen.
        assert_eq!(found.n, 4);
        assert!((found.relative_error_median - 0.5).abs() < 1e-12);
        assert!(found.relative_error_p90.is_infinite());
        assert!((found.not_foreseen - 0.25).abs() < 1e-12);
        let near = Errors::new(&exam(), &all, (5.0, 15.0)).at(&[3]).unwrap();
        assert_eq!(near.n, 6);
        assert!(near.relative_error_median.abs() < 1e-12 && near.not_foreseen.abs() < 1e-12);
        assert_eq!(Errors::new(&exam(), &all, (30.0, 60.0)).at(&[1]), None);
    }

    #[test]
    fn intervals_by_hand() {
        let inf = f64::INFINITY;
        let all = predictions([
            [20.0, 21.0, inf],
            [16.2, 17.0, 17.8],
            [1.0, 2.0, 10.5],
            [0.0, 3.0, 12.0],
        ]);
        let found = Intervals::new(&exam(), &all).at(&[1]).unwrap();
        assert!((found.coverage - 0.75).abs() < 1e-12, "{found:?}");
        assert!((found.finite - 0.75).abs() < 1e-12);
        // 0.1, 9.5 / 11, 2.
        assert!((found.width_ratio_median.unwrap() - 9.5 / 11.0).abs() < 1e-12);
        let none = predictions([[inf; 3]; 4]);
        let found = Intervals::new(&exam(), &none).at(&[1]).unwrap();
        assert_eq!((found.width_ratio_median, found.n), (None, 4));
    }
}
