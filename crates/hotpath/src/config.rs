//! What the engine may be told.

use std::collections::BTreeMap;
use std::sync::Arc;

use catalog::{BuildError, Context, Params, find};
use predict::anomaly::{AdoptError, DETECTORS};
use predict::forecast::{Model, Runner};
use predict::{Ensemble, EnsembleConfig, Member};
use serde::{Deserialize, Serialize};

/// How much is spent on each series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Every detector that earns its place.
    #[default]
    Default,
    /// The few detectors that earn most per byte and nanosecond.
    Lean,
}

/// The engine's configuration: the section `[engine]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EngineConfig {
    /// Which detectors run unless `detectors` says otherwise.
    pub profile: Profile,
    /// Seed of every pseudo-random choice.
    pub seed: u64,
    /// The most series that are watched; further ones are refused and counted.
    pub max_series: usize,
    /// Labels that tell replicas of one thing apart: series that differ only in these are peers.
    pub replica_labels: Vec<String>,
    /// How scores are put together, and when events open and close.
    pub ensemble: EnsembleConfig,
    /// Options by detector; `enabled = false` leaves one out, `enabled = true` takes one in.
    pub detectors: BTreeMap<String, toml::Table>,
    /// Trained models for the detectors that need one; not part of any file.
    #[serde(skip)]
    pub models: Models,
}

/// Trained models. A detector that needs one and is given none is left out.
#[derive(Debug, Clone, Default)]
pub struct Models {
    /// What forecasts the next samples.
    pub forecaster: Option<Arc<dyn Model>>,
}

/// Two are equal when they are the same models, not when they are alike.
impl PartialEq for Models {
    fn eq(&self, other: &Self) -> bool {
        match (&self.forecaster, &other.forecaster) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (a, b) => a.is_none() && b.is_none(),
        }
    }
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            profile: Profile::Default,
            seed: 1,
            max_series: 1_000_000,
            replica_labels: ["instance", "pod", "replica", "host", "cpu", "container_id"]
                .map(String::from)
                .into(),
            ensemble: EnsembleConfig::default(),
            detectors: BTreeMap::new(),
            models: Models::default(),
        }
    }
}

/// A detector's place in the ensemble unless the configuration says otherwise.
struct Place {
    name: &'static str,
    /// What a raw score of 1 adds to the alert score.
    alert: f32,
    /// Weight in the dense score.
    score: f32,
    runs_in: RunsIn,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum RunsIn {
    Both,
    Default,
    /// Built and at hand, but it did not earn its cost.
    Neither,
}

const fn place(name: &'static str, alert: f32, score: f32, runs_in: RunsIn) -> Place {
    Place {
        name,
        alert,
        score,
        runs_in,
    }
}

/// The outcome of `forestall eval --ablate` on the development data.
const PLACES: &[Place] = &[
    place("level", 0.52, 1.0, RunsIn::Both),
    place("mean_6", 0.0, 1.0, RunsIn::Default),
    place("mean_24", 0.24, 1.0, RunsIn::Both),
    place("change", 0.12, 1.0, RunsIn::Default),
    place("deviation_6", 0.0, 1.0, RunsIn::Default),
    place("deviation_24", 0.0, 1.0, RunsIn::Default),
    place("spread_12", 0.0, 1.0, RunsIn::Default),
    place("spread_48", 0.12, 1.0, RunsIn::Both),
    place("season", 0.0, 1.0, RunsIn::Default),
    place("cycle", 0.0, 1.0, RunsIn::Neither),
    place("delay", 0.0, 1.0, RunsIn::Default),
    place("rarity", 0.0, 1.0, RunsIn::Default),
    place("residual", 0.0, 1.0, RunsIn::Default),
    place("shift", 0.0, 1.0, RunsIn::Neither),
    place("peers", 0.5, 1.0, RunsIn::Default),
    place("forest", 0.0, 1.0, RunsIn::Neither),
    place("lstm", 0.0, 0.3, RunsIn::Neither),
];

impl EngineConfig {
    /// Builds the ensemble that this configuration describes.
    ///
    /// # Errors
    /// [`BuildError`] when a detector is unknown, an option is unknown, of the wrong type or out of range, or a model
    /// does not fit the detector that needs it.
    pub fn ensemble(&self) -> Result<Ensemble, BuildError> {
        for name in self.detectors.keys() {
            find(DETECTORS, name)?;
        }
        let context = Context { seed: self.seed };
        let mut members = Vec::new();
        for entry in DETECTORS {
            let unplaced = place(entry.name, 0.0, 1.0, RunsIn::Neither);
            let place = PLACES
                .iter()
                .find(|place| place.name == entry.name)
                .unwrap_or(&unplaced);
            let (mut alert_weight, mut score_weight) = (place.alert, place.score);
            let mut options = Params::parse(entry.name, entry.example)?;
            let mut enabled = match place.runs_in {
                RunsIn::Both => true,
                RunsIn::Default => self.profile == Profile::Default,
                RunsIn::Neither => false,
            };
            if let Some(given) = self.detectors.get(entry.name) {
                let mut given = given.clone();
                if let Some(value) = given.remove("enabled") {
                    enabled = value.as_bool().ok_or_else(|| BuildError::Options {
                        name: entry.name.to_owned(),
                        message: format!("enabled is {value}, expected true or false"),
                    })?;
                }
                for (key, weight) in [
                    ("alert_weight", &mut alert_weight),
                    ("score_weight", &mut score_weight),
                ] {
                    if let Some(value) = given.remove(key) {
                        *weight = weight_of(entry.name, key, &value)?;
                    }
                }
                options.overlay(given);
            }
            let mut built = (entry.build)(&options, &context)?;
            if enabled && built.needs_model() {
                enabled = match &self.models.forecaster {
                    Some(model) => {
                        let adopted = Runner::new(model).map_err(AdoptError::from);
                        let adopted = adopted.and_then(|runner| built.adopt(runner));
                        adopted.map_err(|e| BuildError::Options {
                            name: entry.name.to_owned(),
                            message: e.to_string(),
                        })?;
                        true
                    }
                    None => false,
                };
            }
            if enabled {
                members.push(Member {
                    name: entry.name,
                    alert_weight,
                    score_weight,
                    detector: built,
                });
            }
        }
        Ok(Ensemble::new(members, self.ensemble.clone()))
    }
}

fn weight_of(name: &str, key: &str, value: &toml::Value) -> Result<f32, BuildError> {
    let number = value
        .as_float()
        .or_else(|| value.as_integer().map(|whole| whole as f64));
    number
        .filter(|weight| (0.0..=1000.0).contains(weight))
        .map(|weight| weight as f32)
        .ok_or_else(|| BuildError::Options {
            name: name.to_owned(),
            message: format!("{key} is {value}, expected a number from 0 to 1000"),
        })
}
