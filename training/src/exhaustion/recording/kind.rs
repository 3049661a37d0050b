//! What can run out in a simulated episode.

/// What can run out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The memory of a container.
    Memory,
    /// The bytes of a file system.
    Disk,
    /// The inodes of a file system.
    Inodes,
    /// The connections of a database.
    Connections,
    /// The descriptors of a process.
    Fd,
    /// The processor time of a service.
    Cpu,
    /// What a service calls.
    Dependency,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Memory,
        Self::Disk,
        Self::Inodes,
        Self::Connections,
        Self::Fd,
        Self::Cpu,
        Self::Dependency,
    ];

    /// What it is called.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Disk => "disk",
            Self::Inodes => "inodes",
            Self::Connections => "connections",
            Self::Fd => "fd",
            Self::Cpu => "cpu",
            Self::Dependency => "dependency",
        }
    }

    /// The kind that a truth tells: inodes are a variant of disks there.
    #[must_use]
    pub const fn judged_as(self) -> &'static str {
        match self {
            Self::Inodes => Self::Disk.name(),
            Self::Memory
            | Self::Disk
            | Self::Connections
            | Self::Fd
            | Self::Cpu
            | Self::Dependency => self.name(),
        }
    }

    /// Whether it serves requests, and is not merely filled.
    pub(super) const fn is_service(self) -> bool {
        matches!(self, Self::Cpu | Self::Dependency)
    }

    /// Whether what is used is gone when the process starts anew: files outlive it, and load does not ask.
    pub(super) const fn dies_with_its_process(self) -> bool {
        matches!(self, Self::Memory | Self::Connections | Self::Fd)
    }
}
