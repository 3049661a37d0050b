//! The second rule: enough of a service stays at work.

use super::{Layer, Proposal, Situation, Stop, Veto};
use crate::Settings;
use crate::action::Disruption;

pub(super) fn check(
    proposal: &Proposal<'_>,
    situation: &Situation,
    settings: &Settings,
    out: &mut Vec<Veto>,
) {
    let away = match proposal.disruption() {
        Disruption::None => return,
        Disruption::Degrades | Disruption::Interrupts | Disruption::LosesData => {
            proposal.capacity_away
        }
    };
    let left = 1.0 - situation.service_away - away;
    if left + 1e-9 >= settings.availability_floor {
        return;
    }
    // What has one instance cannot be mended without taking it away: a person may want that.
    let is_alone = proposal.case.around.replicas <= 1 && situation.service_away <= 0.0;
    let stop = match is_alone {
        true => Stop::UntilApproved,
        false => Stop::ForNow,
    };
    let why = format!(
        "{:.0} % of the capacity would be left, the floor is {:.0} %",
        left.max(0.0) * 100.0,
        settings.availability_floor * 100.0
    );
    out.push(Veto::new(Layer::FiveRules, "availability_floor", stop, why));
}
