//! The planner's words as messages.

use proto::v1;
use remedy::audit::Entry;
use remedy::decision::{Candidate, Decision};
use remedy::health::{AreaHealth, Health};
use remedy::issue::{Issue, IssueId, IssueState, Severity};
use remedy::plan::{Approval, Outcome, Plan, PlanState, PlannedStep, StepState, Verdict};
use remedy::record::{Brake, DecisionRecord};
use remedy::strategy::{Effect, Lack, Reversibility, attribute};
use remedy::{Class, Finding};
use series::Timestamp;

/// The wire's numbers are one more than the place among all: 0 stands for none.
fn number<T: PartialEq>(all: &[T], one: &T) -> i32 {
    let place = all.iter().position(|known| known == one);
    place.map_or(0, |place| place as i32 + 1)
}

pub(super) fn us(at: Option<Timestamp>) -> i64 {
    at.map_or(0, Timestamp::micros)
}

pub(super) fn finding(finding: &Finding) -> v1::Finding {
    v1::Finding {
        entity: finding.entity.to_string(),
        class: number(&Class::ALL, &finding.class),
        source: finding.source.name().to_owned(),
        signal: finding.signal.clone(),
        time_us: finding.at.micros(),
        value: finding.value,
        threshold: finding.threshold,
        unit: finding.unit.clone(),
        probability: finding.probability,
        day_probability: finding.probability_day,
        time_to_failure_s: finding.ttf_s.map(Vec::from).unwrap_or_default(),
        confidence: finding.confidence,
        cause: finding.cause.clone(),
        facts: finding.facts.clone(),
    }
}

/// The number of an issue; empty for none.
fn maybe(id: Option<IssueId>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

pub(super) fn issue(issue: &Issue) -> v1::Issue {
    let names = |all: &[remedy::EntityId]| all.iter().map(ToString::to_string).collect();
    v1::Issue {
        id: issue.id.to_string(),
        entity: issue.entity.to_string(),
        class: number(&Class::ALL, &issue.class),
        state: number(&IssueState::ALL, &issue.state),
        severity: number(&Severity::ALL, &issue.severity),
        severity_reason: issue.severity_because.clone(),
        cause: issue.cause.clone(),
        opened_us: issue.opened.micros(),
        updated_us: issue.updated.micros(),
        seen_us: issue.seen.micros(),
        resolved_us: us(issue.resolved),
        suppressed_until_us: us(issue.suppressed_until),
        evidence: issue.evidence.iter().map(finding).collect(),
        findings_count: issue.n_findings,
        also: names(&issue.also),
        also_count: issue.n_also,
        affected: names(&issue.affected),
        note: issue.note.clone(),
        plans: issue.plans.iter().map(ToString::to_string).collect(),
        returned_from: maybe(issue.returned_from),
        part_of: maybe(issue.part_of),
        seen_by: issue.seen_by.clone().unwrap_or_default(),
    }
}

/// In the order of the wire's numbers.
const STEP_STATES: [StepState; 8] = [
    StepState::Waiting,
    StepState::Ordered,
    StepState::Done,
    StepState::Failed,
    StepState::Undoing,
    StepState::Undone,
    StepState::NotUndone,
    StepState::InDoubt,
];

fn step(step: &PlannedStep) -> v1::PlanStep {
    let action = &step.step.action;
    let inverse = step.step.inverse.as_ref();
    v1::PlanStep {
        action: action.to_string(),
        action_json: serde_json::to_string(action).unwrap_or_default(),
        inverse: inverse.map(ToString::to_string).unwrap_or_default(),
        timeout_s: step.step.timeout_s,
        state: number(&STEP_STATES, &step.state),
        said: step.said.clone(),
        ordered_us: us(step.ordered),
        answered_us: us(step.answered),
    }
}

fn effect(effect: &Effect) -> v1::ExpectedEffect {
    v1::ExpectedEffect {
        signal: effect.signal.clone(),
        unit: effect.unit.clone(),
        from_value: effect.from,
        to_value: effect.to,
        least_change: effect.least,
        within_s: effect.within_s,
    }
}

fn approval(approval: &Approval) -> v1::PlanApproval {
    v1::PlanApproval {
        actor: approval.who.clone(),
        authority: approval.authority.name().to_owned(),
        time_us: approval.at.micros(),
        approved: approval.is_yes,
        reason: approval.reason.clone(),
    }
}

fn outcome(outcome: &Outcome) -> v1::PlanOutcome {
    v1::PlanOutcome {
        verdict: number(&Verdict::ALL, &outcome.verdict),
        time_us: outcome.at.micros(),
        value: outcome.value,
        reason: outcome.because.clone(),
    }
}

const fn reversibility(reversibility: Reversibility) -> &'static str {
    match reversibility {
        Reversibility::Reversible => "reversible",
        Reversibility::SelfHealing => "self_healing",
        Reversibility::Irreversible => "irreversible",
    }
}

pub(super) fn plan(plan: &Plan) -> v1::Plan {
    v1::Plan {
        id: plan.id.to_string(),
        issue: plan.issue.to_string(),
        decision: plan.decision.to_string(),
        entity: plan.entity.to_string(),
        strategy: plan.strategy.clone(),
        state: number(&PlanState::ALL, &plan.state),
        steps: plan.steps.iter().map(step).collect(),
        effect: Some(effect(&plan.effect)),
        reversibility: reversibility(plan.reversibility).to_owned(),
        authority: plan.authority.name().to_owned(),
        urgency: plan.urgency.name().to_owned(),
        confidence: plan.confidence,
        risk: plan.risk,
        reasons: plan.because.clone(),
        created_us: plan.created.micros(),
        updated_us: plan.updated.micros(),
        deadline_us: us(plan.deadline),
        not_before_us: us(plan.not_before),
        approvals: plan.approvals.iter().map(approval).collect(),
        held: plan.held.clone(),
        carried_out_us: us(plan.carried_out),
        outcome: plan.outcome.as_ref().map(outcome),
        attempt: plan.attempt,
        executor: plan.executor.clone(),
    }
}

fn lack(lack: &Lack) -> v1::MissingAttribute {
    let known = attribute(&lack.attribute);
    v1::MissingAttribute {
        entity: lack.entity.to_string(),
        attribute: lack.attribute.clone(),
        example: known
            .and_then(|known| known.example)
            .unwrap_or_default()
            .to_owned(),
    }
}

fn candidate(candidate: &Candidate) -> v1::PlanCandidate {
    let risk = candidate.risk.as_ref();
    let ratings = risk.into_iter().flat_map(|risk| &risk.ratings);
    let cost = candidate.cost.as_ref();
    let vetoes = candidate.vetoes.iter().map(|veto| v1::PlanVeto {
        layer: veto.layer.name().to_owned(),
        rule: veto.rule.clone(),
        stop: match veto.stop {
            remedy::guard::Stop::ForNow => "for_now",
            remedy::guard::Stop::UntilApproved => "until_approved",
            remedy::guard::Stop::ForGood => "for_good",
        }
        .to_owned(),
        reason: veto.why.clone(),
    });
    let steps = candidate.draft.iter().flat_map(|draft| &draft.steps);
    v1::PlanCandidate {
        strategy: candidate.strategy.clone(),
        unfit: candidate.unfit.clone().unwrap_or_default(),
        lacks: candidate.lacks.as_ref().map(lack),
        success: candidate.success,
        confidence: candidate.confidence,
        risk: risk.map_or(0.0, |risk| risk.total),
        ratings: ratings
            .map(|rating| v1::RiskRating {
                criterion: rating.criterion.name().to_owned(),
                value: rating.value,
                reason: rating.because.clone(),
            })
            .collect(),
        acting_cost: cost.map_or(0.0, |cost| cost.acting),
        waiting_cost: cost.map_or(0.0, |cost| cost.waiting),
        vetoes: vetoes.collect(),
        steps: steps.map(|step| step.action.to_string()).collect(),
    }
}

pub(super) fn explanation(decision: &Decision, record: &DecisionRecord) -> v1::Explanation {
    v1::Explanation {
        decision: decision.id.to_string(),
        course: decision.course.name().to_owned(),
        chosen: decision.chosen.clone().unwrap_or_default(),
        urgency: decision.urgency.name().to_owned(),
        reasons: decision.because.clone(),
        candidates: decision.candidates.iter().map(candidate).collect(),
        input_sha256: record.input_hash.to_string(),
        output_sha256: record.output_hash.to_string(),
    }
}

pub(super) fn entry(entry: &Entry) -> v1::AuditEntry {
    v1::AuditEntry {
        seq: entry.seq,
        time_us: entry.at.micros(),
        actor: entry.actor.clone(),
        kind: entry.kind.clone(),
        subject: entry.subject.clone(),
        body: entry.body.clone(),
        hash: entry.hash.to_string(),
    }
}

pub(super) fn brake(brake: &Brake) -> v1::Brake {
    v1::Brake {
        engaged: brake.is_engaged,
        actor: brake.who.clone(),
        reason: brake.reason.clone(),
        since_us: brake.at.micros(),
    }
}

fn area(area: &AreaHealth) -> v1::AreaHealth {
    let reasons = area.reasons.iter().map(|reason| v1::HealthReason {
        issue: reason.issue.to_string(),
        entity: reason.entity.to_string(),
        points: reason.points,
        reason: reason.because.clone(),
    });
    v1::AreaHealth {
        area: area.area.name().to_owned(),
        score: area.score,
        reasons: reasons.collect(),
        reasons_count: area.n_reasons,
    }
}

pub(super) fn health(health: &Health) -> v1::GetHealthResponse {
    v1::GetHealthResponse {
        time_us: health.at.micros(),
        overall: health.overall,
        areas: health.areas.iter().map(area).collect(),
        history: Vec::new(),
    }
}
