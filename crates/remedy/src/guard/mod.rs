//! What stops a plan. Each layer is sufficient: one veto is enough, whoever asked, and whatever the others say. The same
//! layers are asked when a plan is made, and again immediately before each of its steps.

mod availability;
mod ceilings;
pub(crate) mod data;
mod human;
mod limits;
pub mod policy;
mod rollback;
mod security;
mod situation;
pub mod window;
pub mod zone;

pub use situation::{Proposal, Situation};

use serde::{Deserialize, Serialize};

use crate::Settings;
use policy::Policies;

/// Where a veto comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// So many actions and no more.
    HardLimits,
    /// The five rules: data, availability, ceilings, security, rollback.
    FiveRules,
    /// What the business says.
    Policy,
    /// A person has to allow it.
    HumanGate,
    /// Something happened meanwhile.
    Abort,
}

impl Layer {
    /// The name on the wire and for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::HardLimits => "hard_limits",
            Self::FiveRules => "five_rules",
            Self::Policy => "policy",
            Self::HumanGate => "human_gate",
            Self::Abort => "abort",
        }
    }
}

/// What a veto asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// It may be carried out later, when what holds it has gone.
    ForNow,
    /// It may be carried out when a person allows it.
    UntilApproved,
    /// This plan is not carried out, whoever asks.
    ForGood,
}

/// A reason not to carry out a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Veto {
    /// Which layer.
    pub layer: Layer,
    /// Which rule of it, as `availability_floor`.
    pub rule: String,
    /// What it asks for.
    pub stop: Stop,
    /// Why, with the numbers: for people.
    pub why: String,
}

impl Veto {
    /// What it means for a plan that was begun: what is to pass holds the next step, and all else has what was done undone.
    /// `None` when it is a reason not to begin, and none to stop half way.
    pub(crate) fn once_begun(self) -> Option<Self> {
        let stop = match (self.layer, self.rule.as_str()) {
            // It has its place among those at work, and its attempt is counted.
            (Layer::HardLimits, "concurrent" | "attempts") => return None,
            // The trouble fades while it is being mended, and where it is restarted nothing is measured.
            (Layer::Abort, "condition" | "data_age") => return None,
            (Layer::HardLimits, _) => Stop::ForNow,
            (Layer::Abort, "brake" | "storm" | "clock" | "executor" | "lease") => Stop::ForNow,
            // One that cannot be worked out, maybe.
            (Layer::Policy, _) if self.stop == Stop::ForNow => Stop::ForNow,
            // A freeze may last for days, and whoever is to allow it may never: what was done half does not wait for that.
            (Layer::FiveRules | Layer::Policy | Layer::HumanGate | Layer::Abort, _) => {
                Stop::ForGood
            }
        };
        Some(Self { stop, ..self })
    }

    fn new(layer: Layer, rule: &str, stop: Stop, why: impl Into<String>) -> Self {
        Self {
            layer,
            rule: rule.to_owned(),
            stop,
            why: why.into(),
        }
    }
}

impl std::fmt::Display for Veto {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.rule.replace('_', " "), self.why)
    }
}

/// All that speaks against carrying out a proposal now; empty when nothing does.
#[must_use]
pub fn vetoes(
    proposal: &Proposal<'_>,
    situation: &Situation,
    settings: &Settings,
    policies: &Policies,
) -> Vec<Veto> {
    let mut out = Vec::new();
    limits::check(proposal, situation, settings, &mut out);
    data::check(proposal, &mut out);
    availability::check(proposal, situation, settings, &mut out);
    ceilings::check(proposal, settings, &mut out);
    security::check(proposal, &mut out);
    rollback::check(proposal, &mut out);
    policies.check(proposal, situation, &mut out);
    human::check(proposal, situation, settings, &mut out);
    situation.check(settings, &mut out);
    // What takes a person is settled when one with the authority has allowed it; nothing else is.
    let approval = proposal.approval();
    if approval.is_some_and(|approval| approval.authority >= proposal.authority) {
        out.retain(|veto| veto.stop != Stop::UntilApproved);
    }
    out
}
