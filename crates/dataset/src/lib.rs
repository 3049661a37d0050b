//! Captured data sets, looked at and cut as tables. A crate because it fences polars.
//!
//! A captured data set is a folder: `samples/date=YYYY-MM-DD/part-*.parquet`, and beside it `feedback/` and
//! `provenance/` in the same layout. Everything here reads it part by part, or window of time by window of time, so
//! that memory stays bounded however large the folder is.

mod check;
mod cut;
mod date;
mod describe;
mod export;
mod folder;
mod fresh;
#[cfg(test)]
mod made;
mod merge;
mod public;
mod read;
mod selector;
mod small;
mod table;
mod windows;
mod write;

pub use check::{Checked, Problem, check};
pub use cut::{Cut, CutError, cut};
pub use date::{day_of, day_text};
pub use describe::{Description, MarkCount, MetricSummary, Shares, TableSize, describe};
pub use export::{ExportError, Format, export};
pub use folder::{Folder, OpenError, Part};
pub use fresh::{Fresh, FreshError};
pub use merge::{MergeError, merge};
pub use public::{Column, File, Labels, Public, PublicError, public};
pub use read::ReadError;
pub use selector::{Selector, SelectorError};
pub use table::Table;
pub use windows::WindowError;
pub use write::WriteError;

/// Told how many rows are done, and how many there are in all.
pub type Progress<'a> = &'a mut dyn FnMut(u64, u64);
