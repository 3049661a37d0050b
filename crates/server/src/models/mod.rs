//! Models that serve: verified by running them, compared with the champion, taken up without a gap.

mod canary;
pub mod gate;
mod golden;

pub use canary::{CanaryError, record, sing};
pub use golden::{Golden, GoldenError, GoldenStep, GoldenTensor};
