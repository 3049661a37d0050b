//! Parts that wait for the resource that they belong to, or for another one of its kind.

use std::collections::{BTreeMap, HashMap};

use series::SeriesId;

use super::catalog::{Claim, Identity, MOST_COMPARED};

/// Beyond so many the rest is forgotten.
const MOST: usize = 100_000;

/// By recipe and labels.
#[derive(Debug, Default)]
pub(super) struct Parts {
    by_recipe: HashMap<usize, BTreeMap<Identity, Vec<(SeriesId, Claim)>>>,
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

    /// The parts that may belong to a new resource, those of the same labels together: those with its own, and the others as
    /// long as they are few.
    pub(super) fn that_may_fit(
        &self,
        recipe: usize,
        identity: &Identity,
    ) -> impl Iterator<Item = &[(SeriesId, Claim)]> {
        let of_recipe = self.by_recipe.get(&recipe);
        let own = of_recipe.and_then(|of_recipe| of_recipe.get(identity));
        let few = of_recipe.filter(|of_recipe| of_recipe.len() <= MOST_COMPARED);
        let others = few
            .into_iter()
            .flatten()
            .filter(move |(other, _)| *other != identity);
        own.into_iter()
            .chain(others.map(|(_, parts)| parts))
            .map(Vec::as_slice)
    }
}
