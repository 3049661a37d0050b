//! Memory: of containers, processes, hosts and heaps.
//!
//! *Leak or cache.* A container's working set leaves out file pages that were not used lately, but counts those that were,
//! and the kernel can drop both. Where the memory that the container's process has mapped is known, file pages beyond it
//! belong to nobody and do not count. Where it is not known the working set stands, as it does for the kubelet.

use super::recipe::{Measure, Part, Recipe, Role, part};
use super::{Action, Family};

pub(super) const ACTIONS: &[Action] = &["restart", "raise_limit", "scale_out", "clear_caches"];

pub(super) const RECIPES: &[Recipe] = &[
    Recipe {
        family: Family::Memory,
        anchor: part(Role::Used, "container_memory_working_set_bytes"),
        parts: &[
            part(Role::Limit, "container_spec_memory_limit_bytes"),
            part(Role::Charged, "container_memory_usage_bytes"),
            part(Role::Cache, "container_memory_cache"),
            part(Role::Anonymous, "container_memory_rss"),
            part(Role::Resident, "process_resident_memory_bytes"),
            part(Role::Started, "container_start_time_seconds"),
            // Another kill is another process too.
            part(Role::Started, "container_oom_events_total"),
        ],
        summed: &[],
        measure: Measure::Unreclaimable,
        needs: "container_spec_memory_limit_bytes above 0",
    },
    Recipe {
        family: Family::Memory,
        anchor: part(Role::Free, "node_memory_MemAvailable_bytes"),
        parts: &[part(Role::Limit, "node_memory_MemTotal_bytes")],
        summed: &[],
        measure: Measure::FreeOfLimit,
        needs: "node_memory_MemTotal_bytes",
    },
    Recipe {
        family: Family::Memory,
        anchor: part(Role::Used, "process_virtual_memory_bytes"),
        parts: &[
            part(Role::Limit, "process_virtual_memory_max_bytes"),
            part(Role::Started, "process_start_time_seconds"),
        ],
        summed: &[],
        measure: Measure::UsedOfLimit,
        needs: "process_virtual_memory_max_bytes (a limit on address space)",
    },
    Recipe {
        family: Family::Memory,
        anchor: HEAP,
        parts: &[Part {
            role: Role::Limit,
            metric: "jvm_memory_max_bytes",
            when: Some(("area", "heap")),
        }],
        summed: &["id"],
        measure: Measure::UsedOfLimit,
        needs: "jvm_memory_max_bytes{area=\"heap\"}",
    },
    Recipe {
        family: Family::Memory,
        anchor: part(Role::Used, "redis_memory_used_bytes"),
        parts: &[part(Role::Limit, "redis_memory_max_bytes")],
        summed: &[],
        measure: Measure::UsedOfLimit,
        needs: "redis_memory_max_bytes above 0 (maxmemory)",
    },
];

const HEAP: Part = Part {
    role: Role::Used,
    metric: "jvm_memory_used_bytes",
    when: Some(("area", "heap")),
};
