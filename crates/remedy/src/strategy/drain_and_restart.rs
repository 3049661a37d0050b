//! Restarts a host while the others do its work.

use super::capture_diagnostics::evidence;
use super::draft::{
    by_cause, capture, fresh, may_restart, one_of, only, others_do, restart_helps,
    room_without_one, step, while_drained,
};
use super::{Authority, Case, Draft, Reversibility, Strategy, Unfit};
use crate::action::Action;
use crate::{Class, Kind};

/// Takes everything off a host, restarts it, and lets everything back: for what leaks into the kernel or hangs there.
pub(super) const STRATEGY: Strategy = Strategy {
    name: "drain_and_restart",
    about: "take everything off a host of a pool, restart the host and let everything back",
    classes: &[
        Class::MemoryExhaustion,
        Class::CpuSaturation,
        Class::NetworkLatency,
    ],
    reversibility: Reversibility::SelfHealing,
    authority: Authority::Owner,
    // Everything that runs there is moved twice.
    cost_min: 8.0,
    duration_s: 900.0,
    prior: [8.0, 2.0],
    harm: 0.04,
    fallbacks: &["shed_load", "capture_diagnostics", "notify_owner"],
    draft,
};

fn draft(case: &Case) -> Result<Draft, Unfit> {
    only(case, &[Kind::Host])?;
    may_restart(case)?;
    if case.warns("stateful") {
        return Err(Unfit::because(format!(
            "{} keeps data in place, which nobody can serve meanwhile",
            case.entity
        )));
    }
    let hosts = case.count("pool_hosts").unwrap_or(1);
    room_without_one(case, hosts)?;
    let restart = Action::Restart {
        target: case.entity.clone(),
        back_off_s: 0.0,
    };
    let evidence = evidence(case).map(|what| capture(&case.entity, what));
    let between = evidence.into_iter().chain([step(restart, 900.0)]);
    Ok(Draft {
        steps: while_drained(&case.entity, 600.0, between.collect()),
        effect: fresh(case)?,
        because: format!(
            "{}, and {} its work meanwhile",
            restart_helps(case),
            others_do(hosts)
        ),
        fit: by_cause(
            case,
            &[("leak", 0.85), ("growth", 0.1), ("burst", 0.1)],
            0.3,
        ),
        capacity_away: one_of(hosts),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::tests::with;

    #[test]
    fn the_others_must_be_able_to_carry_it() {
        let drafted = |facts: &[(&str, &str)]| {
            draft(&with("host/web-1", Class::MemoryExhaustion, 0.95, facts))
        };
        let steps = drafted(&[("pool_hosts", "4")]).unwrap().steps;
        let names: Vec<_> = steps.iter().map(|step| step.action.name()).collect();
        assert_eq!(names, ["drain", "capture", "restart", "undrain"]);
        assert!(drafted(&[]).unwrap_err().why.contains("nobody else"));
        assert!(
            drafted(&[("pool_hosts", "2"), ("load_ratio", "0.6")])
                .unwrap_err()
                .why
                .contains("120 %")
        );
        assert!(drafted(&[("pool_hosts", "4"), ("stateful", "yes")]).is_err());
        assert!(drafted(&[("pool_hosts", "4"), ("restart", "no")]).is_err());
    }
}
