//! The control group, under cAdvisor's names.

use std::fs;

use super::{number, number_after, pressure_s, push};
use crate::kind::Kind;
use crate::metrics::Sample;
use crate::sandbox::Group;

const LABELS: &str = "container=\"app\"";

/// The names of the same things in the files of both versions.
struct Files {
    usage: &'static str,
    limit: &'static str,
    inactive: &'static str,
    rss: &'static str,
    cache: &'static str,
    major: &'static str,
}

const V1: Files = Files {
    usage: "memory.usage_in_bytes",
    limit: "memory.limit_in_bytes",
    inactive: "total_inactive_file",
    rss: "total_rss",
    cache: "total_cache",
    major: "total_pgmajfault",
};
const V2: Files = Files {
    usage: "memory.current",
    limit: "memory.max",
    inactive: "inactive_file",
    rss: "anon",
    cache: "file",
    major: "pgmajfault",
};

pub(super) fn scrape(group: &Group, kind: Kind, out: &mut Vec<Sample>) {
    memory(group, kind, out);
    cpu(group, kind, out);
    // Each kind shows what somebody who watches for it would have set up.
    if matches!(kind, Kind::Memory | Kind::Cpu)
        && let Some(folder) = &group.pressure
    {
        for (file, names) in [
            (
                "cpu.pressure",
                [
                    "container_pressure_cpu_waiting_seconds_total",
                    "container_pressure_cpu_stalled_seconds_total",
                ],
            ),
            (
                "memory.pressure",
                [
                    "container_pressure_memory_waiting_seconds_total",
                    "container_pressure_memory_stalled_seconds_total",
                ],
            ),
        ] {
            let text = fs::read_to_string(folder.join(file)).unwrap_or_default();
            push(out, names[0], LABELS, pressure_s(&text, "some "));
            push(out, names[1], LABELS, pressure_s(&text, "full "));
        }
    }
}

fn memory(group: &Group, kind: Kind, out: &mut Vec<Sample>) {
    let files = if group.unified { &V2 } else { &V1 };
    let stat = fs::read_to_string(group.memory.join("memory.stat")).unwrap_or_default();
    let usage = number(&group.memory.join(files.usage));
    let inactive = number_after(&stat, files.inactive).unwrap_or(0.0);
    push(out, "container_memory_usage_bytes", LABELS, usage);
    // What cannot be reclaimed at once: cAdvisor's definition.
    let working = usage.map(|usage| (usage - inactive).max(0.0));
    push(out, "container_memory_working_set_bytes", LABELS, working);
    push(
        out,
        "container_memory_rss",
        LABELS,
        number_after(&stat, files.rss),
    );
    push(
        out,
        "container_memory_cache",
        LABELS,
        number_after(&stat, files.cache),
    );
    let failed = if group.unified {
        let events = fs::read_to_string(group.memory.join("memory.events")).unwrap_or_default();
        number_after(&events, "max")
    } else {
        number(&group.memory.join("memory.failcnt"))
    };
    push(out, "container_memory_failcnt", LABELS, failed);
    if kind == Kind::Memory {
        let limit = number(&group.memory.join(files.limit));
        push(out, "container_spec_memory_limit_bytes", LABELS, limit);
        push(
            out,
            "container_oom_events_total",
            LABELS,
            Some(group.oom_kills() as f64),
        );
        push(
            out,
            "container_memory_pgmajfault_total",
            LABELS,
            number_after(&stat, files.major),
        );
    }
}

fn cpu(group: &Group, kind: Kind, out: &mut Vec<Sample>) {
    let stat = fs::read_to_string(group.cpu.join("cpu.stat")).unwrap_or_default();
    let used_s = if group.unified {
        number_after(&stat, "usage_usec").map(|us| us / 1e6)
    } else {
        number(&group.usage.join("cpuacct.usage")).map(|ns| ns / 1e9)
    };
    push(out, "container_cpu_usage_seconds_total", LABELS, used_s);
    if kind != Kind::Cpu {
        return;
    }
    let (quota, period, throttled_s) = if group.unified {
        let text = fs::read_to_string(group.cpu.join("cpu.max")).unwrap_or_default();
        let mut columns = text
            .split_ascii_whitespace()
            .map(|column| column.parse().ok());
        let (quota, period) = (columns.next().flatten(), columns.next().flatten());
        (
            quota,
            period,
            number_after(&stat, "throttled_usec").map(|us| us / 1e6),
        )
    } else {
        (
            number(&group.cpu.join("cpu.cfs_quota_us")),
            number(&group.cpu.join("cpu.cfs_period_us")),
            number_after(&stat, "throttled_time").map(|ns| ns / 1e9),
        )
    };
    push(out, "container_spec_cpu_quota", LABELS, quota);
    push(out, "container_spec_cpu_period", LABELS, period);
    push(
        out,
        "container_cpu_cfs_periods_total",
        LABELS,
        number_after(&stat, "nr_periods"),
    );
    push(
        out,
        "container_cpu_cfs_throttled_periods_total",
        LABELS,
        number_after(&stat, "nr_throttled"),
    );
    push(
        out,
        "container_cpu_cfs_throttled_seconds_total",
        LABELS,
        throttled_s,
    );
}
