//! Data on its way into training: read once in the order of its source, then in blocks in any order.
//!
//! The spool is a scratch file of softened inputs and targets. Only an index of blocks is held in memory, 40 bytes for
//! some five hundred rows, so data may be larger than memory.

mod block;
mod write;

pub use block::{Block, Role, Slice, Spool};
pub use write::SpoolWriter;

use std::path::PathBuf;

/// Targets are cut to this many sigmas either way: what is further is as surprising.
pub(crate) const MOST: f32 = 100.0;

/// Why rows could not be put aside or taken back.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The scratch file fails.
    #[error("using the scratch file {path}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Whoever takes the rows has had enough.
    #[error("stopped")]
    Stopped,
    /// A chunk contradicts itself.
    #[error(
        "a chunk of series {series:#x} has {times} times, {columns} rows and {marks} marks, expected as many of each"
    )]
    Lengths {
        /// Whose.
        series: u64,
        /// How many.
        times: usize,
        /// How many.
        columns: usize,
        /// How many.
        marks: usize,
    },
    /// Rows go back in time.
    #[error("series {series:#x} goes back from {before} to {after} (microseconds since 1970)")]
    Order {
        /// Whose.
        series: u64,
        /// The time of a row.
        before: i64,
        /// The time of the row after it.
        after: i64,
    },
}

#[cfg(test)]
mod tests;
