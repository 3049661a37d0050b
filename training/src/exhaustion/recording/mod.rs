//! Simulated episodes as a scrape would have recorded them: samples of metrics, and what came of it.
//!
//! The courses and services are those that the models are trained on ([`super::course`], [`super::service`]); here they get
//! limits in bytes and connections, metrics with the names of real exporters, scrapes that come late or fail, processes that
//! start anew, and neighbours that move too. The form is that of recordings of real faults, so that whatever reads those
//! reads these.
//!
//! All chance comes from the plan's seed: the same plan gives the same bytes.

mod draw;
mod kind;
mod mover;
mod panel;
mod plan;
mod scenario;
mod scrapes;
mod sheet;
#[cfg(test)]
mod tests;
mod truth;

pub use kind::Kind;
pub use plan::{Plan, PlanError};
pub use scenario::Scenario;
pub use truth::{Capacity, RecordedTruth};
