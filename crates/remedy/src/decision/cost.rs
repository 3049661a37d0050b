//! What acting costs, and what not acting costs: both expected, in minutes of outage of a service of tier 3.

use serde::{Deserialize, Serialize};

use super::odds::Odds;
use super::tier::tier;
use crate::guard::Proposal;
use crate::strategy::{Case, Strategy};
use crate::{Area, Settings};

/// Both costs, and what they are made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// Of acting: the work, what is away meanwhile, what remains when it does not help, and harm.
    pub acting: f64,
    /// Of waiting until people mend it.
    pub waiting: f64,
    /// How they came about, for people.
    pub because: String,
}

/// What a minute of outage weighs, by what depends on the entity.
#[must_use]
pub(super) fn weight(case: &Case) -> f64 {
    tier(case.around.tier).outage * (1.0 + 0.1 * f64::from(case.around.n_affected.min(20)))
}

/// What it is expected to cost to leave a case to people.
#[must_use]
pub(super) fn waiting(case: &Case, settings: &Settings) -> f64 {
    let foreseen = case.probability_day.max(case.probability);
    let probability = match (case.is_at_hand, case.is_present) {
        (true, _) => 1.0,
        // Near its limit, whatever is foreseen: limits were set by somebody who knew why.
        (false, true) => foreseen.max(0.5),
        (false, false) => foreseen,
    };
    // What is wrong with security costs nothing until somebody finds it, and then more than an outage.
    let share = match case.class.area() {
        Area::Security => 2.0,
        Area::Compute | Area::Network | Area::Storage | Area::Database => 1.0,
    };
    probability * settings.people_min * weight(case) * share
}

impl Cost {
    /// Of a proposal, at these odds that it helps here.
    #[must_use]
    pub fn of(
        proposal: &Proposal<'_>,
        strategy: &Strategy,
        odds: &Odds,
        success: f64,
        settings: &Settings,
    ) -> Self {
        let waiting = waiting(proposal.case, settings);
        let missed = proposal.disruption().missed();
        let weight = weight(proposal.case);
        let meanwhile = missed * proposal.capacity_away * strategy.duration_s / 60.0 * weight;
        let remains = (1.0 - success) * waiting;
        let harm = odds.harm * settings.people_min * weight;
        Self {
            acting: strategy.cost_min + meanwhile + remains + harm,
            waiting,
            because: format!(
                "acting: {:.1} for the work, {meanwhile:.1} away meanwhile, {remains:.1} if it does not help, {harm:.1} if it \
                 harms; waiting: {waiting:.1}",
                strategy.cost_min
            ),
        }
    }
}
