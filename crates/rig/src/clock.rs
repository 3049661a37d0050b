//! The wall clock: what is written down is when something happened here, never a time that was handed in.

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since the epoch.
pub(crate) fn now_s() -> f64 {
    #[expect(
        clippy::disallowed_methods,
        reason = "a rig records real faults, which happen at no other time than the real one"
    )]
    let now = SystemTime::now();
    now.duration_since(UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64())
}

/// To the millisecond, as recordings write instants.
pub(crate) fn to_millis(s: f64) -> f64 {
    (s * 1e3).round() / 1e3
}
