//! The watch over resources: which series make up a resource, how much of it is used, and when it runs out.
//!
//! Single-threaded and pure, like [`crate::Shard`]: time is an argument. It takes only the series that some resource is
//! read from, gathers them into bins, and refreshes each resource once in a while, a few per call.

use std::sync::Arc;

use predict::exhaustion::{Family, Outlook};
use series::{Sample, SeriesId, SeriesKey, Timestamp};

/// How resources are watched.
#[derive(Debug, Clone, PartialEq)]
pub struct LookoutConfig {
    /// Seconds of samples that are taken together; 20 by default.
    pub bin_s: f64,
    /// How often a resource is looked at anew, in seconds; 30 by default.
    pub refresh_s: f64,
    /// More resources than this are not watched.
    pub max_resources: usize,
}

impl Default for LookoutConfig {
    fn default() -> Self {
        Self {
            bin_s: 20.0,
            refresh_s: 30.0,
            max_resources: 100_000,
        }
    }
}

/// A resource that was found among the series.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// What it is.
    pub family: Family,
    /// Its name: the metric that its use is read from, with the labels that tell it from others.
    pub key: Arc<SeriesKey>,
    /// The series that it is read from.
    pub series: Vec<SeriesId>,
    /// What keeps it from being forecast: the metric, label or setting that would give its limit.
    pub missing: Option<String>,
}

/// The resources, and what is known of them.
#[derive(Debug)]
pub struct Lookout {
    config: LookoutConfig,
    resources: Vec<Resource>,
}

impl Lookout {
    /// An empty one.
    #[must_use]
    pub fn new(config: LookoutConfig) -> Self {
        Self {
            config,
            resources: Vec::new(),
        }
    }

    /// How it was set up.
    #[must_use]
    pub const fn config(&self) -> &LookoutConfig {
        &self.config
    }

    /// Makes a series known. Returns whether any resource is read from it; samples of others need not be pushed.
    pub fn add_series(&mut self, _id: SeriesId, _key: &Arc<SeriesKey>) -> bool {
        false
    }

    /// Takes one sample. Samples of unknown series are passed over.
    pub fn push(&mut self, _sample: Sample) {}

    /// Refreshes at most `most` of the resources that are due at `now`, and appends what is said of each to `out`.
    pub fn refresh(&mut self, _now: Timestamp, _most: usize, _out: &mut Vec<Outlook>) {}

    /// The resources found so far; their places never change.
    #[must_use]
    pub fn resources(&self) -> &[Resource] {
        &self.resources
    }

    /// The recent past of a resource: time, and level over limit, oldest first.
    #[must_use]
    pub fn history(&self, _resource: u32) -> Vec<(Timestamp, f32)> {
        Vec::new()
    }
}
