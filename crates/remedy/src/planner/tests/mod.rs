//! The planner from outside: what is found, what is decided, what goes out, whatever the order of things.

mod correlation;
mod crash;
mod decision;
mod effect;
mod events;
mod half_way;
mod ledger;
mod life;
mod people;
mod promises;
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
    pub(super) fn held_things(&self) -> [usize; 13] {
        // A map that is new has to be named here, and thought of.
        let Self {
            live,
            resolved,
            gone,
            plans,
            active,
            busy,
            by_finding,
            by_entity,
            by_service,
            by_cause,
            measured,
            to_decide,
            books,
            leases: _,
            dirty_issues: _,
            dirty_plans: _,
            out: _,
            settings: _,
            policies: _,
            topology: _,
            people: _,
            executor: _,
            actions: _,
            unavailable: _,
            seed: _,
            clock: _,
            awake: _,
            looked_at: _,
            brake: _,
            storm: _,
            health: _,
            last: _,
            counts: _,
            head: _,
            first: _,
            ledger: _,
        } = self;
        [
            live.len(),
            resolved.len(),
            gone.len(),
            plans.len(),
            active.len(),
            busy.len(),
            by_finding.len(),
            by_entity.len(),
            by_service.len(),
            by_cause.len(),
            measured.len(),
            to_decide.len(),
            books.all().count(),
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
        called_off: None,
        came_back: false,
        carried_out: None,
        outcome: None,
        attempt: 0,
        executor: "dry_run".to_owned(),
        fence: 0,
    }
}
