//! Learns what `predict` reads. A crate because it keeps a promise: nothing that serves imports it but the retraining
//! thread, and it allocates, takes its time and uses the disk as it likes.

mod adam;
mod batches;
mod checkpoint;
mod fit;
pub mod generate;
mod learner;
pub mod lstm;
mod recipe;
mod rng;
mod simd;
mod source;
mod spool;

pub use adam::Adam;
pub use checkpoint::CheckpointError;
pub use fit::{Begin, Epoch, FitError, Fitted, Outcome, Progress, fit};
pub use learner::{Group, Learner, LearnerConfig, Update};
pub use recipe::{ModelRecipe, OptimiserRecipe, Recipe, RecipeError, WindowRecipe};
pub use rng::Rng;
pub use simd::{LANES, Wide};
pub use source::{SeriesChunk, Source, SourceError};
pub use spool::{Block, Role, Slice, Spool, SpoolError, SpoolWriter};
