//! One scored sample as it is captured, and the closed sets of its columns.

use features::N_COLUMNS;

/// How many microseconds a day has: the partitions are days in UTC.
pub(super) const DAY_US: i64 = 86_400_000_000;

/// One scored sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// The caller's number for the series; what it is called is asked for once per series.
    pub series: u32,
    /// What the sample did to an event.
    pub event: EventPhase,
    /// Sparse, on an absolute scale from 0 to 1.
    pub alert_score: f32,
    /// In microseconds since 1970-01-01T00:00:00Z.
    pub time_us: i64,
    /// The value as it came.
    pub value: f64,
    /// What the detectors saw: the value, or the rate per second of a counter.
    pub level: f64,
    /// Dense and calibrated, from 0 to 1.
    pub score: f64,
    /// The features, in the order of [`features::SCHEMA`].
    pub columns: [f32; N_COLUMNS],
}

/// Where a sample stands in an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EventPhase {
    /// In none.
    #[default]
    None,
    /// An event began with it.
    Opened,
    /// An event goes on.
    Open,
    /// An event ended with it.
    Closed,
}

/// Under which circumstances a sample was observed. The later one wins where two meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Provenance {
    /// Nobody interfered.
    #[default]
    Normal,
    /// A fault was injected, or known to be there.
    Fault,
    /// Somebody acted on a fault: what looks quiet now says nothing about what led here.
    Mitigated,
}

impl EventPhase {
    /// All of them, in the order of their codes in a file.
    pub(super) const ALL: [Self; 4] = [Self::None, Self::Opened, Self::Open, Self::Closed];

    /// As files spell it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Opened => "opened",
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.name() == text)
    }
}

impl Provenance {
    /// All of them, in the order of their codes in a file.
    pub(super) const ALL: [Self; 3] = [Self::Normal, Self::Fault, Self::Mitigated];

    /// As files spell it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Fault => "fault",
            Self::Mitigated => "mitigated",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == text)
    }
}
