//! What is counted of continuous learning.

use series::Timestamp;

use super::text::{Kind, Text};
use crate::learning::{Counts, Phase};

/// The families of learning; no age before the first check.
pub(super) fn write(text: &mut Text, counts: &Counts, now: Timestamp) {
    for (name, help, count) in [
        (
            "forestall_learning_checks_total",
            "Looks at whether there is enough new to learn from.",
            counts.checks,
        ),
        (
            "forestall_learning_candidates_total",
            "Models whose training was begun.",
            counts.trainings,
        ),
        (
            "forestall_learning_promoted_total",
            "Candidates that took over.",
            counts.promotions,
        ),
        (
            "forestall_learning_refused_total",
            "Candidates that were not better than the champion.",
            counts.refusals,
        ),
        (
            "forestall_learning_failures_total",
            "Checks, trainings and comparisons that failed.",
            counts.failures,
        ),
    ] {
        text.single(name, Kind::Counter, help, count as f64);
    }
    let name = "forestall_learning_drift";
    let help =
        "How far samples are from what the champion was trained on, at the last measurement.";
    text.family(name, Kind::Gauge, help);
    for (of, drift) in [
        ("features", counts.drift_features),
        ("calibration", counts.drift_calibration),
    ] {
        text.sample(name, &[("of", of)], drift);
    }
    let name = "forestall_learning_step";
    text.family(name, Kind::Gauge, "1 at the step that learning is at.");
    for (step, phase) in [
        ("idle", Phase::Idle),
        ("checking", Phase::Checking),
        ("training", Phase::Training),
        ("judging", Phase::Judging),
    ] {
        let is_here = f64::from(u8::from(counts.phase == phase));
        text.sample(name, &[("step", step)], is_here);
    }
    for (name, help, value) in [
        (
            "forestall_learning_progress",
            "How far the training is, 0 to 1.",
            counts.progress,
        ),
        (
            "forestall_learning_new_samples",
            "New samples at the last check.",
            counts.new_rows as f64,
        ),
        (
            "forestall_learning_needed_samples",
            "New samples that a training needs.",
            counts.needed_rows as f64,
        ),
    ] {
        text.single(name, Kind::Gauge, help, value);
    }
    if let Some(last) = counts.last_check {
        text.single(
            "forestall_learning_check_age_seconds",
            Kind::Gauge,
            "Since the last check.",
            now.seconds_since(last),
        );
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn numbers(counts: &Counts) -> String {
        let mut text = Text::default();
        write(&mut text, counts, Timestamp::from_millis(90_000));
        let page = text.finish();
        let numbers: Vec<_> = page.lines().filter(|line| !line.starts_with('#')).collect();
        numbers.join("\n")
    }

    #[test]
    fn each_number_is_under_its_name() {
        let counts = Counts {
            phase: Phase::Training,
            checks: 1,
            trainings: 2,
            promotions: 3,
            refusals: 4,
            failures: 5,
            new_rows: 6,
            needed_rows: 7,
            drift_features: 0.25,
            drift_calibration: 0.5,
            progress: 0.75,
            last_check: Some(Timestamp::from_millis(60_000)),
            ..Counts::default()
        };
        expect![[r#"
            forestall_learning_checks_total 1
            forestall_learning_candidates_total 2
            forestall_learning_promoted_total 3
            forestall_learning_refused_total 4
            forestall_learning_failures_total 5
            forestall_learning_drift{of="features"} 0.25
            forestall_learning_drift{of="calibration"} 0.5
            forestall_learning_step{step="idle"} 0
            forestall_learning_step{step="checking"} 0
            forestall_learning_step{step="training"} 1
            forestall_learning_step{step="judging"} 0
            forestall_learning_progress 0.75
            forestall_learning_new_samples 6
            forestall_learning_needed_samples 7
            forestall_learning_check_age_seconds 30"#]]
        .assert_eq(&numbers(&counts));
        assert!(!numbers(&Counts::default()).contains("check_age"));
    }
}
