//! Straight lines through the last bins, by least squares.

use crate::headroom::TRACE_BINS;

/// A straight line through the last bins.
#[derive(Clone, Copy, Default)]
pub(super) struct Line {
    /// Per bin.
    pub(super) slope: f32,
    /// Standard deviation about the line.
    pub(super) noise: f32,
    /// Where the line ends.
    pub(super) end: f32,
}

/// Sums over suffixes: of values, of values times their age, of squares.
pub(super) struct Sums {
    x: [f64; TRACE_BINS + 1],
    ax: [f64; TRACE_BINS + 1],
    xx: [f64; TRACE_BINS + 1],
}

impl Sums {
    /// `levels`: oldest first.
    pub(super) fn new(levels: &[f32]) -> Self {
        let mut sums = Self {
            x: [0.0; TRACE_BINS + 1],
            ax: [0.0; TRACE_BINS + 1],
            xx: [0.0; TRACE_BINS + 1],
        };
        for (age, &level) in levels.iter().rev().enumerate() {
            let level = f64::from(level);
            sums.x[age + 1] = sums.x[age] + level;
            sums.ax[age + 1] = sums.ax[age] + level * age as f64;
            sums.xx[age + 1] = sums.xx[age] + level * level;
        }
        sums
    }

    /// The line through the bins of ages `from..to` (0 is the newest), by least squares.
    pub(super) fn line(&self, from: usize, to: usize) -> Line {
        let n = (to - from) as f64;
        if n < 2.0 {
            return Line::default();
        }
        let x = self.x[to] - self.x[from];
        let ax = self.ax[to] - self.ax[from];
        let xx = self.xx[to] - self.xx[from];
        let mean_age = (from + to - 1) as f64 / 2.0;
        let spread = n * (n * n - 1.0) / 12.0;
        let against_age = (ax - mean_age * x) / spread;
        let mean = x / n;
        let rest = (xx - x * mean - against_age * against_age * spread).max(0.0);
        Line {
            slope: -against_age as f32,
            noise: (rest / (n - 1.0)).sqrt() as f32,
            end: (mean + against_age * (from as f64 - mean_age)) as f32,
        }
    }

    pub(super) fn mean(&self, from: usize, to: usize) -> f32 {
        if to <= from {
            return 0.0;
        }
        ((self.x[to] - self.x[from]) / (to - from) as f64) as f32
    }
}

/// The slope per bin of a few numbers at even distances of `step` bins, oldest first, by least squares.
pub(super) fn slope(values: &[f32], step: f32) -> f32 {
    let n = values.len() as f32;
    if values.len() < 2 {
        return 0.0;
    }
    let middle = (n - 1.0) / 2.0;
    let against: f32 = values
        .iter()
        .zip(0u8..)
        .map(|(v, i)| v * (f32::from(i) - middle))
        .sum();
    against / (n * (n * n - 1.0) / 12.0) / step
}
