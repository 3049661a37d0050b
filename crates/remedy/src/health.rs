//! How everything is: a score from 0 to 100, overall and by area, with what lowered it.

use serde::{Deserialize, Serialize};
use series::Timestamp;

use crate::class::Area;
use crate::issue::IssueId;
use crate::EntityId;

/// What lowered a score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// Which issue.
    pub issue: IssueId,
    /// About what.
    pub entity: EntityId,
    /// By how many points.
    pub points: f64,
    /// For people.
    pub because: String,
}

/// The score of one area.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AreaHealth {
    /// Which.
    pub area: Area,
    /// 0 to 100.
    pub score: f64,
    /// What lowered it, most first; at most [`MAX_REASONS`].
    pub reasons: Vec<Reason>,
    /// How many issues lowered it.
    pub n_reasons: u64,
}

/// Most reasons told of an area.
pub const MAX_REASONS: usize = 5;

/// How everything is, at one instant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Health {
    /// When.
    pub at: Timestamp,
    /// 0 to 100.
    pub overall: f64,
    /// All areas, in the order of [`Area::ALL`].
    pub areas: Vec<AreaHealth>,
}
