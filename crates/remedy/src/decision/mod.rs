//! From an issue to what shall be done about it: a pure function of what is known, which can be run again.
//!
//! For every strategy of the class: does it fit, how likely does it help here, how risky is it, what does it cost against
//! waiting, and does a layer of safety object. The cheapest that may be carried out is chosen; whether it is carried out
//! alone, after approval, or not, follows from confidence, risk and the vetoes.

mod cost;
mod decide;
mod odds;
mod replay;
mod risk;
mod tier;
mod urgency;

pub use cost::Cost;
pub use decide::decide;
pub(crate) use decide::within;
pub use odds::{Counts, Odds, Seen, context, context_of};
pub(crate) use replay::json;
pub use replay::{ReplayError, record, replay};
pub use risk::{Criterion, Rating, Risk};
pub use urgency::severity;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::guard::{Situation, Veto};
use crate::issue::{IssueId, NumberError, Severity, number};
use crate::strategy::{Case, Draft, Lack};
use crate::{Settings, Source};

/// A decision's number, unique and rising within one ledger; written `d17`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct DecisionId(pub u64);

impl fmt::Display for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "d{}", self.0)
    }
}

impl FromStr for DecisionId {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, NumberError> {
        number(text, 'd', "a decision", "d17").map(Self)
    }
}

/// When a plan is to be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    /// At once.
    Now,
    /// In the next maintenance window, if one comes before it is too late; else at once.
    NextWindow,
    /// In a maintenance window, whenever that is.
    PlannedWindow,
}

impl Urgency {
    /// The name on the wire and for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Now => "now",
            Self::NextWindow => "next_window",
            Self::PlannedWindow => "planned_window",
        }
    }
}

/// What follows from a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Course {
    /// The chosen plan is carried out without a person.
    Act,
    /// The chosen plan waits for approval.
    Ask,
    /// Nothing that may be done is worth proposing: it is for people.
    Escalate,
    /// Acting would cost more than waiting, or what speaks against it will pass: it is thought over again later.
    Wait,
    /// The chosen plan is written down, and not carried out: as a shadow.
    Shadow,
    /// The chosen plan is withheld on purpose, as a control.
    Withhold,
}

impl Course {
    /// The name on the wire and for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Act => "act",
            Self::Ask => "ask",
            Self::Escalate => "escalate",
            Self::Wait => "wait",
            Self::Shadow => "shadow",
            Self::Withhold => "withhold",
        }
    }
}

/// All that is known when a decision is made. The same input gives the same decision, bit for bit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The number of the decision.
    pub id: DecisionId,
    /// About which issue.
    pub issue: IssueId,
    /// What is known of it.
    pub case: Case,
    /// How bad it is.
    pub severity: Severity,
    /// Confidence in what was found, 0 to 1; see [`diagnosis`].
    pub diagnosis: f64,
    /// What was seen of the strategies; those without an entry were never tried.
    pub seen: BTreeMap<String, Seen>,
    /// Strategies that were carried out for this target and cause, and had no effect.
    pub spent: BTreeSet<String>,
    /// What is tried next, from the fallbacks of the last that had no effect; empty for a first plan.
    pub fallbacks: Vec<String>,
    /// What is going on.
    pub situation: Situation,
    /// How bold the planner is.
    pub settings: Settings,
    /// Names of the actions that the executor carries out; `None` for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actions: Option<BTreeSet<String>>,
    /// A number from 0 to 1 that picks the control arm: made of the issue and a seed, so that it is the same again.
    pub draw: f64,
}

/// A strategy, weighed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// Which.
    pub strategy: String,
    /// Why it does not fit; then nothing of the following was worked out.
    pub unfit: Option<String>,
    /// The attribute for want of which it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lacks: Option<Lack>,
    /// What it would do.
    pub draft: Option<Draft>,
    /// P(it helps here), 0 to 1.
    pub success: f64,
    /// Diagnosis times success, 0 to 1.
    pub confidence: f64,
    /// How risky it is.
    pub risk: Option<Risk>,
    /// What it costs.
    pub cost: Option<Cost>,
    /// What speaks against it.
    pub vetoes: Vec<Veto>,
}

/// What was decided, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// Its number.
    pub id: DecisionId,
    /// What follows.
    pub course: Course,
    /// By which strategy; `None` when none is proposed.
    pub chosen: Option<String>,
    /// When it is to be done.
    pub urgency: Urgency,
    /// All strategies of the class: best first, then those that may not be carried out, then those that do not fit.
    pub candidates: Vec<Candidate>,
    /// Why, one sentence each, for people.
    pub because: Vec<String>,
}

impl Decision {
    /// The candidate that was chosen.
    #[must_use]
    pub fn chosen(&self) -> Option<&Candidate> {
        let name = self.chosen.as_deref()?;
        self.candidates.iter().find(|known| known.strategy == name)
    }
}

/// A prediction with this confidence has seen enough.
const ENOUGH: f64 = 0.6;

/// Confidence in what was found, 0 to 1: independent sources that agree make it surer.
///
/// A rule that a threshold is crossed counts 0.9, a probe or a report 0.99, a prediction its calibrated probability, or less
/// when its confidence is below 0.6; the whole is 1 − Π(1 − c).
#[must_use]
pub fn diagnosis<'a>(evidence: impl Iterator<Item = &'a crate::Finding>) -> f64 {
    // The best of each source: two rules about the same thing are not independent.
    let mut best = BTreeMap::<Source, f64>::new();
    for finding in evidence {
        let certainty = match finding.source {
            Source::Rule => 0.9 * finding.confidence,
            Source::Probe | Source::Report => 0.99 * finding.confidence,
            // Its probability is calibrated as it is; only one that rests on very little is worth less.
            Source::Prediction => {
                let foreseen = finding.probability.max(0.9 * finding.probability_day);
                foreseen * (finding.confidence / ENOUGH).min(1.0)
            }
        };
        let best = best.entry(finding.source).or_default();
        *best = best.max(certainty.clamp(0.0, 0.99));
    }
    1.0 - best
        .values()
        .map(|certainty| 1.0 - certainty)
        .product::<f64>()
}
