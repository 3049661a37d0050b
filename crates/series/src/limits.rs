//! Bounds on what a peer may call a series. Far above honest use, far below what would hurt.

/// Longest metric or label name, in bytes of UTF-8.
pub const MAX_NAME_BYTES: usize = 512;
/// Longest label value, in bytes of UTF-8.
pub const MAX_VALUE_BYTES: usize = 2048;
/// Most labels on one series.
pub const MAX_LABELS: usize = 64;
