//! The loop from findings to orders, as a machine without I/O: findings, commands, answers and the time go in; records and
//! orders come out. Whoever drives it writes the records down, all of a batch or none, and carries the orders out only then.
//! Killed at any point it goes on from what was written: an order that was written and not answered is asked about, never
//! given again.

mod active;
mod asked;
mod books;
mod carry;
mod clock;
mod command;
mod correlate;
mod findings;
mod indexes;
mod issues;
mod judge;
mod known;
mod memory;
mod orders;
mod plans;
mod siblings;
mod situation;
mod storm;
#[cfg(test)]
mod tests;
mod undo;
mod wait;

pub use asked::{Command, Refused, Reply};

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use series::Timestamp;

use crate::audit::{Hash, Head};
use crate::decision::Odds;
use crate::guard::policy::{Policies, PolicyError};
use crate::health::Health;
use crate::issue::{Issue, IssueId};
use crate::order::{Answer, Order};
use crate::plan::{Plan, PlanId};
use crate::record::{Brake, Lease, Numbers, Record};
use crate::strategy::{Authority, Strategy};
use crate::topology::Topology;
use crate::{Class, EntityId, Finding, FindingError, Phase, Settings, Surroundings};

use active::Watched;
use books::Books;
use clock::{Clock, Step};
use findings::Key;
use plans::Asked;
use storm::Storm;

/// What came of a turn: to be written down in one transaction, before anybody hears of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Batch {
    /// To be written down.
    pub records: Vec<Record>,
    /// To be carried out, once the records are written.
    pub orders: Vec<(String, Order)>,
}

/// A live issue, and what is known of it beside.
#[derive(Debug)]
struct Live {
    issue: Issue,
    around: Surroundings,
    /// Findings that are present.
    keys: HashSet<Arc<Key>>,
    /// Since when none is.
    quiet_since: Option<Timestamp>,
    /// When it was last thought about.
    decided: Option<Timestamp>,
    /// How sure its diagnosis was then, 0 to 1.
    diagnosis: f64,
    /// Entities whose trouble would explain this one.
    causes: Vec<EntityId>,
    /// When it was last written down.
    written: Timestamp,
}

/// The planner.
#[derive(Debug)]
pub struct Planner {
    settings: Settings,
    policies: Policies,
    /// Which things there are.
    pub topology: Topology,
    people: BTreeMap<String, Authority>,
    /// The executor for plans that may change something; `dry_run` while there is none.
    executor: String,
    /// Names of the actions that it carries out; `None` for all.
    actions: Option<BTreeSet<String>>,
    /// Why it takes no orders now.
    unavailable: Option<String>,
    seed: u64,
    clock: Clock,
    /// Since when it has been listening without a pause: before that, silence says nothing.
    awake: Option<Timestamp>,

    live: BTreeMap<IssueId, Live>,
    /// Issues that were resolved within the time in which they may return.
    resolved: BTreeMap<IssueId, Issue>,
    /// The newest of them by what it was about.
    gone: HashMap<(EntityId, Class), IssueId>,
    /// Plans of live issues, and those that are not over.
    plans: BTreeMap<PlanId, Plan>,
    /// Those among them that are not over.
    active: BTreeSet<PlanId>,
    /// Those among these that hold their targets: they are carried out, undone, or watched.
    busy: BTreeSet<PlanId>,
    /// The plan that was looked at last, among too many that wait.
    looked_at: PlanId,
    by_finding: HashMap<Arc<Key>, IssueId>,
    by_entity: HashMap<EntityId, BTreeSet<IssueId>>,
    /// Live issues of instances, by their service.
    by_service: HashMap<EntityId, BTreeSet<IssueId>>,
    /// Live issues by what would explain them.
    by_cause: HashMap<EntityId, BTreeSet<IssueId>>,
    /// The signals that plans are judged by.
    measured: BTreeMap<String, Watched>,
    leases: BTreeMap<EntityId, Lease>,
    brake: Brake,
    books: Books,
    storm: Storm,
    to_decide: BTreeSet<IssueId>,
    health: Option<Health>,
    last: Numbers,
    counts: Counts,

    head: Head,
    first: Hash,
    /// What tells this ledger from others: the beginning of the hash of its first entry.
    ledger: String,
    dirty_issues: BTreeSet<IssueId>,
    dirty_plans: BTreeSet<PlanId>,
    out: Batch,
}

/// What was taken in and refused, for telemetry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Findings taken in.
    pub findings: u64,
    /// Findings that there was no room for.
    pub refused: u64,
    /// Findings with which something was wrong.
    pub unsound: u64,
    /// Decisions made.
    pub decisions: u64,
}

/// Why a planner cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum PlannerError {
    /// Settings that make no sense.
    #[error("{key}: {message}")]
    Setting {
        /// Which.
        key: String,
        /// What is wrong.
        message: String,
    },
    /// A policy that cannot be used.
    #[error(transparent)]
    Policy(#[from] PolicyError),
}

/// What a planner is made of beside its memory.
#[derive(Debug, Clone)]
pub struct Parts {
    /// How bold it is.
    pub settings: Settings,
    /// Which things there are.
    pub topology: Topology,
    /// Who may approve what.
    pub people: BTreeMap<String, Authority>,
    /// The executor for plans that may change something.
    pub executor: String,
    /// Names of the actions that it carries out; `None` for all.
    pub actions: Option<BTreeSet<String>>,
    /// Picks the control arm.
    pub seed: u64,
}

/// The name of the executor that changes nothing.
const DRY_RUN: &str = "dry_run";
/// Findings from further ahead than this are refused: somebody's clock is wrong.
const MAX_AHEAD_S: f64 = 300.0;

impl Planner {
    /// How bold it is.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Its live issues, by number.
    pub fn issues(&self) -> impl Iterator<Item = &Issue> {
        self.live.values().map(|live| &live.issue)
    }

    /// A live issue, or one that was resolved a short while ago.
    #[must_use]
    pub fn issue(&self, id: IssueId) -> Option<&Issue> {
        let live = self.live.get(&id).map(|live| &live.issue);
        live.or_else(|| self.resolved.get(&id))
    }

    /// The plans it has at hand: those of live issues, and those that are not over.
    pub fn plans(&self) -> impl Iterator<Item = &Plan> {
        self.plans.values()
    }

    /// One of them.
    #[must_use]
    pub fn plan(&self, id: PlanId) -> Option<&Plan> {
        self.plans.get(&id)
    }

    /// The brake.
    #[must_use]
    pub const fn brake(&self) -> &Brake {
        &self.brake
    }

    /// Why everything is taken to be one storm, while it is.
    #[must_use]
    pub fn storm(&self) -> Option<&str> {
        self.storm.why()
    }

    /// How everything is.
    #[must_use]
    pub fn health(&self) -> Health {
        Health::of(self.issues(), self.now())
    }

    /// What is believed of a strategy over all contexts.
    #[must_use]
    pub fn odds(&self, strategy: &Strategy) -> Odds {
        let half_life = self.settings.half_life_days;
        Odds::of(
            strategy,
            &self.books.seen(strategy.name, "", self.now(), half_life),
        )
    }

    /// What was taken in and refused.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// The end of the audit, as far as it has been made.
    #[must_use]
    pub const fn head(&self) -> Head {
        self.head
    }

    /// The executor that an approved plan is given to in the present phase.
    #[must_use]
    pub fn executor(&self) -> &str {
        match self.settings.phase {
            Phase::Observe | Phase::Propose => DRY_RUN,
            Phase::Approve | Phase::Constrained | Phase::Autonomous => &self.executor,
        }
    }

    /// Tells whether the executor of the present phase takes orders now, and if not, why: plans are held meanwhile.
    pub fn set_unavailable(&mut self, why: Option<String>) {
        self.unavailable = why;
    }

    /// Signals that plans are judged by: whoever drives it tells their values with [`Planner::measure`].
    pub fn watched(&self) -> impl Iterator<Item = &str> {
        self.measured.keys().map(String::as_str)
    }

    /// Tells the value of a signal that a plan is judged by.
    pub fn measure(&mut self, signal: &str, value: f64, at: Timestamp) {
        if let Some(watched) = self.measured.get_mut(signal)
            && value.is_finite()
            && watched.newest.is_none_or(|(_, known)| at > known)
        {
            watched.newest = Some((value, at));
        }
    }

    /// Takes in a finding.
    ///
    /// # Errors
    /// What is wrong with it; see [`FindingError`].
    pub fn observe(&mut self, at: Timestamp, finding: Finding) -> Result<(), FindingError> {
        let ahead_s = finding.at.seconds_since(at);
        let is_ahead = ahead_s > MAX_AHEAD_S;
        let sound = finding.check().and_then(|()| match is_ahead {
            true => Err(FindingError::Ahead {
                entity: finding.entity.clone(),
                ahead_s,
            }),
            false => Ok(()),
        });
        if sound.is_err() {
            self.counts.unsound += 1;
            return sound;
        }
        self.advance(at);
        self.counts.findings += 1;
        self.measure(&finding.signal, finding.value, finding.at);
        self.take_in(finding);
        Ok(())
    }

    /// Makes the decisions that are due. Called after findings, as often as whoever drives it likes.
    pub fn think(&mut self) {
        // In a storm whatever would be planned is likely planned for a symptom.
        if self.storm.why().is_some() {
            return;
        }
        while let Some(id) = self.to_decide.pop_first() {
            self.plan_for(id, Asked::ByItself);
        }
    }

    /// Lets time pass: deadlines, windows, leases, verdicts, resolutions.
    pub fn tick(&mut self, at: Timestamp) {
        self.advance(at);
        self.storm_passes();
        self.issues_pass();
        self.think();
        self.plans_pass();
        self.health_passes();
    }

    /// Has something else written down with what comes of this turn.
    pub fn remember(&mut self, record: Record) {
        self.out.records.push(record);
    }

    /// What is to be written down, and carried out after that.
    #[must_use]
    pub fn take(&mut self) -> Batch {
        // Somebody braked in the same turn: what was ordered in it stays here.
        if self.brake.is_engaged {
            let said = format!("the brake is engaged by {}", self.brake.who);
            let not_sent = Answer::NotSent { said };
            for (_, order) in std::mem::take(&mut self.out.orders) {
                self.answered(&order.key, &not_sent);
            }
        }
        self.write_down();
        std::mem::take(&mut self.out)
    }

    fn advance(&mut self, at: Timestamp) {
        if let Some((step, why)) = self.clock.advance(at) {
            let body = serde_json::json!({ "why": why });
            self.audit("forestall", step.name(), "clock", &body);
            match step {
                Step::Back => {}
                Step::Forward => self.awake = None,
                Step::Believed => self.set_back(),
            }
        }
        self.awake.get_or_insert(self.clock.now());
    }

    /// The present instant, as far as the planner has been told.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn health_passes(&mut self) {
        let every_s = self.settings.health_every_s;
        let is_due = self
            .health
            .as_ref()
            .is_none_or(|last| self.now().seconds_since(last.at) >= every_s);
        if is_due {
            let health = self.health();
            self.out
                .records
                .push(Record::Health(Box::new(health.clone())));
            self.health = Some(health);
        }
    }
}
