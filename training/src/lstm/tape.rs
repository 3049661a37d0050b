//! One window of sixteen series: what goes in, and what the forward pass leaves for the backward pass.

use super::packed::Packed;
use super::parameters::Shape;
use crate::learner::Group;
use crate::simd::Wide;

/// Pads a slab so that its length is an odd number of cache lines: at a power of two, the same place of every step
/// would compete for the same few lines of the cache.
const fn padded(rows: usize) -> usize {
    rows | 1
}

/// The state that goes from one window to the next; zero at the beginning of a series.
#[derive(Debug, Clone, PartialEq)]
pub struct Carry {
    /// Shape `(H,)`.
    pub h: Vec<Wide>,
    /// Shape `(H,)`.
    pub c: Vec<Wide>,
}

impl Carry {
    /// The state of series of which nothing was seen.
    #[must_use]
    pub fn zero(shape: Shape) -> Self {
        Self {
            h: vec![Wide::ZERO; shape.hidden],
            c: vec![Wide::ZERO; shape.hidden],
        }
    }
}

/// What the forecasts of a window are judged by. Row `t` of both is sample `t` of the window; they reach further than
/// the window by the greatest horizon.
#[derive(Debug, Clone, Copy)]
pub struct Targets<'a> {
    /// Steps ahead of each forecast.
    pub horizons: &'a [usize],
    /// What each horizon counts for.
    pub horizon_weights: &'a [f32],
    /// What came; finite even where the weight is 0.
    pub values: &'a [Wide],
    /// What it counts for: 0 where there is no sample, or one that must not be learned.
    pub weights: &'a [Wide],
}

/// Buffers of one window.
#[derive(Debug, Clone)]
pub struct Tape {
    pub(super) shape: Shape,
    pub(super) steps: usize,
    /// Slab `t`: inputs of step `t`, then the state `h` before it.
    pub(super) reads: Vec<Wide>,
    pub(super) reads_stride: usize,
    /// Slab `t`: the gates of step `t` by unit (i, o, f, c), then what the head gave at step `t - 1`. The backward pass
    /// replaces both by their gradients.
    pub(super) deltas: Vec<Wide>,
    pub(super) deltas_stride: usize,
    /// Slab `t`: the cell state before step `t`.
    pub(super) cells: Vec<Wide>,
    /// Slab `t`: tanh of the cell state after step `t`.
    pub(super) cell_tanh: Vec<Wide>,
    /// Gradient of the biases of gates and head, by lane; shape `(4H + outs,)`.
    pub(super) bias: Vec<Wide>,
    /// Gradient of the cell state on its way back; shape `(H,)`.
    pub(super) cell_delta: Vec<Wide>,
}

impl Tape {
    /// Room for windows of `steps`, at least 1.
    #[must_use]
    pub fn new(shape: Shape, steps: usize) -> Self {
        let (reads_stride, deltas_stride) = (padded(shape.reads()), padded(shape.deltas()));
        Self {
            shape,
            steps,
            reads: vec![Wide::ZERO; (steps + 1) * reads_stride],
            reads_stride,
            deltas: vec![Wide::ZERO; (steps + 1) * deltas_stride],
            deltas_stride,
            cells: vec![Wide::ZERO; (steps + 1) * shape.hidden],
            cell_tanh: vec![Wide::ZERO; steps * shape.hidden],
            bias: vec![Wide::ZERO; shape.deltas()],
            cell_delta: vec![Wide::ZERO; shape.hidden],
        }
    }

    /// Steps of a window.
    #[must_use]
    pub const fn steps(&self) -> usize {
        self.steps
    }

    /// Inputs of step `t`; shape `(F,)`.
    pub fn inputs_mut(&mut self, t: usize) -> &mut [Wide] {
        let start = t * self.reads_stride;
        &mut self.reads[start..start + self.shape.inputs]
    }

    /// Takes the inputs of a group and runs its window forward.
    pub fn run(&mut self, group: &Group, packed: &Packed, carry: &mut Carry) {
        for (t, inputs) in group.inputs.chunks_exact(self.shape.inputs).enumerate() {
            self.inputs_mut(t).copy_from_slice(inputs);
        }
        self.forward(packed, carry);
    }

    /// The state `h` after step `t`; shape `(H,)`.
    #[must_use]
    pub fn state(&self, t: usize) -> &[Wide] {
        let start = (t + 1) * self.reads_stride + self.shape.inputs;
        &self.reads[start..start + self.shape.hidden]
    }

    /// The cell state after step `t`; shape `(H,)`.
    #[must_use]
    pub fn cell(&self, t: usize) -> &[Wide] {
        &self.cells[(t + 1) * self.shape.hidden..][..self.shape.hidden]
    }

    /// What the head gave at step `t` before scale and tail are made positive, or, after [`Tape::loss`], its gradient;
    /// shape `(3K,)`.
    #[must_use]
    pub fn outputs(&self, t: usize) -> &[Wide] {
        let start = (t + 1) * self.deltas_stride + 4 * self.shape.hidden;
        &self.deltas[start..start + 3 * self.shape.horizons]
    }

    /// The same to write to: how a caller with a loss of its own hands in its gradient.
    pub fn outputs_mut(&mut self, t: usize) -> &mut [Wide] {
        let start = (t + 1) * self.deltas_stride + 4 * self.shape.hidden;
        &mut self.deltas[start..start + 3 * self.shape.horizons]
    }
}
