//! Ways to forecast.

/// How the next day is forecast. What a history is too short for falls back to the next that it is long enough for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Method {
    /// [`Method::Mstl`] if the history is long enough.
    #[default]
    Auto,
    /// Daily seasons from 2 days on, weekly ones from 14 days on, and exponential smoothing of the rest.
    Mstl,
    /// Exponential smoothing without seasons; from 8 hours on.
    Ets,
    /// A robust line; from 2 hours on.
    Trend,
    /// Prophet, from 2 days on. The first forecast of a process starts its runtime, which takes seconds in an optimised
    /// build.
    #[cfg(feature = "prophet")]
    Prophet,
}

impl Method {
    /// The name in configuration and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Mstl => "mstl",
            Self::Ets => "ets",
            Self::Trend => "trend",
            #[cfg(feature = "prophet")]
            Self::Prophet => "prophet",
        }
    }
}
