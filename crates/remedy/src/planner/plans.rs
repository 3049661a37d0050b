//! From an issue to a plan, by a decision.

use super::{Live, Planner};
use crate::decision::{self, Course, Decision, Input, Urgency};
use crate::issue::{IssueId, IssueState, MAX_DECISIONS, Severity};
use crate::plan::{Plan, PlanId, PlanState, PlannedStep, StepState, Verdict};
use crate::record::Record;
use crate::strategy::strategy;
use series::Timestamp;

/// Most plans that an issue names: the newest. One that lasts for weeks is thought over every few minutes.
const MAX_PLANS: usize = 32;

/// Who wants a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    ByItself,
    ByPerson,
}

impl Planner {
    /// Decides about an issue, and makes the plan that follows.
    pub(super) fn plan_for(&mut self, id: IssueId, asked: Asked) -> Option<PlanId> {
        let live = self.live.get(&id)?;
        // Once a plan failed or was refused it is for people.
        let is_theirs = asked == Asked::ByPerson && live.issue.state == IssueState::Escalated;
        let is_free = is_theirs || self.reconsider_after_s(&live.issue).is_some();
        if !is_free || !live.is_still_so() || self.is_being_planned(live, asked) {
            return None;
        }
        let input = self.input(id)?;
        self.last.decision = input.id.0;
        self.counts.decisions += 1;
        let decision = decision::decide(&input, &self.policies);
        let record = decision::record(&input, &decision);
        let body = serde_json::json!({
            "issue": id.to_string(),
            "course": decision.course.name(),
            "chosen": decision.chosen,
            "input": record.input_hash,
            "output": record.output_hash,
        });
        self.audit("forestall", "decision.made", &input.id.to_string(), &body);
        self.out.records.push(Record::Decision(Box::new(record)));
        if let Some(live) = self.live.get_mut(&id) {
            live.decided = Some(self.clock.now());
            live.diagnosis = input.diagnosis;
            let decisions = &mut live.issue.decisions;
            decisions.push(input.id);
            if decisions.len() > MAX_DECISIONS {
                decisions.remove(0);
            }
            self.dirty_issues.insert(id);
        }
        self.follow(id, &input, decision)
    }

    /// Whether there is a plan already. One that is not carried out is enough for the planner, and not for a person; one that
    /// is withheld is not enough when the issue has become grave.
    fn is_being_planned(&self, live: &Live, asked: Asked) -> bool {
        let mut plans = self.active_of(live);
        plans.any(|plan| match plan.state {
            PlanState::Shadow => asked == Asked::ByItself,
            PlanState::Withheld => asked == Asked::ByItself && live.issue.severity < Severity::High,
            PlanState::AwaitingApproval
            | PlanState::Scheduled
            | PlanState::Running
            | PlanState::Undoing
            | PlanState::Verifying
            | PlanState::Done
            | PlanState::RolledBack
            | PlanState::Stuck
            | PlanState::Refused
            | PlanState::Cancelled
            | PlanState::Expired => true,
        })
    }

    /// Plans of an issue that are not over.
    pub(super) fn active_of(&self, live: &Live) -> impl Iterator<Item = &Plan> {
        let plans = live.issue.plans.iter();
        plans
            .filter(|id| self.active.contains(id))
            .filter_map(|id| self.plans.get(id))
    }

    /// What would be decided about an issue now, without deciding it: the number of the decision is the next.
    #[must_use]
    pub fn consider(&self, id: IssueId) -> Option<(Input, Decision)> {
        let input = self.input(id)?;
        let decision = decision::decide(&input, &self.policies);
        Some((input, decision))
    }

    /// The plan that a decision would make: its number is the next.
    #[must_use]
    pub fn draft(&self, input: &Input, decision: &Decision) -> Option<Plan> {
        let candidate = decision.chosen()?;
        let draft = candidate.draft.as_ref()?;
        let known = strategy(&candidate.strategy)?;
        let case = &input.case;
        let urgency = decision.urgency;
        let not_before = self.opening(urgency, case.ttf_s);
        let issue = self.issue(input.issue)?;
        let settled = issue
            .opened
            .plus_micros((self.settings.settle_s * 1e6) as i64);
        let state = match decision.course {
            Course::Act => PlanState::Scheduled,
            Course::Ask => PlanState::AwaitingApproval,
            Course::Shadow => PlanState::Shadow,
            Course::Withhold => PlanState::Withheld,
            Course::Escalate | Course::Wait => return None,
        };
        let deadline = self
            .now()
            .plus_micros((self.settings.approval_deadline_s * 1e6) as i64);
        let mut because = vec![draft.because.clone()];
        because.extend(decision.because.iter().cloned());
        let ratings = candidate.risk.iter().flat_map(|risk| &risk.ratings);
        because.extend(ratings.map(|rating| {
            format!(
                "risk, {} {:.2}: {}",
                rating.criterion.name().replace('_', " "),
                rating.value,
                rating.because
            )
        }));
        let steps = draft.steps.iter().map(|step| PlannedStep {
            step: step.clone(),
            state: StepState::Waiting,
            said: String::new(),
            tries: 0,
            ordered: None,
            answered: None,
        });
        Some(Plan {
            id: PlanId(self.last.plan + 1),
            issue: input.issue,
            decision: input.id,
            class: case.class,
            entity: case.entity.clone(),
            cause: case.cause.clone(),
            strategy: candidate.strategy.clone(),
            state,
            steps: steps.collect(),
            effect: draft.effect.clone(),
            // What it does by itself: to the limit in the median time, when that is foreseen.
            drift_per_s: match case.ttf_s {
                Some([_, median_s, _]) if median_s > 1.0 && case.unit == "ratio" => {
                    (1.0 - case.value) / median_s
                }
                Some(_) | None => 0.0,
            },
            reversibility: known.reversibility,
            capacity_away: draft.capacity_away.clamp(0.0, 1.0),
            authority: known.authority,
            urgency,
            confidence: candidate.confidence,
            risk: candidate.risk.as_ref().map_or(1.0, |risk| risk.total),
            because,
            created: self.now(),
            updated: self.now(),
            deadline: (state == PlanState::AwaitingApproval).then_some(deadline),
            not_before: Some(not_before.max(settled)),
            approvals: Vec::new(),
            held: String::new(),
            called_off: None,
            came_back: false,
            carried_out: None,
            outcome: None,
            attempt: input.situation.attempts,
            executor: self.executor().to_owned(),
            fence: 0,
        })
    }

    /// From when on something may be done that is so urgent.
    pub(super) fn opening(&self, urgency: Urgency, ttf_s: Option<[f64; 3]>) -> Timestamp {
        let now = self.now();
        let window = self.settings.next_opening(now);
        let late = ttf_s.map(|ttf_s| now.plus_micros((ttf_s[0] * 5e5) as i64));
        match urgency {
            Urgency::Now => now,
            // The window comes too late.
            Urgency::NextWindow if late.is_some_and(|late| late < window) => now,
            Urgency::NextWindow | Urgency::PlannedWindow => window,
        }
    }

    fn follow(&mut self, id: IssueId, input: &Input, decision: Decision) -> Option<PlanId> {
        let Some(plan) = self.draft(input, &decision) else {
            let why = decision.because.join("; ");
            match decision.course {
                Course::Escalate => {
                    self.set_state(id, IssueState::Escalated, "forestall", &why);
                }
                Course::Wait => {
                    // What a person said of it stays.
                    if let Some(live) = self.live.get_mut(&id)
                        && live.issue.state == IssueState::Open
                    {
                        live.issue.note = why;
                        self.dirty_issues.insert(id);
                    }
                }
                Course::Act | Course::Ask | Course::Shadow | Course::Withhold => {}
            }
            return None;
        };
        let plan_id = plan.id;
        self.last.plan = plan_id.0;
        let body = serde_json::json!({
            "issue": id.to_string(),
            "decision": plan.decision.to_string(),
            "strategy": plan.strategy,
            "steps": plan.steps.iter().map(|step| step.step.action.to_string()).collect::<Vec<_>>(),
            "confidence": plan.confidence,
            "risk": plan.risk,
        });
        let kind = format!("plan.{}", plan.state.name());
        let state = plan.state;
        self.plans.insert(plan_id, plan);
        self.list(plan_id);
        self.dirty_plans.insert(plan_id);
        self.audit("forestall", &kind, &plan_id.to_string(), &body);
        self.supersede(id, plan_id);
        if let Some(live) = self.live.get_mut(&id) {
            live.issue.plans.push(plan_id);
            let n_over = live.issue.plans.len().saturating_sub(MAX_PLANS);
            live.issue.plans.drain(..n_over);
        }
        match state {
            PlanState::Shadow | PlanState::Withheld => {
                self.dirty_issues.insert(id);
            }
            PlanState::AwaitingApproval
            | PlanState::Scheduled
            | PlanState::Running
            | PlanState::Undoing
            | PlanState::Verifying
            | PlanState::Done
            | PlanState::RolledBack
            | PlanState::Stuck
            | PlanState::Refused
            | PlanState::Cancelled
            | PlanState::Expired => {
                self.set_state(id, IssueState::Planned, "forestall", &plan_id.to_string());
            }
        }
        Some(plan_id)
    }

    /// Nothing can be learned any more from plans that were not carried out, when another is made.
    fn supersede(&mut self, id: IssueId, by: PlanId) {
        let Some(live) = self.live.get(&id) else {
            return;
        };
        let apart = self.active_of(live);
        let apart =
            apart.filter(|plan| matches!(plan.state, PlanState::Shadow | PlanState::Withheld));
        for plan in apart.map(|plan| plan.id).collect::<Vec<_>>() {
            self.conclude_without(
                plan,
                Verdict::NotEnoughData,
                &format!("{by} was made meanwhile"),
            );
        }
    }
}
