//! What is going on around an issue and its plan, for the layers of safety to look at.

use std::collections::BTreeSet;

use super::active::targets;
use super::{DRY_RUN, Live, Planner};
use crate::guard::window::freeze;
use crate::guard::{Situation, Stop};
use crate::issue::IssueId;
use crate::plan::{Plan, PlanId, PlanState};
use crate::{Class, EntityId, Phase};

impl Planner {
    /// What is going on around a target, for a plan that is made (`None`) or about to be carried out.
    pub(super) fn situation(
        &self,
        entity: &EntityId,
        id: IssueId,
        plan: Option<&Plan>,
    ) -> Situation {
        let now = self.now();
        let targets = plan.map_or_else(|| [entity].into(), targets);
        let plan = plan.map(|plan| plan.id);
        let (hour_on_target, hour_in_all) = self.books.hour(&targets, now);
        let live = self.live.get(&id);
        let attempts = live.map_or(0, |live| self.attempts(entity, live.issue.class, plan));
        let at_work = self.busy.iter().filter(|&&other| Some(other) != plan);
        let at_work: Vec<_> = at_work
            .filter_map(|id| self.plans.get(id))
            .filter(|plan| matches!(plan.state, PlanState::Running | PlanState::Undoing))
            .collect();
        let is_crash = live.is_some_and(|live| live.issue.class == Class::ProcessCrash);
        let services = self.topology.services_at(entity).into_iter();
        let away = services.map(|service| self.away(service, entity, is_crash, &at_work));
        let service_away = away.fold(0.0, f64::max);
        let seen = live.and_then(Live::newest).unwrap_or_default();
        let is_still_so = live.is_some_and(Live::is_still_so);
        Situation {
            at: now,
            brake: self
                .brake
                .is_engaged
                .then(|| format!("by {}: {}", self.brake.who, self.brake.reason)),
            storm: self.storm.why().map(str::to_owned),
            hour_on_target,
            hour_in_all,
            running: at_work.len() as u32,
            attempts,
            freeze: freeze(&self.settings.freezes, now)
                .map(|freeze| (freeze.reason.clone(), freeze.allow_critical)),
            data_age_s: now.seconds_since(seen),
            is_still_so,
            held_by: self.holder(&targets, plan).map(|plan| plan.to_string()),
            service_away,
            graver: plan.and_then(|plan| self.graver(plan)),
            clock: self.clock.doubt().map(str::to_owned),
            executor: self.unavailable.clone(),
        }
    }

    /// Share of a service's capacity that is away but for what lies at `own`: what others work on, and what has crashed, but
    /// for a plan that is to bring that back.
    fn away(&self, service: &EntityId, own: &EntityId, is_crash: bool, at_work: &[&Plan]) -> f64 {
        let mut down: BTreeSet<_> = at_work
            .iter()
            .flat_map(|plan| self.topology.instances_at(service, &plan.entity))
            .collect();
        if !is_crash {
            let ids = self.by_service.get(service).into_iter().flatten();
            let issues = ids.filter_map(|id| self.live.get(id));
            let crashed = issues.filter(|live| {
                let issue = &live.issue;
                issue.class == Class::ProcessCrash && issue.is_at_hand() && live.is_still_so()
            });
            let all = crashed.flat_map(|live| live.issue.also.iter().chain([&live.issue.entity]));
            down.extend(all.flat_map(|entity| self.topology.instances_at(service, entity)));
        }
        for instance in self.topology.instances_at(service, own) {
            down.remove(instance);
        }
        let whole = at_work.iter().filter(|plan| plan.entity == *service);
        let in_parts: f64 = whole.map(|plan| plan.capacity_away).sum();
        let n = self.topology.n_instances(service).max(1);
        (down.len() as f64 / n as f64 + in_parts).min(1.0)
    }

    /// Whether a plan helped, and what it helped against did not come back.
    pub(super) fn has_cured(&self, id: PlanId) -> bool {
        self.plans.get(&id).is_some_and(|plan| {
            let outcome = plan.outcome.as_ref();
            outcome.is_some_and(|outcome| outcome.verdict.has_helped()) && !plan.came_back
        })
    }

    /// Plans about an entity and class that acted within the memory of attempts and did not cure, but for one.
    pub(super) fn attempts(&self, entity: &EntityId, class: Class, but: Option<PlanId>) -> u32 {
        let actions = self
            .books
            .actions(class, self.now(), self.settings.attempts_window_s);
        // Of a plan that is not at hand any more it is known only what it acted on.
        let plans: BTreeSet<_> = actions
            .filter(|action| {
                let plan = self.plans.get(&action.plan);
                plan.map_or(&action.target, |plan| &plan.entity) == entity
            })
            .map(|action| action.plan)
            .collect();
        let failed = plans
            .into_iter()
            .filter(|&id| Some(id) != but && !self.has_cured(id));
        failed.count() as u32
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
        let mut others = ids
            .filter_map(|id| self.live.get(id))
            .map(|live| &live.issue);
        let found = others.find(|other| {
            other.id != plan.issue
                && other.opened > plan.created
                && other.severity > own.issue.severity
                && other.class != plan.class
        })?;
        Some(format!(
            "{} ({} of {})",
            found.id,
            found.class.name(),
            found.entity
        ))
    }

    /// Whether a plan that waits may still be what was decided: only what passes may hold it.
    pub(super) fn worst(vetoes: &[crate::guard::Veto]) -> Option<Stop> {
        vetoes.iter().map(|veto| veto.stop).max()
    }

    /// Whether the phase lets an order out to an executor: a plan may have been begun in a bolder one.
    pub(super) fn may_order(&self, executor: &str) -> bool {
        match self.settings.phase {
            Phase::Observe => false,
            Phase::Propose => executor == DRY_RUN,
            Phase::Approve | Phase::Constrained | Phase::Autonomous => true,
        }
    }
}
