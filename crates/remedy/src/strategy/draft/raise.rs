//! Limits that are raised.

use super::foretold::{effect, stays_up};
use super::steps::step;
use super::words::plain;
use crate::action::Action;
use crate::strategy::{Case, Effect, Step, Unfit};
use crate::{Class, EntityId};

/// A limit that is raised.
pub(in crate::strategy) struct Raise {
    /// What it is.
    pub(in crate::strategy) from: f64,
    /// What it shall be.
    pub(in crate::strategy) to: f64,
}

impl Raise {
    /// The step that raises it.
    pub(in crate::strategy) fn step(&self, target: &EntityId, limit: &str) -> Step {
        let set = Action::SetLimit {
            target: target.clone(),
            limit: limit.to_owned(),
            from: self.from,
            to: self.to,
        };
        step(set, 120.0)
    }

    /// The share that is used falls as the limit rises, at once; what crashed of it stays up.
    ///
    /// # Errors
    /// When the level is told in another unit: it stays where it is, and nobody could tell whether it helped.
    pub(in crate::strategy) fn effect(&self, case: &Case) -> Result<Effect, Unfit> {
        match &*case.unit {
            "ratio" | "percent" => {
                let effect = effect(case, case.value * (self.from / self.to), 180.0)?;
                // Arithmetic, if it was done at all: less means that what is used grew meanwhile, and then taking the new
                // limit back would be the end of it.
                let least = effect.least * 0.3;
                Ok(Effect { least, ..effect })
            }
            _ if case.class == Class::ProcessCrash => Ok(stays_up(case)),
            unit => Err(Unfit::because(format!(
                "how much of its limit {} uses would have to be known as a share, and is told in {:?}",
                case.entity,
                plain(unit)
            ))),
        }
    }
}

/// The limit of the case times `factor`, up to `ceiling`.
///
/// # Errors
/// When the limit is not known, or is less than a tenth below the ceiling: not worth a change.
pub(in crate::strategy) fn raise(
    case: &Case,
    what: &str,
    factor: f64,
    ceiling: f64,
) -> Result<Raise, Unfit> {
    let entity = &case.entity;
    let from = case.number("limit").filter(|&limit| limit > 0.0);
    let from =
        from.ok_or_else(|| Unfit::because(format!("the {what} of {entity} is not known")))?;
    let to = (from * factor).min(ceiling);
    if !(to.is_finite() && to >= from * 1.1) {
        return Err(Unfit::because(format!(
            "the {what} of {entity} is {from} already, and may be at most {ceiling}"
        )));
    }
    Ok(Raise { from, to })
}
