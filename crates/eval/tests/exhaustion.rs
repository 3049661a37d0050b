//! Figures must be those of the scorer in Python that comes with the development data.
//!
//! `exhaustion/expected.json` is what it gave on the made-up episodes and predictions beside it (infinite figures as null).
//! Where the development data is, the scorer itself is run on its episodes: in the folder that `FORESTALL_DATA` names, else in
//! `../shared/data` beside the repository. Without it that test says so and passes.

use std::path::{Path, PathBuf};
use std::process::Command;

use eval::exhaustion::{Card, Exam, Prediction, Predictions, Truth, episodes};
use eval::rng::SplitMix;
use serde_json::Value;

/// The scorer's figures and ours agree to this.
const TOLERANCE: f64 = 1e-6;

fn exam(dir: &Path) -> Exam {
    let episodes = episodes(dir).expect("episodes");
    let truths: Vec<Truth> = episodes.into_iter().map(|e| e.truth).collect();
    Exam::new(truths)
}

/// All figures, as the scorer nests them.
fn figures(exam: &Exam, predictions: &Predictions) -> Value {
    let of = |exam: &Exam| serde_json::to_value(Card::new(exam, predictions).figures());
    let mut all = of(exam).expect("plain data");
    let kinds = exam.kinds();
    let by_kind = kinds
        .iter()
        .map(|kind| (kind.clone(), of(&exam.of_kind(kind)).expect("plain data")));
    all["by_kind"] = by_kind.collect::<serde_json::Map<_, _>>().into();
    all
}

/// Every difference between two trees of numbers.
fn differences(at: &str, ours: &Value, theirs: &Value, found: &mut Vec<String>) {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            for key in ours.keys().chain(theirs.keys()) {
                let (a, b) = (ours.get(key), theirs.get(key));
                match (a, b) {
                    (Some(a), Some(b)) => differences(&format!("{at}/{key}"), a, b, found),
                    (None, _) | (_, None) => found.push(format!("{at}/{key}: {a:?} {b:?}")),
                }
            }
        }
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap_or(f64::NAN), b.as_f64().unwrap_or(0.0));
            if (a - b).abs() > TOLERANCE || a.is_nan() {
                found.push(format!("{at}: {a} {b}"));
            }
        }
        _ if ours == theirs => {}
        _ => found.push(format!("{at}: {ours} {theirs}")),
    }
}

fn assert_same(ours: &Value, theirs: &Value) {
    let mut found = Vec::new();
    differences("", ours, theirs, &mut found);
    assert!(
        found.is_empty(),
        "ours and theirs differ:\n{}",
        found.join("\n")
    );
}

#[test]
fn made_up_predictions_get_the_figures_of_the_scorer() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/exhaustion");
    let exam = exam(&dir);
    let predictions = Predictions::read(&dir.join("predictions.csv")).expect("well-formed");
    let text = std::fs::read(dir.join("expected.json")).expect("it is there");
    let expected: Value = serde_json::from_slice(&text).expect("JSON");
    assert_same(&figures(&exam, &predictions), &expected);
    // The comparison itself can fail.
    let silent = figures(&exam, &Predictions::default());
    let mut found = Vec::new();
    differences("", &silent, &expected, &mut found);
    assert!(found.len() > 50, "{found:?}");
}

/// The development data, or `None` after telling the reader what was not checked.
fn data() -> Option<PathBuf> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test that needs outside data is told where it is"
    )]
    let named = std::env::var("FORESTALL_DATA").ok().map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let dir = named.unwrap_or(beside);
    if dir.is_dir() {
        return Some(dir);
    }
    eprintln!(
        "skipped, nothing was checked: no data at {}; set FORESTALL_DATA to a folder that holds exhaustion/",
        dir.display()
    );
    None
}

/// Predictions between knowing and guessing, for all but a few of the questions.
fn made_up(exam: &Exam) -> Predictions {
    let mut random = SplitMix::new(83);
    let mut unit = || f64::from(random.unit());
    let mut all = Predictions::default();
    for question in exam.questions() {
        let truth = &exam.truths()[question.episode];
        let left_s = truth
            .exhaustion_ts
            .map_or(9_000.0, |at| (at - question.ts) * truth.time_scale);
        let guess_s = left_s * (unit() + 0.4);
        let mut p = [300.0, 900.0, 1_800.0].map(|h| {
            let sure: f64 = 1.0 / (1.0 + (guess_s / h).powi(2));
            // Two decimals, so that many are alike.
            ((sure + 0.2 * (unit() - 0.5)).clamp(0.0, 1.0) * 100.0).round() / 100.0
        });
        p.sort_by(f64::total_cmp);
        let high = if unit() < 0.1 {
            f64::INFINITY
        } else {
            1.7 * guess_s
        };
        let prediction = if unit() < 0.05 {
            Prediction::new(p, [guess_s, f64::INFINITY, f64::INFINITY])
        } else {
            Prediction::new(p, [0.6 * guess_s, guess_s, high])
        };
        if unit() < 0.97 {
            all.insert(&truth.id, question.ts, prediction.expect("in range"));
        }
    }
    all
}

#[test]
fn development_episodes_get_the_figures_of_the_scorer() {
    let Some(data) = data() else { return };
    let scorer = data.join("../tools/exhaustion_score.py");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let python = root.join("target/python/bin/python3");
    assert!(scorer.is_file(), "{} is missing", scorer.display());
    assert!(
        python.exists(),
        "run `cargo xtask test` (or `cargo xtask python`) first"
    );
    let episodes = data.join("exhaustion");
    let exam = exam(&episodes);
    let predictions = made_up(&exam);
    let dir = tempfile::tempdir().expect("a scratch folder");
    let (csv, json) = (dir.path().join("p.csv"), dir.path().join("out.json"));
    std::fs::write(&csv, predictions.to_csv()).expect("written");
    let run = Command::new(python)
        .arg(scorer)
        .arg("score")
        .args([&episodes, &csv])
        .args(["--by-kind", "--json"])
        .arg(&json)
        .output()
        .expect("it starts");
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
    let text = std::fs::read_to_string(&json).expect("written by the scorer");
    let theirs = serde_json::from_str(&text.replace("Infinity", "null")).expect("JSON");
    // Both through the file, so that reading it is checked too.
    let predictions = Predictions::read(&csv).expect("our own file");
    assert_same(&figures(&exam, &predictions), &theirs);
}
