//! What is remembered on disk: learned state and what people said about alerts. A crate because it fences the disk:
//! torn writes, full file systems and files of other versions are met here and nowhere else. The engine's own bytes
//! are opaque to it.

pub mod capture;
mod feedback;
pub mod models;
mod snapshot;
mod state_dir;

pub use feedback::{Appended, Feedback, FeedbackError, FeedbackLog, NewFeedback, Verdict};
pub use snapshot::{
    FORMAT_VERSION, FormatError, LoadError, Refused, Restored, SaveError, Snapshots,
};
pub use state_dir::{OpenError, StateDir};
