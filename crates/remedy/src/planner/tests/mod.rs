//! The planner from outside: what is found, what is decided, what goes out, whatever the order of things.

mod correlation;
mod crash;
mod decision;
mod effect;
mod events;
mod ledger;
mod life;
mod people;
mod safety;
mod shop;
mod storm;
mod world;

use super::*;
use crate::decision::{DecisionId, Urgency};
use crate::plan::PlanState;
use crate::strategy::{Effect, Reversibility};
use crate::{Class, Kind};

impl Planner {
    /// How many things it holds in each of its maps, but for leases and rates, which stay.
    pub(super) fn held_things(&self) -> [usize; 12] {
        [
            self.live.len(),
            self.resolved.len(),
            self.gone.len(),
            self.plans.len(),
            self.active.len(),
            self.busy.len(),
            self.by_finding.len(),
            self.by_entity.len(),
            self.by_cause.len(),
            self.measured.len(),
            self.to_decide.len(),
            self.books.all().count(),
        ]
    }
}

/// A plan that somebody made.
pub(super) fn plan() -> Plan {
    Plan {
        id: PlanId(1),
        issue: IssueId(1),
        decision: DecisionId(1),
        class: Class::MemoryExhaustion,
        entity: EntityId::new(Kind::Instance, "api-1").unwrap(),
        cause: "leak".to_owned(),
        strategy: "restart_rolling".to_owned(),
        state: PlanState::Verifying,
        steps: Vec::new(),
        effect: Effect {
            signal: "container_memory_working_set_bytes".to_owned(),
            unit: "ratio".to_owned(),
            from: 0.8,
            to: 0.4,
            least: 0.05,
            within_s: 300.0,
        },
        drift_per_s: 0.0,
        reversibility: Reversibility::SelfHealing,
        capacity_away: 0.0,
        authority: Authority::Operator,
        urgency: Urgency::Now,
        confidence: 0.9,
        risk: 0.1,
        because: Vec::new(),
        created: Timestamp::default(),
        updated: Timestamp::default(),
        deadline: None,
        not_before: None,
        approvals: Vec::new(),
        held: String::new(),
        carried_out: None,
        outcome: None,
        attempt: 0,
        executor: "dry_run".to_owned(),
        fence: 0,
    }
}
