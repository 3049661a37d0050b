//! The process that owns the resource, under the names of the Prometheus clients.

use std::fs;

use super::push;
use crate::metrics::Sample;

/// Ticks per second in `/proc/PID/stat`: the same on every Linux that we run on, whatever the kernel's own clock.
const TICKS_PER_S: f64 = 100.0;

/// `address_space`: whether to show that too, beside its limit.
pub(super) fn scrape(pid: u32, address_space: bool, out: &mut Vec<Sample>) {
    let alive = columns(pid);
    if let Some(columns) = &alive {
        let column = |i: usize| columns.get(i).and_then(|column| column.parse::<f64>().ok());
        let page = rustix::param::page_size() as f64;
        push(
            out,
            "process_resident_memory_bytes",
            "",
            column(21).map(|pages| pages * page),
        );
        if address_space {
            push(out, "process_virtual_memory_bytes", "", column(20));
            push(
                out,
                "process_virtual_memory_max_bytes",
                "",
                limit(pid, "Max address space"),
            );
        }
        let open = fs::read_dir(format!("/proc/{pid}/fd"))
            .ok()
            .map(|fds| fds.count() as f64);
        push(out, "process_open_fds", "", open);
        push(out, "process_max_fds", "", limit(pid, "Max open files"));
        let spent = column(11)
            .zip(column(12))
            .map(|(user, system)| (user + system) / TICKS_PER_S);
        push(out, "process_cpu_seconds_total", "", spent);
        push(out, "process_threads", "", column(17));
    }
    push(
        out,
        "process_up",
        "",
        Some(f64::from(u8::from(alive.is_some()))),
    );
}

/// Columns of `/proc/PID/stat` from the third on; `None` if the process is not there or has ended.
fn columns(pid: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let columns: Vec<String> = text
        .rsplit_once(')')?
        .1
        .split_ascii_whitespace()
        .map(str::to_owned)
        .collect();
    (!matches!(columns.first()?.as_str(), "Z" | "X")).then_some(columns)
}

/// A soft limit; `None` where there is none.
fn limit(pid: u32, name: &str) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/limits")).ok()?;
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_ascii_whitespace().next()?.parse().ok()
}
