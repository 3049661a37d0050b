//! From an issue to what shall be done about it: a pure function of what is known, which can be run again.
//!
//! For every strategy of the class: does it fit, how likely does it help here, how risky is it, what does it cost against
//! waiting, and does a layer of safety object. The cheapest that may be carried out is chosen; whether it is carried out
//! alone, after approval, or not, follows from confidence, risk and the vetoes.

mod cost;
mod odds;
mod replay;
mod risk;
mod urgency;

pub use cost::Cost;
pub use odds::{Counts, Odds, Seen, context, context_of};
pub(crate) use replay::json;
pub use replay::{ReplayError, record, replay};
pub use risk::{Criterion, Rating, Risk};
pub use urgency::severity;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use series::Timestamp;

use crate::guard::policy::Policies;
use crate::guard::{Proposal, Situation, Stop, Veto, vetoes};
use crate::issue::{IssueId, NumberError, Severity, number};
use crate::plan::Approval;
use crate::strategy::{Case, Draft, STRATEGIES, Strategy};
use crate::{Phase, Settings, Source};

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

/// Decides.
#[must_use]
pub fn decide(input: &Input, policies: &Policies) -> Decision {
    let strategies = STRATEGIES.iter().copied();
    let fitting = strategies.filter(|strategy| strategy.classes.contains(&input.case.class));
    let mut candidates: Vec<_> = fitting
        .map(|strategy| weigh(strategy, input, policies))
        .collect();
    candidates.sort_by(|a, b| {
        rank(a, input)
            .total_cmp(&rank(b, input))
            .then_with(|| a.strategy.cmp(&b.strategy))
    });
    conclude(input, candidates)
}

/// The proposal that a draft makes.
fn proposal<'a>(
    strategy: &'a Strategy,
    draft: &'a Draft,
    input: &'a Input,
    approvals: &'a [Approval],
) -> Proposal<'a> {
    Proposal {
        case: &input.case,
        severity: input.severity,
        strategy: strategy.name,
        steps: &draft.steps,
        reversibility: strategy.reversibility,
        authority: strategy.authority,
        capacity_away: draft.capacity_away.clamp(0.0, 1.0),
        confidence: 0.0,
        risk: 0.0,
        approvals,
    }
}

fn weigh(strategy: &Strategy, input: &Input, policies: &Policies) -> Candidate {
    let mut out = Candidate {
        strategy: strategy.name.to_owned(),
        unfit: None,
        draft: None,
        success: 0.0,
        confidence: 0.0,
        risk: None,
        cost: None,
        vetoes: Vec::new(),
    };
    if input.spent.contains(strategy.name) {
        out.unfit = Some("it was tried, and had no effect".to_owned());
        return out;
    }
    let draft = match (strategy.draft)(&input.case) {
        Ok(draft) => draft,
        Err(unfit) => {
            out.unfit = Some(unfit.0);
            return out;
        }
    };
    let seen = input.seen.get(strategy.name).copied().unwrap_or_default();
    let odds = Odds::of(strategy, &seen);
    out.success = (draft.fit * odds.mean).clamp(0.0, 1.0);
    out.confidence = input.diagnosis * out.success;
    let mut proposal = proposal(strategy, &draft, input, &[]);
    let risk = Risk::of(&proposal, &odds);
    (proposal.confidence, proposal.risk) = (out.confidence, risk.total);
    let cost = Cost::of(&proposal, strategy, &odds, out.success, &input.settings);
    out.vetoes = vetoes(&proposal, &input.situation, &input.settings, policies);
    (out.risk, out.cost) = (Some(risk), Some(cost));
    out.draft = Some(draft);
    out
}

/// Whether something stops it that no person can allow and that does not pass.
fn is_stopped(candidate: &Candidate) -> bool {
    candidate
        .vetoes
        .iter()
        .any(|veto| veto.stop == Stop::ForGood)
}

/// Whether it changes anything: what only tells people is the last resort, not an answer.
fn acts(candidate: &Candidate) -> bool {
    let steps = candidate.draft.iter().flat_map(|draft| &draft.steps);
    steps.into_iter().any(|step| !step.action.is_harmless())
}

/// The order of candidates: what costs less comes first, fallbacks of what was tried before anything else.
fn rank(candidate: &Candidate, input: &Input) -> f64 {
    let Some(cost) = &candidate.cost else {
        return f64::INFINITY;
    };
    if is_stopped(candidate) {
        return 1e12 + cost.acting;
    }
    if !acts(candidate) {
        return 1e9 + cost.acting;
    }
    let mut next = input.fallbacks.iter();
    let place = next.position(|name| *name == candidate.strategy);
    // Fallbacks go in their order, before all others.
    place.map_or(cost.acting, |place| place as f64 - 1e6)
}

fn conclude(input: &Input, candidates: Vec<Candidate>) -> Decision {
    let settings = &input.settings;
    let mut because = Vec::new();
    let open = |candidate: &&Candidate| candidate.cost.is_some() && !is_stopped(candidate);
    // The cheapest that is worth it; when none is, the cheapest says why not.
    let acting = || {
        candidates
            .iter()
            .filter(open)
            .filter(|candidate| acts(candidate))
    };
    let worth = acting().find(|candidate| is_worth(candidate, settings));
    let best = worth.or_else(|| acting().next());
    let (course, chosen) = match best {
        None => {
            because
                .push("no strategy that changes anything fits and may be carried out".to_owned());
            (Course::Escalate, None)
        }
        Some(best) => (course(best, input, &mut because), Some(best)),
    };
    let urgency = chosen.map_or(Urgency::Now, |best| {
        let duration_s =
            crate::strategy::strategy(&best.strategy).map_or(0.0, |known| known.duration_s);
        let needs_s = duration_s + settings.approval_deadline_s;
        urgency::when(&input.case, input.severity, needs_s)
    });
    let is_proposed = !matches!(course, Course::Escalate | Course::Wait);
    let chosen = chosen
        .filter(|_| is_proposed)
        .map(|best| best.strategy.clone());
    Decision {
        id: input.id,
        course,
        chosen,
        urgency,
        candidates,
        because,
    }
}

/// Whether a person may be asked for it, and it costs less than waiting.
fn is_worth(candidate: &Candidate, settings: &Settings) -> bool {
    let (Some(risk), Some(cost)) = (&candidate.risk, &candidate.cost) else {
        return false;
    };
    let is_sound = candidate.confidence > settings.ask.confidence && risk.total < settings.ask.risk;
    is_sound && cost.acting < cost.waiting
}

fn course(best: &Candidate, input: &Input, because: &mut Vec<String>) -> Course {
    let settings = &input.settings;
    let (Some(risk), Some(cost)) = (&best.risk, &best.cost) else {
        return Course::Escalate;
    };
    let strategy = &best.strategy;
    because.push(format!(
        "{strategy} helps with P {:.2} if the diagnosis ({:.2}) is right: confidence {:.2}; risk {:.2}",
        best.success, input.diagnosis, best.confidence, risk.total
    ));
    because.push(cost.because.clone());
    if cost.acting >= cost.waiting {
        because.push("acting is expected to cost more than waiting".to_owned());
        return Course::Wait;
    }
    if best.confidence <= settings.ask.confidence || risk.total >= settings.ask.risk {
        because.push(format!(
            "proposing takes a confidence above {} and a risk below {}",
            settings.ask.confidence, settings.ask.risk
        ));
        return Course::Escalate;
    }
    because.extend(best.vetoes.iter().map(|veto| match veto.stop {
        Stop::UntilApproved => format!("it takes a person, {veto}"),
        Stop::ForNow | Stop::ForGood => veto.to_string(),
    }));
    if settings.phase == Phase::Observe {
        return Course::Shadow;
    }
    if best
        .vetoes
        .iter()
        .any(|veto| veto.stop == Stop::UntilApproved)
    {
        return Course::Ask;
    }
    let is_control = input.draw < settings.control_share
        && input.severity < Severity::High
        && urgency::when(&input.case, input.severity, settings.approval_deadline_s) != Urgency::Now;
    if is_control {
        because.push(format!(
            "withheld as a control: {:.3} is below {}",
            input.draw, settings.control_share
        ));
        return Course::Withhold;
    }
    // What holds it for now holds the plan, not the decision.
    Course::Act
}

/// The instant a decision was made.
impl Input {
    /// When.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.situation.at
    }
}
