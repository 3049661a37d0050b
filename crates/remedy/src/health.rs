//! How everything is: a score from 0 to 100, overall and by area, with what lowered it.
//!
//! *One area.* Each issue would take `points` of 100 if it were alone: the weight of its severity, times the probability
//! that it is or becomes real within a day, half of it while something is being done. Several issues multiply what is left:
//! `score = 100 · Π(1 − points/100)`. So a score never falls below 0, every issue counts, and no issue ever raises it;
//! a plain sum, cut off at 0, would not tell three critical issues from ten.
//!
//! *Overall* is half the worst area and half the mean of all: a plain mean hides one broken area behind four good ones
//! (40 among four times 100 is 88), and the minimum alone does not tell one broken area from five. Half and half gives 64.

use serde::{Deserialize, Serialize};
use series::Timestamp;

use crate::class::Area;
use crate::issue::{Issue, IssueId, IssueState, Severity};
use crate::{EntityId, Source};

/// What lowered a score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// Which issue.
    pub issue: IssueId,
    /// About what.
    pub entity: EntityId,
    /// By how many points, above 0: its share of all that the area lacks, in proportion to what each issue takes alone.
    pub points: f64,
    /// For people.
    pub because: String,
}

/// The score of one area.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AreaHealth {
    /// Which.
    pub area: Area,
    /// 0 to 100.
    pub score: f64,
    /// What lowered it, most first, ties by issue; at most [`MAX_REASONS`].
    pub reasons: Vec<Reason>,
    /// How many issues lowered it.
    pub n_reasons: u64,
}

/// Most reasons told of an area.
pub const MAX_REASONS: usize = 5;

/// How everything is, at one instant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Health {
    /// When.
    pub at: Timestamp,
    /// 0 to 100.
    pub overall: f64,
    /// All areas, in the order of [`Area::ALL`].
    pub areas: Vec<AreaHealth>,
}

impl Health {
    /// Of these issues, in any order: the same issues give the same bits. O(n log n).
    ///
    /// An issue that is resolved, or suppressed beyond `at`, takes nothing.
    #[must_use]
    pub fn of<'a>(issues: impl Iterator<Item = &'a Issue>, at: Timestamp) -> Self {
        let mut taken = Area::ALL.map(|_| Vec::new());
        for issue in issues {
            let points = points(issue, at);
            let place = Area::ALL
                .iter()
                .position(|area| *area == issue.class.area());
            if let Some(list) = place.filter(|_| points > 0.0).map(|i| &mut taken[i]) {
                list.push((points, issue));
            }
        }
        let areas: Vec<_> = Area::ALL
            .into_iter()
            .zip(taken)
            .map(|(area, taken)| of_area(area, taken))
            .collect();
        let worst = areas.iter().map(|area| area.score).fold(100.0, f64::min);
        let mean = areas.iter().map(|area| area.score).sum::<f64>() / Area::ALL.len() as f64;
        Self {
            at,
            overall: 0.5 * worst + 0.5 * mean,
            areas,
        }
    }
}

/// What an issue of this severity takes when it is certain, in points of 100. Two critical ones bring an area below 40.
const fn weight(severity: Severity) -> f64 {
    match severity {
        Severity::Info => 0.0,
        Severity::Low => 2.0,
        Severity::Medium => 8.0,
        Severity::High => 20.0,
        Severity::Critical => 40.0,
    }
}

/// What an issue takes if it is alone, 0 to 40.
fn points(issue: &Issue, at: Timestamp) -> f64 {
    let share = match issue.state {
        IssueState::Resolved => 0.0,
        // Without an end it lasts until somebody ends it.
        IssueState::Suppressed if issue.suppressed_until.is_none_or(|until| until > at) => 0.0,
        // Something is being done, which may help or not.
        IssueState::Mitigating | IssueState::Verifying => 0.5,
        IssueState::Open
        | IssueState::Acknowledged
        | IssueState::Planned
        | IssueState::Escalated
        | IssueState::Suppressed => 1.0,
    };
    weight(issue.severity) * share * reality(issue)
}

/// The probability that it is so, or will be within a day, 0 to 1. A prediction is as sure as it says; what was seen is
/// there. A day, because how soon it is has its part in the severity already.
fn reality(issue: &Issue) -> f64 {
    let is_seen = issue
        .evidence
        .iter()
        .any(|finding| finding.is_present && finding.source != Source::Prediction);
    if is_seen {
        1.0
    } else {
        issue.probability_day().clamp(0.0, 1.0)
    }
}

fn of_area(area: Area, mut taken: Vec<(f64, &Issue)>) -> AreaHealth {
    taken.sort_by(|(a, one), (b, other)| b.total_cmp(a).then(one.id.cmp(&other.id)));
    // Multiplied in falling order of points: rounding is monotone, so a larger factor, or one more, never raises the
    // product by a bit, and the order in which issues come makes no difference.
    let left = |left: f64, (points, _): &(f64, &Issue)| left * (1.0 - points / 100.0);
    let score = 100.0 * taken.iter().fold(1.0, left);
    let sum: f64 = taken.iter().map(|(points, _)| points).sum();
    let reasons = taken
        .iter()
        .take(MAX_REASONS)
        .map(|(points, issue)| Reason {
            issue: issue.id,
            entity: issue.entity.clone(),
            points: (100.0 - score) * points / sum,
            because: because(issue),
        });
    AreaHealth {
        area,
        score,
        reasons: reasons.collect(),
        n_reasons: taken.len() as u64,
    }
}

/// `critical memory_exhaustion (leak), 90 % likely, mitigating`.
fn because(issue: &Issue) -> String {
    let mut text = format!("{} {}", issue.severity.name(), issue.class.name());
    if !issue.cause.is_empty() {
        text += &format!(" ({})", issue.cause);
    }
    let likely = reality(issue);
    if likely < 1.0 {
        text += &format!(", {:.0} % likely", likely * 100.0);
    }
    text + ", " + issue.state.name()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::{Class, Finding};

    const AT: Timestamp = Timestamp::from_millis(1_000);

    fn issue(id: u64, class: Class, severity: Severity, probability: f64) -> Issue {
        let entity: EntityId = "service/api".parse().unwrap();
        let finding = Finding {
            entity: entity.clone(),
            class,
            source: Source::Prediction,
            is_present: true,
            at: AT,
            signal: "level".to_owned(),
            value: 0.5,
            threshold: 0.9,
            unit: "ratio".to_owned(),
            probability: 0.0,
            probability_day: probability,
            ttf_s: None,
            confidence: 1.0,
            cause: String::new(),
            facts: BTreeMap::new(),
        };
        Issue {
            id: IssueId(id),
            entity,
            class,
            cause: String::new(),
            state: IssueState::Open,
            severity,
            opened: AT,
            updated: AT,
            seen: AT,
            resolved: None,
            suppressed_until: None,
            evidence: vec![finding],
            n_findings: 1,
            also: Vec::new(),
            n_also: 0,
            affected: Vec::new(),
            severity_because: String::new(),
            note: String::new(),
            plans: Vec::new(),
            decisions: Vec::new(),
            returned_from: None,
            storm: None,
            seen_by: None,
            part_of: None,
            facts: BTreeMap::new(),
        }
    }

    fn of(issues: &[Issue]) -> Health {
        Health::of(issues.iter(), AT)
    }

    /// The score of what this one issue is about.
    fn score(issue: &Issue) -> f64 {
        let health = of(std::slice::from_ref(issue));
        let mut areas = health.areas.iter();
        areas
            .find(|area| area.area == issue.class.area())
            .unwrap()
            .score
    }

    fn check(got: f64, expected: f64) {
        assert!((got - expected).abs() < 1e-9, "{got}, expected {expected}");
    }

    #[test]
    fn nothing_wrong_is_100() {
        let health = of(&[]);
        check(health.overall, 100.0);
        assert!(health.areas.iter().all(|area| area.reasons.is_empty()));
        let areas: Vec<_> = health.areas.iter().map(|area| area.area).collect();
        assert_eq!(areas, Area::ALL);
    }

    #[test]
    fn an_issue_takes_what_its_severity_probability_and_state_say() {
        let mut issue = issue(1, Class::MemoryExhaustion, Severity::Critical, 0.5);
        check(score(&issue), 80.0);
        issue.evidence[0].source = Source::Rule;
        check(score(&issue), 60.0);
        for (state, expected) in [
            (IssueState::Escalated, 60.0),
            (IssueState::Mitigating, 80.0),
            (IssueState::Verifying, 80.0),
            (IssueState::Suppressed, 100.0),
            (IssueState::Resolved, 100.0),
        ] {
            issue.state = state;
            check(score(&issue), expected);
        }
        issue.state = IssueState::Suppressed;
        issue.suppressed_until = Some(AT);
        check(score(&issue), 60.0);
        issue.evidence.clear();
        check(score(&issue), 100.0);
    }

    #[test]
    fn reasons_share_what_is_lacking_and_the_broken_area_shows() {
        let mut all: Vec<_> = (1..=7)
            .map(|id| issue(id, Class::DiskExhaustion, Severity::Medium, 1.0))
            .collect();
        all[6].severity = Severity::Critical;
        all[6].cause = "growth".to_owned();
        all[6].evidence[0].probability_day = 0.9;
        let health = of(&all);
        let storage = &health.areas[2];
        let ids: Vec<_> = storage.reasons.iter().map(|it| it.issue.0).collect();
        assert_eq!((ids, storage.n_reasons), (vec![7, 1, 2, 3, 4], 7));
        assert_eq!(
            storage.reasons[0].because,
            "critical disk_exhaustion (growth), 90 % likely, open"
        );
        check(storage.score, 100.0 * 0.64 * 0.92_f64.powi(6));
        check(
            storage.reasons[0].points,
            (100.0 - storage.score) * 36.0 / 84.0,
        );
        check(
            health.overall,
            0.5 * storage.score + 0.1 * (400.0 + storage.score),
        );
    }

    fn issues(n: usize) -> impl Strategy<Value = Vec<Issue>> {
        let one = (0..9_usize, 0..5_usize, 0..8_usize, 0.0..=1.0);
        prop::collection::vec(one, 0..n).prop_map(|all| {
            let made = all.into_iter().enumerate();
            let made = made.map(|(i, (class, severity, state, probability))| {
                let class = Class::ALL[class];
                let mut issue = issue(i as u64, class, Severity::ALL[severity], probability);
                issue.state = IssueState::ALL[state];
                issue
            });
            made.collect()
        })
    }

    /// Whether no score of `worse` is above that of `better`, to the bit.
    fn falls(better: &Health, worse: &Health) -> bool {
        let mut pairs = better.areas.iter().zip(&worse.areas);
        worse.overall <= better.overall && pairs.all(|(b, w)| w.score <= b.score)
    }

    proptest! {
        #[test]
        fn one_more_issue_or_a_worse_one_never_raises_a_score(mut all in issues(40), at in 0..40_usize) {
            let health = of(&all);
            for area in &health.areas {
                prop_assert!((0.0..=100.0).contains(&area.score) && area.reasons.len() <= MAX_REASONS);
            }
            prop_assert!((0.0..=100.0).contains(&health.overall));
            if let Some(last) = all.pop() {
                prop_assert!(falls(&of(&all), &health));
                all.push(last);
                let at = at % all.len();
                for severity in Severity::ALL {
                    if severity > all[at].severity {
                        let before = of(&all);
                        all[at].severity = severity;
                        prop_assert!(falls(&before, &of(&all)));
                    }
                }
            }
        }

        #[test]
        fn the_order_of_issues_changes_no_bit(
            (all, shuffled) in issues(40).prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
        ) {
            prop_assert_eq!(of(&all), of(&shuffled));
        }
    }
}
