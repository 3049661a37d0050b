//! The fifth rule: what cannot be undone is not done without a person.

use super::{Layer, Proposal, Stop, Veto};
use crate::strategy::Reversibility;

pub(super) fn check(proposal: &Proposal<'_>, out: &mut Vec<Veto>) {
    let changes = proposal
        .steps
        .iter()
        .filter(|step| !step.action.is_harmless());
    let stuck: Vec<_> = changes
        .filter(|step| step.inverse.is_none())
        .map(|step| step.action.to_string())
        .collect();
    if stuck.is_empty() {
        // A strategy that calls itself irreversible knows more than its steps say.
        if proposal.reversibility == Reversibility::Irreversible && proposal.changes().count() > 0 {
            out.push(Veto::new(
                Layer::FiveRules,
                "ability_to_roll_back",
                Stop::UntilApproved,
                format!("{} cannot be undone", proposal.strategy),
            ));
        }
        return;
    }
    let why = format!("nothing undoes \"{}\"", stuck.join("\", \""));
    out.push(Veto::new(
        Layer::FiveRules,
        "ability_to_roll_back",
        Stop::UntilApproved,
        why,
    ));
}
