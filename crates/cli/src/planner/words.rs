//! What issues and plans say, in a few words.

use proto::v1::{
    Finding, Issue, IssueClass, Outlook, OutlookState, Plan, PlanState, TimeToExhaustion,
};
use series::{Clock, Timestamp, Unit};
use server::SystemClock;

use super::enums;
use crate::dates::TimeForm;
use crate::numbers::human;
use crate::outlook::words::{length, percent, when};

const US_PER_S: i64 = 1_000_000;

/// The time, for ages.
pub(super) fn now() -> Timestamp {
    SystemClock.now()
}

/// `93 %`, `1.5 GiB`, `350 ms`, `12 days`: a value in the unit that came with it.
pub(super) fn quantity(value: f64, unit: &str) -> String {
    match unit {
        "ratio" => human(value, Unit::Ratio),
        "bytes" => human(value, Unit::Bytes),
        "seconds" | "s" if value.abs() >= 119.5 => length(value),
        "seconds" | "s" => human(value, Unit::Seconds),
        "" => human(value, Unit::None),
        unit => format!("{} {unit}", human(value, Unit::None)),
    }
}

/// `95 % against 90 %`, `expired 6 days ago`: what was measured, and at what it is wrong.
pub(super) fn measured(finding: &Finding) -> String {
    let (value, threshold) = (finding.value, finding.threshold);
    let fact = |name: &str| finding.facts.get(name).map(String::as_str);
    match (finding.class(), finding.unit.as_str()) {
        (IssueClass::CertificateExpiry, "days") if value < 0.0 => {
            format!("expired {} ago", days(-value))
        }
        (IssueClass::CertificateExpiry, "days") => {
            format!(
                "expires in {}, {} wanted",
                days(value),
                quantity(threshold, "days")
            )
        }
        (IssueClass::Vulnerability, "score") => {
            let severity = fact("severity").map(|text| format!(" ({text})"));
            format!(
                "CVSS {}{}",
                quantity(value, ""),
                severity.unwrap_or_default()
            )
        }
        (IssueClass::ConfigurationDrift, "files") => match fact("lines_changed") {
            _ if finding.cause == "missing" => "declared, and not there".to_owned(),
            None => "differs from what is declared".to_owned(),
            Some("1") => "1 line differs from what is declared".to_owned(),
            Some(n) => format!("{n} lines differ from what is declared"),
        },
        (_, unit) => format!(
            "{} against {}",
            quantity(value, unit),
            quantity(threshold, unit)
        ),
    }
}

/// Days without a fraction, and hours where there are less than two.
fn days(days: f64) -> String {
    match days {
        days if days >= 2.0 => format!("{} days", days.floor()),
        days => length((days * 24.0).round() * 3_600.0),
    }
}

/// `in 12 min (7–20)`; `None` when no time is foreseen.
pub(super) fn foreseen(finding: &Finding) -> Option<String> {
    let &[p05, p50, p95] = finding.time_to_failure_s.as_slice() else {
        return None;
    };
    // What is so already has no time until it is.
    if p95 <= 0.0 {
        return None;
    }
    let known = |s: f64| s.is_finite().then_some(s);
    let mut outlook = Outlook {
        time_to_exhaustion: Some(TimeToExhaustion {
            p05_s: known(p05),
            p50_s: known(p50),
            p95_s: known(p95),
        }),
        ..Outlook::default()
    };
    outlook.set_state(OutlookState::Forecast);
    Some(when(&outlook))
}

/// What an issue is about in a few words: `in 12 min (7–20)`, or what was measured.
pub(super) fn what(issue: &Issue) -> String {
    let Some(finding) = issue.evidence.first() else {
        return "not seen any more".to_owned();
    };
    match (finding.source.as_str(), foreseen(finding)) {
        ("prediction", Some(when)) => when,
        _ => measured(finding),
    }
}

/// `98 % within 30 min, >99 % within a day`; `None` for what is so already, or never will be.
pub(super) fn odds(finding: &Finding) -> Option<String> {
    let (soon, day) = (
        finding.probability,
        finding.day_probability.max(finding.probability),
    );
    // That of a vulnerability is of an attack, and rests on its severity alone.
    let is_attack = finding.class() == IssueClass::Vulnerability;
    let is_open = soon < 1.0 && day > 0.0 && !is_attack;
    is_open.then(|| {
        format!(
            "{} within 30 min, {} within a day",
            percent(soon),
            percent(day)
        )
    })
}

/// `12 min`: how long ago something was.
pub(super) fn ago(now: Timestamp, us: i64) -> String {
    let s = now.micros().saturating_sub(us) as f64 / US_PER_S as f64;
    length(s.max(0.0))
}

/// `2026-11-26 12:00:00`, in UTC; `-` for never.
pub(super) fn date(us: i64) -> String {
    match us {
        0 => "-".to_owned(),
        us => TimeForm::Date.write(Timestamp::from_micros(us.div_euclid(US_PER_S) * US_PER_S)),
    }
}

/// `12:00:00`, where the day is told elsewhere.
pub(super) fn time(us: i64) -> String {
    let date = date(us);
    date.split_once(' ')
        .map_or(date.clone(), |(_, time)| time.to_owned())
}

/// `awaiting_approval`, with its verdict once there is one: `done, cured`.
pub(super) fn state(plan: &Plan) -> String {
    let state = enums::plan_state(plan);
    match &plan.outcome {
        Some(outcome) => format!("{state}, {}", enums::verdict(outcome.verdict())),
        None => state,
    }
}

/// Whether nothing is changed when it is carried out.
pub(super) fn is_dry(plan: &Plan) -> bool {
    plan.executor == "dry_run"
}

/// `owner, by 2026-11-26 12:04:00 (UTC, 4 min left)`: whose word a plan that waits takes.
pub(super) fn needed(plan: &Plan, now: Timestamp) -> String {
    let left_us = plan.deadline_us.saturating_sub(now.micros());
    let left = match left_us {
        us if us > 0 => format!("{} left", length(us as f64 / 1e6)),
        _ => "too late".to_owned(),
    };
    let by = date(plan.deadline_us);
    format!("{}, by {by} (UTC, {left})", plan.authority)
}

/// What keeps a plan from being carried out once it is approved, each in a few words; none when nothing does.
pub(super) fn holds(plan: &Plan, now: Timestamp) -> Vec<String> {
    let waits = matches!(
        plan.state(),
        PlanState::AwaitingApproval | PlanState::Scheduled
    );
    let mut holds = Vec::new();
    if waits && !plan.held.is_empty() {
        holds.push(format!("held by {}", plan.held));
    }
    if waits && plan.not_before_us > now.micros() {
        let begins = date(plan.not_before_us);
        holds.push(format!("not before {begins} (UTC), when its window opens"));
    }
    holds
}

/// `memory_used_ratio: 93 % to 56 % within 5 min; less than 10 % is no effect`.
pub(super) fn effect(plan: &Plan) -> String {
    let Some(effect) = &plan.effect else {
        return String::new();
    };
    let value = |value| quantity(value, &effect.unit);
    format!(
        "{}: {} to {} within {} of the last step; a move of less than {} is no effect",
        effect.signal,
        value(effect.from_value),
        value(effect.to_value),
        length(effect.within_s),
        value(effect.least_change)
    )
}

/// What came of a plan: `cured: 55 % where 56 % was foretold: …`.
pub(super) fn outcome(plan: &Plan) -> String {
    let Some(outcome) = &plan.outcome else {
        return String::new();
    };
    let verdict = enums::verdict(outcome.verdict());
    let moved = match (outcome.value, &plan.effect) {
        (Some(value), Some(effect)) => format!(
            "{} where {} was foretold",
            quantity(value, &effect.unit),
            quantity(effect.to_value, &effect.unit)
        ),
        _ => String::new(),
    };
    let parts = [verdict, moved, outcome.reason.clone()];
    let told: Vec<&str> = parts
        .iter()
        .map(String::as_str)
        .filter(|part| !part.is_empty())
        .collect();
    told.join(": ")
}

/// `plan`, `plans`: a number with its noun.
pub(super) fn count(n: u64, one: &str, many: &str) -> String {
    format!(
        "{} {}",
        crate::numbers::grouped(n),
        if n == 1 { one } else { many }
    )
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn values_read_with_their_units() {
        let shown = [
            (0.93, "ratio"),
            (1.5 * 1_073_741_824.0, "bytes"),
            (0.35, "seconds"),
            (7_200.0, "seconds"),
            (12.0, "days"),
            (9.8, "score"),
            (3.0, ""),
        ]
        .map(|(value, unit)| quantity(value, unit));
        assert_eq!(
            shown,
            [
                "93 %",
                "1.5 GiB",
                "350 ms",
                "2 h",
                "12 days",
                "9.8 score",
                "3"
            ]
        );
    }

    #[test]
    fn an_issue_is_told_by_its_first_finding() {
        let mut issue = samples::leak();
        assert_eq!(what(&issue), "in 12 min (7–20)");
        issue.evidence[0].time_to_failure_s.clear();
        assert_eq!(what(&issue), "75 % against 90 %");
        issue.evidence[0].source = "rule".to_owned();
        issue.evidence[0].value = 0.95;
        assert_eq!(what(&issue), "95 % against 90 %");
        issue.evidence.clear();
        assert_eq!(what(&issue), "not seen any more");
    }

    #[test]
    fn findings_of_files_and_reports_read_like_sentences() {
        let check = |class: IssueClass, value, unit: &str, facts: &[(&str, &str)]| {
            let facts = facts.iter();
            measured(&Finding {
                class: class.into(),
                value,
                threshold: 30.0,
                unit: unit.to_owned(),
                facts: facts
                    .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                    .collect(),
                ..Finding::default()
            })
        };
        let (certificate, drift) = (
            IssueClass::CertificateExpiry,
            IssueClass::ConfigurationDrift,
        );
        assert_eq!(
            check(certificate, -6.543, "days", &[]),
            "expired 6 days ago"
        );
        assert_eq!(
            check(certificate, 1.0, "days", &[]),
            "expires in 24 h, 30 days wanted"
        );
        let severity = [("severity", "critical")];
        let scored = check(IssueClass::Vulnerability, 9.8, "score", &severity);
        assert_eq!(scored, "CVSS 9.8 (critical)");
        let lines = check(drift, 1.0, "files", &[("lines_changed", "1")]);
        assert_eq!(lines, "1 line differs from what is declared");
        assert_eq!(
            check(drift, 1.0, "files", &[]),
            "differs from what is declared"
        );
    }

    #[test]
    fn what_holds_a_plan_is_told_while_it_waits() {
        let now = Timestamp::from_micros(samples::NOW_US);
        let mut plan = samples::plan();
        assert_eq!(
            needed(&plan, now),
            "operator, by 2026-11-26 12:04:00 (UTC, 4 min left)"
        );
        assert!(holds(&plan, now).is_empty());
        plan.held = "brake: the brake is engaged".to_owned();
        plan.not_before_us = samples::NOW_US + 1_000_000;
        let expected = [
            "held by brake: the brake is engaged",
            "not before 2026-11-26 12:00:01 (UTC), when its window opens",
        ];
        assert_eq!(holds(&plan, now), expected);
        plan.set_state(PlanState::Running);
        assert!(holds(&plan, now).is_empty());
    }

    #[test]
    fn times_read_at_a_glance() {
        let now = Timestamp::from_micros(samples::NOW_US);
        assert_eq!(ago(now, samples::NOW_US - 720_000_000), "12 min");
        assert_eq!(ago(now, samples::NOW_US + 5), "0 s");
        assert_eq!(date(samples::NOW_US + 5), "2026-11-26 12:00:00");
        assert_eq!(
            (date(0).as_str(), time(samples::NOW_US).as_str()),
            ("-", "12:00:00")
        );
    }
}
