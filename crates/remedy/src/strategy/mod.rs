//! What can be done about an issue: one strategy per file, each a constant that says what it is for, what it costs, who
//! may allow it and what comes after it when it does not help, and a function that drafts the steps for one case.
//!
//! A strategy is pure: it reads a [`Case`] and answers with a [`Draft`], or says why it does not fit. To add one: a file
//! beside these, and its name in [`STRATEGIES`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::surroundings::Surroundings;
use crate::{Class, EntityId};

/// Whether, and how, what a strategy does can be undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reversibility {
    /// Every step has an inverse that brings back what was.
    Reversible,
    /// What was done goes away by itself or does no harm: a restart, a cleared cache.
    SelfHealing,
    /// It cannot be undone. Never carried out without a person.
    Irreversible,
}

/// Who may allow it, least first. A person has one level and all below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authority {
    /// Whoever is on call.
    Operator,
    /// Who owns the service.
    Owner,
    /// Who answers for the platform, its data and its security.
    Administrator,
}

impl Authority {
    /// The name in configuration and on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Owner => "owner",
            Self::Administrator => "administrator",
        }
    }
}

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
    /// 5, 50 and 95 % quantiles of the seconds that are left; `None` when no end is foreseen.
    pub ttf_s: Option<[f64; 3]>,
    /// Whether some rule, probe or report says that it is so already.
    pub is_present: bool,
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
        self.fact(name)?.parse().ok().filter(|n: &f64| n.is_finite())
    }

    /// Whether a fact or attribute says `true` or `yes`.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        matches!(self.fact(name), Some("true" | "yes"))
    }
}

/// One step: what is done, and what undoes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What is done.
    pub action: Action,
    /// What undoes it; `None` when nothing has to, or nothing can (see [`Reversibility`]).
    pub inverse: Option<Action>,
    /// Seconds after which the executor gives it up.
    pub timeout_s: f64,
}

/// How the effect is judged: fixed before anything is done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Effect {
    /// What is looked at: the signal of the issue, or another series of the entity.
    pub signal: String,
    /// Of the values.
    pub unit: String,
    /// What it is now.
    pub from: f64,
    /// What it is foretold to be, at `within_s`.
    pub to: f64,
    /// The least move towards `to` that counts as an improvement, in `unit`; above 0.
    pub least: f64,
    /// Seconds after the last step at which it is judged.
    pub within_s: f64,
}

/// What a strategy would do about a case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Draft {
    /// In order.
    pub steps: Vec<Step>,
    /// How its effect is judged.
    pub effect: Effect,
    /// Why this helps here, one sentence for people.
    pub because: String,
    /// How well it fits this case, 0 to 1: how likely it is that it works if the diagnosis is right, by what is known of
    /// the cause. Multiplied with the success rate that was learned.
    pub fit: f64,
    /// Share of the capacity of the service that is away while it is done, 0 to 1.
    pub capacity_away: f64,
}

/// Why a strategy does not fit a case: one sentence for people, that names what is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unfit(pub String);

impl Unfit {
    /// Why not.
    #[must_use]
    pub fn because(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

/// A way to remedy issues of some classes.
#[derive(Debug)]
pub struct Strategy {
    /// The key in configuration, storage and telemetry: lower case with underscores.
    pub name: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// What it is for.
    pub classes: &'static [Class],
    /// Whether it can be undone.
    pub reversibility: Reversibility,
    /// Who may allow it.
    pub authority: Authority,
    /// What it costs beside the disruption: minutes of work and money, as minutes of outage of a service of middle tier
    /// that one would rather have.
    pub cost_min: f64,
    /// Seconds that it takes, usually.
    pub duration_s: f64,
    /// What is believed of its success before anything was learned, as successes and failures of a beta distribution.
    pub prior: [f64; 2],
    /// P(it makes things worse), before anything was learned.
    pub harm: f64,
    /// Names of what is tried next when it had no effect, in order.
    pub fallbacks: &'static [&'static str],
    /// Drafts it for a case.
    pub draft: fn(&Case) -> Result<Draft, Unfit>,
}

mod grow_volume;

/// All of them, by name.
pub const STRATEGIES: [&Strategy; 1] = [&grow_volume::STRATEGY];

/// The strategy of this name.
#[must_use]
pub fn strategy(name: &str) -> Option<&'static Strategy> {
    STRATEGIES.into_iter().find(|known| known.name == name)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A case of an entity whose level is a share of its limit.
    pub(crate) fn case(entity: &str, class: Class, value: f64) -> Case {
        Case {
            entity: entity.parse().unwrap(),
            class,
            cause: String::new(),
            value,
            threshold: 0.9,
            unit: "ratio".to_owned(),
            signal: "used_ratio".to_owned(),
            probability: 0.9,
            ttf_s: Some([300.0, 600.0, 1200.0]),
            is_present: false,
            facts: BTreeMap::new(),
            around: Surroundings::default(),
        }
    }
}
