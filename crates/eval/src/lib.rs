//! How accuracy is judged: data sets in, tables out. It has two users who share nothing else, the command line and
//! the tests of detectors, and keeps a promise to both: it knows no engine, only scores.

pub mod calibration;
pub mod column;
pub mod datasets;
pub mod events;
pub mod exhaustion;
pub mod floors;
pub mod incidents;
mod labels;
pub mod nab;
pub mod report;
pub mod rng;
pub mod spread;
pub mod vus;

pub use labels::{Labelled, segments};
