//! An issue: what is wrong with one thing for one cause, over its whole life.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use series::Timestamp;

use crate::decision::DecisionId;
use crate::plan::PlanId;
use crate::{Class, EntityId, Finding, Source};

/// An issue's number, unique and rising within one ledger; written `i17`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct IssueId(pub u64);

impl fmt::Display for IssueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "i{}", self.0)
    }
}

/// A text that is not the number of an issue, plan or decision.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not the number of {what}, as {example} is")]
pub struct NumberError {
    /// The text.
    pub text: String,
    /// Of what.
    pub what: &'static str,
    /// One that is.
    pub example: &'static str,
}

/// Reads `i17` or `17`; shared by the kinds of numbers.
pub(crate) fn number(
    text: &str,
    prefix: char,
    what: &'static str,
    example: &'static str,
) -> Result<u64, NumberError> {
    let digits = text.strip_prefix(prefix).unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let parsed = is_number.then(|| digits.parse().ok()).flatten();
    parsed.ok_or_else(|| NumberError {
        text: text.chars().take(40).collect(),
        what,
        example,
    })
}

impl FromStr for IssueId {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, NumberError> {
        number(text, 'i', "an issue", "i17").map(Self)
    }
}

/// Where an issue is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IssueState {
    /// It is there, and nobody has looked at it.
    Open,
    /// A person has seen it.
    Acknowledged,
    /// There is a plan, which waits for approval or for its time.
    Planned,
    /// A plan is being carried out.
    Mitigating,
    /// A plan was carried out; whether it helped is not known yet.
    Verifying,
    /// Nothing is wrong any more.
    Resolved,
    /// It is for people: no plan may be carried out, or none helped.
    Escalated,
    /// A person wants to hear nothing of it for some time.
    Suppressed,
}

impl IssueState {
    /// All of them, in the order of a life.
    pub const ALL: [Self; 8] = [
        Self::Open,
        Self::Acknowledged,
        Self::Planned,
        Self::Mitigating,
        Self::Verifying,
        Self::Resolved,
        Self::Escalated,
        Self::Suppressed,
    ];

    /// The name on the wire, in storage and for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Acknowledged => "acknowledged",
            Self::Planned => "planned",
            Self::Mitigating => "mitigating",
            Self::Verifying => "verifying",
            Self::Resolved => "resolved",
            Self::Escalated => "escalated",
            Self::Suppressed => "suppressed",
        }
    }

    /// Whether the issue may go from this state to `next`.
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        use IssueState::{
            Acknowledged, Escalated, Mitigating, Open, Planned, Resolved, Suppressed, Verifying,
        };
        match (self, next) {
            // A resolved issue stays so: what comes back is a new issue that remembers the old one.
            (Resolved, _) => false,
            // A plan that is under way is seen through, or handed to people; one that changed nothing leaves it to them too.
            (Mitigating, Verifying | Escalated | Planned | Acknowledged) => true,
            (Mitigating, _) => false,
            (Verifying, Resolved | Escalated | Planned | Open | Mitigating) => true,
            (Verifying, _) => false,
            (Open | Acknowledged | Planned | Escalated | Suppressed, Verifying) => false,
            (Open | Acknowledged | Escalated | Suppressed, Mitigating) => false,
            (
                Planned,
                Open | Acknowledged | Planned | Mitigating | Resolved | Escalated | Suppressed,
            ) => true,
            (
                Open | Acknowledged | Escalated | Suppressed,
                Open | Acknowledged | Planned | Resolved | Escalated | Suppressed,
            ) => true,
        }
    }
}

/// How bad it is: from impact and urgency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// For working hours.
    Low,
    /// For today.
    Medium,
    /// For now.
    High,
    /// Somebody is to be woken.
    Critical,
}

impl Severity {
    /// All of them, least first.
    pub const ALL: [Self; 5] = [
        Self::Info,
        Self::Low,
        Self::Medium,
        Self::High,
        Self::Critical,
    ];

    /// The name on the wire, in storage and for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// Most findings kept with an issue: the newest of each source and signal.
pub const MAX_EVIDENCE: usize = 16;
/// Most decisions that an issue names.
pub const MAX_DECISIONS: usize = 32;
/// Most entities that an issue names beside its own.
pub const MAX_ALSO: usize = 32;

/// One issue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issue {
    /// Its number.
    pub id: IssueId,
    /// What it is about: the entity that the others' trouble comes from.
    pub entity: EntityId,
    /// What is wrong.
    pub class: Class,
    /// Why, as far as is known.
    pub cause: String,
    /// Where it is in its life.
    pub state: IssueState,
    /// How bad it is.
    pub severity: Severity,
    /// When the first finding was made.
    pub opened: Timestamp,
    /// When anything about it last changed.
    pub updated: Timestamp,
    /// The time of the newest finding.
    pub seen: Timestamp,
    /// When it was resolved.
    pub resolved: Option<Timestamp>,
    /// Nothing is heard of it until then.
    pub suppressed_until: Option<Timestamp>,
    /// The newest finding of each source and signal that is still there, most telling first; at most [`MAX_EVIDENCE`].
    pub evidence: Vec<Finding>,
    /// Findings of every kind that were taken in.
    pub n_findings: u64,
    /// Other entities with the same trouble that were taken to be consequences; at most [`MAX_ALSO`].
    pub also: Vec<EntityId>,
    /// How many there are, beyond the bound too.
    pub n_also: u64,
    /// Services that suffer, or will.
    pub affected: Vec<EntityId>,
    /// How the severity came about.
    pub severity_because: String,
    /// Who acknowledged, escalated or suppressed it, and why.
    pub note: String,
    /// Its plans, oldest first.
    pub plans: Vec<PlanId>,
    /// The newest decisions about it, oldest first; at most [`MAX_DECISIONS`].
    #[serde(default)]
    pub decisions: Vec<DecisionId>,
    /// The issue that it is the return of.
    pub returned_from: Option<IssueId>,
    /// Why it is taken to be of a storm, while that lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storm: Option<String>,
    /// The person who said last that they have seen it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_by: Option<String>,
    /// The issue that it was taken into, as a consequence or a part of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part_of: Option<IssueId>,
    /// Facts of the findings about it, merged.
    pub facts: BTreeMap<String, String>,
}

impl Issue {
    /// Whether it is still to be dealt with.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.state != IssueState::Resolved
    }

    /// What tells of the trouble itself, and not only of its nearness.
    fn telling(&self) -> impl Iterator<Item = &Finding> {
        self.evidence.iter().filter(|finding| finding.tells_when())
    }

    /// The largest probability of an incident within 30 minutes among its evidence, 0 to 1.
    #[must_use]
    pub fn probability(&self) -> f64 {
        let all = self.telling().map(|finding| finding.probability);
        all.fold(0.0, f64::max)
    }

    /// The same within a day.
    #[must_use]
    pub fn probability_day(&self) -> f64 {
        let all = self.telling();
        let all = all.map(|finding| finding.probability_day.max(finding.probability));
        all.fold(0.0, f64::max)
    }

    /// Whether some rule, probe or report says that a threshold is crossed already.
    #[must_use]
    pub fn is_present(&self) -> bool {
        let all = self.evidence.iter();
        all.map(|finding| finding.source)
            .any(|source| source != Source::Prediction)
    }

    /// Whether the trouble itself is there already.
    #[must_use]
    pub fn is_at_hand(&self) -> bool {
        let mut all = self.telling();
        all.any(|finding| finding.source == Source::Rule)
    }

    /// The soonest time to failure among its evidence, by its median: 5, 50 and 95 % quantiles in seconds.
    #[must_use]
    pub fn ttf_s(&self) -> Option<[f64; 3]> {
        let all = self.telling().filter_map(|finding| finding.ttf_s);
        all.min_by(|a, b| a[1].total_cmp(&b[1]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_resolved_stays_so_and_nothing_is_mitigated_without_a_plan() {
        for next in IssueState::ALL {
            assert!(!IssueState::Resolved.may_become(next));
        }
        for from in IssueState::ALL {
            let allowed = matches!(from, IssueState::Planned | IssueState::Verifying);
            assert_eq!(from.may_become(IssueState::Mitigating), allowed, "{from:?}");
        }
    }

    #[test]
    fn numbers_are_read_with_and_without_their_letter() {
        assert_eq!("i17".parse(), Ok(IssueId(17)));
        assert_eq!("17".parse(), Ok(IssueId(17)));
        let error = "p17".parse::<IssueId>().unwrap_err().to_string();
        assert_eq!(error, "\"p17\" is not the number of an issue, as i17 is");
        assert!("i-1".parse::<IssueId>().is_err());
        assert!("i99999999999999999999999".parse::<IssueId>().is_err());
    }
}
