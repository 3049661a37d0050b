//! When do we run out. Families of resources, the distribution of the time that is left, and what is said about it.

mod cause;
mod conformal;
mod connections;
mod cpu;
mod dependency;
mod descriptors;
mod disk;
mod family;
mod fan;
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_recipe_can_tell_a_level_or_what_is_missing() {
        let mut anchors = HashSet::new();
        for recipe in recipes() {
            let name = recipe.anchor.metric;
            assert!(anchors.insert(name), "two resources go by {name}");
            assert!(!recipe.needs.is_empty(), "{name}");
            let has = |role| recipe.parts.iter().any(|part| part.role == role);
            let sound = match recipe.measure {
                Measure::UsedOfLimit | Measure::Unreclaimable => {
                    recipe.anchor.role == Role::Used && has(Role::Limit)
                }
                Measure::FreeOfLimit => recipe.anchor.role == Role::Free && has(Role::Limit),
                Measure::Processor if recipe.anchor.role == Role::Time => {
                    has(Role::Quota) && has(Role::Period)
                }
                Measure::Processor => recipe.anchor.role == Role::Share,
                Measure::Called => has(Role::Sum),
            };
            assert!(sound, "{name}");
        }
    }

    #[test]
    fn every_family_has_a_recipe_and_actions() {
        for family in FAMILIES {
            assert!(
                recipes().any(|recipe| recipe.family == family),
                "{family:?}"
            );
            assert!(!family.actions().is_empty(), "{family:?}");
            assert_eq!(FAMILIES[family as usize], family);
        }
    }
}
