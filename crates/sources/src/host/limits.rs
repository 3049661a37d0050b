//! What one control group uses, beside its limits, in either version of the files.

use std::path::Path;

use super::pressure::total_s;
use super::probe::{Probe, Trouble, number_after};
use super::{Line, Reading};

/// Version 1 writes "no limit" as the largest number of whole pages; nobody's memory comes near.
const NO_LIMIT_BYTES: u64 = 1 << 60;

/// What a file says, and the file's name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Files {
    memory: [&'static str; 4],
    /// Of the third file: inactive page cache, anonymous memory, page cache.
    stat: [&'static str; 3],
    quota: &'static str,
    period: Option<&'static str>,
    throttled: (&'static str, f64),
}

/// Files of version 1.
pub(super) const V1: Files = Files {
    memory: [
        "memory.usage_in_bytes",
        "memory.limit_in_bytes",
        "memory.stat",
        "memory.oom_control",
    ],
    stat: ["total_inactive_file", "total_rss", "total_cache"],
    quota: "cpu.cfs_quota_us",
    period: Some("cpu.cfs_period_us"),
    throttled: ("throttled_time", 1e9),
};

/// Files of version 2.
pub(super) const V2: Files = Files {
    memory: [
        "memory.current",
        "memory.max",
        "memory.stat",
        "memory.events",
    ],
    stat: ["inactive_file", "anon", "file"],
    quota: "cpu.max",
    period: None,
    throttled: ("throttled_usec", 1e6),
};

fn number(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

pub(super) struct Memory {
    probes: [Probe; 4],
    stat: [&'static str; 3],
    lines: [Line; 6],
}

impl Memory {
    pub(super) fn find(folder: &Path, id: &str, files: Files, known: Option<Self>) -> Option<Self> {
        let limit = std::fs::read_to_string(folder.join(files.memory[1]))
            .ok()
            .and_then(|text| number(&text))?;
        if limit >= NO_LIMIT_BYTES {
            return None;
        }
        const METRICS: [&str; 6] = [
            "container_memory_usage_bytes",
            "container_spec_memory_limit_bytes",
            "container_memory_working_set_bytes",
            "container_oom_events_total",
            "container_memory_rss",
            "container_memory_cache",
        ];
        Some(known.unwrap_or_else(|| Self {
            probes: files.memory.map(|file| Probe::new(folder.join(file))),
            stat: files.stat,
            lines: METRICS.map(|metric| Line::new(metric, &[("id", id)])),
        }))
    }

    pub(super) fn read(&mut self, out: &mut Vec<Reading>) -> Result<(), Trouble> {
        let [usage, limit, stat, events] = &mut self.probes;
        let usage = number(usage.read()?);
        if let Some(usage) = usage {
            self.lines[0].put(usage as f64, out);
        }
        if let Some(limit) = number(limit.read()?) {
            self.lines[1].put(limit as f64, out);
        }
        let stat = stat.read()?;
        let [inactive, rss, cache] = self.stat.map(|name| number_after(stat, name));
        // What cannot be reclaimed at once: cAdvisor's definition.
        if let (Some(usage), Some(inactive)) = (usage, inactive) {
            self.lines[2].put(usage.saturating_sub(inactive) as f64, out);
        }
        // Apart they tell a leak from a cache that fills what there is.
        for (line, value) in self.lines[4..].iter().zip([rss, cache]) {
            if let Some(value) = value {
                line.put(value as f64, out);
            }
        }
        if let Some(kills) = number_after(events.read()?, "oom_kill") {
            self.lines[3].put(kills as f64, out);
        }
        Ok(())
    }
}

pub(super) struct Cpu {
    quota: Probe,
    period: Option<Probe>,
    stat: Probe,
    throttled: (&'static str, f64),
    lines: [Line; 5],
}

impl Cpu {
    pub(super) fn find(folder: &Path, id: &str, files: Files, known: Option<Self>) -> Option<Self> {
        let quota = std::fs::read_to_string(folder.join(files.quota)).ok()?;
        // `max`, or -1 in version 1, is no limit.
        quota.split_ascii_whitespace().next()?.parse::<u64>().ok()?;
        const METRICS: [&str; 5] = [
            "container_spec_cpu_quota",
            "container_spec_cpu_period",
            "container_cpu_cfs_periods_total",
            "container_cpu_cfs_throttled_periods_total",
            "container_cpu_cfs_throttled_seconds_total",
        ];
        Some(known.unwrap_or_else(|| Self {
            quota: Probe::new(folder.join(files.quota)),
            period: files.period.map(|file| Probe::new(folder.join(file))),
            stat: Probe::new(folder.join("cpu.stat")),
            throttled: files.throttled,
            lines: METRICS.map(|metric| Line::new(metric, &[("id", id)])),
        }))
    }

    pub(super) fn read(&mut self, out: &mut Vec<Reading>) -> Result<(), Trouble> {
        let mut columns = self.quota.read()?.split_ascii_whitespace();
        let (quota, mut period) = (
            columns.next().and_then(number),
            columns.next().and_then(number),
        );
        if let Some(probe) = &mut self.period {
            period = number(probe.read()?);
        }
        let stat = self.stat.read()?;
        let (name, scale) = self.throttled;
        let values = [
            quota.map(|us| us as f64),
            period.map(|us| us as f64),
            number_after(stat, "nr_periods").map(|n| n as f64),
            number_after(stat, "nr_throttled").map(|n| n as f64),
            number_after(stat, name).map(|time| time as f64 / scale),
        ];
        for (line, value) in self.lines.iter().zip(values) {
            if let Some(value) = value {
                line.put(value, out);
            }
        }
        Ok(())
    }
}

/// Processor time so far, with a quota or without.
pub(super) struct Spent {
    probe: Probe,
    /// The name in `cpu.stat` of version 2; version 1 has a file of its own.
    name: Option<&'static str>,
    line: Line,
}

impl Spent {
    /// Of the group `id`, in whichever tree under `top` counts it.
    pub(super) fn find(top: &Path, id: &str, known: Option<Self>) -> Option<Self> {
        const PLACES: [(&str, &str, Option<&str>); 3] = [
            ("cpuacct", "cpuacct.usage", None),
            ("cpu,cpuacct", "cpuacct.usage", None),
            ("", "cpu.stat", Some("usage_usec")),
        ];
        known.or_else(|| {
            PLACES.into_iter().find_map(|(tree, file, name)| {
                let path = top.join(tree).join(id.trim_start_matches('/')).join(file);
                path.exists().then(|| Self {
                    probe: Probe::new(path),
                    name,
                    line: Line::new("container_cpu_usage_seconds_total", &[("id", id)]),
                })
            })
        })
    }

    pub(super) fn read(&mut self, out: &mut Vec<Reading>) -> Result<(), Trouble> {
        let text = self.probe.read()?;
        let spent_s = match self.name {
            Some(name) => number_after(text, name).map(|us| us as f64 / 1e6),
            None => number(text).map(|ns| ns as f64 / 1e9),
        };
        if let Some(spent_s) = spent_s {
            self.line.put(spent_s, out);
        }
        Ok(())
    }
}

/// Time in which some or all of a group waited; version 2 alone shows it, and may do so for a group whose limits stand
/// in version 1.
pub(super) struct Pressure {
    probes: [Probe; 2],
    lines: [[Line; 2]; 2],
}

impl Pressure {
    pub(super) fn find(folder: &Path, id: &str, known: Option<Self>) -> Option<Self> {
        let files = ["cpu.pressure", "memory.pressure"].map(|file| folder.join(file));
        files[0].exists().then_some(())?;
        const METRICS: [[&str; 2]; 2] = [
            [
                "container_pressure_cpu_waiting_seconds_total",
                "container_pressure_cpu_stalled_seconds_total",
            ],
            [
                "container_pressure_memory_waiting_seconds_total",
                "container_pressure_memory_stalled_seconds_total",
            ],
        ];
        Some(known.unwrap_or_else(|| Self {
            probes: files.map(Probe::new),
            lines: METRICS.map(|pair| pair.map(|metric| Line::new(metric, &[("id", id)]))),
        }))
    }

    pub(super) fn read(&mut self, out: &mut Vec<Reading>) -> Result<(), Trouble> {
        for (probe, lines) in self.probes.iter_mut().zip(&self.lines) {
            let text = probe.read()?;
            for (line, kind) in lines.iter().zip(["some ", "full "]) {
                if let Some(total_s) = total_s(text, kind) {
                    line.put(total_s, out);
                }
            }
        }
        Ok(())
    }
}

pub(super) struct Pids {
    current: Probe,
    max: Probe,
    lines: [Line; 2],
}

impl Pids {
    pub(super) fn find(folder: &Path, id: &str, known: Option<Self>) -> Option<Self> {
        std::fs::read_to_string(folder.join("pids.max"))
            .ok()
            .and_then(|text| number(&text))?;
        Some(known.unwrap_or_else(|| {
            Self {
                current: Probe::new(folder.join("pids.current")),
                max: Probe::new(folder.join("pids.max")),
                lines: ["container_threads", "container_threads_max"]
                    .map(|metric| Line::new(metric, &[("id", id)])),
            }
        }))
    }

    pub(super) fn read(&mut self, out: &mut Vec<Reading>) -> Result<(), Trouble> {
        for (line, probe) in self.lines.iter().zip([&mut self.current, &mut self.max]) {
            if let Some(count) = number(probe.read()?) {
                line.put(count as f64, out);
            }
        }
        Ok(())
    }
}
