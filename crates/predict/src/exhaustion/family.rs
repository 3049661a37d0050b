//! What can run out.

use super::{connections, cpu, dependency, descriptors, disk, memory};

/// A kind of resource that can run out. Each has a file beside this one that says which metrics it is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Family {
    /// Bytes of a container, a process or a host, against its limit.
    Memory,
    /// Processor time against its quota, and what its shortage does to requests.
    Cpu,
    /// Bytes of a file system.
    Disk,
    /// Inodes of a file system.
    Inodes,
    /// Connections of a database or a pool.
    Connections,
    /// File descriptors of a process or a host.
    Descriptors,
    /// Threads or tasks.
    Threads,
    /// Something that answers on our behalf: its latency and its errors against their objectives.
    Dependency,
}

/// All of them, in the order of their numbers.
pub const FAMILIES: [Family; 8] = [
    Family::Memory,
    Family::Cpu,
    Family::Disk,
    Family::Inodes,
    Family::Connections,
    Family::Descriptors,
    Family::Threads,
    Family::Dependency,
];

/// What could be done, by name; the planner knows more about each.
pub type Action = &'static str;

impl Family {
    /// The name in configuration, telemetry and on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Cpu => "cpu",
            Self::Disk => "disk",
            Self::Inodes => "inodes",
            Self::Connections => "connections",
            Self::Descriptors => "descriptors",
            Self::Threads => "threads",
            Self::Dependency => "dependency",
        }
    }

    /// The unit of [`super::Outlook::level`] and its limit.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Memory | Self::Disk => "bytes",
            Self::Inodes => "inodes",
            Self::Connections => "connections",
            Self::Descriptors => "descriptors",
            Self::Threads => "threads",
            Self::Cpu | Self::Dependency => "ratio",
        }
    }

    /// What can be done when it runs out, best first.
    #[must_use]
    pub const fn actions(self) -> &'static [Action] {
        match self {
            Self::Memory => memory::ACTIONS,
            Self::Cpu => cpu::ACTIONS,
            Self::Disk => disk::DISK_ACTIONS,
            Self::Inodes => disk::INODE_ACTIONS,
            Self::Connections => connections::ACTIONS,
            Self::Descriptors => descriptors::DESCRIPTOR_ACTIONS,
            Self::Threads => descriptors::THREAD_ACTIONS,
            Self::Dependency => dependency::ACTIONS,
        }
    }
}
