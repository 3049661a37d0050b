//! What is to be remembered: each is written in the same transaction as the others of its batch, or none is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use series::Timestamp;

use crate::audit::{Entry, Hash, Head};
use crate::decision::DecisionId;
use crate::health::Health;
use crate::issue::{Issue, IssueId};
use crate::plan::{Plan, PlanId};
use crate::{Class, EntityId, Finding};

/// One thing to remember. An issue, plan, rate, lease or brake takes the place of what was remembered under its key; all
/// others are added.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// An issue as it is now.
    Issue(Box<Issue>),
    /// A plan as it is now.
    Plan(Box<Plan>),
    /// What was known and what was decided.
    Decision(Box<DecisionRecord>),
    /// What was learned of a strategy.
    Rate(Rate),
    /// An action that was ordered: counts against the limits.
    Action(ActionRecord),
    /// Who may act on a target.
    Lease(Lease),
    /// Whether everything is held.
    Brake(Brake),
    /// How everything is.
    Health(Box<Health>),
    /// A request that was answered, so that its repetition gets the same answer.
    Request(RequestRecord),
    /// An entry of the audit.
    Audit(Entry),
    /// A finding that belongs to an issue, as it is now: one per entity, class, source and signal.
    Finding(Box<FindingRecord>),
}

/// A finding and the issue that it was taken into. One that is not present any more takes the place of the one that was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FindingRecord {
    /// Which issue.
    pub issue: IssueId,
    /// What was found.
    pub finding: Finding,
}

/// A decision, to be made again bit for bit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionRecord {
    /// Its number.
    pub id: DecisionId,
    /// About what.
    pub issue: IssueId,
    /// When.
    pub at: Timestamp,
    /// All that was known, as JSON.
    pub input: String,
    /// What was decided, as JSON.
    pub output: String,
    /// The hash of `input`, which the audit holds too.
    pub input_hash: Hash,
    /// The hash of `output`, which the audit holds too.
    pub output_hash: Hash,
}

/// Successes and failures of a strategy in one context, as of `at`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// Which strategy.
    pub strategy: String,
    /// Where: class, kind of entity and cause.
    pub context: String,
    /// Counts of successes, decayed to `at`.
    pub successes: f64,
    /// Counts of failures, decayed to `at`.
    pub failures: f64,
    /// Counts of harm among the failures, decayed to `at`.
    pub harms: f64,
    /// When it was last brought up to date.
    pub at: Timestamp,
}

/// An action that was ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionRecord {
    /// Key of the order: unique.
    pub key: String,
    /// On what.
    pub target: EntityId,
    /// For which class and cause: attempts are counted by it.
    pub class: Class,
    /// Why.
    pub cause: String,
    /// By which plan.
    pub plan: PlanId,
    /// When.
    pub at: Timestamp,
}

/// Who may act on a target, until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// On what.
    pub target: EntityId,
    /// Which plan; `None` when it was given back.
    pub holder: Option<PlanId>,
    /// Rises with every holder and never falls: an order with a lower one is not carried out.
    pub fence: u64,
    /// Until when, unless it is renewed.
    pub expires: Timestamp,
}

/// Whether everything is held.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Brake {
    /// Whether it is.
    pub is_engaged: bool,
    /// By whom, or released by whom.
    pub who: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub at: Timestamp,
}

/// A request that was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestRecord {
    /// As the caller named it.
    pub id: String,
    /// The hash of method and content: the same id with other content is refused.
    pub digest: Hash,
    /// The answer, as the service wrote it.
    pub reply: Vec<u8>,
    /// When.
    pub at: Timestamp,
}

/// Numbers that were given; 0 where there is none yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Numbers {
    /// Of issues.
    pub issue: u64,
    /// Of plans.
    pub plan: u64,
    /// Of decisions.
    pub decision: u64,
}

/// What is brought back when a planner starts.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Memory {
    /// Issues that are live, and those resolved within the time that one may return in.
    pub issues: Vec<Issue>,
    /// Plans that are not over, and those of these issues.
    pub plans: Vec<Plan>,
    /// Findings that are present, of the live issues.
    pub findings: Vec<FindingRecord>,
    /// All rates.
    pub rates: Vec<Rate>,
    /// Actions within the memory of attempts.
    pub actions: Vec<ActionRecord>,
    /// All leases, given back ones too: their fences must not fall.
    pub leases: Vec<Lease>,
    /// The brake.
    pub brake: Brake,
    /// The end of the audit.
    pub head: Head,
    /// The hash of its first entry, which no two ledgers share; of zeros when there is none yet.
    pub first: Hash,
    /// The largest numbers given so far.
    pub last: Numbers,
    /// Verdicts so far, by strategy and verdict: for statistics.
    pub verdicts: BTreeMap<(String, String), u64>,
}
