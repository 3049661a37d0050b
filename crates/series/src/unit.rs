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

/// The base unit of a metric, for display.
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
}

impl Unit {
    /// By the suffix of the metric's name, ignoring `_total`.
    #[must_use]
    pub fn of_metric(name: &str) -> Self {
        let base = name.strip_suffix("_total").unwrap_or(name);
        if base.ends_with("_bytes") {
            Self::Bytes
        } else if base.ends_with("_seconds") {
            Self::Seconds
        } else if base.ends_with("_ratio") {
            Self::Ratio
        } else {
            Self::None
        }
    }
}
