//! The points at which a prediction is asked for, and what would be right at each.

use std::ops::Range;

use super::Truth;

/// What is asked: does it run out within 5, 15, 30 minutes? Seconds of episode time.
pub const HORIZONS_S: [f64; 3] = [300.0, 900.0, 1_800.0];
/// Seconds of the recording between two questions.
pub const STRIDE_S: f64 = 5.0;
/// Seconds of the recording before the first question.
pub const FIRST_S: f64 = 25.0;

/// A prediction asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Question {
    /// Which episode, in the order of the exam.
    pub episode: usize,
    /// When, on the recording's clock, to the millisecond: only samples up to here may be used.
    pub ts: f64,
    /// Whether it runs out within each horizon; `None` where the recording ended before that could be seen.
    pub(super) strict: [Option<bool>; 3],
    /// The same; `None` also where nobody could know: before the fault began, or while a leak that later stops is leaking.
    pub(super) answerable: [Option<bool>; 3],
    /// Minutes of episode time until it runs out; infinite if it does not.
    pub(super) remaining_min: f64,
    /// Whether the fault had begun, so that the time to exhaustion could be told.
    pub(super) after_onset: bool,
}

/// All questions about a set of episodes.
#[derive(Debug, Clone)]
pub struct Exam {
    truths: Vec<Truth>,
    questions: Vec<Question>,
    of_episode: Vec<Range<usize>>,
}

impl Exam {
    /// The questions about `truths`, episode after episode, each in order of time.
    #[must_use]
    pub fn new(truths: Vec<Truth>) -> Self {
        let (mut questions, mut of_episode) = (Vec::new(), Vec::new());
        for (episode, truth) in truths.iter().enumerate() {
            let from = questions.len();
            questions.extend(times(truth).map(|ts| question(episode, truth, ts)));
            of_episode.push(from..questions.len());
        }
        Self {
            truths,
            questions,
            of_episode,
        }
    }

    /// What came of each episode.
    #[must_use]
    pub fn truths(&self) -> &[Truth] {
        &self.truths
    }

    /// Every question.
    #[must_use]
    pub fn questions(&self) -> &[Question] {
        &self.questions
    }

    /// Those about one episode, in order of time; empty if there is no such episode.
    #[must_use]
    pub fn about(&self, episode: usize) -> &[Question] {
        let range = self.of_episode.get(episode).cloned().unwrap_or_default();
        &self.questions[range]
    }

    /// The kinds of resource, sorted.
    #[must_use]
    pub fn kinds(&self) -> Vec<String> {
        let mut kinds: Vec<String> = self.truths.iter().map(|t| t.kind.clone()).collect();
        kinds.sort();
        kinds.dedup();
        kinds
    }

    /// The part about one kind.
    #[must_use]
    pub fn of_kind(&self, kind: &str) -> Self {
        let part = self.truths.iter().filter(|t| t.kind == kind);
        Self::new(part.cloned().collect())
    }
}

/// When questions are asked; the last one more than a second before the end.
fn times(truth: &Truth) -> impl Iterator<Item = f64> {
    let end = truth.exhaustion_ts.unwrap_or(truth.end_ts) - 1.0;
    (0_u32..)
        .map(|n| truth.start_ts + FIRST_S + f64::from(n) * STRIDE_S)
        .take_while(move |ts| *ts < end)
        .map(to_millis)
}

/// To the nearest millisecond as it is written in decimals: half a millisecond is decided by the digits of the number, as
/// Python's `round` does, and not by a product that was rounded before.
pub(super) fn to_millis(seconds: f64) -> f64 {
    format!("{seconds:.3}").parse().unwrap_or(seconds)
}

fn question(episode: usize, truth: &Truth, ts: f64) -> Question {
    let runs_out = truth.exhaustion_ts.filter(|_| truth.exhausted);
    let label = |horizon_s: f64, only_answerable: bool| {
        label(
            truth,
            runs_out,
            ts,
            horizon_s / truth.time_scale,
            only_answerable,
        )
    };
    Question {
        episode,
        ts,
        strict: HORIZONS_S.map(|horizon_s| label(horizon_s, false)),
        answerable: HORIZONS_S.map(|horizon_s| label(horizon_s, true)),
        remaining_min: runs_out.map_or(f64::INFINITY, |at| (at - ts) * truth.time_scale / 60.0),
        after_onset: runs_out.is_some() && truth.onset_ts.is_none_or(|onset| ts >= onset + 5.0),
    }
}

/// `horizon_s` is in seconds of the recording.
fn label(
    truth: &Truth,
    runs_out: Option<f64>,
    ts: f64,
    horizon_s: f64,
    only_answerable: bool,
) -> Option<bool> {
    let known = match runs_out {
        Some(at) => Some(at - ts <= horizon_s),
        None => (ts + horizon_s <= truth.end_ts).then_some(false),
    };
    let nobody_could_know = match (runs_out, truth.onset_ts, truth.driver_stop_ts) {
        // Asked before the fault began.
        (Some(_), Some(onset), _) => ts < onset + 10.0 && known == Some(true),
        // A leak that later stops is still leaking.
        (None, Some(onset), Some(stop)) => onset <= ts && ts < stop + 10.0,
        (Some(_), None, _) | (None, ..) => false,
    };
    known.filter(|_| !(only_answerable && nobody_could_know))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From 1,000 to 1,200 s at a scale of 20: 30 minutes are 90 s.
    fn truth(exhaustion_ts: Option<f64>, onset_ts: Option<f64>, stop: Option<f64>) -> Truth {
        Truth {
            id: "x".to_owned(),
            kind: "disk".to_owned(),
            time_scale: 20.0,
            start_ts: 1_000.0,
            end_ts: 1_200.0,
            exhausted: exhaustion_ts.is_some(),
            exhaustion_ts,
            onset_ts,
            driver_stop_ts: stop,
            rows: 500,
        }
    }

    /// The labels for 30 minutes as text, question after question: 1 yes, 0 no, . unknown.
    fn labels(truth: Truth) -> (String, String) {
        let exam = Exam::new(vec![truth]);
        let text = |of: fn(&Question) -> Option<bool>| {
            exam.questions()
                .iter()
                .map(|q| match of(q) {
                    Some(true) => '1',
                    Some(false) => '0',
                    None => '.',
                })
                .collect()
        };
        (text(|q| q.strict[2]), text(|q| q.answerable[2]))
    }

    #[test]
    fn labels_by_hand() {
        // Runs out after 140 s: the first question 115 s before that, the last 5 s before; yes from 90 s before on.
        let event = labels(truth(Some(1_140.0), Some(1_055.0), None));
        assert_eq!(event.0, "00000111111111111111111");
        // Until 10 s after the onset nobody could know.
        assert_eq!(event.1, "00000...111111111111111");
        // Not in 200 s; what lies beyond the end is unknown, and what a leak does that stops at 80 s is anybody's guess.
        let quiet = labels(truth(None, Some(1_040.0), Some(1_080.0)));
        assert_eq!(quiet.0, "000000000000000000.................");
        assert_eq!(quiet.1, "000..........00000.................");
    }

    #[test]
    fn questions_stop_a_second_before_the_end() {
        let times: Vec<f64> = times(&truth(Some(1_036.0), None, None)).collect();
        assert_eq!(times, [1_025.0, 1_030.0]);
        let later: Vec<f64> = times_of(1_036.001);
        assert_eq!(later, [1_025.0, 1_030.0, 1_035.0]);
    }

    fn times_of(end: f64) -> Vec<f64> {
        times(&truth(Some(end), None, None)).collect()
    }

    #[test]
    fn milliseconds_as_decimals() {
        assert!((to_millis(1_795_318_592.2800001) - 1_795_318_592.28).abs() < 1e-9);
        // Exactly half, in binary too: to the even digit.
        assert!((to_millis(0.0625) - 0.062).abs() < 1e-12);
    }

    #[test]
    fn a_part_keeps_its_questions() {
        let mut other = truth(None, None, None);
        other.kind = "fd".to_owned();
        let exam = Exam::new(vec![truth(Some(1_100.0), None, None), other]);
        assert_eq!(exam.kinds(), ["disk", "fd"]);
        let part = exam.of_kind("fd");
        assert_eq!(part.questions().len(), exam.about(1).len());
        assert!(exam.about(2).is_empty() && exam.of_kind("cpu").questions().is_empty());
    }
}
