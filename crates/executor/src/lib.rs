//! Plans carried out. A crate because it fences what changes the world: nothing else in the engine may.
//!
//! | to do | look at |
//! |---|---|
//! | carry out an order, or ask what became of one | [`Executor`] |
//! | show people what would be done | [`preview`] |
//! | name and build an executor | [`EXECUTORS`], [`build`] |
//! | carry nothing out | [`dry_run`] |
//! | hand orders to somebody else's program | [`webhook`]: what the program must do is written there |

mod about;
mod check;
pub mod dry_run;
mod executor;
mod fences;
pub mod preview;
mod roster;
#[cfg(test)]
mod samples;
pub mod webhook;

pub use about::{About, Summary};
pub use check::{ACTIONS, MAX_KEY_BYTES, MAX_TIMEOUT_S, OrderError};
pub use dry_run::DryRun;
pub use executor::{Executor, Later};
pub use fences::{Fences, StaleFence};
pub use preview::{Language, Preview, PreviewStep, Scene};
pub use roster::{BuildError, Config, EXECUTORS, build};
pub use webhook::Webhook;
