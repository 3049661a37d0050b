//! Learns what `predict` reads. A crate because it keeps a promise: nothing that serves imports it but the retraining
//! thread, and it allocates, takes its time and uses the disk as it likes.

mod adam;
mod learner;
pub mod lstm;
mod rng;
mod simd;

pub use adam::Adam;
pub use learner::{Group, Learner, LearnerConfig, Update};
pub use rng::Rng;
pub use simd::{LANES, Wide};
