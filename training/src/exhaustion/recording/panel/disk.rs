//! A file system, as the node exporter shows it, and who writes to it.

use super::super::sheet::Sheet;
use super::{Clock, Curve, Limit, Totals};
use crate::rng::Rng;

const LABELS: &str = "device=\"/dev/vdb\",fstype=\"ext4\",mountpoint=\"/data\"";
const GIB: f64 = 1_073_741_824.0;
const BLOCK: f64 = 4_096.0;
/// The share of blocks that ext4 keeps for root, which is free and not available.
const KEPT: f64 = 0.02;
/// What is used of that of which nothing moves.
const LITTLE: f64 = 0.15;

/// A file system, of which bytes, inodes or both move.
#[derive(Debug)]
pub(super) struct Disk {
    bytes: Option<Curve>,
    inodes: Option<Curve>,
    size: f64,
    files: f64,
    written: Totals,
}

impl Disk {
    pub(super) fn new(rng: &mut Rng, bytes: Option<Curve>, inodes: Option<Curve>) -> Self {
        let size = (rng.ratio(1.0, 500.0) * GIB / BLOCK).round() * BLOCK;
        let files = (size / 16_384.0).round();
        // What is written is at least what the level rises by.
        let written = bytes.as_ref().map_or_else(Vec::new, |curve| {
            let rise = |i: f64| (curve.at(i) - curve.at(i - 1.0)).max(0.0);
            let bins = curve.told();
            (0..bins).map(|i| rise(i as f64) * size).collect()
        });
        Self {
            bytes,
            inodes,
            size,
            files,
            written: Totals::new(written.into_iter()),
        }
    }

    pub(super) fn bytes_limit(&self) -> Limit {
        Limit {
            metric: "node_filesystem_size_bytes - node_filesystem_avail_bytes",
            limit: self.size,
            unit: "bytes",
            exhausted_when: "ENOSPC: no byte is available",
            evidence: "the bytes in use reached the size of the file system: ENOSPC",
        }
    }

    pub(super) fn inodes_limit(&self) -> Limit {
        Limit {
            metric: "node_filesystem_files - node_filesystem_files_free",
            limit: self.files,
            unit: "inodes",
            exhausted_when: "ENOSPC: no inode is free",
            evidence: "the inodes in use reached those of the file system: ENOSPC",
        }
    }

    pub(super) fn show_node(&self, at: f64, sheet: &mut Sheet<'_>) {
        let left = |curve: &Option<Curve>| 1.0 - curve.as_ref().map_or(LITTLE, |c| c.at(at));
        let available = (left(&self.bytes) * self.size / BLOCK).floor() * BLOCK;
        let kept = (KEPT * self.size / BLOCK).floor() * BLOCK;
        let mut put = |metric: &str, value: f64| sheet.put(metric, LABELS, value);
        put("node_filesystem_size_bytes", self.size);
        put("node_filesystem_avail_bytes", available);
        put("node_filesystem_free_bytes", available + kept);
        put("node_filesystem_files", self.files);
        let files_free = (left(&self.inodes) * self.files).floor();
        put("node_filesystem_files_free", files_free);
    }

    pub(super) fn show_app(&self, clock: &Clock, at: f64, sheet: &mut Sheet<'_>) {
        if self.bytes.is_some() {
            let written = clock.since_start(&self.written, at).floor();
            sheet.put("app_log_bytes_total", "", written);
        }
        let full = |curve: &Option<Curve>| curve.as_ref().map_or(f64::INFINITY, Curve::full);
        let full = full(&self.bytes).min(full(&self.inodes));
        if at >= full {
            let errors = 1.0 + (4.0 * (at - full)).floor();
            sheet.put("app_write_errors_total", "errno=\"ENOSPC\"", errors);
        }
    }
}
