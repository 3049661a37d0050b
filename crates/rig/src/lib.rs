//! Real faults on this machine, in bounded sandboxes, recorded as a monitoring system would see them. A crate of its
//! own because it fences the sandboxes: control groups, mounts, resource limits, child processes.
//!
//! A run has three processes. [`run`] prepares the sandbox, scrapes and judges; the driver ([`driver_main`]) makes
//! the fault and dies with it or with the first; the keeper ([`keeper_main`]) undoes the sandbox when the first is
//! gone, however it went.

mod breach;
mod clock;
mod driver;
mod episode;
mod http;
mod kind;
mod load;
mod metrics;
mod plan;
mod postgres;
mod quantity;
mod random;
mod run;
mod sandbox;
mod scrape;
mod shape;
mod spec;
mod truth;
mod wire;

pub use driver::{DriverError, driver_main};
pub use episode::{Episode, EpisodeError};
pub use kind::{Kind, KindError, Mechanism};
pub use metrics::Sample;
pub use plan::{Plan, PlanError};
pub use quantity::{QuantityError, duration_s};
pub use run::{Outcome, RunError, Seen, run};
pub use sandbox::{SandboxError, keeper_main};
pub use shape::Shape;
pub use spec::{Spec, SpecError};
pub use truth::{Capacity, Truth};
