//! How odd is now. Detectors, ensemble, calibration, risk. A crate because it keeps a promise: no I/O, no clock,
//! no allocation once a series is known.

mod risk;
mod score;

pub use risk::{Event, EventId, Factor, MAX_FACTORS, Phase, Risk};
pub use score::Score;
