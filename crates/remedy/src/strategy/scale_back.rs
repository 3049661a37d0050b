//! Gives back instances that nobody needs any more.

use super::draft::{amount, effect, only, step};
use super::{Authority, Case, Draft, Reversibility, Strategy, Unfit};
use crate::action::Action;
use crate::{Class, Kind};

/// Load under which a service is idle.
const IDLE: f64 = 0.3;
/// Load that the instances that are left may have.
const MAX_LOAD: f64 = 0.6;
/// As few as there are left when nobody says: one may fail.
const USUAL_MIN: u32 = 2;

/// Gives back instances that a burst needed and nobody asks for any more, when what they hold, memory or connections, runs
/// out.
pub(super) const STRATEGY: Strategy = Strategy {
    name: "scale_back",
    about: "give back instances of an idle service, when the memory or connections that they hold run out",
    classes: &[Class::MemoryExhaustion, Class::SlowQueries],
    reversibility: Reversibility::Reversible,
    authority: Authority::Operator,
    cost_min: 1.0,
    duration_s: 60.0,
    prior: [7.5, 2.5],
    harm: 0.02,
    fallbacks: &["notify_owner"],
    draft,
};

fn draft(case: &Case) -> Result<Draft, Unfit> {
    only(case, &[Kind::Service])?;
    if case.warns("stateful") {
        return Err(Unfit::because(format!(
            "{} keeps data in place",
            case.entity
        )));
    }
    let load = case.number("load_ratio").ok_or_else(|| {
        Unfit::because(format!("how much {} has to do is not known", case.entity))
    })?;
    if !(0.0..IDLE).contains(&load) {
        return Err(Unfit::because(format!(
            "{} is at {} of what it can carry, and needs its instances",
            case.entity,
            amount(load, "ratio")
        )));
    }
    let from = case.around.replicas;
    let least = case.count("replicas_min").unwrap_or(USUAL_MIN).max(1);
    // Half at most: what was wrong about it is seen before it hurts.
    let to = from.div_ceil(2).max(least);
    if to >= from {
        return Err(Unfit::because(format!(
            "{} has {from} instances, and must have {least}",
            case.entity
        )));
    }
    let left = f64::from(to) / f64::from(from);
    if load / left > MAX_LOAD {
        return Err(Unfit::because(format!(
            "with {to} instances {} would be too busy",
            case.entity
        )));
    }
    let scale = Action::Scale {
        target: case.entity.clone(),
        from,
        to,
    };
    Ok(Draft {
        steps: vec![step(scale, 300.0)],
        effect: effect(case, case.value * left, 600.0)?,
        because: format!(
            "{from} instances hold what runs out, and {} of what they can carry is asked of them",
            amount(load, "ratio")
        ),
        fit: match &*case.cause {
            // A burst may come back, growth will.
            "burst" | "growth" => 0.1,
            _ => 0.85,
        },
        capacity_away: 1.0 - left,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::tests::with;

    #[test]
    fn it_keeps_what_is_needed() {
        let drafted = |replicas, load| {
            let mut case = with(
                "service/api",
                Class::SlowQueries,
                0.95,
                &[("load_ratio", load)],
            );
            case.around.replicas = replicas;
            draft(&case)
        };
        assert_eq!(
            drafted(9, "0.1").unwrap().steps[0].action.to_string(),
            "scale service/api from 9 to 5"
        );
        assert!(drafted(2, "0.1").unwrap_err().why.contains("must have 2"));
        assert!(drafted(9, "0.7").unwrap_err().why.contains("70 %"));
        assert!(drafted(0, "0").is_err());
    }
}
