//! What is called and answers: its latency against the timeout, its failures against the share that can be borne.
//!
//! *Exhausted* means that half of the calls fail: the error budget of an hour is gone in minutes. Latency is the mean over
//! the timeout, since the median call has to run into it for half of them to fail; workers say how many more may be lost.

use super::recipe::{Measure, REQUEST_LABELS, Recipe, Role, part};
use super::{Action, Family};

pub(super) const ACTIONS: &[Action] = &["open_breaker", "fail_over", "shed_load", "restart"];

pub(super) const RECIPES: &[Recipe] = &[
    Recipe {
        family: Family::Dependency,
        anchor: part(Role::Count, "upstream_request_duration_seconds_count"),
        parts: &[
            part(Role::Sum, "upstream_request_duration_seconds_sum"),
            part(Role::Requests, "upstream_requests_total"),
            part(Role::Busy, "upstream_workers_busy"),
            part(Role::Workers, "upstream_workers_max"),
        ],
        summed: REQUEST_LABELS,
        measure: Measure::Called,
        needs: "nothing: objectives are settings",
    },
    // The names of OpenTelemetry's semantic conventions, as Prometheus exporters write them.
    Recipe {
        family: Family::Dependency,
        anchor: part(Role::Requests, "http_client_request_duration_seconds_count"),
        parts: &[
            part(Role::Count, "http_client_request_duration_seconds_count"),
            part(Role::Sum, "http_client_request_duration_seconds_sum"),
        ],
        summed: REQUEST_LABELS,
        measure: Measure::Called,
        needs: "nothing: objectives are settings",
    },
];
