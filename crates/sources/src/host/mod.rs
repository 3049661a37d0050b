//! This host, read from `/proc`, `/sys` and `statvfs`: one file for each group of metrics.
//!
//! Names and units are those of the Prometheus node exporter where it has them, with two rules of our own. A
//! running total ends in `_total`, because a series' kind is read off its name. And a thing is reported once: as
//! the share that changes with its behaviour where the raw number only grows (CPU), else as the raw number beside
//! its limit (memory, file systems, descriptors), which is what a forecast of exhaustion needs.
//!
//! A series' key is built when the series is first met; after that a tick builds none.

mod cgroup;
mod cpu;
mod descriptors;
mod disk;
mod filesystem;
mod limits;
mod load;
mod memory;
mod network;
mod pressure;
mod probe;
mod processes;
mod procstat;
mod ranking;
mod table;
mod tcp;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;

use series::{SeriesKey, Timestamp};

use crate::Source;
use probe::Trouble;

/// This source's entry.
pub const SOURCE: Source = Source {
    name: "host",
    about: "this host: CPU, memory, disks, network, TCP, descriptors, processes, cgroups",
};

/// What to read, and how much of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where procfs is mounted. Elsewhere than `/proc` when a container looks at its host.
    pub proc: PathBuf,
    /// Where sysfs is mounted.
    pub sys: PathBuf,
    /// How many processes to name for each of CPU, memory, descriptors and threads, and as many again that are nearest
    /// to a limit of their own on descriptors and on address space.
    pub top_processes: usize,
    /// How many processes to look at in one tick; on a host with more, each is looked at every few ticks.
    pub scanned_processes: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            proc: "/proc".into(),
            sys: "/sys".into(),
            top_processes: 10,
            scanned_processes: 256,
        }
    }
}

/// One value that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The series. The same `Arc` on every tick for as long as the series lives.
    pub key: Arc<SeriesKey>,
    /// The value, in the unit that the name ends in; a count where it names none.
    pub value: f64,
}

/// A group of metrics that this host does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The group.
    pub group: &'static str,
    /// Why it cannot be read.
    pub reason: String,
}

/// Reads one group of metrics.
trait Collector: Send {
    fn collect(&mut self, at: Timestamp, out: &mut Vec<Reading>) -> Result<(), Trouble>;
}

/// A group by name, with what starts its collector.
type Group = (&'static str, fn(&Config) -> Box<dyn Collector>);

const GROUPS: &[Group] = &[
    ("cpu", |config| Box::new(cpu::Cpu::new(config))),
    ("memory", |config| Box::new(memory::Memory::new(config))),
    ("paging", |config| Box::new(memory::Paging::new(config))),
    ("load", |config| Box::new(load::Load::new(config))),
    ("cpu pressure", |config| {
        Box::new(pressure::Pressure::cpu(config))
    }),
    ("memory pressure", |config| {
        Box::new(pressure::Pressure::memory(config))
    }),
    ("i/o pressure", |config| {
        Box::new(pressure::Pressure::io(config))
    }),
    ("file systems", |config| {
        Box::new(filesystem::Filesystems::new(config))
    }),
    ("disks", |config| Box::new(disk::Disks::new(config))),
    ("network", |config| Box::new(network::Network::new(config))),
    ("tcp", |config| Box::new(tcp::Tcp::new(config))),
    ("tcp protocol", |config| {
        Box::new(tcp::Protocol::new(config))
    }),
    ("descriptors", |config| {
        Box::new(descriptors::Descriptors::new(config))
    }),
    ("threads", |config| {
        Box::new(descriptors::Threads::new(config))
    }),
    ("processes", |config| {
        Box::new(processes::Processes::new(config))
    }),
    ("cgroups", |config| Box::new(cgroup::Cgroups::new(config))),
];

/// This host's metrics.
pub struct Host {
    collectors: Vec<Running>,
    missing: Vec<Missing>,
    failures: u64,
}

struct Running {
    group: &'static str,
    collector: Box<dyn Collector>,
    worked: bool,
}

impl Host {
    /// Prepares all groups; nothing is read yet.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let start = |&(group, start): &Group| Running {
            group,
            collector: start(config),
            worked: false,
        };
        Self {
            collectors: GROUPS.iter().map(start).collect(),
            missing: Vec::new(),
            failures: 0,
        }
    }

    /// Appends what the host shows now. `at` is the present time, from which shares of time are computed: it should
    /// go forward, and where it does not there is a gap.
    ///
    /// A group that cannot be read the first time is left out from then on, see [`Host::missing`]. One that fails
    /// later leaves a gap, see [`Host::failures`]. What needs two looks, such as the use of the CPU, begins with the
    /// second call.
    pub fn collect(&mut self, at: Timestamp, out: &mut Vec<Reading>) {
        let (missing, failures) = (&mut self.missing, &mut self.failures);
        self.collectors
            .retain_mut(|running| match running.collector.collect(at, out) {
                Ok(()) => {
                    running.worked = true;
                    true
                }
                Err(_) if running.worked => {
                    *failures += 1;
                    true
                }
                Err(trouble) => {
                    missing.push(Missing {
                        group: running.group,
                        reason: trouble.to_string(),
                    });
                    false
                }
            });
    }

    /// The groups that this host does not have; complete after the first [`Host::collect`].
    #[must_use]
    pub fn missing(&self) -> &[Missing] {
        &self.missing
    }

    /// How often a group that had worked could not be read.
    #[must_use]
    pub const fn failures(&self) -> u64 {
        self.failures
    }
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let groups: Vec<_> = self
            .collectors
            .iter()
            .map(|running| running.group)
            .collect();
        f.debug_struct("Host")
            .field("groups", &groups)
            .field("missing", &self.missing)
            .finish_non_exhaustive()
    }
}

/// A series whose key is built once; a key that cannot be built (a mount point longer than a label may be) is a
/// series that is not reported.
#[derive(Debug, Clone)]
struct Line(Option<Arc<SeriesKey>>);

impl Line {
    fn new(metric: &str, labels: &[(&str, &str)]) -> Self {
        Self(
            SeriesKey::new(metric, labels.iter().copied())
                .ok()
                .map(Arc::new),
        )
    }

    fn put(&self, value: f64, out: &mut Vec<Reading>) {
        if let Some(key) = &self.0 {
            out.push(Reading {
                key: Arc::clone(key),
                value,
            });
        }
    }
}
