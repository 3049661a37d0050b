//! Plans that are not over: which are at work, what they hold, and which signals they are judged by.

use std::collections::BTreeSet;

use series::Timestamp;

use super::Planner;
use crate::EntityId;
use crate::plan::{Plan, PlanId, PlanState, PlannedStep, StepState};
use crate::record::{Lease, Record};

/// A signal that plans are judged by.
#[derive(Debug, Default)]
pub(super) struct Watched {
    /// How many plans that are not over.
    n_plans: usize,
    /// Its newest value.
    pub(super) newest: Option<(f64, Timestamp)>,
}

/// What a plan touches: what it is about, and what its steps act on, which may be the service of the former.
pub(super) fn targets(plan: &Plan) -> BTreeSet<&EntityId> {
    let steps = plan.steps.iter().map(|step| &step.step);
    let actions = steps.flat_map(|step| [Some(&step.action), step.inverse.as_ref()]);
    let on = actions.flatten().map(|action| action.target());
    on.chain([&plan.entity]).collect()
}

/// Steps whose work still stands and can be undone, last first. A drain that a later step has ended stands no more.
pub(super) fn standing(plan: &Plan) -> impl Iterator<Item = usize> {
    let is_done = |step: &PlannedStep| step.state == StepState::Done;
    let stands = move |&i: &usize| {
        let (step, later) = (&plan.steps[i], &plan.steps[i + 1..]);
        let inverse = step.step.inverse.as_ref();
        let is_ended = later
            .iter()
            .any(|later| is_done(later) && Some(&later.step.action) == inverse);
        is_done(step) && inverse.is_some() && !is_ended
    };
    (0..plan.steps.len()).rev().filter(stands)
}

impl Planner {
    /// Brings a plan to a state.
    pub(super) fn enter(&mut self, id: PlanId, state: PlanState) {
        if let Some(plan) = self.plans.get_mut(&id) {
            plan.state = state;
        }
        self.touch(id);
        self.list(id);
    }

    /// Lists a plan where its state says that it belongs.
    pub(super) fn list(&mut self, id: PlanId) {
        let Some(plan) = self.plans.get(&id) else {
            return;
        };
        let (is_active, signal) = (!plan.is_finished(), plan.effect.signal.clone());
        match plan.state {
            PlanState::Running | PlanState::Undoing | PlanState::Verifying => self.busy.insert(id),
            PlanState::AwaitingApproval
            | PlanState::Scheduled
            | PlanState::Done
            | PlanState::RolledBack
            | PlanState::Stuck
            | PlanState::Refused
            | PlanState::Cancelled
            | PlanState::Expired
            | PlanState::Shadow
            | PlanState::Withheld => self.busy.remove(&id),
        };
        if is_active && self.active.insert(id) {
            self.measured.entry(signal).or_default().n_plans += 1;
        } else if !is_active && self.active.remove(&id) {
            let Some(watched) = self.measured.get_mut(&signal) else {
                return;
            };
            watched.n_plans -= 1;
            if watched.n_plans == 0 {
                self.measured.remove(&signal);
            }
        }
    }

    /// Another plan that holds one of these targets: because it is at work on it, because its effect is being watched, or by
    /// its lease.
    pub(super) fn holder(
        &self,
        targets: &BTreeSet<&EntityId>,
        plan: Option<PlanId>,
    ) -> Option<PlanId> {
        let others = self.busy.iter().filter(|&&other| Some(other) != plan);
        let mut others = others.filter_map(|id| self.plans.get(id));
        let at_work = others.find(|other| {
            let theirs = self::targets(other);
            theirs.iter().any(|target| targets.contains(target))
        });
        let leases = targets.iter().filter_map(|target| self.leases.get(*target));
        let mut leases = leases.filter(|lease| lease.expires > self.now());
        at_work
            .map(|other| other.id)
            .or_else(|| leases.find_map(|lease| lease.holder.filter(|&other| Some(other) != plan)))
    }

    /// Whether another plan that is being carried out has the lease on a target of this one.
    pub(super) fn is_taken(&self, id: PlanId) -> bool {
        let Some(plan) = self.plans.get(&id) else {
            return false;
        };
        targets(plan).into_iter().any(|target| {
            let holder = self.leases.get(target).and_then(|lease| lease.holder);
            holder.is_some_and(|other| other != id && self.busy.contains(&other))
        })
    }

    /// Takes, or renews, the leases of a plan on its targets; returns their fence, which is the same for all of them and
    /// above all that any of them has seen.
    pub(super) fn lease(&mut self, id: PlanId) -> u64 {
        let Some(plan) = self.plans.get(&id) else {
            return 0;
        };
        let before = targets(plan)
            .into_iter()
            .map(|target| (target.clone(), self.leases.get(target)));
        let before: Vec<_> = before.collect();
        let is_held = |lease: &Option<&Lease>| {
            lease.is_some_and(|lease| lease.holder == Some(id) && lease.fence == plan.fence)
        };
        let fence = match before.iter().all(|(_, lease)| is_held(lease)) {
            true => plan.fence,
            false => {
                1 + before
                    .iter()
                    .filter_map(|(_, lease)| Some(lease.as_ref()?.fence))
                    .max()
                    .unwrap_or(0)
            }
        };
        let expires = self.now().plus_micros((self.settings.lease_s * 1e6) as i64);
        let targets: Vec<_> = before.into_iter().map(|(target, _)| target).collect();
        for target in targets {
            let lease = Lease {
                target: target.clone(),
                holder: Some(id),
                fence,
                expires,
            };
            self.leases.insert(target, lease.clone());
            self.out.records.push(Record::Lease(lease));
        }
        if let Some(plan) = self.plans.get_mut(&id) {
            plan.fence = fence;
        }
        fence
    }

    /// Gives the leases of a plan back.
    pub(super) fn give_back(&mut self, id: PlanId) {
        let Some(plan) = self.plans.get(&id) else {
            return;
        };
        for target in targets(plan) {
            if let Some(lease) = self.leases.get_mut(target)
                && lease.holder == Some(id)
            {
                lease.holder = None;
                lease.expires = self.clock.now();
                self.out.records.push(Record::Lease(lease.clone()));
            }
        }
    }
}
