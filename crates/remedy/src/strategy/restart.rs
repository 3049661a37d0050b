//! Stops a process and starts it again.

use super::capture_diagnostics::evidence;
use super::draft::{
    by_cause, capture, fresh, is_oom, may_restart, one_of, only, restart_helps, step,
};
use super::{Authority, Case, Draft, Reversibility, Strategy, Unfit};
use crate::action::Action;
use crate::{Class, Kind};

/// Restarts from which it is a loop.
const LOOP: f64 = 3.0;
/// Seconds of the first back-off, doubled with each restart up to [`MAX_BACK_OFF_S`], as a kubelet does.
const BACK_OFF_S: f64 = 10.0;
const MAX_BACK_OFF_S: f64 = 300.0;

/// Stops a process in good order and starts it again, later each time.
pub(super) const STRATEGY: Strategy = Strategy {
    name: "restart",
    about: "restart a process, with a pause that doubles each time",
    classes: &[Class::ProcessCrash, Class::MemoryExhaustion],
    reversibility: Reversibility::SelfHealing,
    authority: Authority::Operator,
    cost_min: 2.0,
    duration_s: 60.0,
    prior: [9.0, 1.0],
    harm: 0.03,
    fallbacks: &[
        "raise_memory_limit",
        "raise_file_limit",
        "roll_back_release",
        "fail_over",
        "escalate_crash_loop",
        "notify_owner",
    ],
    draft,
};

/// Whether it crashes again and again.
pub(super) fn is_loop(case: &Case) -> bool {
    case.fact("reason") == Some("CrashLoopBackOff")
        || case.number("restarts").is_some_and(|n| n >= LOOP)
}

/// Whether it cannot start as it is configured: so the finding says, or a shell that found no command to run.
pub(super) fn is_misconfigured(case: &Case) -> bool {
    matches!(
        &*case.cause,
        "bad configuration" | "bad_configuration" | "configuration"
    ) || matches!(case.fact("exit_code"), Some("126" | "127"))
}

fn draft(case: &Case) -> Result<Draft, Unfit> {
    only(case, &[Kind::Service, Kind::Instance, Kind::Database])?;
    may_restart(case)?;
    if is_misconfigured(case) {
        return Err(Unfit::because(format!(
            "{} cannot start with the configuration that it has",
            case.entity
        )));
    }
    let is_crash = case.class == Class::ProcessCrash;
    let replicas = case.around.replicas;
    let kind = case.entity.kind();
    if kind == Kind::Service && replicas > 1 {
        return Err(Unfit::because(format!(
            "{} has {replicas} instances, which are restarted one at a time and not all at once",
            case.entity
        )));
    }
    // One that is down loses nothing by it; one that serves loses every session and its cache.
    if kind == Kind::Database && !is_crash {
        return Err(Unfit::because(format!(
            "{} is a database that still serves",
            case.entity
        )));
    }
    let restarts = case.number("restarts").unwrap_or(0.0).clamp(0.0, 6.0);
    let restart = Action::Restart {
        target: case.entity.clone(),
        back_off_s: if is_crash && restarts >= 1.0 {
            (BACK_OFF_S * (restarts - 1.0).floor().exp2()).min(MAX_BACK_OFF_S)
        } else {
            0.0
        },
    };
    let evidence = evidence(case).map(|what| capture(&case.entity, what));
    let fit = match is_crash {
        true if is_loop(case) => 0.12,
        // It will be as large again, with the same work.
        true if is_oom(case) => 0.4,
        true => 0.85,
        false => by_cause(
            case,
            &[("leak", 0.85), ("burst", 0.15), ("growth", 0.1)],
            0.35,
        ),
    };
    // With others about, or as the leader of them, it is better drained first.
    let is_better_drained =
        !is_crash && (replicas > 1 || case.warns("leader") || case.warns("stateful"));
    Ok(Draft {
        steps: evidence.into_iter().chain([step(restart, 600.0)]).collect(),
        effect: fresh(case)?,
        because: restart_helps(case),
        fit: if is_better_drained { fit * 0.4 } else { fit },
        // What has crashed carries nothing.
        capacity_away: if is_crash { 0.0 } else { one_of(replicas) },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::tests::with;

    #[test]
    fn it_waits_longer_each_time_and_fits_no_loop() {
        let drafted = |facts: &[(&str, &str)]| {
            draft(&with("instance/api-1", Class::ProcessCrash, 1.0, facts))
        };
        let shown = |restarts| {
            drafted(&[("restarts", restarts)]).unwrap().steps[1]
                .action
                .to_string()
        };
        assert_eq!(shown("0"), "restart instance/api-1");
        assert_eq!(shown("1"), "restart instance/api-1, 10 s apart");
        assert_eq!(shown("3"), "restart instance/api-1, 40 s apart");
        assert_eq!(shown("1e9"), "restart instance/api-1, 300 s apart");
        assert!(drafted(&[("restarts", "9")]).unwrap().fit < 0.2);
        assert!(
            drafted(&[("exit_code", "127")])
                .unwrap_err()
                .why
                .contains("cannot start")
        );
        assert!(drafted(&[("restart", "no")]).is_err());
    }

    #[test]
    fn a_service_or_database_that_serves_is_not_stopped() {
        let mut service = with("service/api", Class::MemoryExhaustion, 0.95, &[]);
        assert!(draft(&service).is_ok());
        service.around.replicas = 3;
        assert!(draft(&service).unwrap_err().why.contains("3 instances"));
        assert!(draft(&with("database/orders", Class::MemoryExhaustion, 0.95, &[])).is_err());
        assert!(draft(&with("database/orders", Class::ProcessCrash, 1.0, &[])).is_ok());
    }
}
