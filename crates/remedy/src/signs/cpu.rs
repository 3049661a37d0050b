//! Processors above 85 %.
//!
//! *Rule*: busy above 0.85 for two minutes, of the host from samples, of a container from its outlook. *Prediction*: the
//! outlook of the family `cpu`. What a container's outlook calls its level may be the latency of its requests: then it is
//! foretold, but no rule about processors.

use predict::exhaustion::{FACTORS, Outlook};

use super::rule::{Read, Role, Rule, Test, Threshold};
use crate::Class;

/// Busy above this share, for so many seconds.
pub(super) const BUSY: (f64, f64) = (0.85, 120.0);

/// How many processors a container may use, as a fact: never wrong by itself.
pub(super) const QUOTA: &str = "container_spec_cpu_quota";

pub(super) fn rules() -> Vec<Rule> {
    let threshold = Threshold::usual(BUSY.0, BUSY.1);
    let of_host = Rule::gauge(
        Class::CpuSaturation,
        "node_cpu_utilization_ratio",
        threshold,
        "ratio",
    );
    // What node_exporter tells of each processor and mode: all but idle, and idle but for a disk.
    let mut of_modes = Rule::gauge(
        Class::CpuSaturation,
        "node_cpu_seconds_total",
        threshold,
        "ratio",
    );
    of_modes.reads = vec![
        Read::new("node_cpu_seconds_total", &[("mode", "idle")], Role::Total),
        Read::new("node_cpu_seconds_total", &[("mode", "iowait")], Role::Added),
    ];
    of_modes.name = Some("node_cpu_seconds_total".to_owned());
    of_modes.summed = vec!["cpu".to_owned(), "mode".to_owned()];
    (of_modes.offset, of_modes.factor) = (1.0, -1.0);
    let mut quota = Rule::gauge(Class::CpuSaturation, QUOTA, threshold, "cores");
    quota.reads = vec![
        Read::new(QUOTA, &[], Role::Part),
        Read::new("container_spec_cpu_period", &[], Role::Whole),
    ];
    quota.name = Some(QUOTA.to_owned());
    quota.summed = vec!["cpu".to_owned()];
    (quota.test, quota.foretells) = (Test::Never, false);
    vec![of_host, of_modes, quota]
}

/// Whether the level of an outlook is the latency or the errors of requests rather than the load of processors, as far as its
/// factors tell.
pub(super) fn is_led_by_requests(outlook: &Outlook) -> bool {
    let share = |name: &str| {
        let named = outlook.factors.iter().filter(|factor| factor.share > 0.0);
        let mut named =
            named.filter(|factor| FACTORS.get(usize::from(factor.index)) == Some(&name));
        named.next().map_or(0.0, |factor| factor.share)
    };
    share("latency").max(share("errors")) > share("level")
}
