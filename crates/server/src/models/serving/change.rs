//! Promotion and rollback.

use std::sync::Arc;

use predict::forecast::Model;
use store::models::{
    Action, Bundle, ChangeError, Kind, Name, Promotion, ReadError, Record, Registry, Version,
};

use super::{Busy, Serving};
use crate::models::loader::{Cause, Loader, VerifyError, told, verify};

/// Why the champion stays.
#[derive(Debug, thiserror::Error)]
pub enum PromoteError {
    /// Somebody else is at work.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// The version is not whole.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It does not run, or not as it did.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// No comparison speaks for it.
    #[error(
        "no comparison of {version} with the present champion was passed: compare them first, or give a reason to do without"
    )]
    NoGate {
        /// Name and version.
        version: String,
    },
    /// It serves already.
    #[error("{version} is the champion already")]
    Already {
        /// Name and version.
        version: String,
    },
    /// The registry cannot be changed.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// The engine does not take it.
    #[error("the engine does not take {version}: {}", told(.cause.as_ref()))]
    Adopt {
        /// Name and version.
        version: String,
        /// Why.
        cause: Cause,
    },
}

/// Whether the last comparison of this very file with this champion was passed. Kinds that forecast nothing have
/// nothing to be compared by: that they run as they did is all that is asked.
///
/// # Errors
/// When the history cannot be read.
pub fn gate_passed(
    registry: &Registry,
    bundle: &Bundle,
    champion: Option<Version>,
) -> Result<bool, ChangeError> {
    if bundle.card.kind != Kind::LstmStep {
        return Ok(true);
    }
    let history = registry.history(&bundle.card.name)?;
    let about = |record: &&Record| {
        let judged = matches!(record.action, Action::Passed | Action::Failed);
        judged
            && record.to == Some(bundle.card.version)
            && record.from == champion
            && record.sha256 == bundle.card.sha256
    };
    let last = history.iter().rev().find(about);
    Ok(last.is_some_and(|record| record.action == Action::Passed))
}

/// A version that may become the champion: read, run and judged.
#[derive(Debug)]
pub struct Ready {
    /// The champion that it was judged against.
    pub from: Option<Version>,
    /// The version.
    pub to: Version,
    /// Name and version.
    pub version: String,
    /// The model, when it forecasts.
    pub model: Option<Arc<dyn Model>>,
    /// Under what heading it goes into the history.
    pub action: Action,
}

/// Reads and runs a version, and holds the gate against it unless there is a reason to do without.
///
/// # Errors
/// [`PromoteError`].
pub fn prepare(
    registry: &Registry,
    loader: &dyn Loader,
    name: &Name,
    to: Version,
    force: Option<&str>,
) -> Result<Ready, PromoteError> {
    let from = registry.champion(name)?;
    let version = format!("{name}/{to}");
    if from == Some(to) {
        return Err(PromoteError::Already { version });
    }
    let bundle = registry.read(name, to)?;
    let action = match (force, gate_passed(registry, &bundle, from)?) {
        (_, true) => Action::Promote,
        (Some(_), false) => Action::Force,
        (None, false) => return Err(PromoteError::NoGate { version }),
    };
    let verified = verify(loader, &bundle)?;
    Ok(Ready {
        from,
        to,
        version,
        model: verified.model,
        action,
    })
}

impl Serving {
    /// Makes a version of any model in the registry the champion. When it is the model that forecasts here, it takes
    /// over at once.
    ///
    /// # Errors
    /// [`PromoteError`]; the champion is as it was, and goes on.
    pub fn promote(
        &self,
        name: &Name,
        to: Version,
        why: &str,
        force: Option<&str>,
    ) -> Result<Option<Version>, PromoteError> {
        let _turn = self.turn()?;
        let registry = &self.parts.registry;
        let ready = prepare(registry, self.parts.loader.as_ref(), name, to, force);
        let ready = ready.inspect_err(|error| self.note_refusal(name, to, error))?;
        let promotion = Promotion {
            from: ready.from,
            to,
            action: ready.action,
            why: force.unwrap_or(why),
        };
        if name != &self.parts.name {
            registry.promote(name, promotion, self.parts.clock.now())?;
            return Ok(ready.from);
        }
        // The engine first: what it does not take must not be the champion that the next start finds.
        let before = {
            let state = self.state.lock();
            (state.version, state.model.clone())
        };
        let adopt = |version, model| self.hand_over(version, model);
        adopt(Some(to), ready.model).map_err(|cause| {
            let error = PromoteError::Adopt {
                version: ready.version.clone(),
                cause,
            };
            self.note_refusal(name, to, &error);
            error
        })?;
        if let Err(error) = registry.promote(name, promotion, self.parts.clock.now()) {
            // It served a moment ago, so the engine takes it back.
            if let Err(cause) = adopt(before.0, before.1) {
                tracing::error!(error = %told(cause.as_ref()), "the model before was not taken back");
            }
            return Err(error.into());
        }
        self.state.lock().seen = Some(registry.sighting(name));
        Ok(ready.from)
    }

    /// Makes the champion before this one the champion again, and returns it; `None` is the built-in model.
    ///
    /// # Errors
    /// [`PromoteError`]; the champion is as it was, and goes on.
    pub fn roll_back(&self, name: &Name, why: &str) -> Result<Option<Version>, PromoteError> {
        let _turn = self.turn()?;
        let registry = &self.parts.registry;
        if name != &self.parts.name {
            return Ok(registry.rollback(name, why, self.parts.clock.now())?);
        }
        let Some(to) = registry.previous(name)? else {
            return Err(ChangeError::NoEarlier { name: name.clone() }.into());
        };
        let adopted = match to {
            Some(version) => self
                .load(version)
                .and_then(|model| self.hand_over(Some(version), Some(model))),
            None => self.hand_over(None, self.parts.built_in.clone()),
        };
        adopted.map_err(|cause| PromoteError::Adopt {
            version: to.map_or_else(
                || "the built-in model".to_owned(),
                |to| format!("{name}/{to}"),
            ),
            cause,
        })?;
        let to = match registry.rollback(name, why, self.parts.clock.now()) {
            Ok(to) => to,
            Err(error) => {
                // Back to what the pointer says.
                self.take_up(true);
                return Err(error.into());
            }
        };
        self.state.lock().seen = Some(registry.sighting(name));
        Ok(to)
    }

    /// A version that was asked for and cannot be used stands in the history; that nobody compared it does not.
    fn note_refusal(&self, name: &Name, to: Version, error: &PromoteError) {
        if matches!(
            error,
            PromoteError::Verify(_) | PromoteError::Adopt { .. } | PromoteError::Read(_)
        ) && self.parts.registry.model_dir(name).is_dir()
        {
            let from = self.parts.registry.champion(name).ok().flatten();
            self.keep(from, Some(to), told(error));
        }
    }
}
