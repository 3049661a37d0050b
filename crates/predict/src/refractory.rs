//! An alert is a record: it must beat what the last samples reached.
//!
//! Emitting only what tops the recent maximum by a margin turns a burst of high scores into one or a few alerts, and
//! still finds a second anomaly soon after the first when it is the stronger one; a weaker one is found once the first
//! has passed out of the window.

use bytemuck::{Pod, Zeroable};

/// Buckets of the sliding maximum.
const BUCKETS: usize = 5;

/// The maxima of the last few buckets of samples.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Refractory {
    maxima: [f32; BUCKETS],
}

impl Refractory {
    /// `score` if it exceeds the maximum of about the last `window` samples by `margin` (1.1 = 10 %), else 0; then
    /// learns it. `n` counts the samples of the series before this one.
    pub(crate) fn step(&mut self, n: u32, score: f32, window: u32, margin: f32) -> f32 {
        let per_bucket = (window / BUCKETS as u32).max(1);
        let bucket = (n / per_bucket) as usize % BUCKETS;
        if n.is_multiple_of(per_bucket) {
            self.maxima[bucket] = 0.0;
        }
        let recent = self.maxima.iter().copied().fold(0.0, f32::max);
        self.maxima[bucket] = self.maxima[bucket].max(score);
        if score > recent * margin { score } else { 0.0 }
    }
}
