//! Writes down what people need to find the cause.

use super::draft::{capture, finding_gone, notify};
use super::{Authority, Case, Draft, Reversibility, Strategy, Unfit};
use crate::{Class, Kind};

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

/// What is written down of what is wrong, if anything is; shared with what destroys it. Profiles, not dumps: a dump of a heap
/// stops the process, fills disks and holds secrets.
pub(super) fn evidence(case: &Case) -> Option<&'static str> {
    match (case.class, case.fact("family")) {
        (Class::ProcessCrash, _) if case.is_present => {
            Some("the last log, the exit code and the place of the core")
        }
        (Class::DiskExhaustion | Class::CertificateExpiry | Class::Vulnerability, _) => None,
        (_, Some("descriptors")) => Some("open files and sockets"),
        (_, Some("threads")) => Some("the stacks of all threads"),
        (Class::ProcessCrash, _) => Some("the log, stacks and memory map"),
        (Class::CpuSaturation, _) => Some("stacks and a 30 s profile"),
        (Class::MemoryExhaustion, _) if case.entity.kind() == Kind::Host => {
            Some("memory by process and the slabs of the kernel")
        }
        (Class::MemoryExhaustion, _) if case.entity.kind() == Kind::Database => {
            Some("memory by session and running queries")
        }
        (Class::MemoryExhaustion, _) => Some("a heap profile and the memory map"),
        (Class::NetworkLatency, _) => Some("stacks, sockets and traces of slow requests"),
        (Class::SlowQueries, Some("connections")) => {
            Some("sessions, their clients and what they wait for")
        }
        (Class::SlowQueries, _) => Some("running queries, their plans and locks"),
        (Class::ConfigurationDrift, _) => {
            Some("the difference from what is declared and the last writer")
        }
    }
}

fn draft(case: &Case) -> Result<Draft, Unfit> {
    let what = evidence(case).ok_or_else(|| {
        Unfit::because(format!("there is nothing to write down of {}", case.entity))
    })?;
    Ok(Draft {
        steps: vec![
            capture(&case.entity, what),
            notify(case, "What is needed to find the cause was written down"),
        ],
        effect: finding_gone(case, 86_400.0),
        because: format!("with {what} the owner can find the cause"),
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
