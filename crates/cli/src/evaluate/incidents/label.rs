//! What a good operator would have said and done, and what is wrong with how that is written down.

use std::collections::{BTreeMap, BTreeSet};

use remedy::{Class, EntityId};
use serde::Deserialize;

/// Trouble at a place.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Place {
    pub(super) class: Class,
    pub(super) entity: EntityId,
}

/// What a good operator would say and do.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Label {
    pub(super) class: Class,
    pub(super) entity: EntityId,
    /// Other entities that would do.
    #[serde(default)]
    pub(super) or: Vec<EntityId>,
    /// When the trouble begins: before that it is a false alarm.
    pub(super) from_s: f64,
    /// Seconds after that within which it has to be said.
    pub(super) within_s: f64,
    /// Strategies of which any may stand first.
    #[serde(default)]
    pub(super) best: Vec<String>,
    /// Those that one would let pass.
    #[serde(default)]
    pub(super) fair: Vec<String>,
    /// Those that would do harm here, or hide the cause.
    #[serde(default)]
    pub(super) wrong: Vec<String>,
    /// Whether a person has to decide.
    #[serde(default)]
    pub(super) abstain: bool,
    /// Whether it need not be opened; what is proposed for it is judged all the same.
    #[serde(default)]
    pub(super) optional: bool,
    /// Why: for people.
    pub(super) because: String,
}

impl Label {
    /// The first thing that makes no sense, with its field. `names`: the entities that the scenario speaks of.
    pub(super) fn mistake(
        &self,
        duration_s: f64,
        names: &BTreeSet<EntityId>,
    ) -> Option<(&str, String)> {
        if self.because.trim().is_empty() {
            return Some(("because", "a label needs a reason".to_owned()));
        }
        let entities = std::iter::once(&self.entity).chain(&self.or);
        if let Some(unknown) = entities.into_iter().find(|entity| !names.contains(entity)) {
            return Some(("entity", format!("nothing here is called {unknown}")));
        }
        if self.best.is_empty() && !self.abstain {
            return Some((
                "best",
                "it names no strategy, and leaves it to nobody: say `abstain = true` if a person decides".to_owned(),
            ));
        }
        let is_sound = self.from_s >= 0.0 && self.within_s > 0.0 && self.from_s < duration_s;
        if !is_sound {
            return Some((
                "from_s",
                format!(
                    "from {} within {} s is not within the scenario",
                    self.from_s, self.within_s
                ),
            ));
        }
        let lists = [
            ("best", &self.best),
            ("fair", &self.fair),
            ("wrong", &self.wrong),
        ];
        let mut seen = BTreeMap::new();
        for (list, names) in lists {
            for name in names {
                let Some(known) = remedy::strategy::strategy(name) else {
                    return Some((list, format!("there is no strategy {name:?}")));
                };
                if !known.classes.contains(&self.class) {
                    let class = self.class.name();
                    return Some((list, format!("{name} is for no issue of class {class}")));
                }
                if let Some(before) = seen.insert(name, list) {
                    return Some((list, format!("{name} is in `{before}` already")));
                }
            }
        }
        None
    }
}
