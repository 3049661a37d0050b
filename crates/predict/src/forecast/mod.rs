//! Models that forecast one step after another: their signature, and the batch that goes through them.
//!
//! A model is a *stateful step*: the inputs of one sample and the state of its series go in, a forecast of the samples
//! to come and the next state come out. Windows are never run again, which makes a step 40 to 65 times cheaper.

mod kernel;
pub mod math;
mod signature;

pub use kernel::{Kernel, Weights, WeightsError};
pub use signature::{Horizons, Signature, SignatureError, TARGET};

use std::fmt::Debug;
use std::sync::Arc;

/// A trained model that any number of shards may use at once.
pub trait Model: Send + Sync + Debug {
    /// What goes in and comes out.
    fn signature(&self) -> &Signature;
    /// Its name and version, `lstm/3`: two models with one version are one model, so no two may share it.
    fn version(&self) -> &str;
    /// The way to run it that one thread owns.
    ///
    /// # Errors
    /// [`StepError`] when the runtime refuses.
    fn session(&self) -> Result<Box<dyn Step>, StepError>;
}

/// One thread's way to run a model.
pub trait Step: Send + Debug {
    /// Runs one step for each row: reads `x`, `h` and `c`, writes `location`, `scale` and `tail`, and replaces `h` and
    /// `c` by the next state. A row depends on itself alone.
    ///
    /// # Errors
    /// [`StepError`] when the runtime fails or gives numbers that are not finite; the batch is undefined then.
    fn step(&mut self, batch: &mut Batch) -> Result<(), StepError>;
}

/// A model, and one thread's way to run it.
#[derive(Debug)]
pub struct Runner {
    model: Arc<dyn Model>,
    session: Box<dyn Step>,
}

impl Runner {
    /// Makes what a thread needs, which may take milliseconds: off the thread that is to run it.
    ///
    /// # Errors
    /// As [`Model::session`].
    pub fn new(model: &Arc<dyn Model>) -> Result<Self, StepError> {
        let session = model.session()?;
        let model = Arc::clone(model);
        Ok(Self { model, session })
    }

    /// What it runs.
    #[must_use]
    pub fn model(&self) -> &Arc<dyn Model> {
        &self.model
    }

    /// As [`Step::step`].
    ///
    /// # Errors
    /// As [`Step::step`].
    pub fn step(&mut self, batch: &mut Batch) -> Result<(), StepError> {
        self.session.step(batch)
    }
}

/// Why a model did not run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("running the model: {0}")]
pub struct StepError(pub String);

/// Rows on their way through a model, and room for what comes out. Row-major; buffers are kept between steps.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Batch {
    /// Inputs; shape `(rows, inputs)`, in the order of [`Signature::inputs`], after [`Signature::soften`].
    pub x: Vec<f32>,
    /// State; shape `(rows, hidden)`.
    pub h: Vec<f32>,
    /// Cell state; shape `(rows, hidden)`.
    pub c: Vec<f32>,
    /// Forecast location of [`TARGET`], in sigmas; shape `(rows, horizons)`.
    pub location: Vec<f32>,
    /// Forecast scale, above 0; shape `(rows, horizons)`.
    pub scale: Vec<f32>,
    /// Degrees of freedom of the forecast Student t distribution, 2 or more; shape `(rows, horizons)`.
    pub tail: Vec<f32>,
    rows: usize,
}

impl Batch {
    /// Makes room for `rows` rows of a model; what is in it afterwards is undefined.
    pub fn resize(&mut self, rows: usize, signature: &Signature) {
        self.rows = rows;
        self.x.resize(rows * signature.inputs().len(), 0.0);
        for state in [&mut self.h, &mut self.c] {
            state.resize(rows * signature.hidden(), 0.0);
        }
        for out in [&mut self.location, &mut self.scale, &mut self.tail] {
            out.resize(rows * signature.horizons().len(), 0.0);
        }
    }

    /// How many rows there are.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.rows
    }
}
