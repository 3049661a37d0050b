//! Answers that take longer than 200 ms.
//!
//! *Rule*: the mean time of requests above 0.2 s for a minute, as histograms and summaries tell it, or the time of a probe; a
//! probe that fails; a resource of the family `dependency` above 0.95 of its objectives. *Prediction*: first passage of that
//! level (see [`super::passage`]), or the outlook; an anomaly alone foretells with little confidence.
//!
//! The mean, because every histogram has one: quantiles need buckets near 200 ms, which many do not have. A mean hides a slow
//! tail and is pulled up by long polls; who has a better metric writes a rule for it, which goes first.

use predict::exhaustion::{OUTCOME_LABELS, failed};
use series::SeriesKey;

use super::rule::{Read, Role, Rule, Threshold};
use crate::Class;

/// Slower than this is wrong, in seconds.
pub(super) const SLOW_S: f64 = 0.2;
/// For so many seconds.
const FOR_S: f64 = 60.0;

/// What tells requests of one thing apart.
const REQUEST_LABELS: [&str; 11] = [
    "method",
    "handler",
    "path",
    "route",
    "uri",
    "http_request_method",
    "http_route",
    "http_method",
    "http_status_code",
    "response_code",
    "exception",
];

/// Histograms and summaries of seconds, then of milliseconds.
const SECONDS: [&str; 9] = [
    "http_request_duration_seconds",
    "http_server_request_duration_seconds",
    "http_server_requests_seconds",
    "http_client_request_duration_seconds",
    "http_client_requests_seconds",
    "upstream_request_duration_seconds",
    "grpc_server_handling_seconds",
    "nginx_ingress_controller_request_duration_seconds",
    "traefik_service_request_duration_seconds",
];
const MILLISECONDS: [&str; 5] = [
    "http_server_duration_milliseconds",
    "http_client_duration_milliseconds",
    "rpc_server_duration_milliseconds",
    "istio_request_duration_milliseconds",
    "envoy_cluster_upstream_rq_time",
];

pub(super) fn rules() -> Vec<Rule> {
    let threshold = Threshold::usual(SLOW_S, FOR_S);
    let seconds = SECONDS.map(|metric| (metric, 1.0));
    let all = seconds
        .into_iter()
        .chain(MILLISECONDS.map(|metric| (metric, 0.001)));
    let means = all.map(|(metric, factor)| {
        let mut rule = Rule::gauge(Class::NetworkLatency, metric, threshold, "seconds");
        of_requests(&mut rule, metric, "_sum", "_count");
        rule.factor = factor;
        rule
    });
    let probe = Rule::gauge(
        Class::NetworkLatency,
        "probe_duration_seconds",
        threshold,
        "seconds",
    );
    let mut down = Rule::gauge(
        Class::NetworkLatency,
        "probe_success",
        Threshold::usual(0.5, FOR_S),
        "ratio",
    );
    (down.offset, down.factor) = (1.0, -1.0);
    (down.smooth_s, down.foretells) = (0.0, false);
    means.chain([probe, down]).collect()
}

/// Makes a rule one of the mean of a histogram or summary, over all requests of one thing.
pub(super) fn of_requests(rule: &mut Rule, metric: &str, sum: &str, count: &str) {
    rule.reads = vec![
        Read::new(&format!("{metric}{sum}"), &[], Role::Sum),
        Read::new(&format!("{metric}{count}"), &[], Role::Count),
    ];
    rule.name = Some(metric.to_owned());
    let labels = OUTCOME_LABELS.iter().chain(&REQUEST_LABELS);
    rule.summed = labels.map(|label| (*label).to_owned()).collect();
}

/// Whether the requests that a series counts failed; `None` when it does not say.
pub(super) fn outcome(key: &SeriesKey) -> Option<bool> {
    let labels = OUTCOME_LABELS
        .iter()
        .chain(&["http_status_code", "response_code"]);
    let mut said = labels.filter_map(|label| key.label(label));
    said.next().map(failed)
}
