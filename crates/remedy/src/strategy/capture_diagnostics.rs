//! Writes down what people need to find the cause.

use super::draft::{capture, finding_gone, notify};
use super::{Authority, Case, Draft, Reversibility, Strategy, Unfit};
use crate::Class;

/// Writes down what people need to find the cause, and hands it to them. Cures nothing by itself: what is gone after a restart
/// is kept before one.
pub(super) const STRATEGY: Strategy = Strategy {
    name: "capture_diagnostics",
    about: "write down what is needed to find the cause, and tell the owner where it is",
    classes: &[
        Class::ProcessCrash,
        Class::CpuSaturation,
        Class::MemoryExhaustion,
        Class::NetworkLatency,
        Class::SlowQueries,
        Class::ConfigurationDrift,
    ],
    reversibility: Reversibility::Reversible,
    authority: Authority::Operator,
    cost_min: 5.0,
    duration_s: 60.0,
    prior: [2.0, 4.0],
    harm: 0.002,
    fallbacks: &["notify_owner"],
    draft,
};

/// What is written down of what is wrong, if anything is; shared with the restarts, after which it is gone. Profiles, not
/// dumps: a dump of a heap stops the process, fills disks and holds secrets.
pub(super) const fn evidence(class: Class) -> Option<&'static str> {
    match class {
        Class::ProcessCrash => Some("the last log, exit code and core"),
        Class::CpuSaturation => Some("stacks and a profile of 30 s"),
        Class::MemoryExhaustion => Some("a heap profile and the memory map"),
        Class::NetworkLatency => Some("stacks, sockets and traces of the slowest requests"),
        Class::SlowQueries => Some("running queries, their plans and locks"),
        Class::ConfigurationDrift => Some("the difference to what is declared, and who wrote it when"),
        Class::DiskExhaustion | Class::CertificateExpiry | Class::Vulnerability => None,
    }
}

fn draft(case: &Case) -> Result<Draft, Unfit> {
    let what = evidence(case.class).ok_or_else(|| {
        Unfit::because(format!("there is nothing to write down of {}", case.entity))
    })?;
    Ok(Draft {
        steps: vec![
            capture(&case.entity, what),
            notify(case, "What is needed to find the cause was written down"),
        ],
        effect: finding_gone(case, 86_400.0),
        because: format!("the owner finds the cause by {what}"),
        fit: match &*case.cause {
            "leak" => 0.3,
            "steady" | "cycle" | "warm-up" => 0.1,
            _ => 0.2,
        },
        capacity_away: 0.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::tests::case;

    #[test]
    fn it_changes_nothing() {
        let drafted = draft(&case("instance/api-1", Class::MemoryExhaustion, 0.95)).unwrap();
        assert!(drafted.steps.iter().all(|step| step.action.is_harmless()));
        assert_eq!(
            drafted.steps[0].action.to_string(),
            "write down a heap profile and the memory map of instance/api-1"
        );
        assert!(draft(&case("volume/a:/", Class::DiskExhaustion, 0.95)).is_err());
    }
}
