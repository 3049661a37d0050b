//! A plan: what shall be done about an issue, why that is safe, how it is undone, how its effect is judged, and what came
//! of it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use series::Timestamp;

use crate::action::Action;
use crate::decision::{DecisionId, Urgency};
use crate::issue::{IssueId, NumberError, number};
use crate::strategy::{Authority, Effect, Reversibility, Step};
use crate::{Class, EntityId};

/// A plan's number, unique and rising within one ledger; written `p17`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct PlanId(pub u64);

impl fmt::Display for PlanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p{}", self.0)
    }
}

impl FromStr for PlanId {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, NumberError> {
        number(text, 'p', "a plan", "p17").map(Self)
    }
}

/// Where a plan is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanState {
    /// It waits for a person until its deadline.
    AwaitingApproval,
    /// It may be carried out, and waits for its time, its lease, or for what holds it to go away.
    Scheduled,
    /// Its steps are being carried out.
    Running,
    /// Its steps are being undone.
    Undoing,
    /// Its steps were carried out, and whether it helped is not known yet.
    Verifying,
    /// It was carried out and judged.
    Done,
    /// A step failed or an abort condition held, and what had been done was undone.
    RolledBack,
    /// A step failed and could not be undone, or it is not known whether it was carried out. For people.
    Stuck,
    /// A person refused it.
    Refused,
    /// A person, or the end of the issue, made it pointless before it began.
    Cancelled,
    /// Nobody approved it in time.
    Expired,
    /// Nothing was to be carried out: it shows what would have been done. Judged by what happened without it.
    Shadow,
    /// Withheld on purpose, as a control: judged by what happened without it.
    Withheld,
}

impl PlanState {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::AwaitingApproval,
        Self::Scheduled,
        Self::Running,
        Self::Undoing,
        Self::Verifying,
        Self::Done,
        Self::RolledBack,
        Self::Stuck,
        Self::Refused,
        Self::Cancelled,
        Self::Expired,
        Self::Shadow,
        Self::Withheld,
    ];

    /// The name on the wire, in storage and for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AwaitingApproval => "awaiting_approval",
            Self::Scheduled => "scheduled",
            Self::Running => "running",
            Self::Undoing => "undoing",
            Self::Verifying => "verifying",
            Self::Done => "done",
            Self::RolledBack => "rolled_back",
            Self::Stuck => "stuck",
            Self::Refused => "refused",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Shadow => "shadow",
            Self::Withheld => "withheld",
        }
    }

    /// Whether nothing more will come of it.
    #[must_use]
    pub const fn is_over(self) -> bool {
        match self {
            Self::Done
            | Self::RolledBack
            | Self::Stuck
            | Self::Refused
            | Self::Cancelled
            | Self::Expired => true,
            // The last two end when they are judged: `Plan::outcome` says so.
            Self::AwaitingApproval
            | Self::Scheduled
            | Self::Running
            | Self::Undoing
            | Self::Verifying
            | Self::Shadow
            | Self::Withheld => false,
        }
    }
}

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Not begun.
    Waiting,
    /// Ordered; whether it was carried out is not known. Written down before the executor hears of it.
    Ordered,
    /// Carried out.
    Done,
    /// It failed, and changed nothing.
    Failed,
    /// Its inverse is ordered.
    Undoing,
    /// Its inverse was carried out.
    Undone,
    /// Its inverse failed.
    NotUndone,
    /// Ordered before a crash, and the executor cannot tell whether it was carried out.
    InDoubt,
}

/// A step of a plan, and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedStep {
    /// What is done, and what undoes it.
    pub step: Step,
    /// What became of it.
    pub state: StepState,
    /// What the executor said, or would do: for people.
    pub said: String,
    /// How many of its orders came to nothing and were, or will be, given anew.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub tries: u32,
    /// When it was ordered last.
    pub ordered: Option<Timestamp>,
    /// When the answer came.
    pub answered: Option<Timestamp>,
}

/// Whether it helped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It moved as foretold, or the finding is gone.
    Cured,
    /// It moved by more than the least, and less than foretold.
    Improved,
    /// It moved by less than the least.
    NoEffect,
    /// It moved the other way by more than the least.
    Harmed,
    /// Too few samples came to tell.
    NotEnoughData,
}

impl Verdict {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Cured,
        Self::Improved,
        Self::NoEffect,
        Self::Harmed,
        Self::NotEnoughData,
    ];

    /// Whether it is of a plan that helped.
    #[must_use]
    pub const fn has_helped(self) -> bool {
        matches!(self, Self::Cured | Self::Improved)
    }

    /// The name on the wire, in storage and for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cured => "cured",
            Self::Improved => "improved",
            Self::NoEffect => "no_effect",
            Self::Harmed => "harmed",
            Self::NotEnoughData => "not_enough_data",
        }
    }
}

/// What came of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Whether it helped; of a shadow or control, whether the issue went away by itself.
    pub verdict: Verdict,
    /// When it was judged.
    pub at: Timestamp,
    /// What was measured then, in the unit of the effect; `None` without data.
    pub value: Option<f64>,
    /// How it came about, for people.
    pub because: String,
}

/// A person's word on a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// Who.
    pub who: String,
    /// With which authority at that time.
    pub authority: Authority,
    /// When.
    pub at: Timestamp,
    /// `true` approves, `false` refuses.
    pub is_yes: bool,
    /// Why; a refusal has a reason.
    pub reason: String,
    /// For which executor: what is allowed as a dry run is not allowed in earnest. Empty for any.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub executor: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
const fn is_zero(it: &u32) -> bool {
    *it == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
const fn is_false(it: &bool) -> bool {
    !*it
}

/// One plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Its number.
    pub id: PlanId,
    /// What it is about.
    pub issue: IssueId,
    /// The decision that made it: what was known and how it was weighed.
    pub decision: DecisionId,
    /// What is to be remedied.
    pub class: Class,
    /// On what.
    pub entity: EntityId,
    /// Why, as far as was known.
    pub cause: String,
    /// By which strategy.
    pub strategy: String,
    /// Where it is in its life.
    pub state: PlanState,
    /// What is done, in order.
    pub steps: Vec<PlannedStep>,
    /// How its effect is judged, fixed before anything is done.
    pub effect: Effect,
    /// How the signal moves by itself, in its unit per second: what it would have been without the plan.
    pub drift_per_s: f64,
    /// Whether it can be undone.
    pub reversibility: Reversibility,
    /// Share of the capacity of the service that is away while it is done, 0 to 1.
    pub capacity_away: f64,
    /// Who may allow it.
    pub authority: Authority,
    /// When it is to be done.
    pub urgency: Urgency,
    /// How sure the decision was, 0 to 1.
    pub confidence: f64,
    /// How risky it is, 0 to 1.
    pub risk: f64,
    /// Why this helps, and why it is safe: for people, one sentence each.
    pub because: Vec<String>,
    /// When it was made.
    pub created: Timestamp,
    /// When anything about it last changed.
    pub updated: Timestamp,
    /// Until when it may be approved.
    pub deadline: Option<Timestamp>,
    /// Not before: the beginning of a window.
    pub not_before: Option<Timestamp>,
    /// Words of people on it, oldest first.
    pub approvals: Vec<Approval>,
    /// What holds it, or why it ended: for people; empty when nothing does.
    pub held: String,
    /// Who called it off, and why, while an answer was awaited: what it did is undone when that has come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub called_off: Option<String>,
    /// When its last step was done.
    pub carried_out: Option<Timestamp>,
    /// What came of it.
    pub outcome: Option<Outcome>,
    /// Whether what it had cured came back within the memory of attempts: it counts as one that did not help.
    #[serde(default, skip_serializing_if = "is_false")]
    pub came_back: bool,
    /// How many plans for this target and class came before it within the memory of attempts.
    pub attempt: u32,
    /// By which executor: `dry_run`, `webhook`, …
    pub executor: String,
    /// The number that fences its lease: an executor takes no order with a lower one than it has seen for the target.
    pub fence: u64,
}

impl PlannedStep {
    /// What is done, or what undoes it; `None` when nothing does.
    #[must_use]
    pub const fn action(&self, is_undo: bool) -> Option<&Action> {
        match is_undo {
            true => self.step.inverse.as_ref(),
            false => Some(&self.step.action),
        }
    }
}

impl Plan {
    /// Whether nothing more will come of it: it is over, or what happened without it was judged.
    #[must_use]
    pub const fn is_finished(&self) -> bool {
        let was_apart = matches!(self.state, PlanState::Shadow | PlanState::Withheld);
        self.state.is_over() || was_apart && self.outcome.is_some()
    }

    /// When its first step was ordered; when it was made, while none was.
    #[must_use]
    pub fn begun(&self) -> Timestamp {
        let ordered = self.steps.iter().filter_map(|step| step.ordered);
        ordered.min().unwrap_or(self.created)
    }

    /// The key by which an executor tells an order from its repetition: `p17-0-do-1f0c9a3e`, and `p17-0-do2-1f0c9a3e` for one
    /// that is given anew because nobody heard of the first. `ledger` tells the plans of one
    /// ledger from those of another, which count from 1 too.
    #[must_use]
    pub fn order_key(&self, step: usize, is_undo: bool, ledger: &str) -> String {
        let what = if is_undo { "undo" } else { "do" };
        let again = match self.steps.get(step).map_or(0, |step| step.tries) {
            0 => String::new(),
            tries => (u64::from(tries) + 1).to_string(),
        };
        format!("{}-{step}-{what}{again}-{ledger}", self.id)
    }
}
