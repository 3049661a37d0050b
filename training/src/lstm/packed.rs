//! The weights in the orders in which the two passes read them.

use super::parameters::{Parameters, Shape};

/// Four rows of a matrix, column by column: what one pass over a slab multiplies.
pub(super) type Four = [f32; 4];

/// Copies of the weights, made anew after each update: a few thousand numbers, against hundreds of reads of each.
#[derive(Debug, Clone)]
pub struct Packed {
    pub(super) shape: Shape,
    /// Shape `(H, F + H)`: of each unit its four gates' weights on inputs and state.
    pub(super) gates: Vec<Four>,
    /// Shape `(H,)`.
    pub(super) gate_bias: Vec<Four>,
    /// Shape `(outs / 4, H)`.
    pub(super) head: Vec<Four>,
    /// Shape `(outs / 4,)`.
    pub(super) head_bias: Vec<Four>,
    /// Shape `(ceil(H / 4), 4H + outs)`: how the gradient at gates and head reaches four units of the state.
    pub(super) back: Vec<Four>,
}

impl Shape {
    /// Rows of the head, filled up to fours with rows of zero.
    pub(super) const fn outs(&self) -> usize {
        (3 * self.horizons).next_multiple_of(4)
    }

    /// Numbers that a gate reads.
    pub(super) const fn reads(&self) -> usize {
        self.inputs + self.hidden
    }

    /// Numbers of one step that the gradient goes back from.
    pub(super) const fn deltas(&self) -> usize {
        4 * self.hidden + self.outs()
    }

    /// Fours that the state makes, the last perhaps filled up.
    pub(super) const fn state_fours(&self) -> usize {
        self.hidden.div_ceil(4)
    }
}

impl Packed {
    /// Packs the weights.
    #[must_use]
    pub fn new(parameters: &Parameters) -> Self {
        let shape = parameters.shape();
        let mut packed = Self {
            shape,
            gates: vec![[0.0; 4]; shape.hidden * shape.reads()],
            gate_bias: vec![[0.0; 4]; shape.hidden],
            head: vec![[0.0; 4]; shape.outs() / 4 * shape.hidden],
            head_bias: vec![[0.0; 4]; shape.outs() / 4],
            back: vec![[0.0; 4]; shape.state_fours() * shape.deltas()],
        };
        packed.refresh(parameters);
        packed
    }

    /// Takes new values of the same shape.
    pub fn refresh(&mut self, parameters: &Parameters) {
        let shape = self.shape;
        let (f, h, reads, deltas) = (shape.inputs, shape.hidden, shape.reads(), shape.deltas());
        let [w, r, b, head_w, head_b] = [
            shape.w(),
            shape.r(),
            shape.b(),
            shape.head_w(),
            shape.head_b(),
        ]
        .map(|range| &parameters.values[range]);
        for unit in 0..h {
            for gate in 0..4 {
                let row = gate * h + unit;
                self.gate_bias[unit][gate] = b[row];
                for k in 0..f {
                    self.gates[unit * reads + k][gate] = w[row * f + k];
                }
                for k in 0..h {
                    let weight = r[row * h + k];
                    self.gates[unit * reads + f + k][gate] = weight;
                    self.back[k / 4 * deltas + 4 * unit + gate][k % 4] = weight;
                }
            }
        }
        for row in 0..3 * shape.horizons {
            self.head_bias[row / 4][row % 4] = head_b[row];
            for k in 0..h {
                let weight = head_w[row * h + k];
                self.head[row / 4 * h + k][row % 4] = weight;
                self.back[k / 4 * deltas + 4 * h + row][k % 4] = weight;
            }
        }
    }
}
