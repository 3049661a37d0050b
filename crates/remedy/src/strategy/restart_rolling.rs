//! Restarts one instance while the others do its work.

use super::capture_diagnostics::evidence;
use super::draft::{
    by_cause, capture, fresh, may_restart, one_of, only, others_do, restart_helps,
    room_without_one, step, while_drained,
};
use super::{Authority, Case, Draft, Reversibility, Strategy, Unfit};
use crate::action::Action;
use crate::{Class, Kind};

/// Takes one instance out of the balance, restarts it and puts it back: nobody notices. The cure of a leak until it is mended.
pub(super) const STRATEGY: Strategy = Strategy {
    name: "restart_rolling",
    about: "drain one of several instances, write down what it holds, restart it and put it back",
    classes: &[
        Class::MemoryExhaustion,
        Class::CpuSaturation,
        Class::NetworkLatency,
        Class::ProcessCrash,
    ],
    reversibility: Reversibility::SelfHealing,
    authority: Authority::Operator,
    cost_min: 1.5,
    duration_s: 300.0,
    prior: [9.0, 1.0],
    harm: 0.015,
    fallbacks: &["reroute_traffic", "capture_diagnostics", "notify_owner"],
    draft,
};

fn draft(case: &Case) -> Result<Draft, Unfit> {
    only(case, &[Kind::Instance])?;
    may_restart(case)?;
    // What has crashed needs no draining; what is about to does.
    if case.class == Class::ProcessCrash && case.is_present {
        return Err(Unfit::because(format!(
            "{} is down, and there is nothing to drain",
            case.entity
        )));
    }
    let replicas = case.around.replicas;
    room_without_one(case, replicas)?;
    let restart = Action::Restart {
        target: case.entity.clone(),
        back_off_s: 0.0,
    };
    // Written down when nobody waits for it any more, and before it is gone.
    let evidence = evidence(case).map(|what| capture(&case.entity, what));
    let between = evidence.into_iter().chain([step(restart, 600.0)]);
    let fit = by_cause(
        case,
        &[
            ("leak", 0.9),
            ("burst", 0.1),
            ("growth", 0.1),
            ("dependency", 0.05),
        ],
        0.45,
    );
    Ok(Draft {
        steps: while_drained(&case.entity, 300.0, between.collect()),
        effect: fresh(case)?,
        because: format!(
            "{}, and {} its work meanwhile",
            restart_helps(case),
            others_do(replicas)
        ),
        // The others would have to elect a new one first.
        fit: if case.warns("leader") || case.warns("stateful") {
            fit * 0.5
        } else {
            fit
        },
        capacity_away: one_of(replicas),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::tests::case;

    #[test]
    fn it_is_the_cure_of_a_leak_where_others_are() {
        let mut case = case("instance/api-1", Class::MemoryExhaustion, 0.95);
        case.cause = "leak".into();
        assert!(draft(&case).unwrap_err().why.contains("nobody else"));
        case.around.replicas = 3;
        let drafted = draft(&case).unwrap();
        let names: Vec<_> = drafted
            .steps
            .iter()
            .map(|step| step.action.name())
            .collect();
        assert_eq!(names, ["drain", "capture", "restart", "undrain"]);
        assert!((drafted.fit - 0.9).abs() < 1e-9);
        assert!((drafted.effect.to - 0.36).abs() < 1e-9);
        case.facts.insert("leader".into(), "yes".into());
        assert!((draft(&case).unwrap().fit - 0.45).abs() < 1e-9);
        case.cause = "warm-up".into();
        assert!(draft(&case).unwrap_err().why.contains("begin anew"));
    }
}
