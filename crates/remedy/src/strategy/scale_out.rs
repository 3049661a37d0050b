//! Spreads the work over more instances.

use super::draft::{by_cause, effect, only, step};
use super::{Authority, Case, Draft, Reversibility, Strategy, Unfit};
use crate::action::Action;
use crate::{Class, EntityId, Kind};

/// Share of the threshold at which it is calm again.
const CALM: f64 = 0.7;
/// Load under which more instances do not answer faster.
const IDLE: f64 = 0.5;

/// Spreads the work over more instances: for what grows with the work.
pub(super) const STRATEGY: Strategy = Strategy {
    name: "scale_out",
    about: "start more instances, at most twice as many and at most the attribute `replicas_max`",
    classes: &[
        Class::CpuSaturation,
        Class::MemoryExhaustion,
        Class::NetworkLatency,
    ],
    reversibility: Reversibility::Reversible,
    authority: Authority::Operator,
    cost_min: 3.0,
    duration_s: 120.0,
    prior: [9.0, 1.0],
    // More instances press what stands behind them harder.
    harm: 0.015,
    fallbacks: &[
        "raise_cpu_quota",
        "raise_memory_limit",
        "pause_jobs",
        "shed_load",
        "notify_owner",
    ],
    draft,
};

fn draft(case: &Case) -> Result<Draft, Unfit> {
    let service = service(case)?;
    if case.warns("stateful") {
        return Err(Unfit::because(format!(
            "{service} keeps data in place, and a new instance would have none"
        )));
    }
    if case.cause == "dependency"
        || (case.class == Class::NetworkLatency && case.fact("dependency").is_some())
    {
        return Err(Unfit::because(format!(
            "{service} waits for something else, and more who wait press it harder"
        )));
    }
    let from = case.around.replicas;
    let most = case.count("replicas_max").ok_or_else(|| {
        Unfit::lacks(
            service,
            "replicas_max",
            format!("nothing says how many instances {service} may have"),
        )
    })?;
    if from == 0 || from >= most {
        return Err(Unfit::because(format!(
            "{service} has {from} instances, and may have {most}"
        )));
    }
    let level = |to: u32| case.value * (f64::from(from) / f64::from(to));
    // The fewest that make it calm; where none do, the most.
    let sizes =
        [from.div_ceil(4), from.div_ceil(2), from].map(|more| from.saturating_add(more).min(most));
    let is_calm = |&to: &u32| level(to) <= case.threshold * CALM;
    let to = sizes.into_iter().find(is_calm).unwrap_or(sizes[2]);
    let scale = Action::Scale {
        target: service.clone(),
        from,
        to,
    };
    // What an instance holds in memory already it does not hand over.
    let share = match case.class == Class::MemoryExhaustion {
        true => 0.75,
        false => 1.0,
    };
    let table = [("growth", 0.85), ("burst", 0.75), ("leak", 0.2)];
    let fit = by_cause(case, &table, 0.6) * share;
    let is_idle = case.number("load_ratio").is_some_and(|load| load < IDLE);
    Ok(Draft {
        steps: vec![step(scale, 600.0)],
        effect: effect(case, level(to), 600.0)?,
        because: format!("{to} instances share what {from} carry now"),
        fit: if is_idle { fit * 0.3 } else { fit },
        capacity_away: 0.0,
    })
}

/// Whose instances: the entity, or the service that it is one of.
fn service(case: &Case) -> Result<&EntityId, Unfit> {
    if case.entity.kind() == Kind::Service {
        return Ok(&case.entity);
    }
    only(case, &[Kind::Instance])?;
    case.around
        .service
        .as_ref()
        .ok_or_else(|| Unfit::because(format!("of which service {} is, is not known", case.entity)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::tests::with;

    #[test]
    fn as_many_as_it_takes_and_may_have() {
        let drafted = |replicas, value, most| {
            let mut case = with(
                "service/api",
                Class::CpuSaturation,
                value,
                &[("replicas_max", most)],
            );
            case.around.replicas = replicas;
            draft(&case)
        };
        let shown = |replicas, value, most| {
            drafted(replicas, value, most).unwrap().steps[0]
                .action
                .to_string()
        };
        assert_eq!(shown(4, 0.72, "20"), "scale service/api from 4 to 5");
        assert_eq!(shown(4, 0.95, "20"), "scale service/api from 4 to 8");
        assert_eq!(shown(4, 0.95, "5"), "scale service/api from 4 to 5");
        assert!(
            drafted(4, 0.95, "4")
                .unwrap_err()
                .why
                .contains("may have 4")
        );
        assert!(
            drafted(4, 0.95, "")
                .unwrap_err()
                .why
                .contains("nothing says")
        );
        assert!(drafted(u32::MAX - 1, 0.95, "4294967295").is_ok());
    }

    #[test]
    fn who_waits_is_not_helped_by_more_who_wait() {
        let mut case = with(
            "service/api",
            Class::NetworkLatency,
            1.0,
            &[("replicas_max", "9")],
        );
        case.around.replicas = 3;
        assert!(draft(&case).is_ok());
        case.facts
            .insert("dependency".into(), "database/orders".into());
        assert!(draft(&case).unwrap_err().why.contains("harder"));
    }
}
