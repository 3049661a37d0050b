//! File systems: their bytes and their inodes.

use super::recipe::{Measure, Recipe, Role, part};
use super::{Action, Family};

pub(super) const DISK_ACTIONS: &[Action] = &["rotate_logs", "clean_temporary_files", "grow_volume"];
pub(super) const INODE_ACTIONS: &[Action] = &["clean_temporary_files", "rotate_logs"];

/// A recipe for what is left of a file system.
const fn left(
    family: Family,
    free: &'static str,
    parts: &'static [super::recipe::Part],
    needs: &'static str,
) -> Recipe {
    Recipe {
        family,
        anchor: part(Role::Free, free),
        parts,
        summed: &[],
        measure: Measure::FreeOfLimit,
        needs,
    }
}

pub(super) const RECIPES: &[Recipe] = &[
    left(
        Family::Disk,
        "node_filesystem_avail_bytes",
        &[part(Role::Limit, "node_filesystem_size_bytes")],
        "node_filesystem_size_bytes",
    ),
    left(
        Family::Disk,
        "kubelet_volume_stats_available_bytes",
        &[part(Role::Limit, "kubelet_volume_stats_capacity_bytes")],
        "kubelet_volume_stats_capacity_bytes",
    ),
    left(
        Family::Inodes,
        "node_filesystem_files_free",
        &[part(Role::Limit, "node_filesystem_files")],
        "node_filesystem_files above 0 (some file systems count no inodes)",
    ),
    left(
        Family::Inodes,
        "kubelet_volume_stats_inodes_free",
        &[part(Role::Limit, "kubelet_volume_stats_inodes")],
        "kubelet_volume_stats_inodes",
    ),
];
