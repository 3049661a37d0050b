//! Lets a service keep more connections to its database.

use super::draft::{by_cause, calm, effect, only, step};
use super::{Authority, Case, Draft, Reversibility, Strategy, Unfit};
use crate::action::Action;
use crate::{Class, Kind};

/// Lets a service keep more connections to its database: for requests that wait for one while the database has time.
pub(super) const STRATEGY: Strategy = Strategy {
    name: "tune_pool",
    about: "make the pool of connections half as large again, up to the attribute `pool_max`",
    classes: &[Class::SlowQueries, Class::NetworkLatency],
    reversibility: Reversibility::Reversible,
    authority: Authority::Operator,
    cost_min: 1.0,
    duration_s: 15.0,
    prior: [7.5, 2.5],
    // Many a database is slower with more sessions at once.
    harm: 0.03,
    fallbacks: &["scale_out", "shed_load", "notify_owner"],
    draft,
};

fn draft(case: &Case) -> Result<Draft, Unfit> {
    only(case, &[Kind::Service, Kind::Instance])?;
    if case.fact("family") != Some("connections") {
        return Err(Unfit::because(format!(
            "nothing says that {} waits for connections of its pool",
            case.entity
        )));
    }
    let (Some(from), Some(most)) = (case.count("pool_size"), case.count("pool_max")) else {
        return Err(Unfit::because(format!(
            "how large the pool of {} is and may be is not known",
            case.entity
        )));
    };
    let to = from.saturating_add(from.div_ceil(2)).min(most);
    if from == 0 || to <= from {
        return Err(Unfit::because(format!(
            "the pool of {} has {from} connections, and may have {most}",
            case.entity
        )));
    }
    let set = Action::SetParameter {
        target: case.entity.clone(),
        parameter: "pool_size".to_owned(),
        from: from.to_string(),
        to: to.to_string(),
    };
    Ok(Draft {
        steps: vec![step(set, 60.0)],
        effect: match &*case.unit {
            "ratio" | "percent" => {
                effect(case, case.value * f64::from(from) / f64::from(to), 180.0)?
            }
            _ => calm(case, 300.0)?,
        },
        because: format!("requests wait for one of {from} connections, and there may be {most}"),
        // Connections that are never given back fill any pool.
        fit: by_cause(
            case,
            &[("growth", 0.95), ("burst", 0.85), ("leak", 0.1)],
            0.5,
        ),
        capacity_away: 0.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::tests::with;

    #[test]
    fn it_needs_a_pool_with_room() {
        let drafted = |size, most| {
            let facts = [
                ("family", "connections"),
                ("pool_size", size),
                ("pool_max", most),
            ];
            draft(&with("service/api", Class::NetworkLatency, 1.0, &facts))
        };
        let set = &drafted("20", "40").unwrap().steps[0];
        assert_eq!(
            set.action.to_string(),
            "set pool_size of service/api from \"20\" to \"30\""
        );
        assert_eq!(
            set.inverse.as_ref().unwrap().to_string(),
            "set pool_size of service/api from \"30\" to \"20\""
        );
        assert!(drafted("40", "40").is_err());
        assert!(drafted("", "40").unwrap_err().why.contains("not known"));
    }
}
