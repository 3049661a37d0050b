//! What is known of a run, and what is written down of it.

use serde_json::{Map, Value, json};

use super::RunError;
use super::ingress::SLO_S;
use super::setup::Setup;
use crate::clock::{now_s, to_millis};
use crate::driver::{FAILED, RESERVED, TIMEOUT, rate, service_s};
use crate::kind::{Kind, Mechanism};
use crate::spec::Spec;
use crate::truth::{Capacity, Truth};
use crate::wire::Tell;

/// Instants in seconds since the epoch.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    pub(super) onset_s: Option<f64>,
    pub(super) stopped_s: Option<f64>,
    /// When, and the evidence.
    pub(super) exhausted: Option<(f64, String)>,
}

impl Verdict {
    /// Takes note of what the driver says.
    pub(super) fn hear(&mut self, tell: Tell) -> Result<(), RunError> {
        match tell {
            Tell::Onset(at_s) => self.onset_s = Some(at_s),
            Tell::Stopped(at_s) => self.stopped_s = Some(at_s),
            Tell::Exhausted { at_s, evidence } => self.exhaust(at_s, evidence),
            Tell::Failed(text) => return Err(RunError::Driver(text)),
            // The driver is ready once, and metrics are for the scrape.
            Tell::Ready { .. } | Tell::Metrics { .. } => {}
        }
        Ok(())
    }

    /// The first time counts.
    pub(super) fn exhaust(&mut self, at_s: f64, evidence: String) {
        self.exhausted.get_or_insert((at_s, evidence));
    }

    pub(super) fn exhaust_now(&mut self, evidence: String) {
        self.exhaust(now_s(), evidence);
    }

    pub(super) fn truth(
        self,
        spec: &Spec,
        setup: &Setup,
        [start_ts, end_ts]: [f64; 2],
        sampler_errors: Map<String, Value>,
    ) -> Truth {
        let exhausted = self.exhausted.is_some();
        let (exhaustion_ts, evidence) = self.exhausted.unzip();
        Truth {
            id: spec.id(),
            kind: spec.kind.truth_name().to_owned(),
            variant: spec.variant(),
            time_scale: spec.time_scale,
            start_ts,
            end_ts,
            exhausted,
            exhaustion_ts: exhaustion_ts.map(to_millis),
            onset_ts: self.onset_s.map(to_millis),
            driver_stop_ts: self.stopped_s.map(to_millis),
            intended_event: spec.shape.is_event(),
            censored: spec.shape.is_event() && !exhausted,
            evidence,
            capacity: capacity(spec, setup.own_limit),
            params: params(spec, setup.fs_type),
            seed: spec.seed,
            index: 0,
            rows: 0,
            sampler_errors,
        }
    }
}

/// A number as JSON writes counts and sizes: without a point where there is nothing behind it.
fn whole(value: f64) -> Value {
    #[expect(clippy::cast_sign_loss, reason = "limits are above 0")]
    let count = value as u64;
    if value.fract() > 0.0 {
        json!(value)
    } else {
        json!(count)
    }
}

/// What runs out, and when it counts as exhausted.
fn capacity(spec: &Spec, own_limit: Option<f64>) -> Capacity {
    let of = |metric: &str, limit: Value, unit: &str, when: &str| Capacity {
        metric: metric.to_owned(),
        limit,
        unit: unit.to_owned(),
        exhausted_when: when.to_owned(),
    };
    let hold_s = spec.hold_s();
    match spec.kind {
        Kind::Memory => match own_limit {
            None => of(
                "container_memory_working_set_bytes",
                whole(spec.limit),
                "bytes",
                "kernel OOM kill",
            ),
            Some(limit) => of(
                "process_virtual_memory_bytes",
                whole(limit),
                "bytes",
                "ENOMEM under RLIMIT_AS",
            ),
        },
        Kind::Disk if spec.mechanism == Mechanism::Inodes => of(
            "node_filesystem_files - node_filesystem_files_free",
            json!("node_filesystem_files"),
            "inodes",
            "ENOSPC",
        ),
        Kind::Disk => of(
            "node_filesystem_size_bytes - node_filesystem_avail_bytes",
            json!("node_filesystem_size_bytes"),
            "bytes",
            "ENOSPC",
        ),
        Kind::Descriptors => of(
            "process_open_fds",
            whole(spec.limit),
            "descriptors",
            "EMFILE",
        ),
        Kind::Connections => of(
            "sum(pg_stat_activity_count)",
            whole(spec.limit - RESERVED),
            "connections",
            "FATAL: too many clients / reserved slots",
        ),
        Kind::Cpu => of(
            "rate(container_cpu_usage_seconds_total)",
            whole(spec.limit),
            "cores",
            &format!(
                "p95 latency over 5 s >= {SLO_S:.1} s or errors >= 20 %, for {hold_s} consecutive seconds"
            ),
        ),
        Kind::Dependency => of(
            "failed share of upstream_requests_total",
            json!(FAILED),
            "ratio",
            &format!("failed share over 5 s >= {FAILED} for {hold_s} consecutive seconds"),
        ),
    }
}

/// What was drawn, and what the kind adds.
fn params(spec: &Spec, fs_type: Option<&str>) -> Map<String, Value> {
    let drawn = serde_json::to_value(spec.params()).unwrap_or_default();
    let mut params = drawn.as_object().cloned().unwrap_or_default();
    let more = match spec.kind {
        Kind::Memory => json!({}),
        Kind::Disk => {
            let fs = if fs_type == Some("ext4") {
                "ext4-loop"
            } else {
                "tmpfs"
            };
            json!({ "fs": fs, "inode": spec.mechanism == Mechanism::Inodes })
        }
        Kind::Descriptors => json!({ "max_fds": whole(spec.limit) }),
        Kind::Connections => json!({ "max_connections": whole(spec.limit) }),
        Kind::Cpu => json!({ "quota": spec.limit, "slo": SLO_S, "svc": service_s(spec.seed) }),
        Kind::Dependency => json!({
            "mech": spec.mechanism.prefix().trim_end_matches(':'),
            "rps": rate(spec),
            "timeout": TIMEOUT.as_secs_f64(),
            "workers": whole(spec.limit),
        }),
    };
    params.extend(more.as_object().cloned().unwrap_or_default());
    params
}
