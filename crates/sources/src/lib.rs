//! Metrics in: this host, and recorded files. A crate of its own because it fences what reads them: procfs,
//! rustix, flate2, jiff, arrow and parquet. Everything here is synchronous; whoever wants threads brings them.

pub mod host;
pub mod replay;

/// One way for metrics to come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    /// Its key in the configuration and its label in telemetry.
    pub name: &'static str,
    /// One line about it.
    pub about: &'static str,
}

/// Every source of this crate.
pub const SOURCES: &[Source] = &[host::SOURCE, replay::SOURCE];
