//! Those who call the service whose processor time runs out: outside of its sandbox, so that they see what a user sees.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::breach::Objective;
use crate::driver::service_s;
use crate::load::{Load, Names};
use crate::metrics::{Metrics, Sample};
use crate::shape::Curve;
use crate::spec::Spec;

/// The service is exhausted from this 95th percentile of its latency on, or from this share of errors.
pub(super) const SLO_S: f64 = 1.0;
const ERRORS: f64 = 0.2;
/// The ingress gives up after this.
const PATIENCE: Duration = Duration::from_secs(5);
const NAMES: Names = Names {
    offered: Some("http_requests_offered_total"),
    in_flight: "http_requests_in_flight",
    total: "http_requests_total",
    duration: [
        "http_request_duration_seconds_bucket",
        "http_request_duration_seconds_sum",
        "http_request_duration_seconds_count",
    ],
};

/// Calls to the service, from outside of its sandbox.
#[derive(Debug)]
pub(super) struct Ingress {
    load: Load,
    metrics: Metrics,
    curve: Curve,
    warm_s: f64,
    /// Calls per second that use all of the quota.
    capacity: f64,
    asked: Instant,
}

impl Ingress {
    /// Begins to call the service.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub(super) fn start(spec: &Spec, service: SocketAddr) -> std::io::Result<Self> {
        let metrics = Metrics::default();
        let objective = Objective {
            p95_s: SLO_S,
            failed: ERRORS,
            hold_s: spec.hold_s(),
        };
        Ok(Self {
            load: Load::start(service, PATIENCE, NAMES, objective, &metrics, spec.seed)?,
            metrics,
            curve: spec.curve(),
            warm_s: spec.warm_s(),
            capacity: spec.limit / service_s(spec.seed),
            asked: Instant::now(),
        })
    }

    /// Makes the calls that are due; when the service counts as exhausted and why, once it does.
    pub(super) fn step(&mut self, elapsed: Duration) -> Option<(f64, String)> {
        let level = self.curve.level(elapsed.as_secs_f64() - self.warm_s);
        self.load.offer(level * self.capacity);
        if self.asked.elapsed() < Duration::from_secs(1) {
            return None;
        }
        self.asked = Instant::now();
        let since_s = self.load.exhausted()?;
        let state = self.load.state()?;
        let (p95_s, failed) = (state.p95_s, 100.0 * state.failed);
        Some((
            since_s,
            format!("sustained breach: p95 latency over 5 s {p95_s:.1} s, {failed:.0} % errors"),
        ))
    }

    pub(super) fn p95_s(&self) -> Option<f64> {
        self.load.state().map(|state| state.p95_s)
    }

    pub(super) fn samples(&self) -> Vec<Sample> {
        self.metrics.samples()
    }
}
