//! What is known of continuous learning, for whoever asks.

use parking_lot::Mutex;
use series::Timestamp;

/// What the retraining thread does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Phase {
    /// Waits for the next check.
    #[default]
    Idle,
    /// Reads new samples.
    Checking,
    /// Trains a candidate.
    Training,
    /// Compares it with the champion.
    Judging,
}

/// Counted since the start.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Counts {
    pub(crate) phase: Phase,
    pub(crate) checks: u64,
    pub(crate) trainings: u64,
    pub(crate) promotions: u64,
    pub(crate) refusals: u64,
    pub(crate) failures: u64,
    /// New samples at the last check, and how many are needed.
    pub(crate) new_rows: u64,
    pub(crate) needed_rows: u64,
    /// The last measured drift.
    pub(crate) drift_features: f64,
    pub(crate) drift_feature: &'static str,
    pub(crate) drift_calibration: f64,
    /// How far the training is, 0 to 1.
    pub(crate) progress: f64,
    pub(crate) last_check: Option<Timestamp>,
    /// What came of the last check, for people.
    pub(crate) last_outcome: String,
}

/// Kept by the retraining thread, read by anyone.
#[derive(Debug, Default)]
pub(crate) struct LearningStatus(Mutex<Counts>);

impl LearningStatus {
    /// As it stands.
    pub(crate) fn now(&self) -> Counts {
        self.0.lock().clone()
    }

    pub(super) fn update(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.0.lock());
    }
}
