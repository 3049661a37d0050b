//! Learns what `predict` reads. A crate because it keeps a promise: nothing that serves imports it but the retraining
//! thread, and it allocates, takes its time and uses the disk as it likes.

mod adam;
mod batches;
mod bundle;
mod calibrator;
mod checkpoint;
pub mod exhaustion;
mod fit;
mod forest;
pub mod generate;
mod judge;
mod learner;
pub mod lstm;
mod recipe;
mod rng;
mod simd;
mod source;
mod spool;
mod step_model;

pub use adam::Adam;
pub use bundle::{Bundle, BundleError, CardText, GOLDEN_TOLERANCE, Golden, Tensor};
pub use calibrator::{Calibrator, Surprises, tail};
pub use checkpoint::CheckpointError;
pub use fit::{Begin, Epoch, FitError, Fitted, Outcome, Progress, fit};
pub use forest::{ForestRecipe, GrownForest, grow_forest, point, score};
pub use judge::{Judgement, Verdict, judge};
pub use learner::{Group, Learner, LearnerConfig, Update};
pub use recipe::{ModelRecipe, OptimiserRecipe, Recipe, RecipeError, WindowRecipe};
pub use rng::Rng;
pub use simd::{LANES, Wide};
pub use source::{SeriesChunk, Source, SourceError};
pub use spool::{Block, Role, Slice, Spool, SpoolError, SpoolWriter};
pub use step_model::{Order, Report, Stage, TrainError, train_step_model};
