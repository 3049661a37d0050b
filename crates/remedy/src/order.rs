//! What an executor is told to do, and what it answers.

use serde::{Deserialize, Serialize};
use series::Timestamp;

use crate::action::Action;
use crate::issue::IssueId;
use crate::plan::PlanId;

/// One action to carry out. It was written down before anybody hears of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// Names this order for ever: what was carried out under it is never carried out again.
    pub key: String,
    /// Of which plan.
    pub plan: PlanId,
    /// About which issue.
    pub issue: IssueId,
    /// Which step of the plan, from 0.
    pub step: usize,
    /// Whether it undoes that step.
    pub is_undo: bool,
    /// What is done.
    pub action: Action,
    /// Fences the lease: an executor that has seen a higher one for the target refuses.
    pub fence: u64,
    /// Seconds after which it is given up.
    pub timeout_s: f64,
    /// When it was ordered.
    pub at: Timestamp,
}

/// What became of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// It was carried out.
    Done {
        /// What was done, for people.
        said: String,
    },
    /// It was not carried out, and nothing was changed.
    Failed {
        /// Why not, for people.
        said: String,
    },
    /// It was not even handed over: the same order may be given again.
    NotSent {
        /// Why not, for people.
        said: String,
    },
    /// It may have been carried out, or in part.
    InDoubt {
        /// What is known, for people.
        said: String,
    },
}

impl Answer {
    /// What the executor said, for people.
    #[must_use]
    pub fn said(&self) -> &str {
        match self {
            Self::Done { said }
            | Self::Failed { said }
            | Self::NotSent { said }
            | Self::InDoubt { said } => said,
        }
    }
}
