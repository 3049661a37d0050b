//! What the engine may be told.

use std::collections::BTreeMap;

use catalog::{BuildError, Context, Params, find};
use predict::anomaly::{DETECTORS, Detector};
use predict::{Ensemble, EnsembleConfig};
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
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            profile: Profile::Default,
            seed: 1,
            max_series: 1_000_000,
            replica_labels: ["instance", "pod", "replica", "host", "cpu", "container_id"].map(String::from).into(),
            ensemble: EnsembleConfig::default(),
            detectors: BTreeMap::new(),
        }
    }
}

/// The detectors of the lean profile.
const LEAN: &[&str] = &["residual"];

impl EngineConfig {
    /// Builds the ensemble that this configuration describes.
    ///
    /// # Errors
    /// [`BuildError`] when a detector is unknown, an option is unknown, of the wrong type or out of range.
    pub fn ensemble(&self) -> Result<Ensemble, BuildError> {
        for name in self.detectors.keys() {
            find(DETECTORS, name)?;
        }
        let context = Context { seed: self.seed };
        let mut members: Vec<(&'static str, Box<dyn Detector>)> = Vec::new();
        for entry in DETECTORS {
            let mut options = Params::parse(entry.name, entry.example)?;
            let mut enabled = self.profile == Profile::Default || LEAN.contains(&entry.name);
            if let Some(given) = self.detectors.get(entry.name) {
                let mut given = given.clone();
                if let Some(value) = given.remove("enabled") {
                    enabled = value.as_bool().ok_or_else(|| BuildError::Options {
                        name: entry.name.to_owned(),
                        message: format!("enabled is {value}, expected true or false"),
                    })?;
                }
                options.overlay(given);
            }
            let built = (entry.build)(&options, &context)?;
            if enabled {
                members.push((entry.name, built));
            }
        }
        Ok(Ensemble::new(members, self.ensemble))
    }
}
