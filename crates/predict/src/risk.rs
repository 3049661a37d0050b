//! What the engine says about one sample.

use series::{SeriesId, Timestamp};

use crate::Score;

/// How many contributing detectors and features a [`Risk`] names.
pub const MAX_FACTORS: usize = 3;

/// One contributor: a detector or a feature, by its place in the list of names, and its share.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Factor {
    /// Place in `Ensemble::names()` or `features::SCHEMA`.
    pub index: u8,
    /// Share of the whole, 0..=1; 0 means "no factor here".
    pub share: f32,
}

/// Puts `factor` among the largest by share, if it belongs there.
pub fn insert_factor(top: &mut [Factor; MAX_FACTORS], factor: Factor) {
    let Some(place) = top.iter().position(|other| factor.share > other.share) else {
        return;
    };
    top[place..].rotate_right(1);
    top[place] = factor;
}

/// An event's number, unique within one engine and its snapshots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(pub u64);

/// What this sample did to the event it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It began with this sample.
    Opened,
    /// It goes on.
    Open,
    /// It ended with this sample.
    Closed,
}

/// An event seen from one sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event {
    /// Which.
    pub id: EventId,
    /// What this sample did to it.
    pub phase: Phase,
    /// When it began.
    pub since: Timestamp,
    /// The highest alert score in it so far.
    pub peak: f32,
}

/// What the engine says about one sample of one series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Risk {
    /// Which series.
    pub series: SeriesId,
    /// The sample's time.
    pub at: Timestamp,
    /// The sample's value as it came, before a counter became a rate.
    pub value: f64,
    /// What the detectors saw: the value, or the rate per second of a counter.
    pub level: f64,
    /// What was expected at this time, in the unit of `level`.
    pub expected: f64,
    /// Half width of the usual band about `expected` (about three standard deviations), in the same unit.
    pub band: f64,
    /// Dense and calibrated: see [`Score`].
    pub score: Score,
    /// On an absolute scale from 0 to 1, sparse: emitted when something new stands out from the last samples.
    pub alert_score: f32,
    /// How much has been seen of this series: 0 at the first sample, 1 when warm-up is over.
    pub confidence: f32,
    /// The event that this sample belongs to, if any.
    pub event: Option<Event>,
    /// The detectors that contribute most, largest first.
    pub detectors: [Factor; MAX_FACTORS],
    /// The features that stand out most, largest first.
    pub features: [Factor; MAX_FACTORS],
}
