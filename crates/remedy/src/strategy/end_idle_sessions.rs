//! Ends sessions that do nothing.

use super::draft::{by_cause, effect, only, step};
use super::{Authority, Case, Draft, Reversibility, Strategy, Unfit};
use crate::action::Action;
use crate::{Class, Kind};

/// Seconds after which a session counts as forgotten, when nobody says.
const IDLE_S: f64 = 600.0;
/// Share of the idle sessions that have been so for long enough. Pools keep some idle for a moment; not known better.
const LONG_IDLE: f64 = 0.5;

/// Ends sessions that hold a connection and do nothing with it.
pub(super) const STRATEGY: Strategy = Strategy {
    name: "end_idle_sessions",
    about: "end sessions of a database that have been idle for ten minutes, when connections run out",
    classes: &[Class::SlowQueries],
    // A pool opens a new one when it needs it.
    reversibility: Reversibility::SelfHealing,
    authority: Authority::Operator,
    cost_min: 1.0,
    duration_s: 10.0,
    prior: [8.5, 1.5],
    harm: 0.02,
    fallbacks: &["raise_max_connections", "scale_back", "notify_owner"],
    draft,
};

fn draft(case: &Case) -> Result<Draft, Unfit> {
    only(case, &[Kind::Database])?;
    if case.fact("family") != Some("connections") {
        return Err(Unfit::because(format!(
            "it is not connections that {} runs out of",
            case.entity
        )));
    }
    let idle = case.number("sessions_idle").unwrap_or(0.0);
    let limit = case.number("limit").filter(|&limit| limit > 0.0);
    let Some(limit) = limit else {
        return Err(Unfit::because(format!(
            "how many connections {} takes is not known",
            case.entity
        )));
    };
    let share = idle * LONG_IDLE / limit;
    if share < 0.05 {
        return Err(Unfit::because(format!(
            "{idle:.0} idle sessions of {limit:.0} connections are too few to matter"
        )));
    }
    let to = match &*case.unit {
        "ratio" => case.value - share,
        "percent" => case.value - share * 100.0,
        "connections" => case.value - share * limit,
        _ => case.value * (1.0 - share.min(1.0)),
    };
    let end = Action::EndIdleSessions {
        target: case.entity.clone(),
        longer_than_s: case.ceiling("idle_max_s").unwrap_or(IDLE_S),
    };
    Ok(Draft {
        steps: vec![step(end, 30.0)],
        effect: effect(case, to.max(0.0), 120.0)?,
        because: format!("{idle:.0} sessions hold a connection and do nothing with it"),
        // Of a leak they come back, and still it is the right thing to do first.
        fit: by_cause(case, &[("leak", 0.9), ("burst", 0.7)], 0.85),
        capacity_away: 0.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::tests::with;

    #[test]
    fn enough_of_them_must_be_idle() {
        let drafted = |idle: &str| {
            let facts = [
                ("family", "connections"),
                ("limit", "200"),
                ("sessions_idle", idle),
            ];
            draft(&with("database/orders", Class::SlowQueries, 0.95, &facts))
        };
        let mut case = with("database/orders", Class::SlowQueries, 0.95, &[]);
        case.unit = "ratio".into();
        assert!(draft(&case).unwrap_err().why.contains("not connections"));
        assert_eq!(
            drafted("120").unwrap().steps[0].action.to_string(),
            "end sessions idle over 600 s on database/orders"
        );
        assert!(drafted("4").unwrap_err().why.contains("too few"));
    }
}
