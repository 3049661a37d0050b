//! Candidates are weighed, put in order, and one is chosen, or none.

use std::collections::BTreeSet;

use super::{Candidate, Cost, Course, Decision, Input, Odds, Risk, Urgency, urgency};
use crate::action::Action;
use crate::guard::policy::Policies;
use crate::guard::{Proposal, Stop, vetoes};
use crate::issue::Severity;
use crate::plan::Approval;
use crate::strategy::{Draft, STRATEGIES, Strategy};
use crate::{Phase, Settings};

/// Decides.
#[must_use]
pub fn decide(input: &Input, policies: &Policies) -> Decision {
    let strategies = STRATEGIES.iter().copied();
    let fitting = strategies.filter(|strategy| strategy.classes.contains(&input.case.class));
    let mut candidates: Vec<_> = fitting
        .map(|strategy| weigh(strategy, input, policies))
        .collect();
    candidates.sort_by(|a, b| {
        let (of_a, of_b) = (rank(a, input), rank(b, input));
        let by_standing = of_a.0.cmp(&of_b.0);
        by_standing
            .then(of_a.1.total_cmp(&of_b.1))
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
        lacks: None,
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
            (out.unfit, out.lacks) = (Some(unfit.why), unfit.lacks);
            return out;
        }
    };
    let draft = match within(draft, input.actions.as_ref()) {
        Ok(draft) => draft,
        Err(action) => {
            out.unfit = Some(format!("the executor does not carry out {action}"));
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

/// A draft within what an executor carries out: without steps that change nothing and that it does not know.
///
/// # Errors
/// The name of an action that changes something, or undoes it, and is beyond the executor.
pub(crate) fn within(
    mut draft: Draft,
    actions: Option<&BTreeSet<String>>,
) -> Result<Draft, &'static str> {
    let Some(known) = actions else {
        return Ok(draft);
    };
    let is_known = |action: &Action| known.contains(action.name());
    draft
        .steps
        .retain(|step| is_known(&step.action) || !step.action.is_harmless());
    let actions = draft.steps.iter().flat_map(|step| {
        let inverse = step.inverse.as_ref();
        [Some(&step.action), inverse]
    });
    let unknown = actions.flatten().find(|action| !is_known(action));
    match unknown.map(Action::name) {
        Some(unknown) => Err(unknown),
        None => Ok(draft),
    }
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

/// Where a candidate stands, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    /// It comes after what was tried, in this place.
    Fallback(usize),
    Acts,
    Tells,
    Stopped,
    Unfit,
}

/// The order of candidates: by standing, then what costs less comes first.
fn rank(candidate: &Candidate, input: &Input) -> (Standing, f64) {
    let Some(cost) = &candidate.cost else {
        return (Standing::Unfit, 0.0);
    };
    let mut fallbacks = input.fallbacks.iter();
    let place = fallbacks.position(|name| *name == candidate.strategy);
    let standing = match place {
        _ if is_stopped(candidate) => Standing::Stopped,
        _ if !acts(candidate) => Standing::Tells,
        Some(place) => Standing::Fallback(place),
        None => Standing::Acts,
    };
    (standing, cost.acting)
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
    let urgency = best.map_or(Urgency::Now, |best| {
        let known = crate::strategy::strategy(&best.strategy);
        let duration_s = known.map_or(0.0, |known| known.duration_s);
        let needs_s = duration_s + settings.approval_deadline_s;
        urgency::when(&input.case, input.severity, needs_s)
    });
    let (course, chosen) = match best {
        None => {
            because
                .push("no strategy that changes anything fits and may be carried out".to_owned());
            (Course::Escalate, None)
        }
        Some(best) => (course(best, urgency, input, &mut because), Some(best)),
    };
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

fn course(best: &Candidate, urgency: Urgency, input: &Input, because: &mut Vec<String>) -> Course {
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
        && urgency != Urgency::Now;
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
