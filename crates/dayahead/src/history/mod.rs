//! Three weeks of one resource in at most 8 KiB.

mod past;
mod ring;
mod snapshot;

pub(crate) use past::Past;
pub use ring::{History, SLOTS, StepError};
pub use snapshot::{MAX_BYTES, SnapshotError};

/// Seconds of a day.
pub(crate) const DAY_S: u32 = 86_400;
