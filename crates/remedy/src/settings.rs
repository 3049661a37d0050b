//! How bold the planner is, and within which bounds.

use serde::{Deserialize, Deserializer, Serialize};
use series::Timestamp;

use crate::Class;
use crate::guard::policy::{PolicyError, PolicySource};
use crate::guard::window::{Freeze, Window, freeze, next_window};
use crate::guard::zone::Zone;

/// How much is done without a person. Each phase does what the one before does, and more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Issues and health; what would be done is written down as a shadow, and judged.
    Observe,
    /// Plans are proposed. One that is approved is carried out by the dry run alone: nothing changes.
    Propose,
    /// Plans that are approved are carried out.
    Approve,
    /// Plans that can be undone, and touch one service at most, are carried out without approval, within half the limits.
    Constrained,
    /// Plans are carried out without approval when confidence and risk allow it.
    Autonomous,
}

impl Phase {
    /// All of them, least first.
    pub const ALL: [Self; 5] = [
        Self::Observe,
        Self::Propose,
        Self::Approve,
        Self::Constrained,
        Self::Autonomous,
    ];

    /// The name in configuration and on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Propose => "propose",
            Self::Approve => "approve",
            Self::Constrained => "constrained",
            Self::Autonomous => "autonomous",
        }
    }
}

/// Above which confidence and below which risk.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bar {
    /// Confidence must be above it, 0 to 1.
    pub confidence: f64,
    /// Risk must be below it, 0 to 1.
    pub risk: f64,
}

/// A bar of which only one side may be said.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    confidence: Option<f64>,
    risk: Option<f64>,
}

impl Said {
    fn over(self, usual: Bar) -> Bar {
        Bar {
            confidence: self.confidence.unwrap_or(usual.confidence),
            risk: self.risk.unwrap_or(usual.risk),
        }
    }
}

/// The usual bars: for acting alone, and for asking.
const ACT: Bar = Bar {
    confidence: 0.8,
    risk: 0.3,
};
const ASK: Bar = Bar {
    confidence: 0.6,
    risk: 0.5,
};

fn act<'de, D: Deserializer<'de>>(from: D) -> Result<Bar, D::Error> {
    Ok(Said::deserialize(from)?.over(ACT))
}

fn ask<'de, D: Deserializer<'de>>(from: D) -> Result<Bar, D::Error> {
    Ok(Said::deserialize(from)?.over(ASK))
}

/// All settings. What is decided depends on them, so they are recorded with each decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// How much is done without a person.
    pub phase: Phase,
    /// When a plan may be carried out without approval, as far as the phase allows it.
    #[serde(deserialize_with = "act")]
    pub act: Bar,
    /// When a plan is worth asking a person for; below it, people get the issue alone.
    #[serde(deserialize_with = "ask")]
    pub ask: Bar,
    /// Seconds until a plan that nobody approved expires.
    pub approval_deadline_s: f64,
    /// Most actions on one target within an hour.
    pub actions_per_target: u32,
    /// Most actions within an hour.
    pub actions_per_hour: u32,
    /// Most plans that are carried out at the same time.
    pub concurrent: u32,
    /// Most plans for one target and class within `attempts_window_s`, whatever the cause was taken to be.
    pub attempts: u32,
    /// Seconds after which an attempt is forgotten.
    pub attempts_window_s: f64,
    /// So many issues within `storm_window_s` are taken to have one cause, and everything is held.
    pub storm_issues: u32,
    /// Seconds.
    pub storm_window_s: f64,
    /// Seconds after which a finding is too old to act on.
    pub max_data_age_s: f64,
    /// Seconds for which a plan may act on its target without saying so again.
    pub lease_s: f64,
    /// Share of the plans that could be carried out without approval, are reversible, and are not urgent, that is withheld, so
    /// that predictions stay testable; 0 to 1.
    pub control_share: f64,
    /// Seconds within which findings of related entities are one issue.
    pub correlate_s: f64,
    /// Seconds after the opening of an issue before which nothing is done alone: its cause may yet show.
    pub settle_s: f64,
    /// Seconds without a finding after which an issue is resolved.
    pub resolve_after_s: f64,
    /// Seconds after which a finding that nobody repeats is taken to be gone.
    pub silent_after_s: f64,
    /// Seconds after its resolution within which an issue is taken to return.
    pub return_within_s: f64,
    /// Seconds after which an issue without a plan is thought over again.
    pub reconsider_s: f64,
    /// Seconds between two scores of health that are remembered.
    pub health_every_s: f64,
    /// Minutes of outage until people have mended what nobody foresaw.
    pub people_min: f64,
    /// Least share of a service's instances that must stay at work, 0 to 1.
    pub availability_floor: f64,
    /// Most that a limit, a size or a number of replicas may become, as a multiple of what it was.
    pub ceiling_factor: f64,
    /// Days in which what was learned of a strategy counts half.
    pub half_life_days: f64,
    /// Most live issues.
    pub max_issues: usize,
    /// Most findings that are kept apart.
    pub max_findings: usize,
    /// Classes that are left to people: their issues are opened, and never planned for.
    pub hands_off: Vec<Class>,
    /// By whose clock windows and policies go.
    pub time_zone: Zone,
    /// When plans that can wait are carried out; at any time when there are none.
    pub windows: Vec<Window>,
    /// When nothing is carried out.
    pub freezes: Vec<Freeze>,
    /// Rules of the business.
    pub policies: Vec<PolicySource>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            phase: Phase::Propose,
            act: ACT,
            ask: ASK,
            approval_deadline_s: 300.0,
            actions_per_target: 10,
            actions_per_hour: 100,
            concurrent: 4,
            attempts: 3,
            attempts_window_s: 4.0 * 3600.0,
            storm_issues: 10,
            storm_window_s: 60.0,
            max_data_age_s: 120.0,
            lease_s: 60.0,
            control_share: 0.0,
            correlate_s: 300.0,
            settle_s: 10.0,
            resolve_after_s: 120.0,
            silent_after_s: 900.0,
            return_within_s: 4.0 * 3600.0,
            reconsider_s: 300.0,
            health_every_s: 60.0,
            people_min: 30.0,
            availability_floor: 0.5,
            ceiling_factor: 2.0,
            half_life_days: 30.0,
            max_issues: 20_000,
            max_findings: 200_000,
            hands_off: Vec::new(),
            time_zone: Zone::default(),
            windows: Vec::new(),
            freezes: Vec::new(),
            policies: Vec::new(),
        }
    }
}

/// A setting that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Which, as `policies[0].expression`.
    pub key: String,
    /// What is wrong with it.
    pub message: String,
}

impl Settings {
    /// The next instant from `at` on at which what can wait may be carried out: in a window, and in no freeze.
    pub(crate) fn next_opening(&self, at: Timestamp) -> Timestamp {
        let mut at = next_window(&self.windows, at, &self.time_zone);
        // Each freeze is left behind once.
        for _ in &self.freezes {
            let Some(freeze) = freeze(&self.freezes, at) else {
                break;
            };
            let end = Timestamp::from_micros(freeze.to.as_microsecond());
            at = next_window(&self.windows, end, &self.time_zone);
        }
        at
    }

    /// All that makes no sense; empty when all does.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let day = 86_400.0;
        let ranges = [
            ("act.confidence", self.act.confidence, 0.0, 1.0),
            ("act.risk", self.act.risk, 0.0, 1.0),
            ("ask.confidence", self.ask.confidence, 0.0, 1.0),
            ("ask.risk", self.ask.risk, 0.0, 1.0),
            (
                "approval_deadline_s",
                self.approval_deadline_s,
                1.0,
                7.0 * day,
            ),
            (
                "actions_per_target",
                f64::from(self.actions_per_target),
                0.0,
                10.0,
            ),
            (
                "actions_per_hour",
                f64::from(self.actions_per_hour),
                0.0,
                100.0,
            ),
            ("concurrent", f64::from(self.concurrent), 0.0, 100.0),
            ("attempts", f64::from(self.attempts), 1.0, 100.0),
            (
                "attempts_window_s",
                self.attempts_window_s,
                60.0,
                30.0 * day,
            ),
            ("storm_issues", f64::from(self.storm_issues), 2.0, 1e6),
            ("storm_window_s", self.storm_window_s, 1.0, 3600.0),
            ("max_data_age_s", self.max_data_age_s, 1.0, day),
            ("lease_s", self.lease_s, 1.0, 3600.0),
            ("control_share", self.control_share, 0.0, 0.5),
            ("correlate_s", self.correlate_s, 0.0, day),
            ("settle_s", self.settle_s, 0.0, 3600.0),
            ("resolve_after_s", self.resolve_after_s, 0.0, day),
            ("silent_after_s", self.silent_after_s, 1.0, 30.0 * day),
            ("return_within_s", self.return_within_s, 0.0, 30.0 * day),
            ("reconsider_s", self.reconsider_s, 1.0, day),
            ("health_every_s", self.health_every_s, 1.0, day),
            ("people_min", self.people_min, 1.0, 1440.0),
            ("availability_floor", self.availability_floor, 0.0, 1.0),
            ("ceiling_factor", self.ceiling_factor, 1.0, 10.0),
            ("half_life_days", self.half_life_days, 0.1, 3650.0),
            ("max_issues", self.max_issues as f64, 10.0, 1e6),
            ("max_findings", self.max_findings as f64, 10.0, 1e7),
        ];
        let out = ranges.into_iter().filter_map(|(key, value, low, high)| {
            let is_fine = (low..=high).contains(&value);
            (!is_fine).then(|| Problem {
                key: key.to_owned(),
                message: format!("{value} is not between {low} and {high}"),
            })
        });
        let mut out: Vec<_> = out.collect();
        if self.act.confidence < self.ask.confidence || self.act.risk > self.ask.risk {
            out.push(Problem {
                key: "act".to_owned(),
                message: "acting alone would be easier than asking: `act` needs at least the confidence of `ask`, and at \
                          most its risk"
                    .to_owned(),
            });
        }
        let windows = self.windows.iter().enumerate();
        out.extend(windows.filter_map(|(i, window)| {
            Some(Problem {
                key: format!("windows[{i}]"),
                message: window.problem()?,
            })
        }));
        let freezes = self.freezes.iter().enumerate();
        out.extend(freezes.filter_map(|(i, freeze)| {
            Some(Problem {
                key: format!("freezes[{i}]"),
                message: freeze.problem()?,
            })
        }));
        let policies = self.policies.iter().enumerate();
        out.extend(policies.filter_map(|(i, policy)| {
            let error = policy.compile().err()?;
            let is_name = matches!(error, PolicyError::Nameless);
            let field = if is_name { "name" } else { "expression" };
            Some(Problem {
                key: format!("policies[{i}].{field}"),
                message: error.to_string(),
            })
        }));
        out
    }
}
