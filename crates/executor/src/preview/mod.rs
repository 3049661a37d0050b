//! A plan as a page for whoever has to sign it: what is done, how a person would do it by hand, what undoes it, what
//! changes, what comes of it, and what can go wrong.
//!
//! Everything in it is text that can be shown: no character that a terminal obeys, no line that a name could forge.

mod changes;
mod facts;
pub mod manual;
mod page;
pub mod quantity;
pub mod quote;
mod risks;

use std::collections::BTreeMap;

use remedy::action::{Action, Disruption};
use remedy::plan::{Plan, PlanState, PlannedStep};
use remedy::strategy::Reversibility;
use serde::Serialize;

pub use changes::{Change, changes};
pub use facts::Scene;
pub use manual::{Language, Manual};
pub use risks::{disruption, risks};

use quantity::{bytes, duration, quantity};
use quote::plain;

/// Most steps that are shown; the rest are counted among the risks.
pub const MAX_STEPS: usize = 32;
/// Most sentences of reasons.
const MAX_SENTENCES: usize = 16;
/// Most characters of a sentence.
const MAX_CHARS: usize = 500;

/// One step, for people.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PreviewStep {
    /// What is done, as one sentence.
    pub what: String,
    /// How a person would do it by hand.
    pub how: String,
    /// What `how` is written in.
    pub language: Language,
    /// How it would be undone by hand; `None` when nothing has to, or nothing can.
    pub undo: Option<String>,
    /// Why there is nothing to undo it, in words; empty when there is.
    pub without_undo: &'static str,
    /// What `undo` is written in.
    pub undo_language: Option<Language>,
    /// What it changes from what to what.
    pub changes: Vec<Change>,
    /// What it does to those who rely on the target.
    pub disruption: Disruption,
    /// Seconds after which it is given up.
    pub timeout_s: f64,
}

/// A plan as it is shown before anybody allows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Preview {
    /// What it is about, in a line: `plan p17 for issue i4: scale_out on service/api`.
    pub title: String,
    /// Whether it waits for somebody to allow it; nothing else is to be signed.
    pub is_asked: bool,
    /// Whether it is a dry run, in which nothing changes.
    pub is_dry: bool,
    /// Particulars of the plan, as names and texts: what is wrong, how long there is, who may allow it, until when.
    pub facts: Vec<(String, String)>,
    /// Why this helps, and why it is safe: one sentence each.
    pub because: Vec<String>,
    /// The steps, in order.
    pub steps: Vec<PreviewStep>,
    /// What is foretold to come of it, in words, with numbers and units.
    pub effect: String,
    /// All changes as a unified difference would show them.
    pub diff: String,
    /// What can go wrong, worst first.
    pub risks: Vec<String>,
}

impl Preview {
    /// Of a plan, with what is known beside it.
    #[must_use]
    pub fn of(plan: &Plan, scene: &Scene<'_>) -> Self {
        let shown = || plan.steps.iter().take(MAX_STEPS);
        let mut risks = risks(plan);
        if plan.steps.len() > MAX_STEPS {
            let n_more = plan.steps.len() - MAX_STEPS;
            risks.push(format!("{n_more} more steps are not shown here."));
        }
        let actions = shown().map(|planned| &planned.step.action);
        Self {
            title: format!(
                "plan {} for issue {}: {} on {}",
                plan.id,
                plan.issue,
                plain(&plan.strategy, 64),
                plain(plan.entity.as_str(), MAX_CHARS)
            ),
            is_asked: plan.state == PlanState::AwaitingApproval,
            is_dry: plan.executor == crate::dry_run::NAME,
            facts: facts::facts(plan, scene),
            because: plan
                .because
                .iter()
                .take(MAX_SENTENCES)
                .map(|text| sentence(text))
                .collect(),
            steps: shown()
                .map(|planned| step(planned, plan, scene.attributes))
                .collect(),
            effect: effect(plan),
            diff: changes::diff(actions.enumerate()),
            risks,
        }
    }
}

fn step(planned: &PlannedStep, plan: &Plan, attributes: &BTreeMap<String, String>) -> PreviewStep {
    let own = &plan.entity;
    let action = &planned.step.action;
    let how = Manual::of(action, own, attributes);
    let undo = planned.step.inverse.as_ref();
    let undo = undo.map(|inverse| Manual::of(inverse, own, attributes));
    PreviewStep {
        what: what(action),
        how: how.text,
        language: how.language,
        undo_language: undo.as_ref().map(|undo| undo.language),
        without_undo: match &undo {
            Some(_) => "",
            None => without_undo(action, plan.reversibility),
        },
        undo: undo.map(|undo| undo.text),
        changes: changes(action),
        disruption: action.disruption(),
        timeout_s: planned.step.timeout_s,
    }
}

/// Why nothing undoes an action that has no inverse.
const fn without_undo(action: &Action, reversibility: Reversibility) -> &'static str {
    match reversibility {
        _ if action.is_harmless() => "nothing has to: it changes nothing",
        Reversibility::SelfHealing => "nothing has to: what it does goes away by itself",
        Reversibility::Reversible | Reversibility::Irreversible => "nothing undoes it",
    }
}

/// What an action does, as one sentence.
#[must_use]
pub fn what(action: &Action) -> String {
    if let Action::GrowVolume {
        target,
        from_bytes,
        to_bytes,
    } = action
    {
        let (from, to) = (bytes(*from_bytes), bytes(*to_bytes));
        return sentence(&format!("grow {target} from {from} to {to}"));
    }
    sentence(&action.to_string())
}

/// The text on one line, with a capital and a full stop.
fn sentence(text: &str) -> String {
    let text = plain(text.trim(), MAX_CHARS);
    let mut rest = text.chars();
    let Some(first) = rest.next() else {
        return text;
    };
    let end = if text.ends_with(['.', '!', '?', '…']) {
        ""
    } else {
        "."
    };
    format!("{}{}{end}", first.to_uppercase(), rest.as_str())
}

/// As `2026-11-26T12:00:00Z`; beyond the years that have four digits, seconds since 1970.
pub(crate) fn date(at: series::Timestamp) -> String {
    let date = jiff::Timestamp::from_second(at.micros().div_euclid(1_000_000));
    date.map_or_else(|_| at.to_string(), |date| date.to_string())
}

fn effect(plan: &Plan) -> String {
    let effect = &plan.effect;
    let of = |value| quantity(value, &effect.unit);
    format!(
        "{} is foretold to go from {} to {} within {} of the last step; a move of less than {} counts as no effect.",
        plain(&effect.signal, MAX_CHARS),
        of(effect.from),
        of(effect.to),
        duration(effect.within_s),
        of(effect.least)
    )
}
