//! The tables: every measure of every score column, the floors beside them from the same run, each with its spread.
//!
//! A table prints itself as aligned text and serialises to JSON. Thresholds are chosen on the very series they are then
//! judged on, as the benchmarks do; the interval, over series at that threshold, does not correct for the choice.

mod calibration;
mod exhaustion;
mod labelled;
mod nab;
mod text;

pub use calibration::{CalibrationRow, CalibrationTable, calibration};
pub use exhaustion::{ExhaustionTable, KindRow, PredictorRow, TARGETS, Target, exhaustion};
pub use labelled::{LabelledRow, LabelledTable, labelled};
pub use nab::{NabCell, NabRow, NabTable, nab};

#[cfg(test)]
mod tests;
