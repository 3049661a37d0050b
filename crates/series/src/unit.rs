//! What a number measures, read off the conventions of Prometheus metric names.

/// Whether a raw value is a level, or only ever grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
pub enum Kind {
    /// A level that goes up and down.
    #[default]
    Gauge = 0,
    /// A running total: the rate is what matters, and a fall is a reset.
    Counter = 1,
}

impl Kind {
    /// By the suffix that Prometheus prescribes: `_total`, `_count`, `_sum` and `_bucket` are running totals.
    #[must_use]
    pub fn of_metric(name: &str) -> Self {
        const RUNNING: [&str; 4] = ["_total", "_count", "_sum", "_bucket"];
        if RUNNING.iter().any(|suffix| name.ends_with(suffix)) {
            Self::Counter
        } else {
            Self::Gauge
        }
    }
}

/// The base unit of a metric: how it is shown, and what change of it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Unit {
    /// A plain number, or unknown.
    #[default]
    None,
    /// Bytes.
    Bytes,
    /// Seconds.
    Seconds,
    /// A share from 0 to 1.
    Ratio,
    /// Sockets, threads, forks, packets: what a kernel counts by the thousand, and whatever looks at it moves by a few.
    Kernel,
}

/// Where the names of [`Unit::Kernel`] begin, as node_exporter and process exporters have them.
const KERNEL: [&str; 13] = [
    "node_context_switches",
    "node_disk_",
    "node_filefd_",
    "node_forks",
    "node_intr",
    "node_netstat_",
    "node_network_",
    "node_processes_",
    "node_sockstat_",
    "node_tcp_",
    "node_vmstat_",
    "process_open_fds",
    "process_threads",
];

impl Unit {
    /// The least change that matters to anybody, in the unit of a level of this kind (for a counter: per second):
    /// below it a series is as good as constant. 0 where the unit does not tell.
    ///
    /// Five points of a share (a counter of seconds is a share too: seconds per second), 32 MiB held or 1 MiB/s
    /// moved, 5 ms; 50 of what a kernel counts, or 100 of it a second.
    #[must_use]
    pub const fn least_change(self, kind: Kind) -> f64 {
        match (self, kind) {
            (Self::None, _) => 0.0,
            (Self::Bytes, Kind::Gauge) => 33_554_432.0,
            (Self::Bytes, Kind::Counter) => 1_048_576.0,
            (Self::Seconds, Kind::Gauge) => 0.005,
            (Self::Kernel, Kind::Gauge) => 50.0,
            (Self::Kernel, Kind::Counter) => 100.0,
            (Self::Seconds, Kind::Counter) | (Self::Ratio, _) => 0.05,
        }
    }

    /// By the suffix of the metric's name, ignoring `_total`; else by where it begins.
    #[must_use]
    pub fn of_metric(name: &str) -> Self {
        let base = name.strip_suffix("_total").unwrap_or(name);
        if base.ends_with("_bytes") {
            Self::Bytes
        } else if base.ends_with("_seconds") {
            Self::Seconds
        } else if base.ends_with("_ratio") {
            Self::Ratio
        } else if KERNEL.iter().any(|start| name.starts_with(start)) {
            Self::Kernel
        } else {
            Self::None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_units() {
        for (name, unit) in [
            ("node_disk_read_bytes_total", Unit::Bytes),
            ("node_pressure_io_waiting_seconds_total", Unit::Seconds),
            ("node_cpu_utilization_ratio", Unit::Ratio),
            ("node_sockstat_sockets_used", Unit::Kernel),
            ("node_forks_total", Unit::Kernel),
            ("up", Unit::None),
            ("http_errors_total", Unit::None),
        ] {
            assert_eq!(Unit::of_metric(name), unit, "{name}");
        }
    }
}
