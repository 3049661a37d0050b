//! Gives a process more of its host's processors.

use super::draft::{by_cause, only, raise};
use super::{Authority, Case, Draft, Reversibility, Strategy, Unfit};
use crate::{Class, Kind};

/// By how much: half as much again is noticed, and two such steps are a doubling.
const FACTOR: f64 = 1.5;

/// Gives a process more of its host's processors: for one that is throttled while they are idle.
pub(super) const STRATEGY: Strategy = Strategy {
    name: "raise_cpu_quota",
    about: "raise the processor quota by half, up to the attribute `cpu_max_cores`",
    classes: &[Class::CpuSaturation],
    reversibility: Reversibility::Reversible,
    authority: Authority::Operator,
    cost_min: 2.0,
    duration_s: 15.0,
    prior: [9.0, 1.0],
    // Neighbours on the host get less.
    harm: 0.02,
    fallbacks: &["pause_jobs", "shed_load", "notify_owner"],
    draft,
};

fn draft(case: &Case) -> Result<Draft, Unfit> {
    only(case, &[Kind::Service, Kind::Instance, Kind::Database])?;
    if case.fact("family").is_some_and(|family| family != "cpu") {
        return Err(Unfit::because(format!(
            "it is not processors that {} runs out of",
            case.entity
        )));
    }
    let ceiling = case.ceiling("cpu_max_cores").ok_or_else(|| {
        Unfit::lacks(
            &case.entity,
            "cpu_max_cores",
            format!("nothing says how many cores {} may have", case.entity),
        )
    })?;
    let quota = raise(case, "processor quota", FACTOR, ceiling)?;
    Ok(Draft {
        steps: vec![quota.step(&case.entity, "cpu_cores")],
        effect: quota.effect(case)?,
        because: format!(
            "{} uses all of its {} cores, and may have {ceiling}",
            case.entity, quota.from
        ),
        // What spins uses whatever it gets.
        fit: by_cause(
            case,
            &[("growth", 0.75), ("burst", 0.6), ("leak", 0.15)],
            0.6,
        ),
        capacity_away: 0.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::tests::with;

    #[test]
    fn it_stops_at_the_ceiling() {
        let drafted = |max| {
            let facts = [("limit", "2"), ("cpu_max_cores", max)];
            draft(&with("instance/api-1", Class::CpuSaturation, 0.95, &facts))
        };
        let shown = |max| drafted(max).unwrap().steps[0].action.to_string();
        assert_eq!(shown("8"), "set cpu_cores of instance/api-1 from 2 to 3");
        assert_eq!(
            shown("2.5"),
            "set cpu_cores of instance/api-1 from 2 to 2.5"
        );
        assert!(drafted("2").unwrap_err().why.contains("at most 2"));
        assert!(drafted("NaN").unwrap_err().why.contains("nothing says"));
    }
}
