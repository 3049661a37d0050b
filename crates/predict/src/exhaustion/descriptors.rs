//! File descriptors and threads: of processes, containers and hosts.

use super::recipe::{Measure, Part, Recipe, Role, part};
use super::{Action, Family};

pub(super) const DESCRIPTOR_ACTIONS: &[Action] = &["restart", "raise_limit", "drain_and_restart"];
pub(super) const THREAD_ACTIONS: &[Action] = &["restart", "raise_limit", "shed_load"];

const fn used(
    family: Family,
    metric: &'static str,
    parts: &'static [Part],
    needs: &'static str,
) -> Recipe {
    Recipe {
        family,
        anchor: part(Role::Used, metric),
        parts,
        summed: &[],
        measure: Measure::UsedOfLimit,
        needs,
    }
}

pub(super) const RECIPES: &[Recipe] = &[
    used(
        Family::Descriptors,
        "process_open_fds",
        &[
            part(Role::Limit, "process_max_fds"),
            part(Role::Started, "process_start_time_seconds"),
        ],
        "process_max_fds",
    ),
    used(
        Family::Descriptors,
        "node_filefd_allocated",
        &[part(Role::Limit, "node_filefd_maximum")],
        "node_filefd_maximum",
    ),
    used(
        Family::Threads,
        "container_threads",
        &[part(Role::Limit, "container_threads_max")],
        "container_threads_max",
    ),
    used(
        Family::Threads,
        "node_processes_threads",
        &[part(Role::Limit, "node_processes_max_threads")],
        "node_processes_max_threads",
    ),
];
