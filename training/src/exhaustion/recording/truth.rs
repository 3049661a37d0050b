//! What came of an episode, as it is written beside its samples.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

/// What came of an episode. Times are seconds since the epoch, to the millisecond, on the recording's clock.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RecordedTruth {
    /// Its name, and that of its files.
    pub id: String,
    /// What ran out, or could have.
    pub kind: &'static str,
    /// The shape of its course, after the mechanism where there are several.
    pub variant: String,
    /// Seconds of episode time in a second of the recording.
    pub time_scale: f64,
    /// Bin 0; the first scrape comes after it.
    pub start_ts: f64,
    /// The end; no scrape comes after it.
    pub end_ts: f64,
    /// When the fault, or the load, began; none for levels at which nothing happens.
    pub onset_ts: Option<f64>,
    /// Whether it ran out.
    pub exhausted: bool,
    /// When it did.
    pub exhaustion_ts: Option<f64>,
    /// When a leak that stops stopped.
    pub driver_stop_ts: Option<f64>,
    /// Whether a fault was still growing at the end: nothing is known of what came after it.
    pub censored: bool,
    /// What the simulator set out to do; `exhausted` is what happened.
    pub intended_event: bool,
    /// How it was seen that it ran out.
    pub evidence: Option<&'static str>,
    /// Of what it ran out.
    pub capacity: Capacity,
    /// What made it so, and what else moved.
    pub params: Value,
    /// Samples in the recording.
    pub rows: u64,
    /// The seed of this episode.
    pub seed: u64,
    /// Its place among those of the plan.
    pub index: usize,
    /// Scrapes that failed, by job.
    pub sampler_errors: BTreeMap<&'static str, u64>,
}

/// Of what something ran out, or could have.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Capacity {
    /// The metric of what is used.
    pub metric: &'static str,
    /// How much there is.
    pub limit: f64,
    /// In what.
    pub unit: &'static str,
    /// When it counts as used up.
    pub exhausted_when: &'static str,
}
