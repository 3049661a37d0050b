//! Lets the others do the work of one that is bad.

use super::capture_diagnostics::evidence;
use super::draft::{by_cause, calm, capture, one_of, only, others_do, room_without_one, step};
use super::{Authority, Case, Draft, Reversibility, Strategy, Unfit};
use crate::action::Action;
use crate::{Class, Kind};

/// Lets the others do the work of a host or instance that is bad, and leaves it as it is to be looked at.
pub(super) const STRATEGY: Strategy = Strategy {
    name: "reroute_traffic",
    about: "take a host or instance out of the balance, and leave it as it is to be looked at",
    classes: &[Class::NetworkLatency, Class::CpuSaturation],
    reversibility: Reversibility::Reversible,
    authority: Authority::Operator,
    // There is less capacity until somebody puts it back.
    cost_min: 4.0,
    duration_s: 120.0,
    prior: [8.0, 2.0],
    harm: 0.03,
    fallbacks: &["shed_load", "capture_diagnostics", "notify_owner"],
    draft,
};

fn draft(case: &Case) -> Result<Draft, Unfit> {
    only(case, &[Kind::Host, Kind::Instance])?;
    if case.warns("stateful") {
        return Err(Unfit::because(format!(
            "{} keeps data in place, which nobody else can serve",
            case.entity
        )));
    }
    let n = if case.entity.kind() == Kind::Host {
        case.count("pool_hosts").unwrap_or(1)
    } else {
        case.around.replicas
    };
    room_without_one(case, n)?;
    let drain = Action::Drain {
        target: case.entity.clone(),
        timeout_s: 300.0,
    };
    let evidence = evidence(case).map(|what| capture(&case.entity, what));
    Ok(Draft {
        steps: evidence.into_iter().chain([step(drain, 360.0)]).collect(),
        effect: calm(case, 300.0)?,
        because: format!(
            "{} the same work, and nothing bad is said of them",
            others_do(n)
        ),
        // What all of them suffer from goes with the work to the others.
        fit: by_cause(
            case,
            &[("growth", 0.1), ("burst", 0.15), ("dependency", 0.05)],
            0.8,
        ),
        capacity_away: one_of(n),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::tests::case;

    #[test]
    fn others_must_be_there() {
        let mut case = case("instance/api-1", Class::NetworkLatency, 1.8);
        assert!(draft(&case).is_err());
        case.around.replicas = 4;
        let drafted = draft(&case).unwrap();
        assert_eq!(
            drafted.steps[1].action.to_string(),
            "drain instance/api-1, for 300 s at most"
        );
        assert_eq!(
            drafted.steps[1].inverse.as_ref().unwrap().to_string(),
            "undrain instance/api-1"
        );
        assert!((drafted.capacity_away - 0.25).abs() < 1e-9);
        case.facts.insert("load_ratio".into(), "0.8".into());
        assert!(draft(&case).unwrap_err().why.contains("107 %"));
    }
}
