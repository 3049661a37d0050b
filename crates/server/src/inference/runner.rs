//! What a model is to the service: some named tensors in, some out.

use std::fmt::Debug;

use super::tensor::{Dtype, Tensor};

/// A model, shared by all threads.
pub(crate) trait Runner: Send + Sync + Debug {
    /// What goes in and comes out.
    fn description(&self) -> &Description;

    /// A way to run it that one thread at a time owns.
    ///
    /// # Errors
    /// When the runtime refuses.
    fn session(&self) -> Result<Box<dyn Session>, RunError>;
}

/// One thread's way to run a model.
pub(crate) trait Session: Send {
    /// Takes tensors that fit the description's inputs, in their order, and gives its outputs, in theirs.
    ///
    /// # Errors
    /// When the model does not run on these.
    fn run(&mut self, inputs: &[Tensor]) -> Result<Vec<Tensor>, RunError>;
}

/// Why a model did not run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct RunError(pub(crate) String);

/// What goes into a model and comes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Description {
    /// What runs it, as clients are told.
    pub(crate) platform: String,
    pub(crate) inputs: Vec<Slot>,
    pub(crate) outputs: Vec<Slot>,
    pub(crate) rows: Rows,
}

/// One named tensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) name: String,
    pub(crate) dtype: Dtype,
    /// `None` is any length.
    pub(crate) shape: Vec<Option<usize>>,
}

/// What the first axis is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rows {
    /// A batch of rows that know nothing of each other: rows of several requests may go through together.
    Independent,
    /// Anything else: each request runs alone.
    Whole,
}
