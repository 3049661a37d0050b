//! The table on two made-up episodes.

use super::*;
use crate::exhaustion::{Prediction, Truth};

fn truth(id: &str, kind: &str, exhausted: bool) -> Truth {
    Truth {
        id: id.to_owned(),
        kind: kind.to_owned(),
        time_scale: 20.0,
        start_ts: 0.0,
        end_ts: 200.0,
        exhausted,
        exhaustion_ts: exhausted.then_some(200.0),
        onset_ts: exhausted.then_some(5.0),
        driver_stop_ts: None,
        rows: 500,
    }
}

fn exam() -> Exam {
    Exam::new(vec![
        truth("a", "disk", true),
        truth("b", "disk", false),
        truth("c", "fd", true),
        truth("d", "fd", false),
    ])
}

/// One that knows, within a tenth.
fn oracle(exam: &Exam) -> Predictions {
    let mut all = Predictions::default();
    for question in exam.questions() {
        let truth = &exam.truths()[question.episode];
        let prediction = match truth.exhaustion_ts {
            Some(at) => {
                let left = (at - question.ts) * truth.time_scale;
                let p = [300.0, 900.0, 1_800.0].map(|h| if left <= h { 1.0 } else { 0.0 });
                Prediction::new(p, [0.9, 1.0, 1.1].map(|by| by * left)).unwrap()
            }
            None => Prediction::NONE,
        };
        all.insert(&truth.id, question.ts, prediction);
    }
    all
}

#[test]
fn who_knows_meets_every_target_but_that_of_coverage() {
    let exam = exam();
    let predictors = [
        ("oracle".to_owned(), oracle(&exam)),
        ("silent".to_owned(), Predictions::default()),
    ];
    let table = exhaustion(&exam, &predictors, &|| ());
    let text = table.to_string();
    // Its interval always holds, which is more than 90 %.
    assert!(
        text.ends_with(
            "\noracle meets 11 of 12 targets; it misses\n  interval coverage: 1.000 (0.87–0.93)\n"
        ),
        "{text}"
    );
    let silent = &table.predictors[1];
    assert_eq!(silent.figures.unanswered, silent.figures.queries);
    assert!(silent.intervals.f1[2].value.abs() < 1e-12);
    assert!(
        silent.figures.time_errors[4]
            .unwrap()
            .relative_error_median
            .is_infinite()
    );
    assert!(text.contains("silent: "), "{text}");
    let kinds: Vec<&str> = silent.by_kind.iter().map(|k| k.kind.as_str()).collect();
    assert_eq!(kinds, ["disk", "fd"]);
}

#[test]
fn blocks_are_aligned_and_serialise() {
    let exam = exam();
    let table = exhaustion(&exam, &[("oracle".to_owned(), oracle(&exam))], &|| ());
    let text = table.to_string();
    let blocks: Vec<&str> = text.split("\n\n").collect();
    assert_eq!(blocks.len(), 8, "{text}");
    for block in &blocks[1..7] {
        let widths: Vec<usize> = block.lines().skip(1).map(|l| l.chars().count()).collect();
        assert!(
            widths.len() > 1 && widths.iter().all(|w| *w == widths[0]),
            "{block}"
        );
    }
    let json = serde_json::to_value(&table).unwrap();
    let row = &json["predictors"][0];
    assert_eq!(row["figures"]["answerable.h30"]["f1"], 1.0);
    assert_eq!(
        row["figures"]["alarm.caught_5min_at_0.1_false_per_hour"]["caught_5min"],
        1.0
    );
    assert_eq!(row["by_kind"][1]["kind"], "fd");
    assert_eq!(json["targets"][11]["at_least"], 0.95);
}
