//! When do we run out: episodes made by chance, and the models that are trained on them.

pub mod course;
pub mod episode;
pub mod network;
pub mod recording;
pub mod service;
mod train;
pub mod walker;

pub use train::{ExhaustionModel, ExhaustionRecipe, ExhaustionStage, Part, train_exhaustion};
