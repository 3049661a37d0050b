//! How a share of a limit moves: a window of bins as a row of numbers without scale.
//!
//! A *bin* is a stretch of samples taken together ([`BIN_S`] seconds); a *level* is the share of a limit that is used, 0 to 1.
//! All lengths are in bins and all movements in parts of what is left, so that a container of 64 MiB and a file system of
//! 10 TB that fill alike look alike. What serves and what trains make their rows here and nowhere else.

mod columns;
mod histogram;
mod schema;
mod service;
mod trace;

pub use columns::columns;
pub use histogram::histogram_quantile;
pub use schema::{Columns, HEADROOM_SCHEMA, N_HEADROOM, place};
pub use service::{N_SERVICE, service_row};
pub use trace::{TRACE_BINS, Trace};

/// Seconds of a bin.
pub const BIN_S: f64 = 20.0;
