//! Models that serve: verified by running them, compared with the champion, taken up without a gap.

mod data;
pub mod gate;
mod loader;
mod onnx_loader;
mod serving;
pub(crate) mod setup;
mod watch;

pub(crate) use data::number;
pub use data::{ALWAYS, Survey, held_out, survey};
pub use loader::{Cause, Loader, Verified, VerifyError, told, verify};
pub use onnx_loader::Onnx;
pub use serving::{
    Adopt, Busy, Challenge, CompareError, HeldBack, Now, Parts, PromoteError, Ready, Refreshed,
    Serving, compare, gate_passed, prepare,
};
pub(crate) use watch::watch;
