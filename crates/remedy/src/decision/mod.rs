//! From an issue to what shall be done about it: a pure function of what is known, which can be run again.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::issue::{NumberError, number};

/// A decision's number, unique and rising within one ledger; written `d17`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct DecisionId(pub u64);

impl fmt::Display for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "d{}", self.0)
    }
}

impl FromStr for DecisionId {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, NumberError> {
        number(text, 'd', "a decision", "d17").map(Self)
    }
}

/// When a plan is to be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    /// At once.
    Now,
    /// In the next maintenance window, if one comes before it is too late; else at once.
    NextWindow,
    /// In a maintenance window, whenever that is.
    PlannedWindow,
}
