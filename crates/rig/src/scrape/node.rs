//! The machine, under the names of the node exporter. Whatever else runs here is seen too.

use std::fs;
use std::path::Path;

use super::{number_after, pressure_s, push};
use crate::metrics::Sample;

pub(super) fn scrape(out: &mut Vec<Sample>) {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let first = |text: String| text.split_ascii_whitespace().next()?.parse().ok();
    push(
        out,
        "node_filefd_allocated",
        "",
        first(read("/proc/sys/fs/file-nr")),
    );
    push(out, "node_load1", "", first(read("/proc/loadavg")));
    let memory = read("/proc/meminfo");
    for (name, metric) in [
        ("MemAvailable", "node_memory_MemAvailable_bytes"),
        ("MemTotal", "node_memory_MemTotal_bytes"),
    ] {
        push(
            out,
            metric,
            "",
            number_after(&memory, name).map(|kib| kib * 1024.0),
        );
    }
    for (file, metric) in [
        ("cpu", "node_pressure_cpu_waiting_seconds_total"),
        ("io", "node_pressure_io_waiting_seconds_total"),
        ("memory", "node_pressure_memory_waiting_seconds_total"),
    ] {
        let text = read(&format!("/proc/pressure/{file}"));
        push(out, metric, "", pressure_s(&text, "some "));
    }
}

/// The small file system. It is called `/data`, wherever the temporary folder is.
pub(super) fn filesystem(point: &Path, fs_type: &str, out: &mut Vec<Sample>) {
    let Ok(stat) = rustix::fs::statvfs(point) else {
        return;
    };
    let labels = format!("fstype=\"{fs_type}\",mountpoint=\"/data\"");
    let unit = stat.f_frsize as f64;
    for (metric, value) in [
        ("node_filesystem_avail_bytes", stat.f_bavail as f64 * unit),
        ("node_filesystem_files", stat.f_files as f64),
        ("node_filesystem_files_free", stat.f_ffree as f64),
        ("node_filesystem_free_bytes", stat.f_bfree as f64 * unit),
        ("node_filesystem_size_bytes", stat.f_blocks as f64 * unit),
    ] {
        push(out, metric, &labels, Some(value));
    }
}
