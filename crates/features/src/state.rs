//! What is remembered of one series to compute its features: fixed size, plain bytes.

use bytemuck::{Pod, Zeroable};

/// How many of the last values are kept, newest first: as many as the longest window needs.
pub(crate) const RECENT: usize = 48;

/// What is remembered of one series. Plain bytes, so that a snapshot is a copy.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct State {
    /// The first level: `x` is counted from here.
    pub(crate) origin: f64,
    /// The last raw value, to turn counters into rates.
    pub(crate) last_raw: f64,
    /// Time of the last sample taken, µs.
    pub(crate) last_at: i64,
    /// Time of the last sample refused as too old, µs: a clock that was set back shows as a run of them.
    pub(crate) late_at: i64,
    /// Usual seconds between samples.
    pub(crate) step_s: f32,
    /// Levels seen.
    pub(crate) n: u32,
    /// Raw samples seen, saturating at 2: a counter gives no level at its first.
    pub(crate) raw_seen: u16,
    /// Length of the present run of refused, forward-moving old samples.
    pub(crate) late_run: u16,
    /// One unit of `x` is two to this in the unit of the level.
    pub(crate) unit_log2: i16,
    /// Whether `unit_log2` is set: 0 until the first level that is not 0.
    pub(crate) unit_set: u16,
    pub(crate) mean_short: f32,
    pub(crate) mean_long: f32,
    pub(crate) mean_slow: f32,
    pub(crate) holt_level: f32,
    pub(crate) holt_trend: f32,
    pub(crate) dev_change: f32,
    pub(crate) dev_short: f32,
    pub(crate) dev_long: f32,
    pub(crate) dev_slow: f32,
    pub(crate) dev_season: f32,
    pub(crate) var_short: f32,
    pub(crate) var_long: f32,
    pub(crate) residual: f32,
    pub(crate) autocov: f32,
    pub(crate) recent: [f32; RECENT],
}
