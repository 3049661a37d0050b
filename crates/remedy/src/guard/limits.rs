//! Hard limits: so many actions per target and hour, so many in all, so many at once, so many attempts. Every action of
//! every caller counts, approved or not.

use super::{Layer, Proposal, Situation, Stop, Veto};
use crate::Phase;
use crate::Settings;

pub(super) fn check(
    proposal: &Proposal<'_>,
    situation: &Situation,
    settings: &Settings,
    out: &mut Vec<Veto>,
) {
    // Without a person near, half of everything.
    let alone = proposal.approval().is_none() && settings.phase == Phase::Constrained;
    let share = if alone { 2 } else { 1 };
    let n = proposal.changes().count() as u32;
    let mut limit = |rule: &str, stop, had: u32, more: u32, max: u32, what: &str| {
        if had.saturating_add(more) > max {
            let why = format!("{had} {what}, {more} more would be above {max}");
            out.push(Veto::new(Layer::HardLimits, rule, stop, why));
        }
    };
    let target = proposal.case.entity.as_str();
    limit(
        "actions_per_target",
        Stop::ForNow,
        situation.hour_on_target,
        n,
        settings.actions_per_target / share,
        &format!("actions on {target} within an hour"),
    );
    limit(
        "actions_per_hour",
        Stop::ForNow,
        situation.hour_in_all,
        n,
        settings.actions_per_hour / share,
        "actions within an hour",
    );
    limit(
        "concurrent",
        Stop::ForNow,
        situation.running,
        1,
        settings.concurrent,
        "plans are being carried out",
    );
    // What did not help three times will not help the fourth: a person is needed, not more patience.
    limit(
        "attempts",
        Stop::ForGood,
        situation.attempts,
        1,
        settings.attempts,
        &format!("attempts at this class of trouble of {target} did not cure it"),
    );
}
