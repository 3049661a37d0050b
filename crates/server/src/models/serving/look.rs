//! Looking at the champion's file, and taking up what it says.

use std::sync::Arc;

use predict::forecast::Model;
use series::Timestamp;
use store::models::{Action, Record, Version};

use super::Serving;
use crate::models::loader::{Cause, Verified, told, verify};

/// What serves, and how it went.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Now {
    /// Name and version of the model that forecasts; empty when none does.
    pub model: String,
    /// Its version in the registry; `None` for the built-in one.
    pub version: Option<Version>,
    /// Since when.
    pub since: Timestamp,
    /// Why the last change failed; empty when it did not.
    pub last_error: String,
    /// Models that took over since the start.
    pub n_swaps: u64,
    /// Models that were refused since the start.
    pub n_refused: u64,
}

/// What came of a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refreshed {
    /// The pointer is as it was, or names what serves already.
    Unchanged,
    /// Another model serves.
    Swapped {
        /// The version before.
        from: Option<Version>,
        /// The version now.
        to: Option<Version>,
    },
    /// The one before goes on.
    Kept {
        /// Why.
        why: String,
    },
    /// Somebody else is at work: look again later.
    Busy,
}

impl Serving {
    /// What serves now.
    #[must_use]
    pub fn now(&self) -> Now {
        let state = self.state.lock();
        let model = state.model.as_ref();
        Now {
            model: model.map_or_else(String::new, |model| model.version().to_owned()),
            version: state.version,
            since: state.since,
            last_error: state.last_error.clone(),
            n_swaps: state.n_swaps,
            n_refused: state.n_refused,
        }
    }

    /// Looks at the champion's file and, when it was written since the last look, takes up what it says. `again` acts
    /// on an old one too: for what failed and was repaired, or was replaced in place.
    pub fn refresh(&self, again: bool) -> Refreshed {
        let Ok(_turn) = self.turn() else {
            return Refreshed::Busy;
        };
        self.take_up(again)
    }

    pub(super) fn first(&self) {
        let Ok(_turn) = self.turn() else { return };
        let Refreshed::Kept { .. } = self.take_up(true) else {
            return;
        };
        // Nobody serves yet but the built-in one: the champion before was good enough yesterday.
        let name = &self.parts.name;
        if let Ok(Some(Some(before))) = self.parts.registry.previous(name)
            && let Ok(model) = self.load(before)
        {
            let mut state = self.state.lock();
            state.model = Some(model);
            state.version = Some(before);
            tracing::warn!(model = %name, version = %before, "the champion cannot be loaded; the one before it serves");
        }
    }

    pub(super) fn take_up(&self, again: bool) -> Refreshed {
        let (registry, name) = (&self.parts.registry, &self.parts.name);
        let seen = registry.sighting(name);
        if !again && self.state.lock().seen.as_ref() == Some(&seen) {
            return Refreshed::Unchanged;
        }
        let from = self.state.lock().version;
        let champion = registry.champion(name).map_err(|error| told(&error));
        // After a failure at the start, the champion before serves, or the built-in model: that is no reason to load it
        // again as long as the pointer says the same.
        let to = match champion {
            Ok(to) if to == from && !again => {
                self.state.lock().seen = Some(seen);
                return Refreshed::Unchanged;
            }
            Ok(to) => to,
            Err(why) => {
                self.state.lock().seen = Some(seen);
                return self.keep(from, None, why);
            }
        };
        if to.is_none() && self.parts.built_in.is_none() && self.state.lock().model.is_none() {
            // Nobody forecasts, and nobody asked for it.
            self.state.lock().seen = Some(seen);
            return Refreshed::Unchanged;
        }
        let model = match to {
            Some(version) => self.load(version).map(Some).map_err(|e| told(e.as_ref())),
            None => Ok(self.parts.built_in.clone()),
        };
        // Whatever comes of it, this pointer was acted on: a broken champion is not loaded every few seconds.
        self.state.lock().seen = Some(seen);
        let swapped =
            model.and_then(|model| self.hand_over(to, model).map_err(|e| told(e.as_ref())));
        match swapped {
            Ok(()) if to == from => Refreshed::Unchanged,
            Ok(()) => Refreshed::Swapped { from, to },
            Err(why) => self.keep(from, to, why),
        }
    }

    /// A version that was read whole and computes what its golden file says.
    pub(super) fn load(&self, version: Version) -> Result<Arc<dyn Model>, Cause> {
        let verified = self.verified(version)?;
        let kind = || format!("{} is no model that forecasts", verified.version);
        verified.model.clone().ok_or_else(|| kind().into())
    }

    pub(super) fn verified(&self, version: Version) -> Result<Verified, Cause> {
        let bundle = self.parts.registry.read(&self.parts.name, version)?;
        Ok(verify(self.parts.loader.as_ref(), &bundle)?)
    }

    /// Lets `model` take over. No shard can unlearn to forecast, so `None` is refused.
    pub(super) fn hand_over(
        &self,
        version: Option<Version>,
        model: Option<Arc<dyn Model>>,
    ) -> Result<(), Cause> {
        let now = self.parts.clock.now();
        let Some(model) = model else {
            return Err("there is no built-in model to go back to".into());
        };
        if let Some(adopt) = self.adopt.get() {
            adopt(&model)?;
        }
        let mut state = self.state.lock();
        let is_swap = state.version != version;
        tracing::info!(model = %model.version(), "this model forecasts now");
        state.model = Some(model);
        state.version = version;
        state.last_error.clear();
        if is_swap {
            state.since = now;
            state.n_swaps += 1;
        }
        Ok(())
    }

    /// Says everywhere that `to` was refused.
    pub(super) fn keep(
        &self,
        from: Option<Version>,
        to: Option<Version>,
        why: String,
    ) -> Refreshed {
        let name = &self.parts.name;
        tracing::error!(model = %name, reason = %why, "a model was refused; the one before goes on");
        let record = Record {
            time_us: self.parts.clock.now().micros(),
            action: Action::Refuse,
            from,
            to,
            why: why.clone(),
            sha256: String::new(),
        };
        if let Err(error) = self.parts.registry.note(name, record) {
            tracing::error!(model = %name, error = %told(&error), "the history was not written");
        }
        let mut state = self.state.lock();
        state.last_error.clone_from(&why);
        state.n_refused += 1;
        Refreshed::Kept { why }
    }
}
