//! What can be wrong: nine classes, and the five areas that health is told for.

use serde::{Deserialize, Serialize};

/// A kind of issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// A process, container or pod was killed for its memory, or starts again and again.
    ProcessCrash,
    /// Processors are busy above 85 %, or soon will be.
    CpuSaturation,
    /// Memory is used above 90 %, or soon runs out.
    MemoryExhaustion,
    /// A disk is above 95 %, in bytes or inodes, or soon full.
    DiskExhaustion,
    /// Answers take longer than 200 ms, or what is called fails.
    NetworkLatency,
    /// Queries take longer than 5 s, or connections run out.
    SlowQueries,
    /// A certificate expires in less than 30 days.
    CertificateExpiry,
    /// A package with a known vulnerability is in use.
    Vulnerability,
    /// A configuration differs from the declared one.
    ConfigurationDrift,
}

/// What health is told for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Area {
    /// Processes, processors, memory.
    Compute,
    /// Latency and what is called.
    Network,
    /// Disks.
    Storage,
    /// Queries and connections.
    Database,
    /// Certificates, vulnerabilities, configuration.
    Security,
}

impl Class {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::ProcessCrash,
        Self::CpuSaturation,
        Self::MemoryExhaustion,
        Self::DiskExhaustion,
        Self::NetworkLatency,
        Self::SlowQueries,
        Self::CertificateExpiry,
        Self::Vulnerability,
        Self::ConfigurationDrift,
    ];

    /// The name in configuration, telemetry and storage.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ProcessCrash => "process_crash",
            Self::CpuSaturation => "cpu_saturation",
            Self::MemoryExhaustion => "memory_exhaustion",
            Self::DiskExhaustion => "disk_exhaustion",
            Self::NetworkLatency => "network_latency",
            Self::SlowQueries => "slow_queries",
            Self::CertificateExpiry => "certificate_expiry",
            Self::Vulnerability => "vulnerability",
            Self::ConfigurationDrift => "configuration_drift",
        }
    }

    /// The class of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }

    /// What its issues count against.
    #[must_use]
    pub const fn area(self) -> Area {
        match self {
            Self::ProcessCrash | Self::CpuSaturation | Self::MemoryExhaustion => Area::Compute,
            Self::NetworkLatency => Area::Network,
            Self::DiskExhaustion => Area::Storage,
            Self::SlowQueries => Area::Database,
            Self::CertificateExpiry | Self::Vulnerability | Self::ConfigurationDrift => {
                Area::Security
            }
        }
    }
}

impl Area {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Compute,
        Self::Network,
        Self::Storage,
        Self::Database,
        Self::Security,
    ];

    /// The name on the wire and for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Compute => "compute",
            Self::Network => "network",
            Self::Storage => "storage",
            Self::Database => "database",
            Self::Security => "security",
        }
    }
}
