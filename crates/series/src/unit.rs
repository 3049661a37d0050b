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
    /// The least change that matters to anybody, in the unit of a level of this kind (for a counter: per second):
    /// below it a series is as good as constant. 0 where the unit does not tell.
    ///
    /// Five points of a share (a counter of seconds is a share too: seconds per second), 32 MiB held or 1 MiB/s
    /// moved, 5 ms.
    #[must_use]
    pub const fn least_change(self, kind: Kind) -> f64 {
        match (self, kind) {
            (Self::None, _) => 0.0,
            (Self::Bytes, Kind::Gauge) => 33_554_432.0,
            (Self::Bytes, Kind::Counter) => 1_048_576.0,
            (Self::Seconds, Kind::Gauge) => 0.005,
            (Self::Seconds, Kind::Counter) | (Self::Ratio, _) => 0.05,
        }
    }

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
