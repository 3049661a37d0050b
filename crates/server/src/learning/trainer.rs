//! From captured samples to a candidate.

use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};

use series::Timestamp;
use training::{Begin, Order, Recipe, Stage, train_step_model};

use super::CapturedSource;
use crate::models::Cause;

/// What a candidate is to be made of.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    /// The capture directory.
    pub(crate) data: PathBuf,
    /// The samples to learn from.
    pub(crate) range: Range<Timestamp>,
    /// The directory for the bundle.
    pub(crate) out: PathBuf,
    /// When this is, RFC 3339.
    pub(crate) created: String,
}

/// Makes candidates: with `training`, but for tests.
pub(crate) trait Trainer: Send {
    /// Leaves a bundle in `job.out`. `go_on` is told how far it is, 0 to 1, and says whether to go on; `false` is
    /// returned when it was stopped so.
    fn train(&self, job: &Job, go_on: &mut dyn FnMut(f64) -> bool) -> Result<bool, Cause>;
}

/// Trains by a recipe.
#[derive(Debug)]
pub(crate) struct ByRecipe {
    name: String,
    recipe: Recipe,
}

impl ByRecipe {
    /// `name` is that of a recipe, or the path of one.
    pub(crate) fn new(name: &str) -> Result<Self, training::RecipeError> {
        Ok(Self {
            name: name.to_owned(),
            recipe: Recipe::named(name)?,
        })
    }
}

impl Trainer for ByRecipe {
    fn train(&self, job: &Job, go_on: &mut dyn FnMut(f64) -> bool) -> Result<bool, Cause> {
        let recipe_name = Path::new(&self.name).file_stem().unwrap_or_default();
        let order = Order {
            recipe: self.recipe.clone(),
            recipe_name: recipe_name.to_string_lossy().into_owned(),
            out: job.out.clone(),
            begin: Begin::Anew,
            created: job.created.clone(),
            command: "forestall serve, [learning] enabled = true".to_owned(),
        };
        let mut source = CapturedSource::new(&job.data, job.range.clone());
        let report = train_step_model(&order, &mut source, &mut |stage| {
            let done = match stage {
                Stage::Reading(..) => 0.0,
                Stage::Training(progress) => {
                    let (blocks, all) = progress.blocks;
                    let epoch = blocks as f64 / all.max(1) as f64;
                    (f64::from(progress.epoch) + epoch) / f64::from(progress.epochs.max(1))
                }
                Stage::Judging => 1.0,
            };
            match go_on(done) {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            }
        })?;
        Ok(report.is_some())
    }
}
