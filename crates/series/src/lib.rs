//! What a metric is: key, labels, id, unit, time, sample. The floor that every other crate stands on; it
//! keeps a promise that the others rely on: no I/O, and no clock of its own.

mod key;
mod limits;
mod refusal;
mod registry;
mod sample;
mod time;
mod unit;

pub use key::{KeyError, SeriesId, SeriesKey};
pub use limits::{MAX_LABELS, MAX_NAME_BYTES, MAX_VALUE_BYTES};
pub use refusal::{REFUSALS, Refusal};
pub use registry::{Registered, Registry};
pub use sample::Sample;
pub use time::{Clock, Timestamp};
pub use unit::{Kind, Unit};
