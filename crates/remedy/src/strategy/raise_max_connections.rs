//! Lets a database take more connections.

use super::draft::{by_cause, only, raise};
use super::{Authority, Case, Draft, Reversibility, Strategy, Unfit};
use crate::{Class, Kind};

/// By how much: each connection takes memory, and half as many again is as much as one dares unseen.
const FACTOR: f64 = 1.5;

/// Lets a database or pooler take more connections, where that needs no restart.
pub(super) const STRATEGY: Strategy = Strategy {
    name: "raise_max_connections",
    about: "raise the limit of connections by half, up to the attribute `connections_max`",
    classes: &[Class::SlowQueries],
    reversibility: Reversibility::Reversible,
    authority: Authority::Owner,
    cost_min: 3.0,
    duration_s: 10.0,
    prior: [8.5, 1.5],
    // More sessions at once can make every one of them slower.
    harm: 0.05,
    fallbacks: &["scale_back", "notify_owner"],
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
    if !case.allows("connections_online") {
        return Err(Unfit::lacks(
            &case.entity,
            "connections_online",
            format!(
                "nothing says that {} takes a new limit of connections without a restart",
                case.entity
            ),
        ));
    }
    let ceiling = case.ceiling("connections_max").ok_or_else(|| {
        Unfit::lacks(
            &case.entity,
            "connections_max",
            format!(
                "nothing says how many connections {} has memory for",
                case.entity
            ),
        )
    })?;
    let limit = raise(case, "limit of connections", FACTOR, ceiling.floor())?;
    Ok(Draft {
        steps: vec![limit.step(&case.entity, "max_connections")],
        effect: limit.effect(case)?,
        because: format!(
            "{} takes {} connections, and has memory for {ceiling}",
            case.entity, limit.from
        ),
        fit: by_cause(
            case,
            &[("growth", 0.7), ("burst", 0.5), ("leak", 0.1)],
            0.45,
        ),
        capacity_away: 0.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::tests::with;

    #[test]
    fn not_where_it_needs_a_restart() {
        let drafted = |more: &[(&str, &str)]| {
            let facts = [
                &[
                    ("family", "connections"),
                    ("limit", "200"),
                    ("connections_max", "400"),
                ],
                more,
            ]
            .concat();
            draft(&with("database/orders", Class::SlowQueries, 0.95, &facts))
        };
        assert!(drafted(&[]).unwrap_err().why.contains("restart"));
        assert_eq!(
            drafted(&[("connections_online", "yes")]).unwrap().steps[0]
                .action
                .to_string(),
            "set max_connections of database/orders from 200 to 300"
        );
    }
}
