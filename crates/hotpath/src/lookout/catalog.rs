//! Which resource a series belongs to.
//!
//! The series of a recipe's anchor make the resources; every other part goes to the resource that it shares labels with. The
//! usual case, in which both have the same labels, is one look into a table; only where exporters differ are resources gone
//! through one by one, and only while there are few.

use std::collections::HashMap;
use std::sync::Arc;

use predict::exhaustion::{OUTCOME_LABELS, Part, Recipe, Role, failed, recipes};
use series::SeriesKey;

/// Beyond so many resources, or parts, of a recipe those with other labels than their own are not matched.
pub(super) const MOST_COMPARED: usize = 200;

/// Labels without those that are summed away, sorted.
pub(super) type Identity = Vec<(Box<str>, Box<str>)>;

/// What a series tells of the resources of one recipe.
#[derive(Debug, Clone)]
pub(super) struct Claim {
    /// Place of the recipe.
    pub(super) recipe: usize,
    pub(super) metric: &'static str,
    pub(super) role: Role,
    pub(super) is_anchor: bool,
    pub(super) identity: Identity,
    /// Upper bound of a bucket; infinite for the last one.
    pub(super) bound: f64,
    /// Whether it counts requests that failed.
    pub(super) failed: bool,
}

/// Recipes by the metrics that they take in, and the resources found so far.
#[derive(Debug)]
pub(super) struct Catalog {
    pub(super) recipes: Vec<&'static Recipe>,
    by_metric: HashMap<&'static str, Vec<(usize, Part, bool)>>,
    by_identity: HashMap<(usize, Identity), u32>,
    of_recipe: Vec<Vec<(u32, Identity)>>,
}

impl Catalog {
    pub(super) fn new() -> Self {
        let recipes: Vec<_> = recipes().collect();
        let mut by_metric: HashMap<_, Vec<_>> = HashMap::new();
        for (i, recipe) in recipes.iter().enumerate() {
            let anchor = (recipe.anchor, true);
            let parts = recipe.parts.iter().map(|part| (*part, false));
            for (part, is_anchor) in std::iter::once(anchor).chain(parts) {
                by_metric
                    .entry(part.metric)
                    .or_default()
                    .push((i, part, is_anchor));
            }
        }
        Self {
            of_recipe: vec![Vec::new(); recipes.len()],
            recipes,
            by_metric,
            by_identity: HashMap::new(),
        }
    }

    /// What this series tells, for each recipe that takes it in.
    pub(super) fn claims(&self, key: &SeriesKey) -> Vec<Claim> {
        let Some(entries) = self.by_metric.get(key.metric()) else {
            return Vec::new();
        };
        let fits = |part: &Part| {
            part.when
                .is_none_or(|(label, value)| key.label(label) == Some(value))
        };
        entries
            .iter()
            .filter(|(_, part, _)| fits(part))
            .map(|&(recipe, part, is_anchor)| Claim {
                recipe,
                metric: part.metric,
                role: part.role,
                is_anchor,
                identity: identity(key, self.recipes[recipe].summed),
                bound: key
                    .label("le")
                    .and_then(|le| le.parse().ok())
                    .filter(|bound: &f64| !bound.is_nan())
                    .unwrap_or(f64::INFINITY),
                failed: OUTCOME_LABELS
                    .iter()
                    .any(|label| key.label(label).is_some_and(failed)),
            })
            .collect()
    }

    /// The resource with this identity, if it was added.
    pub(super) fn find(&self, recipe: usize, identity: &Identity) -> Option<u32> {
        self.by_identity.get(&(recipe, identity.clone())).copied()
    }

    /// Adds a resource.
    pub(super) fn add(&mut self, recipe: usize, identity: &Identity, resource: u32) {
        self.by_identity
            .insert((recipe, identity.clone()), resource);
        self.of_recipe[recipe].push((resource, identity.clone()));
    }

    /// The resources that a part belongs to: the one that has the same labels, else all that disagree on
    /// none and share the most.
    pub(super) fn matches(&self, part: &Claim) -> Vec<u32> {
        if let Some(same) = self.find(part.recipe, &part.identity) {
            return vec![same];
        }
        let all = &self.of_recipe[part.recipe];
        if all.len() > MOST_COMPARED {
            return Vec::new();
        }
        let shared: Vec<(u32, usize)> = all
            .iter()
            .filter_map(|(resource, other)| Some((*resource, agreement(&part.identity, other)?)))
            .collect();
        let most = shared.iter().map(|(_, n)| *n).max().unwrap_or(0);
        let best: Vec<u32> = shared
            .iter()
            .filter(|(_, n)| *n == most)
            .map(|(resource, _)| *resource)
            .collect();
        // Of many alike a limit is meant for all; anything else would be counted as often.
        if best.len() > 1 && !part.role.is_shared() {
            return Vec::new();
        }
        best
    }
}

/// How many labels two identities share; `None` when they disagree on one, or each has labels and none is the other's.
fn agreement(one: &Identity, other: &Identity) -> Option<usize> {
    let mut n = 0;
    for (name, value) in one {
        if let Ok(place) = other.binary_search_by(|(have, _)| have.cmp(name)) {
            if other[place].1 != *value {
                return None;
            }
            n += 1;
        }
    }
    (n > 0 || one.is_empty() || other.is_empty()).then_some(n)
}

fn identity(key: &SeriesKey, summed: &[&str]) -> Identity {
    key.labels()
        .filter(|(name, _)| !summed.contains(name))
        .map(|(name, value)| (name.into(), value.into()))
        .collect()
}

/// The name of a resource: the anchor's metric with the labels that tell it from others.
pub(super) fn name(metric: &str, identity: &Identity) -> Option<Arc<SeriesKey>> {
    let labels = identity
        .iter()
        .map(|(name, value)| (name.clone(), value.clone()));
    SeriesKey::new(metric, labels).ok().map(Arc::new)
}
