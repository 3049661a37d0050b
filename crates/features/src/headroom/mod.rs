//! How a share of a limit moves: a window of bins as a row of numbers without scale.
//!
//! A *bin* is a stretch of samples taken together (20 seconds by default); a *level* is the share of a limit that is used,
//! 0 to 1. All lengths are in bins and all movements in parts of what is left, so that a container of 64 MiB and a file
//! system of 10 TB that fill alike look alike.

mod columns;
mod trace;

pub use columns::{Columns, HEADROOM_SCHEMA, N_HEADROOM, columns};
pub use trace::{TRACE_BINS, Trace};
