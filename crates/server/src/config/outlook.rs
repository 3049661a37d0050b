//! The section `[outlook]`.

use std::path::PathBuf;

use hotpath::LookoutConfig;
use serde::{Deserialize, Serialize};

use super::limit::LimitConfig;

/// The section `[outlook]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OutlookConfig {
    /// Whether it is foretold what runs out.
    pub enabled: bool,
    /// Folder with models, as `forestall train exhaustion` writes it; empty for those of the binary.
    pub models: PathBuf,
    /// How much faster than the clock of the samples time runs.
    pub tempo: f64,
    /// Seconds between two looks at a resource.
    pub refresh_s: f64,
    /// Seconds without a sample after which an outlook no longer holds.
    pub stale_after_s: f64,
    /// Most resources.
    pub max_resources: usize,
    /// Samples that may wait.
    pub queue_samples: usize,
    /// Limits that no metric tells.
    pub limits: Vec<LimitConfig>,
    /// When a service counts as exhausted.
    pub objectives: ObjectivesConfig,
}

/// The section `[outlook.objectives]`: at what a service, or a dependency, counts as exhausted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ObjectivesConfig {
    /// 95 % quantile of a service's latency, in seconds.
    pub latency_s: f64,
    /// Share of a service's requests that fail, 0 to 1.
    pub error_ratio: f64,
    /// Seconds after which calls to a dependency are given up.
    pub timeout_s: f64,
    /// Share of calls to a dependency that fail, 0 to 1.
    pub failed_ratio: f64,
}

impl Default for OutlookConfig {
    fn default() -> Self {
        let LookoutConfig {
            tempo,
            refresh_s,
            max_resources,
            ..
        } = LookoutConfig::default();
        Self {
            enabled: true,
            models: PathBuf::new(),
            tempo,
            refresh_s,
            stale_after_s: 300.0,
            max_resources,
            queue_samples: 1 << 18,
            limits: Vec::new(),
            objectives: ObjectivesConfig::default(),
        }
    }
}

impl Default for ObjectivesConfig {
    fn default() -> Self {
        let config = LookoutConfig::default();
        Self {
            latency_s: config.latency_objective_s,
            error_ratio: config.service_errors,
            timeout_s: config.timeout_s,
            failed_ratio: config.dependency_errors,
        }
    }
}

impl OutlookConfig {
    /// The part that the lookout is concerned with.
    pub(crate) fn lookout(&self) -> LookoutConfig {
        LookoutConfig {
            tempo: self.tempo,
            refresh_s: self.refresh_s,
            max_resources: self.max_resources,
            latency_objective_s: self.objectives.latency_s,
            timeout_s: self.objectives.timeout_s,
            service_errors: self.objectives.error_ratio,
            dependency_errors: self.objectives.failed_ratio,
            // What is wrong with one was told when the configuration was read.
            limits: self.limits.iter().flat_map(LimitConfig::rule).collect(),
        }
    }

    /// Keys whose values make no sense, and why not.
    pub(super) fn problems(&self) -> impl Iterator<Item = (String, String)> {
        let Self {
            tempo,
            refresh_s,
            stale_after_s,
            objectives,
            ..
        } = self;
        let cases = [
            ("tempo", *tempo, 0.001, 1000.0),
            ("refresh_s", *refresh_s, 0.05, 3600.0),
            // What is not looked at in between cannot be told to have stopped.
            ("stale_after_s", *stale_after_s, *refresh_s, 86_400.0),
            ("max_resources", self.max_resources as f64, 1.0, 1e7),
            (
                "queue_samples",
                self.queue_samples as f64,
                1024.0,
                16_777_216.0,
            ),
            ("objectives.latency_s", objectives.latency_s, 1e-6, 86_400.0),
            ("objectives.error_ratio", objectives.error_ratio, 1e-6, 1.0),
            ("objectives.timeout_s", objectives.timeout_s, 1e-6, 86_400.0),
            (
                "objectives.failed_ratio",
                objectives.failed_ratio,
                1e-6,
                1.0,
            ),
        ];
        let ranges = cases.into_iter().filter_map(|(key, value, low, high)| {
            let is_fine = (low..=high).contains(&value);
            let what = format!("{value} is not between {low} and {high}");
            (!is_fine).then(|| (format!("outlook.{key}"), what))
        });
        let limits = self.limits.iter().enumerate();
        let limits = limits.filter_map(|(i, limit)| {
            let what = limit.rule().err()?;
            Some((format!("outlook.limits[{i}]"), what))
        });
        ranges.chain(limits.collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests {
    use crate::Config;

    #[test]
    fn what_is_out_of_range_is_named() {
        let text = "[outlook]\nrefresh_s = 60\nstale_after_s = 30\nobjectives.error_ratio = 0\n";
        let error = Config::parse(text, "x").unwrap_err().to_string();
        assert!(
            error.contains("outlook.stale_after_s: 30 is not between 60 and 86400"),
            "{error}"
        );
        assert!(
            error.contains("outlook.objectives.error_ratio: 0 is not"),
            "{error}"
        );
    }
}
