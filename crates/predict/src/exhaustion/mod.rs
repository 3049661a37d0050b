//! When do we run out. Families of resources, the distribution of the time that is left, and what is said about it.

mod conformal;
mod connections;
mod cpu;
mod dependency;
mod descriptors;
mod disk;
mod family;
mod judge;
mod memory;
mod network;
mod outlook;
mod recipe;
mod survival;

pub use conformal::Conformal;
pub use family::{Action, FAMILIES, Family};
pub use judge::{Judge, Seen};
pub use network::{CLASSES, Network, NetworkError};
pub use outlook::{Cause, FACTORS, FAN_POINTS, Fan, Outlook};
pub use recipe::{Measure, OUTCOME_LABELS, Part, ROLES, Recipe, Role, failed};
pub use survival::{HORIZONS_S, KNOT_S, KNOTS, Survival};

/// All recipes, family by family. To add one, write it beside its like; to add a family, a file with its recipes and a line
/// here.
pub fn recipes() -> impl Iterator<Item = &'static Recipe> {
    [
        memory::RECIPES,
        cpu::RECIPES,
        disk::RECIPES,
        connections::RECIPES,
        descriptors::RECIPES,
        dependency::RECIPES,
    ]
    .into_iter()
    .flatten()
}
