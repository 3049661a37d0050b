//! Recipes: everything that decides what a model becomes, but for the data.

use std::path::{Path, PathBuf};

use features::{SCHEMA, schema_hash};
use predict::forecast::{Signature, SignatureError};
use serde::{Deserialize, Serialize};

use crate::generate::GeneratorConfig;
use crate::learner::LearnerConfig;
use crate::lstm::Shape;

/// The recipe of the model that ships.
const DEFAULT: &str = include_str!("../recipes/default.toml");
/// A small one for trying things out: seconds, not minutes.
const QUICK: &str = include_str!("../recipes/quick.toml");

/// See the comments in `training/recipes/default.toml`, which has every key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Where all chance comes from.
    pub seed: u64,
    /// The network.
    pub model: ModelRecipe,
    /// How series are cut up.
    pub windows: WindowRecipe,
    /// How it learns.
    pub optimiser: OptimiserRecipe,
    /// The synthetic series, for when no captured data is named.
    pub generate: GeneratorConfig,
}

/// `[model]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelRecipe {
    /// Feature columns that go in.
    pub inputs: Vec<String>,
    /// Inputs are softened to lie within this distance of 0.
    pub soft_limit: f32,
    /// Numbers in each of the two states.
    pub hidden: usize,
    /// Steps ahead that are forecast.
    pub horizons: Vec<u32>,
    /// What each horizon counts for.
    pub horizon_weights: Vec<f32>,
}

/// `[windows]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowRecipe {
    /// Steps that the gradient goes back.
    pub steps: usize,
    /// Windows in a row that the state is carried through.
    pub per_block: usize,
    /// A gap of more usual steps than this ends a segment.
    pub longest_gap: f32,
    /// The last share of each series, kept for validation.
    pub validation_share: f64,
}

/// `[optimiser]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptimiserRecipe {
    /// Windows of an update.
    pub batch: usize,
    /// Times that all blocks are seen, at most.
    pub epochs: u32,
    /// Epochs without a better validation loss after which it ends.
    pub patience: u32,
    /// The highest learning rate.
    pub rate: f32,
    /// The share of the whole over which the rate climbs to it.
    pub warm_up_share: f64,
    /// What is left of it at the end of the cosine.
    pub final_rate_share: f32,
    /// Pull of weights towards 0.
    pub weight_decay: f32,
    /// Length that gradients are cut to.
    pub clip_norm: f64,
    /// Share of windows per batch, the worst, that are not learned from.
    pub trim_share: f64,
    /// Blocks between two checkpoints.
    pub checkpoint_blocks: usize,
}

/// Why a recipe is refused.
#[derive(Debug, thiserror::Error)]
pub enum RecipeError {
    /// It cannot be read.
    #[error("reading the recipe {path}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is not a recipe.
    #[error("the recipe is not one: {0}")]
    Text(String),
    /// A number is out of range.
    #[error("{key} is {value}, expected {expected}")]
    Range {
        /// Which.
        key: &'static str,
        /// What it is.
        value: String,
        /// What it may be.
        expected: &'static str,
    },
    /// The model makes no sense.
    #[error("[model]: {0}")]
    Model(#[from] SignatureError),
}

impl Recipe {
    /// By name (`default`, `quick`) or from a file.
    ///
    /// # Errors
    /// [`RecipeError`].
    pub fn named(name: &str) -> Result<Self, RecipeError> {
        match name {
            "default" => Self::parse(DEFAULT),
            "quick" => Self::parse(QUICK),
            path => {
                Self::parse(
                    &std::fs::read_to_string(path).map_err(|source| RecipeError::Io {
                        path: Path::new(path).to_owned(),
                        source,
                    })?,
                )
            }
        }
    }

    /// From text; unknown keys are refused, and so is what is out of range.
    ///
    /// # Errors
    /// [`RecipeError`].
    pub fn parse(text: &str) -> Result<Self, RecipeError> {
        let recipe: Self =
            toml::from_str(text).map_err(|error| RecipeError::Text(error.to_string()))?;
        recipe.check()?;
        Ok(recipe)
    }

    /// Whether every number is in its range.
    ///
    /// # Errors
    /// [`RecipeError`] with the first that is not.
    pub fn check(&self) -> Result<(), RecipeError> {
        self.signature()?;
        let (windows, optimiser) = (&self.windows, &self.optimiser);
        within(
            "windows.steps",
            windows.steps as f64,
            2.0,
            4_096.0,
            "2 to 4096",
        )?;
        within(
            "windows.per_block",
            windows.per_block as f64,
            1.0,
            256.0,
            "1 to 256",
        )?;
        let gap = f64::from(windows.longest_gap);
        within("windows.longest_gap", gap, 1.0, 1e6, "1 to 1e6")?;
        let share = windows.validation_share;
        within("windows.validation_share", share, 0.01, 0.5, "0.01 to 0.5")?;
        within(
            "optimiser.batch",
            optimiser.batch as f64,
            1.0,
            4_096.0,
            "1 to 4096",
        )?;
        let epochs = f64::from(optimiser.epochs);
        within("optimiser.epochs", epochs, 1.0, 1e5, "1 to 100000")?;
        let patience = f64::from(optimiser.patience);
        within("optimiser.patience", patience, 1.0, 1e5, "1 to 100000")?;
        let rate = f64::from(optimiser.rate);
        within("optimiser.rate", rate, 1e-7, 1.0, "1e-7 to 1")?;
        let warm_up = optimiser.warm_up_share;
        within("optimiser.warm_up_share", warm_up, 0.0, 0.9, "0 to 0.9")?;
        let last = f64::from(optimiser.final_rate_share);
        within("optimiser.final_rate_share", last, 0.0, 1.0, "0 to 1")?;
        let decay = f64::from(optimiser.weight_decay);
        within("optimiser.weight_decay", decay, 0.0, 1.0, "0 to 1")?;
        let clip = optimiser.clip_norm;
        within("optimiser.clip_norm", clip, 1e-6, 1e6, "1e-6 to 1e6")?;
        let trim = optimiser.trim_share;
        within("optimiser.trim_share", trim, 0.0, 0.5, "0 to 0.5")?;
        let blocks = optimiser.checkpoint_blocks as f64;
        within("optimiser.checkpoint_blocks", blocks, 1.0, 1e9, "1 to 1e9")?;
        let weights = &self.model.horizon_weights;
        if weights.len() != self.model.horizons.len()
            || !weights.iter().all(|w| *w > 0.0 && *w <= 1e3)
        {
            return Err(RecipeError::Range {
                key: "model.horizon_weights",
                value: format!("{weights:?}"),
                expected: "one number above 0, at most 1000, for each horizon",
            });
        }
        self.generate.check()
    }

    /// What the model takes and gives.
    ///
    /// # Errors
    /// [`SignatureError`] when that makes no sense.
    pub fn signature(&self) -> Result<Signature, SignatureError> {
        let inputs: Vec<&str> = self.model.inputs.iter().map(String::as_str).collect();
        Signature::new(
            schema_hash(),
            &inputs,
            self.model.hidden,
            self.model.horizons.clone(),
            self.model.soft_limit,
        )
    }

    /// The dimensions of the model.
    #[must_use]
    pub fn shape(&self) -> Shape {
        Shape {
            inputs: self.model.inputs.len().min(SCHEMA.len()),
            hidden: self.model.hidden,
            horizons: self.model.horizons.len(),
        }
    }

    /// The furthest horizon, in steps.
    #[must_use]
    pub fn furthest(&self) -> usize {
        self.model.horizons.iter().copied().max().unwrap_or(1) as usize
    }

    /// Steps of a block.
    #[must_use]
    pub const fn block_steps(&self) -> usize {
        self.windows.steps * self.windows.per_block
    }

    /// What updates need of it.
    #[must_use]
    pub fn learner(&self) -> LearnerConfig {
        LearnerConfig {
            shape: self.shape(),
            steps: self.windows.steps,
            horizons: self.model.horizons.iter().map(|&h| h as usize).collect(),
            horizon_weights: self.model.horizon_weights.clone(),
            clip_norm: self.optimiser.clip_norm,
            trim_share: self.optimiser.trim_share,
            weight_decay: self.optimiser.weight_decay,
        }
    }
}

/// Whether a number is in its range; NaN is not.
pub(crate) fn within(
    key: &'static str,
    value: f64,
    least: f64,
    most: f64,
    expected: &'static str,
) -> Result<(), RecipeError> {
    if value >= least && value <= most {
        return Ok(());
    }
    Err(RecipeError::Range {
        key,
        value: value.to_string(),
        expected,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ships_is_sound() {
        for name in ["default", "quick"] {
            Recipe::named(name).unwrap();
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let refused = |from: &str, to: &str| {
            let text = QUICK.replace(from, to);
            assert_ne!(text, QUICK, "{from} stands in the recipe");
            Recipe::parse(&text).unwrap_err().to_string()
        };
        assert!(refused("steps =", "stpes =").contains("stpes"));
        assert!(refused("\"level\"", "\"levle\"").contains("levle"));
        assert!(
            refused("validation_share = 0.2", "validation_share = 0.0").contains("0.01 to 0.5")
        );
        assert!(refused("validation_share = 0.2", "validation_share = nan").contains("NaN"));
        assert!(refused("horizon_weights = [1.0", "horizon_weights = [-1.0").contains("-1.0"));
        assert!(Recipe::named("/no/such/recipe").is_err());
    }
}
