//! Gives a process more memory.

use super::draft::{by_cause, is_oom, only, raise};
use super::{Authority, Case, Draft, Reversibility, Strategy, Unfit};
use crate::{Class, Kind};

/// Raises after which more of the same is no cure, whatever the cause was said to be.
const MAX_RAISES: f64 = 2.0;

/// Gives a process more memory: for one that grew with its work, not for one that leaks.
///
/// Kubernaut doubled the limit of a leak five times, each a success, without cure (issue 616): hence `raised_before`.
pub(super) const STRATEGY: Strategy = Strategy {
    name: "raise_memory_limit",
    about: "double the memory limit, up to the attribute `memory_max_bytes`; of a leak once",
    classes: &[Class::MemoryExhaustion, Class::ProcessCrash],
    reversibility: Reversibility::Reversible,
    authority: Authority::Operator,
    cost_min: 2.0,
    duration_s: 30.0,
    prior: [9.0, 1.0],
    harm: 0.02,
    fallbacks: &["restart_rolling", "capture_diagnostics", "notify_owner"],
    draft,
};

fn draft(case: &Case) -> Result<Draft, Unfit> {
    only(case, &[Kind::Service, Kind::Instance, Kind::Database])?;
    let is_memory = case.fact("family").is_none_or(|family| family == "memory");
    if !is_memory || (case.class == Class::ProcessCrash && !is_oom(case)) {
        return Err(Unfit::because(format!(
            "it is not memory that {} runs out of",
            case.entity
        )));
    }
    let raised = case.number("raised_before").unwrap_or(0.0);
    let is_leak = case.cause == "leak";
    if raised >= if is_leak { 1.0 } else { MAX_RAISES } {
        return Err(Unfit::because(format!(
            "the memory limit of {} was raised before for this ({raised}), and it came back",
            case.entity
        )));
    }
    let ceiling = case.ceiling("memory_max_bytes").ok_or_else(|| {
        Unfit::lacks(
            &case.entity,
            "memory_max_bytes",
            format!("nothing says how much memory {} may have", case.entity),
        )
    })?;
    let limit = raise(case, "memory limit", 2.0, ceiling.floor())?;
    let fit = by_cause(
        case,
        &[
            ("growth", 0.8),
            ("oom", 0.75),
            ("burst", 0.5),
            ("leak", 0.15),
        ],
        0.55,
    );
    Ok(Draft {
        steps: vec![limit.step(&case.entity, "memory_bytes")],
        effect: limit.effect(case)?,
        because: if is_leak {
            format!(
                "{} leaks, and a higher limit only buys time to mend it",
                case.entity
            )
        } else {
            format!("{} needs more for its work than it may have", case.entity)
        },
        // The second raise has already been proven wrong once.
        fit: if raised > 0.0 { fit * 0.5 } else { fit },
        capacity_away: 0.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::tests::with;

    #[test]
    fn a_leak_gets_it_once_and_nobody_forever() {
        let drafted = |cause: &str, raised| {
            let facts = [
                ("limit", "1073741824"),
                ("memory_max_bytes", "8589934592"),
                ("raised_before", raised),
            ];
            let mut case = with("instance/api-1", Class::MemoryExhaustion, 0.95, &facts);
            case.cause = cause.into();
            draft(&case)
        };
        let growth = drafted("growth", "0").unwrap();
        assert_eq!(
            growth.steps[0].action.to_string(),
            "set memory_bytes of instance/api-1 from 1073741824 to 2147483648"
        );
        assert!((growth.effect.to - 0.475).abs() < 1e-9);
        assert!(drafted("leak", "0").unwrap().fit < 0.2);
        assert!(drafted("leak", "1").unwrap_err().why.contains("came back"));
        assert!(drafted("growth", "1").unwrap().fit < growth.fit);
        assert!(drafted("growth", "2").is_err());
    }

    #[test]
    fn a_crash_must_be_for_memory() {
        let facts = [
            ("limit", "1000"),
            ("memory_max_bytes", "8000"),
            ("reason", "Error"),
        ];
        let mut case = with("instance/api-1", Class::ProcessCrash, 4.0, &facts);
        assert!(draft(&case).is_err());
        case.facts.insert("reason".into(), "OOMKilled".into());
        assert_eq!(draft(&case).unwrap().effect.unit, "restarts");
    }
}
