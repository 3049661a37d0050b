//! The sections `[models]` and `[learning]`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use store::models::{Limits, Name, Registry};

use super::StateConfig;
use crate::models::gate;

/// The section `[models]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ModelsConfig {
    /// The repository; empty for `models` in the state directory.
    pub dir: PathBuf,
    /// Which model of it forecasts.
    pub forecaster: String,
    /// Seconds between two looks at which version of it is the champion.
    pub check_interval_s: f64,
    /// Largest `model.onnx`, in bytes.
    pub max_model_bytes: u64,
    /// The last share of the captured time that candidates are judged on.
    pub held_back_share: f64,
    /// At most so many samples of it.
    pub held_back_samples: usize,
    /// How much worse than the champion a candidate may be.
    pub gate: gate::Limits,
    /// The program that tries graphs of others in a process of its own: this one, as the command line sets it. Without,
    /// they are loaded right here.
    #[serde(skip)]
    pub prober: Option<PathBuf>,
}

/// The section `[learning]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LearningConfig {
    /// Whether candidates are trained on what is captured.
    pub enabled: bool,
    /// Seconds between two looks at new samples.
    pub check_interval_s: f64,
    /// New samples that it takes.
    pub min_new_rows: u64,
    /// Population stability index of a feature from which on samples have drifted.
    pub drift_features: f64,
    /// The same of calibration.
    pub drift_calibration: f64,
    /// Name or path of the recipe.
    pub recipe: String,
    /// Longest training, in seconds.
    pub max_training_s: f64,
    /// How many of the newest versions are kept.
    pub keep: usize,
}

impl Default for ModelsConfig {
    fn default() -> Self {
        Self {
            dir: PathBuf::new(),
            forecaster: "lstm".to_owned(),
            check_interval_s: 2.0,
            max_model_bytes: 256 << 20,
            held_back_share: 0.2,
            held_back_samples: 500_000,
            gate: gate::Limits::default(),
            prober: None,
        }
    }
}

impl Default for LearningConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            check_interval_s: 600.0,
            min_new_rows: 200_000,
            drift_features: 0.25,
            drift_calibration: 0.1,
            recipe: "default".to_owned(),
            max_training_s: 14_400.0,
            keep: 5,
        }
    }
}

impl ModelsConfig {
    /// Where models are: `dir`, or `models` in the state directory. `None` when there is neither.
    #[must_use]
    pub fn resolved_dir(&self, state: &StateConfig) -> Option<PathBuf> {
        if !self.dir.as_os_str().is_empty() {
            return Some(self.dir.clone());
        }
        let state = state.resolved_dir().filter(|_| state.enabled);
        state.map(|dir| dir.join("models"))
    }

    /// The repository; `None` when there is no place for one.
    #[must_use]
    pub fn registry(&self, state: &StateConfig) -> Option<Registry> {
        let limits = Limits {
            model_bytes: self.max_model_bytes,
            ..Limits::default()
        };
        let dir = self.resolved_dir(state)?;
        Some(Registry::with_limits(&dir, limits))
    }

    pub(super) fn problems(&self) -> Vec<(&'static str, String)> {
        let gate = &self.gate;
        let mut problems = out_of_range(&[
            (
                "models.check_interval_s",
                self.check_interval_s,
                0.1,
                3600.0,
            ),
            (
                "models.max_model_bytes",
                self.max_model_bytes as f64,
                1024.0,
                4e9,
            ),
            ("models.held_back_share", self.held_back_share, 0.01, 0.9),
            (
                "models.held_back_samples",
                self.held_back_samples as f64,
                1000.0,
                1e8,
            ),
            ("models.gate.nats", gate.nats, 0.0, 100.0),
            ("models.gate.false_alarms", gate.false_alarms, 0.0, 1.0),
            ("models.gate.coverage", gate.coverage, 0.0, 1.0),
            ("models.gate.step_us", gate.step_us, 0.01, 1e6),
            ("models.gate.min_samples", gate.min_samples as f64, 1.0, 1e9),
        ]);
        if let Err(error) = self.forecaster.parse::<Name>() {
            problems.push(("models.forecaster", error.to_string()));
        }
        problems
    }
}

impl LearningConfig {
    /// `has_data` says whether anything is captured, `has_models` whether there is a repository.
    pub(super) fn problems(&self, has_data: bool, has_models: bool) -> Vec<(&'static str, String)> {
        let mut problems = out_of_range(&[
            (
                "learning.check_interval_s",
                self.check_interval_s,
                1.0,
                864_000.0,
            ),
            (
                "learning.min_new_rows",
                self.min_new_rows as f64,
                1000.0,
                1e12,
            ),
            ("learning.drift_features", self.drift_features, 0.0, 1000.0),
            (
                "learning.drift_calibration",
                self.drift_calibration,
                0.0,
                1000.0,
            ),
            (
                "learning.max_training_s",
                self.max_training_s,
                1.0,
                8_640_000.0,
            ),
            ("learning.keep", self.keep as f64, 1.0, 10_000.0),
        ]);
        if self.enabled && !has_data {
            let message = "there is nothing to learn from: set capture.dir".to_owned();
            problems.push(("learning.enabled", message));
        }
        if self.enabled && !has_models {
            let message = "there is nowhere to keep what is learned: set models.dir".to_owned();
            problems.push(("learning.enabled", message));
        }
        if self.enabled
            && let Err(error) = training::Recipe::named(&self.recipe)
        {
            problems.push(("learning.recipe", error.to_string()));
        }
        problems
    }
}

fn out_of_range(numbers: &[(&'static str, f64, f64, f64)]) -> Vec<(&'static str, String)> {
    let outside = numbers
        .iter()
        .filter(|(_, value, low, high)| !(low..=high).contains(&value));
    outside
        .map(|(key, value, low, high)| (*key, format!("{value} is not between {low} and {high}")))
        .collect()
}
