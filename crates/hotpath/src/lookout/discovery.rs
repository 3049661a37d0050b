//! How a series becomes part of a resource.

use std::sync::Arc;

use predict::exhaustion::{Family, Measure, Part, Recipe, Role};
use series::{SeriesId, SeriesKey};

use super::catalog::{self, Claim};
use super::state::{Member, State};
use super::told::Told;
use super::{Entry, LimitRule, Lookout, Resource};

/// Series of one resource; more are passed over.
const MOST_MEMBERS: usize = 2_000;

impl Lookout {
    /// Makes a series known. Returns whether any resource is read from it; samples of others need not be pushed. A series
    /// that is made known twice stays what it is.
    pub fn add_series(&mut self, id: SeriesId, key: &Arc<SeriesKey>) -> bool {
        if self
            .routes
            .get(id.index())
            .is_some_and(|route| !route.is_empty())
        {
            return true;
        }
        let claims = self.catalog.claims(key);
        if claims.is_empty() {
            return self.add_by_rule(id, key);
        }
        let mut taken = false;
        for claim in claims {
            if claim.is_anchor {
                taken |= self.add_anchor(id, &claim);
            } else {
                self.add_part(id, claim);
                // What waits for its resource must not be lost meanwhile.
                taken = true;
            }
        }
        taken
    }

    /// The part that names a resource: the first of its identity makes it. Returns whether there is one.
    fn add_anchor(&mut self, id: SeriesId, claim: &Claim) -> bool {
        let resource = match self.catalog.find(claim.recipe, &claim.identity) {
            Some(resource) => Some(resource),
            None => self.add_found(claim),
        };
        if let Some(resource) = resource {
            self.join(resource, id, claim);
        }
        resource.is_some()
    }

    /// A resource that was not there before, with the parts that waited for it.
    fn add_found(&mut self, claim: &Claim) -> Option<u32> {
        let recipe = *self.catalog.recipes[claim.recipe];
        let key = catalog::name(recipe.anchor.metric, &claim.identity)?;
        let resource = self.add_resource(recipe, key)?;
        self.catalog.add(claim.recipe, &claim.identity, resource);
        let waiting = std::mem::take(&mut self.parts);
        for alike in waiting.that_may_fit(claim.recipe, &claim.identity) {
            // All of them have the same labels, so they belong to the same, but for what many may share.
            let mut shares = [None; 2];
            for (id, part) in alike {
                let fits = shares[usize::from(part.role.is_shared())]
                    .get_or_insert_with(|| self.catalog.matches(part).contains(&resource));
                if *fits {
                    self.join(resource, *id, part);
                }
            }
        }
        self.parts = waiting;
        Some(resource)
    }

    fn add_part(&mut self, id: SeriesId, claim: Claim) {
        for resource in self.catalog.matches(&claim) {
            self.join(resource, id, &claim);
        }
        self.reserve(id);
        self.parts.keep(id, claim);
    }

    /// A metric that no recipe knows, but a setting names.
    fn add_by_rule(&mut self, id: SeriesId, key: &Arc<SeriesKey>) -> bool {
        let rule = self.config.limits.iter().find(|rule| applies(rule, key));
        let Some(family) = rule.and_then(|rule| rule.family) else {
            return false;
        };
        // These are read from requests, which one metric does not tell.
        if matches!(family, Family::Cpu | Family::Dependency) {
            return false;
        }
        let recipe = Recipe {
            family,
            anchor: Part {
                role: Role::Used,
                metric: "",
                when: None,
            },
            parts: &[],
            summed: &[],
            measure: Measure::UsedOfLimit,
            needs: "a limit above 0 in the settings",
        };
        let Some(resource) = self.add_resource(recipe, Arc::clone(key)) else {
            return false;
        };
        let claim = Claim {
            recipe: 0,
            metric: "",
            role: Role::Used,
            is_anchor: true,
            identity: Vec::new(),
            bound: f64::INFINITY,
            failed: false,
        };
        self.join(resource, id, &claim);
        true
    }

    fn add_resource(&mut self, recipe: Recipe, key: Arc<SeriesKey>) -> Option<u32> {
        if self.resources.len() >= self.config.max_resources {
            self.n_refused += 1;
            return None;
        }
        let rule = self.config.limits.iter().find(|rule| applies(rule, &key));
        // A label may tell the limit, where no metric does.
        let label = || {
            ["limit", "capacity"]
                .iter()
                .find_map(|name| key.label(name)?.parse().ok())
        };
        let (set_limit, label_limit) = (rule.map(|rule| rule.limit), label());
        self.resources.push(Resource {
            family: recipe.family,
            key,
            series: Vec::new(),
            missing: None,
        });
        self.entries.push(Entry {
            recipe,
            set_limit,
            label_limit,
            state: State::new(recipe.measure),
            told: Told::default(),
            parts: Vec::new(),
        });
        Some(self.resources.len() as u32 - 1)
    }

    /// Makes a series a member of a resource. What adds up differs in labels that the recipe sums away; of parts of one metric
    /// that differ in others, such as two limits, the first stands.
    fn join(&mut self, resource: u32, id: SeriesId, claim: &Claim) {
        self.reserve(id);
        let entry = &mut self.entries[resource as usize];
        match entry
            .parts
            .iter()
            .find(|(metric, _)| *metric == claim.metric)
        {
            Some((_, identity)) if *identity != claim.identity => return,
            // Beyond any honest number of buckets, codes and paths.
            _ if self.resources[resource as usize].series.len() >= MOST_MEMBERS => return,
            Some(_) => {}
            None => entry.parts.push((claim.metric, claim.identity.clone())),
        }
        let member = self.members.len() as u32;
        self.members
            .push(Member::new(resource, claim.role, claim.bound, claim.failed));
        // Totals are counted as they come; what is asked for its latest value is looked through each time.
        if !claim.role.is_total() {
            entry.state.members.push(member);
        }
        self.routes[id.index()].push(member);
        self.resources[resource as usize].series.push(id);
    }

    fn reserve(&mut self, id: SeriesId) {
        if self.routes.len() <= id.index() {
            self.routes.resize(id.index() + 1, Vec::new());
        }
    }
}

/// Whether a setting is about this series.
fn applies(rule: &LimitRule, key: &SeriesKey) -> bool {
    let labels = || rule.labels.iter();
    rule.metric == key.metric() && labels().all(|(name, value)| key.label(name) == Some(value))
}
