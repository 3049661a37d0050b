//! Processes, containers and pods that are killed for their memory, or start again and again.
//!
//! *Rule*: three restarts within a quarter of an hour, one if its reason is the memory; a kill for memory; a container that is
//! held back because it crashed (`CrashLoopBackOff`); a unit that failed. That a container *was* killed for its memory once stays
//! on its metric for as long as the pod lives, so this alone is no finding: only together with a restart of late.
//! *Prediction*: restarts are a Poisson process whose rate is an exponential mean over a quarter of an hour; P(three more
//! within 30 minutes). Two in a row foretell a loop, one does not. Descriptors and threads that run out crash a process too: their
//! outlooks are of this class, with the fact `family`.

use super::rule::{Read, Role, Rule, Test, Threshold};
use crate::Class;

/// So many restarts are a loop, within so many seconds.
pub(super) const LOOP: (f64, f64) = (3.0, 900.0);
/// Why a container that was killed for its memory ended, as the kubelet writes it.
pub(super) const OOM: &str = "OOMKilled";
/// Labels of what ended by which one container is not another.
const OF_CONTAINER: [&str; 2] = ["reason", "uid"];

pub(super) fn rules() -> Vec<Rule> {
    let restarts =
        |metric: &str| Rule::events(Class::ProcessCrash, metric, LOOP.0, LOOP.1, "restarts");
    let mut of_pod = restarts("kube_pod_container_status_restarts_total");
    of_pod.reads.extend([
        Read::new(
            "kube_pod_container_status_last_terminated_reason",
            &[],
            Role::Reason,
        ),
        Read::new(
            "kube_pod_container_status_last_terminated_exitcode",
            &[],
            Role::ExitCode,
        ),
    ]);
    of_pod.name = Some("kube_pod_container_status_restarts_total".to_owned());
    of_pod.summed = OF_CONTAINER
        .iter()
        .map(|label| (*label).to_owned())
        .collect();

    let starts = ["process_start_time_seconds", "container_start_time_seconds"].map(|metric| {
        let mut rule = restarts(metric);
        rule.reads[0].role = Role::Start;
        rule
    });
    let kills = [
        "container_oom_events_total",
        "node_vmstat_oom_kill",
        "node_vmstat_oom_kill_total",
    ]
    .map(|metric| Rule {
        test: Test::Events {
            at_least: 1.0,
            within_s: LOOP.1,
        },
        cause: "oom".to_owned(),
        unit: "kills".to_owned(),
        // The first is wrong already.
        foretells: false,
        ..restarts(metric)
    });
    // Between two attempts it is not held back: it is well only when it was not for longer than the longest wait.
    let held_back = flag(
        "kube_pod_container_status_waiting_reason",
        ("reason", "CrashLoopBackOff"),
        Threshold {
            calm_s: 360.0,
            ..Threshold::usual(0.5, 0.0)
        },
    );
    let failed = flag(
        "node_systemd_unit_state",
        ("state", "failed"),
        Threshold::usual(0.5, 0.0),
    );
    let units = restarts("node_systemd_service_restart_total");
    starts
        .into_iter()
        .chain(kills)
        .chain([of_pod, units, held_back, failed])
        .collect()
}

/// A rule that holds while a metric with a label is 1.
fn flag(metric: &str, label: (&str, &str), threshold: Threshold) -> Rule {
    Rule {
        reads: vec![Read::new(metric, &[label], Role::Level)],
        smooth_s: 0.0,
        foretells: false,
        ..Rule::gauge(Class::ProcessCrash, metric, threshold, "state")
    }
}
