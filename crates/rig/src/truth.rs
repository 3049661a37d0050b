//! What happened in a run, in the form that recordings of real faults have.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The label of one recording. All instants are in seconds since the epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Truth {
    /// The recording's name.
    pub id: String,
    /// `memory`, `disk`, `fd`, `connections`, `cpu` or `dependency`.
    pub kind: String,
    /// The shape, after the mechanism if there is more than one.
    pub variant: String,
    /// What one second stands for when the recording is scored.
    pub time_scale: f64,
    /// The first scrape.
    pub start_ts: f64,
    /// The last one.
    pub end_ts: f64,
    /// Whether the resource ran out: what happened, not what was meant to happen.
    pub exhausted: bool,
    /// When it ran out.
    pub exhaustion_ts: Option<f64>,
    /// When the fault began; none for a flat level.
    pub onset_ts: Option<f64>,
    /// When a leak that stops stopped.
    pub driver_stop_ts: Option<f64>,
    /// Whether the resource was meant to run out.
    pub intended_event: bool,
    /// Whether the fault was still growing when the recording ended: nothing is known of what came after.
    pub censored: bool,
    /// What shows that it ran out.
    pub evidence: Option<String>,
    /// What ran out.
    pub capacity: Capacity,
    /// What was drawn from the seed.
    pub params: Map<String, Value>,
    /// From which the run can be made again.
    pub seed: u64,
    /// Its place in a plan, from 0.
    pub index: usize,
    /// Rows of the recording.
    pub rows: u64,
    /// What failed while scraping, and how often.
    pub sampler_errors: Map<String, Value>,
}

/// What ran out, and by which rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Capacity {
    /// The metric that shows its use, or an expression of metrics.
    pub metric: String,
    /// A number, or the metric that shows it.
    pub limit: Value,
    /// The unit of both.
    pub unit: String,
    /// When it counts as exhausted.
    pub exhausted_when: String,
}
