//! From an issue to a plan, by a decision.

use std::collections::BTreeSet;

use super::Planner;
use crate::audit::Hash;
use crate::decision::{self, Course, Decision, DecisionId, Input, Urgency};
use crate::guard::window::{freeze, next_window};
use crate::guard::{Situation, Stop};
use crate::issue::{IssueId, IssueState};
use crate::plan::{Plan, PlanId, PlanState, PlannedStep, StepState, Verdict};
use crate::record::Record;
use crate::strategy::{STRATEGIES, strategy};
use crate::{EntityId, Phase};
use series::Timestamp;

/// Who wants a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    ByItself,
    ByPerson,
}

impl Planner {
    /// Decides about an issue, and makes the plan that follows.
    pub(super) fn plan_for(&mut self, id: IssueId, asked: Asked) -> Option<PlanId> {
        let may_be_planned = self.live.get(&id).is_some_and(|live| {
            let is_free = matches!(
                live.issue.state,
                IssueState::Open | IssueState::Acknowledged | IssueState::Escalated
            );
            is_free && !live.issue.evidence.is_empty()
        });
        if !may_be_planned || self.is_being_planned(id, asked) {
            return None;
        }
        let input = self.input(id)?;
        self.last[2] = input.id.0;
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
        }
        self.follow(id, &input, decision)
    }

    /// Whether there is a plan already. One that is not carried out is enough for the planner, and not for a person.
    fn is_being_planned(&self, id: IssueId, asked: Asked) -> bool {
        let mut plans = self.active.iter().filter_map(|plan| self.plans.get(plan));
        plans.any(|plan| {
            let is_apart = matches!(plan.state, PlanState::Shadow | PlanState::Withheld);
            plan.issue == id && !(is_apart && asked == Asked::ByPerson)
        })
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
        let mut not_before = match urgency {
            Urgency::Now => self.now(),
            Urgency::NextWindow | Urgency::PlannedWindow => {
                next_window(&self.settings.windows, self.now())
            }
        };
        let late = case.ttf_s.map(|ttf_s| self.now().plus_micros((ttf_s[0] * 5e5) as i64));
        if urgency == Urgency::NextWindow && late.is_some_and(|late| late < not_before) {
            // The window comes too late.
            not_before = self.now();
        }
        let issue = self.issue(input.issue)?;
        let settled = issue.opened.plus_micros((self.settings.settle_s * 1e6) as i64);
        let state = match decision.course {
            Course::Act => PlanState::Scheduled,
            Course::Ask => PlanState::AwaitingApproval,
            Course::Shadow => PlanState::Shadow,
            Course::Withhold => PlanState::Withheld,
            Course::Escalate | Course::Wait => return None,
        };
        let deadline = self.now().plus_micros((self.settings.approval_deadline_s * 1e6) as i64);
        let mut because = vec![draft.because.clone()];
        because.extend(decision.because.iter().cloned());
        let ratings = candidate.risk.iter().flat_map(|risk| &risk.ratings);
        because.extend(ratings.map(|rating| {
            format!("{} {:.2}: {}", rating.criterion.name(), rating.value, rating.because)
        }));
        let steps = draft.steps.iter().map(|step| PlannedStep {
            step: step.clone(),
            state: StepState::Waiting,
            said: String::new(),
            ordered: None,
            answered: None,
        });
        Some(Plan {
            id: PlanId(self.last[1] + 1),
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
            carried_out: None,
            outcome: None,
            attempt: input.situation.attempts,
            executor: self.executor().to_owned(),
            fence: 0,
        })
    }

    fn follow(&mut self, id: IssueId, input: &Input, decision: Decision) -> Option<PlanId> {
        let Some(plan) = self.draft(input, &decision) else {
            let why = decision.because.join("; ");
            match decision.course {
                Course::Escalate => {
                    self.set_state(id, IssueState::Escalated, "forestall", &why);
                }
                Course::Wait => {
                    if let Some(live) = self.live.get_mut(&id) {
                        live.issue.note = why;
                        self.dirty_issues.insert(id);
                    }
                }
                Course::Act | Course::Ask | Course::Shadow | Course::Withhold => {}
            }
            return None;
        };
        let plan_id = plan.id;
        self.last[1] = plan_id.0;
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
        self.measured.entry(plan.effect.signal.clone()).or_default();
        self.plans.insert(plan_id, plan);
        self.active.insert(plan_id);
        self.dirty_plans.insert(plan_id);
        self.audit("forestall", &kind, &plan_id.to_string(), &body);
        if let Some(live) = self.live.get_mut(&id) {
            live.issue.plans.push(plan_id);
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

    /// All that is known about an issue.
    fn input(&self, id: IssueId) -> Option<Input> {
        let live = self.live.get(&id)?;
        let mut case = live.case();
        // The topology may have grown since the issue was opened.
        case.around = self.topology.surroundings(&case.entity);
        let context = decision::context(&case);
        let half_life = self.settings.half_life_days;
        let mut seen = std::collections::BTreeMap::new();
        for strategy in STRATEGIES.iter().filter(|known| known.classes.contains(&case.class)) {
            let of = self.books.seen(strategy.name, &context, self.now(), half_life);
            if of != decision::Seen::default() {
                seen.insert(strategy.name.to_owned(), of);
            }
        }
        let (spent, fallbacks) = self.spent(&case.entity, id);
        let situation = self.situation(&case.entity, id, None);
        Some(Input {
            id: DecisionId(self.last[2] + 1),
            issue: id,
            severity: live.issue.severity,
            diagnosis: decision::diagnosis(live.issue.evidence.iter()),
            seen,
            spent,
            fallbacks,
            situation,
            settings: self.settings.clone(),
            draw: self.draw(id),
            case,
        })
    }

    /// A number from 0 to 1 for each issue, the same for the same seed.
    fn draw(&self, id: IssueId) -> f64 {
        let hash = Hash::of(format!("{}/{}", self.seed, id.0).as_bytes());
        let [a, b, c, d, ..] = hash.0;
        f64::from(u32::from_be_bytes([a, b, c, d])) / f64::from(u32::MAX)
    }

    /// Strategies that had no effect on this target and class in the memory of attempts, and what is to follow the last.
    fn spent(&self, target: &EntityId, id: IssueId) -> (BTreeSet<String>, Vec<String>) {
        let class = self.live.get(&id).map(|live| live.issue.class);
        let failed = self.plans.values().filter(|plan| {
            let verdict = plan.outcome.as_ref().map(|outcome| outcome.verdict);
            plan.entity == *target
                && Some(plan.class) == class
                && plan.state != PlanState::Shadow
                && plan.state != PlanState::Withheld
                && matches!(verdict, Some(Verdict::NoEffect | Verdict::Harmed))
                && self.now().seconds_since(plan.created) <= self.settings.attempts_window_s
        });
        let failed: Vec<_> = failed.collect();
        let next = failed.last().and_then(|plan| strategy(&plan.strategy));
        let next = next.map(|known| known.fallbacks.iter().map(|&name| name.to_owned()).collect());
        let spent = failed.iter().map(|plan| plan.strategy.clone());
        (spent.collect(), next.unwrap_or_default())
    }

    /// What is going on around a target, for a plan that is made (`None`) or about to be carried out.
    pub(super) fn situation(&self, target: &EntityId, id: IssueId, plan: Option<PlanId>) -> Situation {
        let now = self.now();
        let (hour_on_target, hour_in_all) = self.books.hour(target, now);
        let live = self.live.get(&id);
        let class = live.map(|live| live.issue.class);
        let window_s = self.settings.attempts_window_s;
        let before = class.map(|class| self.books.attempts(target, class, now, window_s));
        let attempts = before.unwrap_or_default().into_iter().filter(|&other| {
            Some(other) != plan && !self.has_cured(other)
        });
        let at_work = self.active.iter().filter(|&&other| Some(other) != plan);
        let at_work: Vec<_> = at_work
            .filter_map(|id| self.plans.get(id))
            .filter(|plan| matches!(plan.state, PlanState::Running | PlanState::Undoing))
            .collect();
        let service = live.and_then(|live| live.around.service.clone());
        let replicas = live.map_or(0, |live| live.around.replicas).max(1);
        let beside = at_work.iter().filter(|other| {
            service.is_some() && self.topology.surroundings(&other.entity).service == service
        });
        let (seen, is_still_so) = live.map_or((Timestamp::default(), false), |live| {
            (live.issue.seen, live.quiet_since.is_none())
        });
        Situation {
            at: now,
            brake: self.brake.is_engaged.then(|| {
                format!("by {}: {}", self.brake.who, self.brake.reason)
            }),
            storm: self.storm.why().map(str::to_owned),
            hour_on_target,
            hour_in_all,
            running: at_work.len() as u32,
            attempts: attempts.count() as u32,
            freeze: freeze(&self.settings.freezes, now)
                .map(|freeze| (freeze.reason.clone(), freeze.allow_critical)),
            data_age_s: now.seconds_since(seen),
            is_still_so,
            held_by: self.holder(target, plan).map(|plan| plan.to_string()),
            service_away: (beside.count() as f64 / f64::from(replicas)).min(1.0),
            graver: plan.and_then(|plan| self.graver(plan)),
            clock: self.clock.doubt().map(str::to_owned),
        }
    }

    fn has_cured(&self, id: PlanId) -> bool {
        let outcome = self.plans.get(&id).and_then(|plan| plan.outcome.as_ref());
        outcome.is_some_and(|outcome| matches!(outcome.verdict, Verdict::Cured | Verdict::Improved))
    }

    /// Another plan that holds a target: by its lease, or because its effect is being watched.
    fn holder(&self, target: &EntityId, plan: Option<PlanId>) -> Option<PlanId> {
        let lease = self.leases.get(target).filter(|lease| lease.expires > self.now());
        let by_lease = lease.and_then(|lease| lease.holder);
        let watched = self.active.iter().filter_map(|id| self.plans.get(id));
        let mut watched = watched
            .filter(|other| other.state == PlanState::Verifying && other.entity == *target)
            .map(|other| other.id);
        by_lease
            .filter(|&other| Some(other) != plan)
            .or_else(|| watched.find(|&other| Some(other) != plan))
    }

    /// A graver issue that came up at the same service after a plan was made.
    fn graver(&self, id: PlanId) -> Option<String> {
        let plan = self.plans.get(&id)?;
        let own = self.live.get(&plan.issue)?;
        let near = own.around.service.iter().chain([&plan.entity]);
        let ids = near
            .chain(&own.around.affected)
            .filter_map(|entity| self.by_entity.get(entity))
            .flatten();
        let mut others = ids.filter_map(|id| self.live.get(id)).map(|live| &live.issue);
        let found = others.find(|other| {
            other.id != plan.issue
                && other.opened > plan.created
                && other.severity > own.issue.severity
                && other.class != plan.class
        })?;
        Some(format!("{} ({} of {})", found.id, found.class.name(), found.entity))
    }

    /// Whether a plan that waits may still be what was decided: only what passes may hold it.
    pub(super) fn worst(vetoes: &[crate::guard::Veto]) -> Option<Stop> {
        vetoes.iter().map(|veto| veto.stop).max()
    }

    /// Whether the phase lets an order out at all.
    pub(super) fn may_order(&self) -> bool {
        self.settings.phase > Phase::Observe
    }
}
