//! Models that serve: verified by running them, compared with the champion, taken up without a gap.

mod canary;
mod data;
pub mod gate;
mod golden;
mod loader;
mod serving;

pub use canary::{CanaryError, record, sing};
pub use data::{ALWAYS, Survey, held_out, survey};
pub use golden::{Golden, GoldenError, GoldenStep, GoldenTensor};
pub use loader::{Cause, Loader, Verified, VerifyError, verify};
pub use serving::{
    Adopt, Busy, Challenge, CompareError, HeldBack, Now, Parts, PromoteError, Ready, Refreshed,
    Serving, compare, gate_passed, prepare,
};
