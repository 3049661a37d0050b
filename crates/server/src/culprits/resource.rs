//! Which of a host's series are about something that processes use, and what shows how much each uses.

use series::SeriesKey;

/// What processes use, and is reported of each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Resource {
    Cpu,
    Memory,
    Descriptors,
    Threads,
}

/// What more use does to a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sense {
    Raises,
    Lowers,
}

/// How a change of a series compares with the change of what processes use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Measure {
    /// One for one.
    Same,
    /// A share of all processors.
    OfProcessors,
    /// It is another quantity.
    Other,
}

/// A series of the host that processes can be held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Watched {
    pub(super) resource: Resource,
    pub(super) sense: Sense,
    pub(super) measure: Measure,
}

/// There is one series of this name for each processor.
pub(super) const PER_PROCESSOR: &str = "node_cpu_core_utilization_ratio";

impl Resource {
    pub(super) const ALL: [Self; 4] = [Self::Cpu, Self::Memory, Self::Descriptors, Self::Threads];

    /// What this series of the host is about. `None` for what no process can be held to from what is read of it, such
    /// as disks, the network and the page cache.
    pub(super) fn of_host(key: &SeriesKey) -> Option<Watched> {
        use Measure::{OfProcessors, Other, Same};
        use Sense::{Lowers, Raises};
        let (resource, sense, measure) = match key.metric() {
            PER_PROCESSOR => (Self::Cpu, Raises, Same),
            "node_cpu_utilization_ratio" => (Self::Cpu, Raises, OfProcessors),
            // Waiting for a disk, and time that other machines took, are nobody's computing here.
            "node_cpu_mode_ratio" => match key.label("mode") {
                Some("user" | "system" | "nice") => (Self::Cpu, Raises, OfProcessors),
                _ => return None,
            },
            "node_load1"
            | "node_load5"
            | "node_procs_running"
            | "node_context_switches_total"
            | "node_pressure_cpu_waiting_seconds_total" => (Self::Cpu, Raises, Other),
            "node_memory_MemAvailable_bytes" => (Self::Memory, Lowers, Same),
            "node_memory_AnonPages_bytes" => (Self::Memory, Raises, Same),
            "node_memory_SwapFree_bytes" => (Self::Memory, Lowers, Other),
            "node_memory_Committed_AS_bytes"
            | "node_memory_Shmem_bytes"
            | "node_pressure_memory_waiting_seconds_total"
            | "node_pressure_memory_stalled_seconds_total"
            | "node_vmstat_pgmajfault_total"
            | "node_vmstat_pswpin_total"
            | "node_vmstat_pswpout_total"
            | "node_vmstat_oom_kill_total" => (Self::Memory, Raises, Other),
            "node_filefd_allocated" => (Self::Descriptors, Raises, Same),
            // A socket is a descriptor too.
            "node_sockstat_sockets_used"
            | "node_sockstat_TCP_alloc"
            | "node_netstat_Tcp_CurrEstab" => (Self::Descriptors, Raises, Other),
            "node_processes_threads" => (Self::Threads, Raises, Same),
            _ => return None,
        };
        Some(Watched {
            resource,
            sense,
            measure,
        })
    }

    /// What this series of a process is a use of.
    pub(super) fn of_process(metric: &str) -> Option<Self> {
        match metric {
            "process_cpu_ratio" => Some(Self::Cpu),
            "process_resident_memory_bytes" => Some(Self::Memory),
            "process_open_fds" => Some(Self::Descriptors),
            "process_threads" => Some(Self::Threads),
            _ => None,
        }
    }

    /// The least change in a process' use that is worth a name, in the unit of its series.
    pub(super) const fn least_change(self) -> f64 {
        match self {
            Self::Cpu => 0.05,
            Self::Memory => 16.0 * 1024.0 * 1024.0,
            Self::Descriptors => 32.0,
            Self::Threads => 8.0,
        }
    }
}
