//! How resources are watched.

use features::headroom::BIN_S;
use predict::exhaustion::Family;

/// A limit that no metric tells.
#[derive(Debug, Clone, PartialEq)]
pub struct LimitRule {
    /// The metric of what is used.
    pub metric: String,
    /// Labels that the series must have; others may be there too.
    pub labels: Vec<(String, String)>,
    /// How much there is, above 0, in the unit of the metric.
    pub limit: f64,
    /// What it is, for a metric that no recipe knows.
    pub family: Option<Family>,
}

/// How resources are watched.
#[derive(Debug, Clone, PartialEq)]
pub struct LookoutConfig {
    /// How much faster than the clock of the samples time runs: 1 but for recordings of faults that were driven faster than
    /// life. All times in an outlook are seconds of that faster time.
    pub tempo: f64,
    /// How often a resource is looked at anew, in seconds of the samples' clock; 30 by default, 0 for every call.
    pub refresh_s: f64,
    /// More resources than this are not watched.
    pub max_resources: usize,
    /// The 95 % quantile of a service's latency should stay below this, in seconds; 1 by default.
    pub latency_objective_s: f64,
    /// Calls to a dependency are given up after this, in seconds; 1 by default.
    pub timeout_s: f64,
    /// The share of failed requests at which a service counts as exhausted, 0 to 1; 0.2 by default.
    pub service_errors: f64,
    /// The share of failed calls at which a dependency counts as exhausted, 0 to 1; 0.5 by default.
    pub dependency_errors: f64,
    /// Limits that no metric tells, or tells wrong: these come first.
    pub limits: Vec<LimitRule>,
}

impl Default for LookoutConfig {
    fn default() -> Self {
        Self {
            tempo: 1.0,
            refresh_s: 30.0,
            max_resources: 100_000,
            latency_objective_s: 1.0,
            timeout_s: 1.0,
            service_errors: 0.2,
            dependency_errors: 0.5,
            limits: Vec::new(),
        }
    }
}

impl LookoutConfig {
    /// Microseconds of the samples' clock in a bin.
    pub(super) fn bin_us(&self) -> i64 {
        let us = (BIN_S * 1e6 / self.tempo.max(1e-6)).round();
        // A bin of no length would make bins without end.
        (us as i64).max(1)
    }
}
