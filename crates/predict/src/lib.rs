//! How odd is now. Detectors, ensemble, calibration, risk. A crate because it keeps a promise: no I/O, no clock,
//! no allocation once a series is known.

pub mod anomaly;
mod calibrate;
mod ensemble;
mod event;
pub mod exhaustion;
pub mod forecast;
mod refractory;
mod risk;
mod score;

pub use ensemble::{Ensemble, EnsembleConfig, Judged, Member};
pub use risk::{Event, EventId, Factor, MAX_FACTORS, Phase, Risk, insert_factor};
pub use score::Score;
