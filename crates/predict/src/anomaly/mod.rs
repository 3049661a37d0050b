//! Detectors: how odd is this sample, seen in one way. One file and one entry in [`DETECTORS`] each.

mod cycle;
mod delay;
mod dice;
mod forest;
mod grid;
mod lstm;
mod novelty;
mod peers;
mod range;
mod rarity;
mod residual;
mod shift;
mod table;

use catalog::{BuildError, Entry};
use features::Row;

use crate::forecast::{Runner, StepError};

pub use table::{PerSeries, Table};

/// Samples of different series, no series twice: what a detector is called on.
#[derive(Debug, Clone, Copy)]
pub struct Block<'a> {
    /// Which series each row belongs to, as indices into tables of state; shape `(rows,)`.
    pub series: &'a [u32],
    /// The group of each row's series, [`NO_GROUP`] if it has none; shape `(rows,)`.
    pub groups: &'a [u32],
    /// Time of each row in microseconds since the epoch; shape `(rows,)`.
    pub times: &'a [i64],
    /// The level behind each row, in the unit of its series; shape `(rows,)`.
    pub levels: &'a [f64],
    /// What is known of each sample; shape `(rows,)`.
    pub rows: &'a [Row],
}

/// The group of a series that has no replicas.
pub const NO_GROUP: u32 = u32::MAX;

/// A way to see how odd a sample is, by what came before in its series.
///
/// Implementors promise: the raw score is finite and at least 0, 0 means nothing odd; it depends on earlier samples
/// of the same series (and group) and on nothing else; the same input gives the same bits; nothing allocates except
/// in [`Detector::add_series`]. A raw score has the detector's own scale: only a calibrator may compare two of them.
pub trait Detector: Send + std::fmt::Debug {
    /// Makes room for one more series, of a group or of [`NO_GROUP`].
    fn add_series(&mut self, group: u32);
    /// Scores each row of the block, then learns from it; `out` has one place per row.
    fn score(&mut self, block: &Block<'_>, out: &mut [f32]);
    /// Whether it scores nothing before it has [adopted](Detector::adopt) a model.
    fn needs_model(&self) -> bool {
        false
    }
    /// Forecasts by this model from now on.
    ///
    /// # Errors
    /// [`AdoptError`] when it takes no model, or this one does not fit; the one before stays.
    fn adopt(&mut self, runner: Runner) -> Result<(), AdoptError> {
        drop(runner);
        Err(AdoptError::NobodyTakesIt)
    }
    /// How many blocks its model failed on since this was asked last.
    fn take_failures(&mut self) -> u64 {
        0
    }
    /// Bytes of state per series.
    fn state_bytes(&self) -> usize;
    /// Appends the state of one series to `out`, [`Detector::state_bytes`] long.
    fn save(&self, series: usize, out: &mut Vec<u8>);
    /// Takes the state of one series from bytes of that length.
    fn load(&mut self, series: usize, bytes: &[u8]);
}

/// Why a model was not adopted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdoptError {
    /// It remembers more of each series than there is room for.
    #[error(
        "the model has a hidden state of {hidden}, there is room for {room} per series: raise engine.detectors.lstm.max_hidden and restart"
    )]
    Hidden {
        /// The model's.
        hidden: usize,
        /// The room.
        room: usize,
    },
    /// No detector in use forecasts.
    #[error("no detector in use takes a model: engine.detectors.lstm is not enabled")]
    NobodyTakesIt,
    /// The model cannot be run.
    #[error(transparent)]
    Session(#[from] StepError),
    /// The ensemble could not be built with it.
    #[error("{0}")]
    Refused(String),
}

/// Every detector there is, in the order in which their scores are reported.
pub const DETECTORS: &[Entry<dyn Detector>] = &[
    novelty::LEVEL,
    novelty::MEAN_6,
    novelty::MEAN_24,
    novelty::CHANGE,
    novelty::DEVIATION_6,
    novelty::DEVIATION_24,
    novelty::SPREAD_12,
    novelty::SPREAD_48,
    novelty::SEASON,
    cycle::ENTRY,
    delay::ENTRY,
    rarity::ENTRY,
    residual::ENTRY,
    shift::ENTRY,
    peers::ENTRY,
    forest::ENTRY,
    lstm::ENTRY,
];

/// Refuses an option outside `above < value <= most`.
fn within(
    name: &str,
    option: &'static str,
    value: f32,
    above: f32,
    most: f32,
) -> Result<(), BuildError> {
    if value > above && value <= most {
        return Ok(());
    }
    Err(BuildError::Range {
        name: name.to_owned(),
        option,
        value: value.to_string(),
        expected: "above 0 and within its bound",
    })
}
