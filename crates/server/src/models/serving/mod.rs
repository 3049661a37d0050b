//! The model that forecasts in the engine, and how another takes its place.
//!
//! A model is loaded and run on its golden inputs before it is handed over; until then, and whenever that fails, the one
//! before goes on. Shards take the new one up with their next batch, and the old one is gone when the last of them has
//! let go of it. Long work is done one piece at a time, by whoever's thread asked for it.

mod change;
mod judge;
mod look;

pub use change::{PromoteError, Ready, gate_passed, prepare};
pub use judge::{Challenge, CompareError, HeldBack, compare};
pub use look::{Now, Refreshed};

use std::sync::{Arc, OnceLock};

use parking_lot::{Mutex, MutexGuard};
use predict::forecast::Model;
use series::{Clock, Timestamp};
use store::models::{Name, Registry, Sighting, Version};

use super::gate;
use super::loader::{Cause, Loader};

/// Hands a model to whoever forecasts with it.
pub type Adopt = Box<dyn Fn(&Arc<dyn Model>) -> Result<(), Cause> + Send + Sync>;

/// What serving is made from.
pub struct Parts {
    /// Where models are.
    pub registry: Registry,
    /// Which of them forecasts.
    pub name: Name,
    /// Makes models of bundles.
    pub loader: Arc<dyn Loader>,
    /// What forecasts when nobody chose a version.
    pub built_in: Option<Arc<dyn Model>>,
    /// How a candidate is judged.
    pub limits: gate::Limits,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts")
            .field("registry", &self.registry)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// One model by name: the version that serves, and the registry that it comes from.
pub struct Serving {
    parts: Parts,
    adopt: OnceLock<Adopt>,
    /// One piece of long work at a time.
    turn: Mutex<()>,
    state: Mutex<State>,
}

impl std::fmt::Debug for Serving {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Serving")
            .field("name", &self.parts.name)
            .field("now", &self.now())
            .finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct State {
    model: Option<Arc<dyn Model>>,
    version: Option<Version>,
    since: Timestamp,
    /// The pointer as it was when it was last acted on.
    seen: Option<Sighting>,
    last_error: String,
    n_swaps: u64,
    n_refused: u64,
}

/// Somebody else is at work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("models are being loaded or compared; try again when that is done")]
pub struct Busy;

impl Serving {
    /// Loads the champion or, when that fails, the one before it, or the built-in one. What failed is in the log, in the
    /// history and in [`Now::last_error`]. Nothing is handed over yet: see [`Serving::attach`].
    #[must_use]
    pub fn start(parts: Parts) -> Self {
        let since = parts.clock.now();
        let built_in = parts.built_in.clone();
        let serving = Self {
            parts,
            adopt: OnceLock::new(),
            turn: Mutex::new(()),
            state: Mutex::new(State {
                model: built_in,
                version: None,
                since,
                seen: None,
                last_error: String::new(),
                n_swaps: 0,
                n_refused: 0,
            }),
        };
        serving.first();
        serving
    }

    /// From now on models that take over are handed to `adopt`. Counts once.
    pub fn attach(&self, adopt: Adopt) {
        // A second engine would be a mistake of ours; the first goes on.
        let _ = self.adopt.set(adopt);
    }

    /// The model that forecasts now.
    #[must_use]
    pub fn model(&self) -> Option<Arc<dyn Model>> {
        self.state.lock().model.clone()
    }

    /// Where models are.
    #[must_use]
    pub const fn registry(&self) -> &Registry {
        &self.parts.registry
    }

    /// Which of them forecasts.
    #[must_use]
    pub const fn name(&self) -> &Name {
        &self.parts.name
    }

    /// How a candidate is judged.
    #[must_use]
    pub const fn limits(&self) -> &gate::Limits {
        &self.parts.limits
    }

    fn turn(&self) -> Result<MutexGuard<'_, ()>, Busy> {
        self.turn.try_lock().ok_or(Busy)
    }
}

#[cfg(test)]
mod tests;
