//! From a recipe and a source to the bundle of a step model.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use crate::bundle::{Bundle, BundleError, CardText, Golden, metadata};
use crate::fit::{Begin, FitError, Fitted, Outcome, Progress, fit};
use crate::judge::{Verdict, judge};
use crate::lstm::{Carry, Packed, Parameters, Tape};
use crate::recipe::{Recipe, RecipeError};
use crate::rng::Rng;
use crate::simd::Wide;
use crate::source::{Source, SourceError};
use crate::spool::{Spool, SpoolError, SpoolWriter};

/// Rows and carried steps of the golden file.
const GOLDEN_ROWS: usize = 3;
const GOLDEN_STEPS: usize = 8;
const STREAM_GOLDEN: u64 = 3_001;

/// What to train, and where to leave it.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// How.
    pub recipe: Recipe,
    /// Its name, for the card.
    pub recipe_name: String,
    /// The folder for the bundle; the checkpoint and the spool stand in it meanwhile.
    pub out: PathBuf,
    /// Whether to go on from a checkpoint.
    pub begin: Begin,
    /// When this is, RFC 3339, for the card.
    pub created: String,
    /// The command that makes it again, for the card.
    pub command: String,
}

/// Where it stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stage {
    /// Data comes in: rows and series so far.
    Reading(u64, usize),
    /// It learns.
    Training(Progress),
    /// It is judged against baselines.
    Judging,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The model and how it got there.
    pub fitted: Fitted,
    /// How good it is.
    pub verdict: Verdict,
    /// Rows and series of the data.
    pub data: (u64, usize),
}

/// Why there is no model.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The recipe is refused.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// The data does not come.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// There is not enough of it.
    #[error("{found} rows are too few to learn from, at least {least} are needed")]
    TooFewRows {
        /// How many.
        found: usize,
        /// How many it takes.
        least: usize,
    },
    /// It cannot be learned from.
    #[error(transparent)]
    Fit(#[from] FitError),
    /// The bundle cannot be written.
    #[error(transparent)]
    Bundle(#[from] BundleError),
}

impl From<SpoolError> for TrainError {
    fn from(error: SpoolError) -> Self {
        Self::Source(error.into())
    }
}

/// Trains a step model and writes its bundle; `None` when `tell` stopped it.
///
/// # Errors
/// [`TrainError`].
pub fn train_step_model(
    order: &Order,
    source: &mut dyn Source,
    tell: &mut dyn FnMut(Stage) -> ControlFlow<()>,
) -> Result<Option<Report>, TrainError> {
    let recipe = &order.recipe;
    recipe.check()?;
    fs::create_dir_all(&order.out).map_err(|source| BundleError::Io {
        path: order.out.clone(),
        source,
    })?;
    let Some(spool) = fill(recipe, &order.out.join(".spool"), source, tell)? else {
        return Ok(None);
    };
    let checkpoint = order.out.join("checkpoint");
    let outcome = fit(
        recipe,
        &spool,
        Some(&checkpoint),
        order.begin,
        &mut |progress| tell(Stage::Training(*progress)),
    )?;
    let Outcome::Finished(fitted) = outcome else {
        return Ok(None);
    };
    if tell(Stage::Judging).is_break() {
        return Ok(None);
    }
    let verdict = judge(recipe, &spool, &fitted.parameters)?;
    let report = Report {
        fitted,
        verdict,
        data: (spool.n_rows(), spool.n_series()),
    };
    bundle(order, &source.description(), spool.sha256(), &report).write(&order.out)?;
    // What is left of it would only be in the way: the bundle is whole.
    let _ = fs::remove_file(&checkpoint);
    Ok(Some(report))
}

/// Reads all data into a spool; `None` when `tell` stopped it.
fn fill(
    recipe: &Recipe,
    path: &Path,
    source: &mut dyn Source,
    tell: &mut dyn FnMut(Stage) -> ControlFlow<()>,
) -> Result<Option<Spool>, TrainError> {
    let signature = recipe.signature().map_err(RecipeError::from)?;
    let mut writer = SpoolWriter::new(path, recipe, &signature)?;
    let read = source.chunks(&mut |chunk| {
        writer.push(chunk)?;
        let (rows, series) = writer.taken();
        if tell(Stage::Reading(rows, series)).is_break() {
            return Err(SpoolError::Stopped);
        }
        Ok(())
    });
    let spool = writer.finish()?;
    match read {
        Ok(()) => Ok(Some(spool)),
        Err(SourceError::Spool(SpoolError::Stopped)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn bundle(order: &Order, description: &str, data_sha256: &str, report: &Report) -> Bundle {
    let recipe = &order.recipe;
    let (fitted, verdict) = (&report.fitted, &report.verdict);
    let best = &fitted.history[fitted.best_epoch as usize];
    let joined = |all: &[u32]| {
        let texts: Vec<String> = all.iter().map(u32::to_string).collect();
        texts.join(",")
    };
    let mut metrics = toml::Table::new();
    let mut metric = |key: &str, value: f64| {
        // Five digits: more would be noise, and unreadable.
        metrics.insert(
            key.to_owned(),
            toml::Value::Float((value * 1e5).round() / 1e5),
        );
    };
    metric("train_nll", best.training);
    metric("validation_nll", best.validation);
    for judgement in &verdict.judgements {
        metric(&format!("{}_nll", judgement.name), judgement.nll);
        metric(
            &format!("{}_nll_next", judgement.name),
            judgement.by_horizon[0],
        );
    }
    metric("outside_90_percent", verdict.outside[0]);
    metric("outside_99_percent", verdict.outside[1]);
    let mut meta = metadata("lstm-step/1", recipe.seed, data_sha256);
    let metrics_json = serde_json::to_string(&metrics).unwrap_or_default();
    for (key, value) in [
        ("inputs", recipe.model.inputs.join(",")),
        ("horizons", joined(&recipe.model.horizons)),
        ("soft_limit", recipe.model.soft_limit.to_string()),
        ("threshold", format!("{:.3}", verdict.threshold)),
        ("metrics", metrics_json),
    ] {
        meta.insert(format!("forestall.{key}"), value);
    }
    let signature = toml::toml! {
        schema_hash = (format!("{:#018x}", features::schema_hash()))
        inputs = (toml::Value::from(recipe.model.inputs.clone()))
        horizons = (toml::Value::from(recipe.model.horizons.clone()))
        soft_limit = (f64::from(recipe.model.soft_limit))
    };
    let training = toml::toml! {
        recipe = (order.recipe_name.clone())
        seed = (recipe.seed as i64)
        data = (description.to_owned())
        data_sha256 = (data_sha256.to_owned())
        rows = (report.data.0 as i64)
        series = (report.data.1 as i64)
        epochs = (fitted.history.len() as i64)
        best_epoch = (i64::from(fitted.best_epoch) + 1)
        hidden = (recipe.model.hidden as i64)
        command = (order.command.clone())
    };
    Bundle {
        model: graph::write_step(&fitted.parameters.to_graph(), &meta),
        golden: golden(recipe, &fitted.parameters),
        card: CardText {
            name: "lstm".to_owned(),
            version: 1,
            kind: "lstm-step/1",
            sha256: String::new(),
            golden_sha256: String::new(),
            created: order.created.clone(),
            licence: "Apache-2.0 OR MIT".to_owned(),
            signature,
            training,
            metrics,
        },
    }
}

/// A few rows through a few carried steps, by the trainer's own forward pass.
fn golden(recipe: &Recipe, parameters: &Parameters) -> Golden {
    let shape = recipe.shape();
    let (f, h, k) = (shape.inputs, shape.hidden, shape.horizons);
    let mut rng = Rng::new(recipe.seed, STREAM_GOLDEN);
    let packed = Packed::new(parameters);
    let (mut tape, mut carry) = (Tape::new(shape, 1), Carry::zero(shape));
    let mut golden = Golden::default();
    let mut out = vec![Wide::ZERO; 3 * k];
    for _ in 0..GOLDEN_STEPS {
        for place in tape.inputs_mut(0) {
            // Within the soft limit, as all inputs are; now and then near it.
            let soft = f64::from(recipe.model.soft_limit);
            *place = Wide(std::array::from_fn(|_| {
                (soft * (0.5 * rng.normal()).tanh()) as f32
            }));
        }
        let x = rows("x", tape.inputs_mut(0), f);
        let before = [x, rows("h", &carry.h, h), rows("c", &carry.c, h)];
        tape.forward(&packed, &mut carry);
        tape.forecasts(0, &mut out);
        golden.step(
            &before,
            &[
                rows("location", &out[..k], k),
                rows("scale", &out[k..2 * k], k),
                rows("tail", &out[2 * k..], k),
                rows("h_next", &carry.h, h),
                rows("c_next", &carry.c, h),
            ],
        );
    }
    golden
}

/// The first lanes as rows of a tensor.
fn rows<'a>(name: &'a str, wide: &[Wide], columns: usize) -> (&'a str, [usize; 2], Vec<f32>) {
    let lanes = 0..GOLDEN_ROWS;
    let numbers = lanes.flat_map(|lane| wide.iter().map(move |wide| wide.0[lane]));
    (name, [GOLDEN_ROWS, columns], numbers.collect())
}

#[cfg(test)]
mod tests;
