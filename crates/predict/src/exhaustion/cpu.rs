//! Processor time: against a quota, and what its shortage does to the requests that need it.
//!
//! *Exhausted* means that requests wait: the 95 % quantile of their latency misses its objective, or a fifth of them fails.
//! Utilisation says how near that is, and the line of requests says it last and surest: both are looked at. Where no requests
//! are known, the share of time in which some task waited for a processor (pressure stall information) stands for their
//! latency: a processor that is busy all the time and keeps nobody waiting is well used, not exhausted.

use super::recipe::{Measure, REQUEST_LABELS, Recipe, Role, part};
use super::{Action, Family};

pub(super) const ACTIONS: &[Action] = &["scale_out", "raise_limit", "shed_load", "open_breaker"];

pub(super) const RECIPES: &[Recipe] = &[
    Recipe {
        family: Family::Cpu,
        anchor: part(Role::Time, "container_cpu_usage_seconds_total"),
        parts: &[
            part(Role::Quota, "container_spec_cpu_quota"),
            part(Role::Period, "container_spec_cpu_period"),
            part(
                Role::Pressure,
                "container_pressure_cpu_waiting_seconds_total",
            ),
            part(Role::Requests, "http_requests_total"),
            part(Role::Count, "http_request_duration_seconds_count"),
            part(Role::Sum, "http_request_duration_seconds_sum"),
            part(Role::Bucket, "http_request_duration_seconds_bucket"),
        ],
        summed: REQUEST_LABELS,
        measure: Measure::Processor,
        needs: "container_spec_cpu_quota and container_spec_cpu_period",
    },
    Recipe {
        family: Family::Cpu,
        anchor: part(Role::Share, "node_cpu_utilization_ratio"),
        parts: &[part(
            Role::Pressure,
            "node_pressure_cpu_waiting_seconds_total",
        )],
        summed: &[],
        measure: Measure::Processor,
        needs: "nothing: the limit is all processors",
    },
];
