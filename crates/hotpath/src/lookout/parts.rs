//! Parts that wait for the resource that they belong to, or for another one of its kind.

use std::collections::HashMap;

use series::SeriesId;

use super::catalog::{Claim, Identity, MOST_COMPARED};

/// Beyond so many the rest is forgotten.
const MOST: usize = 100_000;

/// By recipe and labels.
#[derive(Debug, Default)]
pub(super) struct Parts {
    by_recipe: HashMap<usize, HashMap<Identity, Vec<(SeriesId, Claim)>>>,
    n: usize,
}

impl Parts {
    /// Keeps a part for resources to come.
    pub(super) fn keep(&mut self, id: SeriesId, part: Claim) {
        if self.n < MOST {
            self.n += 1;
            let of_recipe = self.by_recipe.entry(part.recipe).or_default();
            let alike = of_recipe.entry(part.identity.clone()).or_default();
            alike.push((id, part));
        }
    }

    /// The parts that may belong to a new resource: those with its labels, and the others as long as they are few.
    pub(super) fn that_may_fit(
        &self,
        recipe: usize,
        identity: &Identity,
    ) -> Vec<(SeriesId, Claim)> {
        let Some(of_recipe) = self.by_recipe.get(&recipe) else {
            return Vec::new();
        };
        let mut found = of_recipe.get(identity).cloned().unwrap_or_default();
        if of_recipe.len() <= MOST_COMPARED {
            let others = of_recipe.iter().filter(|(other, _)| *other != identity);
            found.extend(others.flat_map(|(_, parts)| parts.iter().cloned()));
            // In the order in which they came, whatever the table's.
            found.sort_by_key(|(id, _)| *id);
        }
        found
    }
}
