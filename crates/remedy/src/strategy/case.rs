//! What a strategy drafts from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::surroundings::Surroundings;
use crate::{Class, EntityId};

/// What is known about one issue, for a strategy to draft from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// What the issue is about.
    pub entity: EntityId,
    /// What is wrong.
    pub class: Class,
    /// Why, as far as is known; see [`crate::Finding::cause`].
    pub cause: String,
    /// What was measured, in `unit`.
    pub value: f64,
    /// At what value it is wrong, in `unit`.
    pub threshold: f64,
    /// Of both.
    pub unit: String,
    /// Where it was seen.
    pub signal: String,
    /// P(incident within 30 minutes), 0 to 1.
    pub probability: f64,
    /// The same within a day.
    pub probability_day: f64,
    /// 5, 50 and 95 % quantiles of the seconds that are left; `None` when no end is foreseen.
    pub ttf_s: Option<[f64; 3]>,
    /// Whether some rule, probe or report says that the threshold is crossed already.
    pub is_present: bool,
    /// Whether the trouble itself is there already: a resource at its limit, and not only near it.
    pub is_at_hand: bool,
    /// What else the findings say, merged.
    pub facts: BTreeMap<String, String>,
    /// Where the entity stands among the others.
    pub around: Surroundings,
}

impl Case {
    /// A fact, or else an attribute of the entity, under this name.
    #[must_use]
    pub fn fact(&self, name: &str) -> Option<&str> {
        let found = self.facts.get(name);
        let found = found.or_else(|| self.around.attributes.get(name));
        found.map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The same as a finite number.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<f64> {
        self.fact(name)?
            .parse()
            .ok()
            .filter(|n: &f64| n.is_finite())
    }

    /// Whether a fact or attribute says `true` or `yes`.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.fact(name).is_some_and(is_yes)
    }

    /// An attribute of the entity, whatever the facts say: for what permits something.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let attribute = self.around.attributes.get(name);
        attribute
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// An attribute as a number above 0: for how far something may go.
    #[must_use]
    pub fn ceiling(&self, name: &str) -> Option<f64> {
        let number: f64 = self.attribute(name)?.parse().ok()?;
        (number.is_finite() && number > 0.0).then_some(number)
    }

    /// An attribute as a count of things.
    #[must_use]
    pub fn count(&self, name: &str) -> Option<u32> {
        self.attribute(name)?.parse().ok()
    }

    /// Whether an attribute says `true` or `yes`, whatever the facts say: for what permits something.
    #[must_use]
    pub fn allows(&self, name: &str) -> bool {
        self.attribute(name).is_some_and(is_yes)
    }

    /// Whether a fact or an attribute says `true` or `yes`, even if the other says no: for what speaks against something.
    #[must_use]
    pub fn warns(&self, name: &str) -> bool {
        self.is(name) || self.allows(name)
    }

    /// Whether a fact or an attribute says `false` or `no`, even if the other says yes.
    #[must_use]
    pub fn forbids(&self, name: &str) -> bool {
        let is_no = |value| matches!(value, "false" | "no");
        self.fact(name).is_some_and(is_no) || self.attribute(name).is_some_and(is_no)
    }
}

fn is_yes(value: &str) -> bool {
    matches!(value, "true" | "yes")
}
