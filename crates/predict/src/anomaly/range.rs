//! The range that a statistic has lately covered: grows at once, contracts slowly.

use bytemuck::{Pod, Zeroable};

/// Samples over which an unvisited part of the range shrinks by half.
const HALF_LIFE: f32 = 4000.0;
/// Share of the range given up per sample, from both ends together.
const CONTRACTION: f32 = std::f32::consts::LN_2 / HALF_LIFE;

/// A running range. Distances are divided by its width, which puts every series on one scale.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Range {
    low: f32,
    high: f32,
}

impl Range {
    /// The range of one value.
    pub(super) const fn of(x: f32) -> Self {
        Self { low: x, high: x }
    }

    /// Contracts by one sample's worth, then takes in `x`.
    pub(super) fn learn(&mut self, x: f32) {
        let give = 0.5 * CONTRACTION * self.width();
        self.low = (self.low + give).min(x);
        self.high = (self.high - give).max(x);
    }

    /// From end to end; 0 for a constant.
    pub(super) fn width(&self) -> f32 {
        self.high - self.low
    }

    /// Halfway.
    pub(super) fn middle(&self) -> f32 {
        0.5 * (self.low + self.high)
    }
}
