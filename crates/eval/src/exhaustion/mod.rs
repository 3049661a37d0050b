//! When does it run out? Predictions judged on episodes whose outcome is known.
//!
//! An episode is a recording of one resource under load, and a file that says what came of it ([`Truth`]). The recording's
//! clock may be slower than the time that it stands for: *episode time* runs `time_scale` times as fast, and horizons, times
//! to exhaustion and rates of false alarms are all in episode time. Every 5 seconds of the recording a prediction is
//! asked for ([`Exam`]); a predictor sees the samples up to then and the time scale, and nothing else of the truth.
//!
//! Measures, labels and edges are those of the scorer in Python that comes with the development data, and agree with it to
//! 1e-6 (`tests/exhaustion.rs`).

mod alarm;
pub mod baseline;
mod card;
mod classified;
mod episodes;
mod exam;
mod figures;
mod predictions;
mod remaining;
mod truth;

pub use card::Card;
pub use episodes::{Episode, EpisodesError, MIN_ROWS, episodes};
pub use exam::{Exam, FIRST_S, HORIZONS_S, Question, STRIDE_S};
pub use figures::{Alarm, Budget, Figures, Horizon, Interval, Spread, TimeError};
pub use predictions::{Prediction, Predictions, PredictionsError};
pub use truth::Truth;
