//! The processor time of a container, and the requests that wait for it as the ingress counts them.

use super::super::mover::Requests;
use super::super::sheet::Sheet;
use super::host::wander;
use super::upstream::Answers;
use super::{Clock, Limit, Totals};
use crate::rng::Rng;

const LABELS: &str = "container=\"app\"";
/// Of the scheduler, in microseconds, and in seconds.
const PERIOD_US: f64 = 100_000.0;
const PERIOD_S: f64 = 0.1;

/// A container's processor time.
#[derive(Debug)]
pub(super) struct Processor {
    /// In cores; without one nothing moves.
    quota: Option<f64>,
    cores: f64,
    used: Totals,
    throttled: Totals,
    answers: Option<Answers>,
}

impl Processor {
    /// `requests` are what moves; without them a little is used, and there is no quota.
    pub(super) fn new(rng: &mut Rng, requests: Option<&Requests>, bins: usize, bin_s: f64) -> Self {
        let cores = [0.1, 0.25, 0.5, 1.0, 2.0, 4.0][rng.below(6)];
        let little = rng.ratio(0.005, 0.05);
        let busy: Vec<f64> = match requests {
            Some(requests) => requests.bins.iter().map(|bin| bin.busy).collect(),
            None => wander(rng, bins, little, 0.1 * little),
        };
        // The nearer to the quota, the more periods end with somebody waiting.
        let throttled = |busy: &f64| ((busy - 0.4) / 0.6).clamp(0.0, 1.0).powi(2);
        Self {
            quota: requests.map(|_| cores),
            cores,
            used: Totals::new(busy.iter().map(|busy| busy * cores * bin_s)),
            throttled: Totals::new(busy.iter().map(|busy| throttled(busy) * bin_s / PERIOD_S)),
            answers: requests.map(Answers::new),
        }
    }

    pub(super) fn capacity(&self) -> Limit {
        Limit {
            metric: "rate(container_cpu_usage_seconds_total)",
            limit: self.cores,
            unit: "cores",
            exhausted_when: "p95 latency over 5 bins >= 1.0 s or errors >= 20 %, for 10 bins in a row",
            evidence: "objective missed for 10 bins in a row: 95 % quantile of latency at least 1 s, or a fifth failed",
        }
    }

    pub(super) fn show_app(&self, clock: &Clock, at: f64, sheet: &mut Sheet<'_>) {
        if let Some(answers) = &self.answers {
            answers.show_codes("http_requests_total", "503", clock, at, sheet);
            answers.show_durations("http_request_duration_seconds", clock, at, sheet);
        }
    }

    pub(super) fn show_container(&self, clock: &Clock, at: f64, sheet: &mut Sheet<'_>) {
        let used = clock.since_start(&self.used, at);
        let mut put = |metric: &str, value: f64| sheet.put(metric, LABELS, value);
        put("container_cpu_usage_seconds_total", used);
        let Some(quota) = self.quota else {
            return;
        };
        put("container_spec_cpu_quota", (quota * PERIOD_US).round());
        put("container_spec_cpu_period", PERIOD_US);
        let from = clock.restart.filter(|restart| *restart as f64 <= at);
        let lived = (at - from.map_or(0.0, |from| from as f64)) * clock.bin_s;
        let throttled = clock.since_start(&self.throttled, at).floor();
        put(
            "container_cpu_cfs_periods_total",
            (lived / PERIOD_S).floor().max(throttled),
        );
        put("container_cpu_cfs_throttled_periods_total", throttled);
        put(
            "container_cpu_cfs_throttled_seconds_total",
            0.5 * PERIOD_S * throttled,
        );
    }
}
