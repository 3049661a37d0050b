//! What is called, as its caller counts it; and how answers are counted at all.
//!
//! Latencies are told in parts of the objective, which is a second: a service is as quick as its objective is tight.

use super::super::mover::{Requests, rounded};
use super::super::sheet::Sheet;
use super::{Clock, Curve, Limit, Totals};
use crate::exhaustion::service::{BOUNDS, Mechanism};

pub(super) const LIMIT: Limit = Limit {
    metric: "failed share of upstream_requests_total",
    limit: 0.5,
    unit: "ratio",
    exhausted_when: "failed share over 5 bins >= 0.5, for 10 bins in a row",
    evidence: "objective missed for 10 bins in a row: at least half of the calls failed or ran into the timeout of 1 s",
};

/// Answers as a client library counts them.
#[derive(Debug)]
pub(super) struct Answers {
    all: Totals,
    failed: Totals,
    seconds: Totals,
    /// Up to each bound, the last one infinite.
    buckets: Vec<(String, Totals)>,
}

impl Answers {
    pub(super) fn new(requests: &Requests) -> Self {
        let bins = || requests.bins.iter();
        let buckets = (0..=BOUNDS.len()).map(|i| {
            let le = BOUNDS.get(i).map_or_else(
                || "+Inf".to_owned(),
                |bound| rounded(bound * requests.bounds).to_string(),
            );
            let up_to = bins().map(|bin| bin.le[..=i].iter().sum());
            (format!("le=\"{le}\""), Totals::new(up_to))
        });
        Self {
            all: Totals::new(bins().map(|bin| bin.count)),
            failed: Totals::new(bins().map(|bin| bin.failed)),
            seconds: Totals::new(bins().map(|bin| bin.sum / requests.objective)),
            buckets: buckets.collect(),
        }
    }

    /// Requests by code. What never happened is left out.
    pub(super) fn show_codes(
        &self,
        metric: &str,
        failure: &str,
        clock: &Clock,
        at: f64,
        sheet: &mut Sheet<'_>,
    ) {
        let all = clock.since_start(&self.all, at).floor();
        let failed = clock.since_start(&self.failed, at).floor();
        sheet.put(metric, "code=\"200\"", all - failed);
        if failed > 0.0 {
            sheet.put(metric, &format!("code=\"{failure}\""), failed);
        }
    }

    /// A histogram.
    pub(super) fn show_durations(
        &self,
        metric: &str,
        clock: &Clock,
        at: f64,
        sheet: &mut Sheet<'_>,
    ) {
        let name = format!("{metric}_bucket");
        for (labels, bucket) in &self.buckets {
            let count = clock.since_start(bucket, at).floor();
            sheet.put(&name, labels, count);
        }
        let count = clock.since_start(&self.all, at).floor();
        sheet.put(&format!("{metric}_count"), "", count);
        let seconds = clock.since_start(&self.seconds, at);
        sheet.put(&format!("{metric}_sum"), "", seconds);
    }
}

/// What is called.
#[derive(Debug)]
pub(super) struct Upstream {
    answers: Answers,
    failure: &'static str,
    busy: Curve,
    workers: f64,
    shows_workers: bool,
}

impl Upstream {
    pub(super) fn new(requests: &Requests) -> Self {
        Self {
            answers: Answers::new(requests),
            // What does not answer runs into the timeout.
            failure: match requests.mechanism {
                Mechanism::Errors => "503",
                Mechanism::Queue
                | Mechanism::Slowness
                | Mechanism::LostWorkers
                | Mechanism::Link => "504",
            },
            busy: Curve::harmless(requests.bins.iter().map(|bin| bin.busy).collect()),
            workers: requests.workers as f64,
            shows_workers: requests.shows_workers,
        }
    }

    pub(super) fn show(&self, clock: &Clock, at: f64, sheet: &mut Sheet<'_>) {
        self.answers
            .show_codes("upstream_requests_total", self.failure, clock, at, sheet);
        self.answers
            .show_durations("upstream_request_duration_seconds", clock, at, sheet);
        let busy = (self.busy.at(at) * self.workers).round();
        sheet.put("upstream_requests_in_flight", "", busy);
        if self.shows_workers {
            sheet.put("upstream_workers_busy", "", busy);
            sheet.put("upstream_workers_max", "", self.workers);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exhaustion::service::{Given, OVER_BINS, Served, cpu_served, dependency_served};
    use crate::rng::Rng;

    /// What the models learn from is what can be read off the metrics: over five bins, the share that failed and the mean
    /// latency of calls, and how busy the workers or the processor were.
    #[test]
    fn metrics_show_what_the_models_learn_from() {
        for seed in 0..6 {
            let mut rng = Rng::new(9, seed);
            let given = Given::default();
            let is_cpu = seed % 2 == 0;
            let served: Served = if is_cpu {
                cpu_served(&mut rng, &given)
            } else {
                dependency_served(&mut rng, &given)
            };
            let n = served.episode.seen.len();
            let requests = Requests {
                bins: served.bins,
                mechanism: served.mechanism,
                objective: served.objective,
                bounds: served.bounds,
                workers: served.workers,
                shows_workers: served.shows_workers,
            };
            let answers = Answers::new(&requests);
            let busy = Totals::new(requests.bins.iter().map(|bin| bin.busy));
            let errors_borne = if is_cpu { 0.2 } else { 0.5 };
            for t in OVER_BINS..n {
                let over =
                    |totals: &Totals| totals.at(t as f64) - totals.at((t - OVER_BINS) as f64);
                let all = over(&answers.all);
                let share = |part: f64| if all > 0.0 { part / all } else { 0.0 };
                let [load, slow, errors] = served.episode.seen[t].map(f64::from);
                let check = |what: &str, found: f64, expected: f64| {
                    let close = (found - expected).abs() < 1e-3 * expected.abs().max(1.0);
                    assert!(close, "{seed}, bin {t}: {what} {found}, not {expected}");
                };
                check(
                    "errors",
                    (share(over(&answers.failed)) / errors_borne).min(3.0),
                    errors,
                );
                if is_cpu || requests.shows_workers {
                    check("load", over(&busy) / OVER_BINS as f64, load);
                }
                if !is_cpu {
                    check("latency", share(over(&answers.seconds)).min(3.0), slow);
                }
            }
        }
    }
}
