//! How risky it is to carry out a plan: five criteria, each from 0 to 1 and with its reason, and one number of them.

use serde::{Deserialize, Serialize};

use super::odds::Odds;
use super::tier::tier;
use crate::action::Disruption;
use crate::guard::Proposal;
use crate::strategy::Reversibility;

/// What is weighed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Criterion {
    /// How many suffer while it is done.
    BlastRadius,
    /// How much depends on them.
    BusinessImpact,
    /// How likely it goes wrong.
    Technical,
    /// What the law and contracts say of the data.
    Compliance,
    /// How hard it is to go back.
    Rollback,
}

impl Criterion {
    /// The name on the wire and for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BlastRadius => "blast_radius",
            Self::BusinessImpact => "business_impact",
            Self::Technical => "technical",
            Self::Compliance => "compliance",
            Self::Rollback => "rollback",
        }
    }

    /// Its share of the whole; they add up to 1.
    const fn weight(self) -> f64 {
        match self {
            Self::BlastRadius => 0.30,
            Self::BusinessImpact | Self::Technical | Self::Rollback => 0.20,
            Self::Compliance => 0.10,
        }
    }
}

/// One criterion, worked out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rating {
    /// Which.
    pub criterion: Criterion,
    /// 0 (none) to 1.
    pub value: f64,
    /// Why, for people.
    pub because: String,
}

/// All criteria, and the number that is held against the bars.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Risk {
    /// 0 (none) to 1.
    pub total: f64,
    /// In the order of [`Criterion`].
    pub ratings: Vec<Rating>,
}

/// One criterion alone at this height is too much, whatever the others say.
const INTOLERABLE: f64 = 0.9;

impl Risk {
    /// Of carrying out a proposal.
    #[must_use]
    pub fn of(proposal: &Proposal<'_>, odds: &Odds) -> Self {
        let ratings = vec![
            blast_radius(proposal),
            business_impact(proposal),
            technical(odds),
            compliance(proposal),
            rollback(proposal),
        ];
        let sum: f64 = ratings
            .iter()
            .map(|rating| rating.criterion.weight() * rating.value)
            .sum();
        let worst = ratings
            .iter()
            .map(|rating| rating.value)
            .fold(0.0, f64::max);
        // A mean hides the one thing that must not happen.
        let total = if worst >= INTOLERABLE {
            sum.max(0.5)
        } else {
            sum
        };
        Self { total, ratings }
    }
}

fn blast_radius(proposal: &Proposal<'_>) -> Rating {
    let around = &proposal.case.around;
    let n = f64::from(around.n_affected);
    let reach = 0.5 + 0.5 * (1.0 - 1.0 / (1.0 + n / 3.0));
    let away = proposal.capacity_away;
    let value = (proposal.disruption().missed() * away * reach).clamp(0.0, 1.0);
    let because = match (value > 0.0, around.n_affected) {
        (false, _) => "nothing is away while it is done".to_owned(),
        (true, 0) => format!("{:.0} % of the capacity is away meanwhile", away * 100.0),
        (true, n) => format!(
            "{:.0} % of the capacity is away meanwhile, {n} services depend on it",
            away * 100.0
        ),
    };
    Rating {
        criterion: Criterion::BlastRadius,
        value,
        because,
    }
}

fn business_impact(proposal: &Proposal<'_>) -> Rating {
    let number = proposal.case.around.tier;
    let away = proposal.disruption().missed() * proposal.capacity_away;
    Rating {
        criterion: Criterion::BusinessImpact,
        value: tier(number).absence * away.clamp(0.1, 1.0),
        because: format!("tier {number}"),
    }
}

fn technical(odds: &Odds) -> Rating {
    Rating {
        criterion: Criterion::Technical,
        // What does harm in one of five cases is as bad as can be; what is hardly known is not safe.
        value: (5.0 * odds.harm + odds.deviation).clamp(0.0, 1.0),
        because: format!(
            "it made things worse in {:.1} % of the cases, and works in {:.0} % ± {:.0}",
            odds.harm * 100.0,
            odds.mean * 100.0,
            odds.deviation * 100.0
        ),
    }
}

fn compliance(proposal: &Proposal<'_>) -> Rating {
    let case = proposal.case;
    let is_production = case.fact("data") == Some("production");
    let (value, because) = match proposal.disruption() {
        Disruption::LosesData if is_production => (1.0, "it removes files beside production data"),
        _ if case.is("sensitive") => (0.6, "it touches access or secrets"),
        _ if case.is("regulated") => (0.5, "what it changes is regulated"),
        Disruption::LosesData => (0.3, "it removes files"),
        _ if is_production && proposal.reversibility == Reversibility::Irreversible => {
            (0.3, "it cannot be undone, and production data is near")
        }
        Disruption::Interrupts | Disruption::Degrades | Disruption::None => {
            (0.0, "no data is touched")
        }
    };
    Rating {
        criterion: Criterion::Compliance,
        value,
        because: because.to_owned(),
    }
}

fn rollback(proposal: &Proposal<'_>) -> Rating {
    let (value, because) = match proposal.reversibility {
        Reversibility::Reversible => (0.05, "every step has an inverse"),
        Reversibility::SelfHealing => (0.2, "what it does goes away by itself"),
        Reversibility::Irreversible => (0.8, "it cannot be undone"),
    };
    Rating {
        criterion: Criterion::Rollback,
        value,
        because: because.to_owned(),
    }
}
