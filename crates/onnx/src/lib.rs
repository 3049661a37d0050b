//! Models that are ONNX graphs. A crate because it fences `ort`: which runtime is there, sessions, and files that lie.

mod backend;
mod built_in;
mod card;
pub mod exhaustion;
mod golden;
mod guard;
mod load;
mod places;
mod probe;
mod session;
mod step;
mod tensor;

pub use backend::{Backend, BackendChoice, backend, chosen};
pub use built_in::{BuiltIn, FORECASTER, default_step_model};
pub use card::{CardError, SignatureCard, signature};
pub use golden::{Golden, GoldenError, GoldenStep};
pub use graph::{DataType, Limits, TensorInfo};
pub use guard::{Guard, GuardError};
pub use load::{Graph, InferError, LoadError, Options, Prefer, load};
pub use places::{NO_RUNTIME, default_places};
pub use probe::{ProbeError, probe_main};
pub use step::step_model;
pub use tensor::{Tensor, TensorData};
