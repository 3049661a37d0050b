//! What people may ask of the planner, and what it answers.

use crate::issue::{Issue, IssueId};
use crate::plan::{Plan, PlanId};
use crate::record::Brake;

/// What somebody asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Says that a person has seen an issue.
    Acknowledge {
        /// Which.
        issue: IssueId,
        /// What for, for others.
        note: String,
    },
    /// Wants to hear nothing of an issue for some time: it is not planned for.
    Suppress {
        /// Which.
        issue: IssueId,
        /// For how many seconds.
        for_s: f64,
        /// Why.
        note: String,
    },
    /// Ends a suppression, or takes an escalated issue back.
    Reopen {
        /// Which.
        issue: IssueId,
        /// Why.
        note: String,
    },
    /// Says that an issue is over. It comes back if what was found is found again.
    Resolve {
        /// Which.
        issue: IssueId,
        /// Why.
        note: String,
    },
    /// Wants an issue thought over now.
    Plan {
        /// Which.
        issue: IssueId,
    },
    /// Allows a plan to be carried out.
    Approve {
        /// Which.
        plan: PlanId,
        /// Why, for others.
        reason: String,
    },
    /// Does not allow it.
    Refuse {
        /// Which.
        plan: PlanId,
        /// Why: needed.
        reason: String,
    },
    /// Stops a plan: one that has not begun is dropped, one that has is undone.
    Cancel {
        /// Which.
        plan: PlanId,
        /// Why.
        reason: String,
    },
    /// Undoes a plan that was carried out.
    Undo {
        /// Which.
        plan: PlanId,
        /// Why.
        reason: String,
    },
    /// Holds everything.
    Brake {
        /// Why: needed.
        reason: String,
    },
    /// Ends that.
    Release {
        /// Why: needed.
        reason: String,
    },
}

/// What came of a command.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// The issue as it is now, and its newest plan.
    Issue(Box<Issue>, Option<Box<Plan>>),
    /// The plan as it is now.
    Plan(Box<Plan>),
    /// The brake as it is now.
    Brake(Brake),
}

/// Why a command was not done. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No such issue, or one that was resolved long ago.
    #[error("there is no live issue {0}")]
    NoIssue(IssueId),
    /// No such plan, or one that was over long ago.
    #[error("there is no live plan {0}")]
    NoPlan(PlanId),
    /// An issue in this state cannot.
    #[error("{id} is {state}: it cannot be {what}")]
    IssueState {
        /// Which.
        id: IssueId,
        /// Its state.
        state: &'static str,
        /// What was asked for.
        what: &'static str,
    },
    /// A plan in this state cannot.
    #[error("{id} is {state}: it cannot be {what}")]
    PlanState {
        /// Which.
        id: PlanId,
        /// Its state.
        state: &'static str,
        /// What was asked for.
        what: &'static str,
    },
    /// The deadline has passed.
    #[error("the deadline of {id} passed {ago_s} s ago; `forestall plan {issue}` makes a new one")]
    Late {
        /// Which.
        id: PlanId,
        /// Of which issue.
        issue: IssueId,
        /// Seconds since.
        ago_s: i64,
    },
    /// Nobody of that name may decide anything.
    #[error("{0:?} is not among the people who may decide: name them in planner.people")]
    Nobody(String),
    /// Not enough authority.
    #[error("{who} is {has}, it takes the authority of {needs}")]
    Authority {
        /// Who.
        who: String,
        /// What they have.
        has: &'static str,
        /// What it takes.
        needs: &'static str,
    },
    /// A reason is needed.
    #[error("{0} needs a reason")]
    NoReason(&'static str),
    /// A text or number that makes no sense.
    #[error("{0}")]
    Nonsense(String),
    /// A rule stops it that no person can lift.
    #[error("{id} may not be carried out, whoever approves: {why}")]
    Vetoed {
        /// Which.
        id: PlanId,
        /// The rules, with numbers.
        why: String,
    },
    /// No plan came of it.
    #[error("no plan for {id}: {why}")]
    NothingToDo {
        /// Which issue.
        id: IssueId,
        /// Why not.
        why: String,
    },
    /// The plan cannot be undone.
    #[error("{0} cannot be undone: no step of it that was done has an inverse")]
    NoInverse(PlanId),
}
