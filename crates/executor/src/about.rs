//! What surrounds an order: nothing is done by it, people and receivers want to read it.

use std::collections::BTreeMap;

use remedy::plan::Plan;
use remedy::{Class, EntityId};
use serde::Serialize;

use crate::preview::quote::plain;

/// Most sentences of a summary.
const MAX_SENTENCES: usize = 16;
/// Most characters of one.
const MAX_CHARS: usize = 1_000;

/// A plan in short. Texts are bounded and hold no control characters.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Its number: `p17`.
    pub plan: String,
    /// What it is about: `i4`.
    pub issue: String,
    /// What is to be remedied.
    pub class: Class,
    /// On what.
    pub entity: EntityId,
    /// Why, as far as was known.
    pub cause: String,
    /// By which strategy.
    pub strategy: String,
    /// How many steps it has.
    pub n_steps: usize,
    /// Which try it is for this target and class, from 0.
    pub attempt: u32,
    /// Why this helps, and why it is safe.
    pub because: Vec<String>,
    /// Who approved it.
    pub approved_by: Vec<String>,
}

impl Summary {
    /// Of a plan.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        let text = |text: &String| plain(text, MAX_CHARS);
        let yes = plan.approvals.iter().filter(|approval| approval.is_yes);
        Self {
            plan: plan.id.to_string(),
            issue: plan.issue.to_string(),
            class: plan.class,
            entity: plan.entity.clone(),
            cause: text(&plan.cause),
            strategy: text(&plan.strategy),
            n_steps: plan.steps.len(),
            attempt: plan.attempt,
            because: plan.because.iter().take(MAX_SENTENCES).map(text).collect(),
            approved_by: yes
                .take(MAX_SENTENCES)
                .map(|approval| text(&approval.who))
                .collect(),
        }
    }
}

/// What surrounds an order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct About {
    /// The plan that it is a step of, in short; `None` when it is not at hand.
    pub summary: Option<Summary>,
    /// What is known of the plan's entity: who manages it, in which namespace, …
    pub attributes: BTreeMap<String, String>,
}

impl About {
    /// A step of this plan.
    #[must_use]
    pub fn of(plan: &Plan, attributes: &BTreeMap<String, String>) -> Self {
        Self {
            summary: Some(Summary::of(plan)),
            attributes: attributes.clone(),
        }
    }
}
