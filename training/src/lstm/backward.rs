//! The backward pass: from the gradient at the head, through all steps of the window, to the gradient of the weights.

use super::forward::fours;
use super::packed::Packed;
use super::parameters::Parameters;
use super::tape::Tape;
use crate::simd::{Kernel, LANES, Lanes, Wide, dispatch};

struct Backward<'a> {
    tape: &'a mut Tape,
    packed: &'a Packed,
    lane_scale: &'a Wide,
    gradient: &'a mut Parameters,
}

impl Kernel for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes>(self) {
        let Self {
            tape,
            packed,
            lane_scale,
            gradient,
        } = self;
        let shape = tape.shape;
        tape.bias.fill(Wide::ZERO);
        tape.cell_delta.fill(Wide::ZERO);
        scale_head::<V>(tape, lane_scale);
        // Nothing comes back from after the window: that is the truncation.
        let end = tape.steps * tape.deltas_stride;
        tape.deltas[end..end + 4 * shape.hidden].fill(Wide::ZERO);
        for t in (0..tape.steps).rev() {
            step::<V>(tape, packed, t);
        }
        weights::<V>(tape, gradient);
    }
}

/// Scales the gradient at the head by lane, and sums it into that of the head's bias.
#[inline(always)]
fn scale_head<V: Lanes>(tape: &mut Tape, lane_scale: &Wide) {
    let shape = tape.shape;
    let scale = V::load(lane_scale);
    let bias = &mut tape.bias[4 * shape.hidden..];
    for slab in tape.deltas.chunks_exact_mut(tape.deltas_stride).skip(1) {
        let (outs, filled) =
            slab[4 * shape.hidden..shape.deltas()].split_at_mut(3 * shape.horizons);
        filled.fill(Wide::ZERO);
        for (place, bias) in outs.iter_mut().zip(&mut *bias) {
            let scaled = V::load(place).mul(scale);
            scaled.store(place);
            V::load(bias).add(scaled).store(bias);
        }
    }
}

/// Where the numbers of one step stand.
struct Places<'a> {
    gates: &'a mut [Wide],
    cells: &'a [Wide],
    cell_tanh: &'a [Wide],
    bias: &'a mut [Wide],
    cell_delta: &'a mut [Wide],
}

impl Places<'_> {
    /// From the gradient at a unit's state to those at its gates, its biases and its cell.
    #[inline(always)]
    fn finish<V: Lanes>(&mut self, unit: usize, h_delta: V) {
        let one = V::splat(1.0);
        let gates = &mut self.gates[4 * unit..4 * unit + 4];
        let bias = &mut self.bias[4 * unit..4 * unit + 4];
        let (i, o) = (V::load(&gates[0]), V::load(&gates[1]));
        let (f, c) = (V::load(&gates[2]), V::load(&gates[3]));
        let squashed = V::load(&self.cell_tanh[unit]);
        let through = h_delta.mul(o).mul(one.sub(squashed.mul(squashed)));
        let cell = through.add(V::load(&self.cell_delta[unit]));
        cell.mul(f).store(&mut self.cell_delta[unit]);
        let deltas = [
            cell.mul(c).mul(i.mul(one.sub(i))),
            h_delta.mul(squashed).mul(o.mul(one.sub(o))),
            cell.mul(V::load(&self.cells[unit])).mul(f.mul(one.sub(f))),
            cell.mul(i).mul(one.sub(c.mul(c))),
        ];
        for ((gate, bias), delta) in gates.iter_mut().zip(bias).zip(&deltas) {
            delta.store(gate);
            V::load(bias).add(*delta).store(bias);
        }
    }
}

/// One step back in time: gates become gradients before their squashing.
#[inline(always)]
fn step<V: Lanes>(tape: &mut Tape, packed: &Packed, t: usize) {
    let shape = tape.shape;
    let (hidden, n) = (shape.hidden, shape.deltas());
    let (gates, after) = tape.deltas[t * tape.deltas_stride..].split_at_mut(tape.deltas_stride);
    let after = &after[..n];
    let cells = &tape.cells[t * hidden..][..hidden];
    let cell_tanh = &tape.cell_tanh[t * hidden..][..hidden];
    let (bias, cell_delta) = (&mut tape.bias[..4 * hidden], &mut tape.cell_delta);
    let mut places = Places {
        gates,
        cells,
        cell_tanh,
        bias,
        cell_delta,
    };
    let row = |four: usize| &packed.back[four * n..(four + 1) * n];
    let mut four = 0;
    if V::MANY {
        while 4 * (four + 4) <= hidden {
            let rows = std::array::from_fn(|i| row(four + i));
            let sums = fours::<V, 4>(rows, after, [[0.0; 4]; 4]);
            for (i, sums) in sums.iter().enumerate() {
                for (unit, h_delta) in (4 * (four + i)..).zip(sums) {
                    places.finish(unit, *h_delta);
                }
            }
            four += 4;
        }
    }
    while 4 * four < hidden {
        let [sums] = fours::<V, 1>([row(four)], after, [[0.0; 4]]);
        for (unit, h_delta) in (4 * four..hidden).zip(&sums) {
            places.finish(unit, *h_delta);
        }
        four += 1;
    }
}

/// Adds the gradient of all weights and biases.
#[inline(always)]
fn weights<V: Lanes>(tape: &Tape, gradient: &mut Parameters) {
    let shape = tape.shape;
    let (f, h) = (shape.inputs, shape.hidden);
    let (w, r, head_w) = (shape.w().start, shape.r().start, shape.head_w().start);
    let place = |row: usize, column: usize| {
        if row >= 4 * h {
            let row = row - 4 * h;
            return (row < 3 * shape.horizons && column >= f)
                .then(|| head_w + row * h + column - f);
        }
        let gate_row = row % 4 * h + row / 4;
        Some(if column < f {
            w + gate_row * f + column
        } else {
            r + gate_row * h + column - f
        })
    };
    let mut add = |row: usize, column: usize, sum: f32| {
        if let Some(place) = place(row, column) {
            gradient.values[place] += sum;
        }
    };
    // Gates of step t saw slab t; the head of step t stands in slab t + 1, beside the state that it saw.
    outer_all::<V>(tape, 0..4 * h, 0..f + h, 0, &mut add);
    outer_all::<V>(tape, 4 * h..shape.deltas(), f..f + h, 1, &mut add);
    for (row, bias) in tape.bias.iter().enumerate() {
        let place = if row < 4 * h {
            shape.b().start + row % 4 * h + row / 4
        } else if row - 4 * h < 3 * shape.horizons {
            shape.head_b().start + row - 4 * h
        } else {
            continue;
        };
        gradient.values[place] += V::load(bias).sum();
    }
}

/// Sums `deltas[row] * reads[column]` over the steps and lanes, for all rows (a multiple of 4) and columns.
#[inline(always)]
fn outer_all<V: Lanes>(
    tape: &Tape,
    rows: std::ops::Range<usize>,
    columns: std::ops::Range<usize>,
    first: usize,
    add: &mut impl FnMut(usize, usize, f32),
) {
    let step = if V::MANY { 4 } else { 2 };
    for row in rows.step_by(step) {
        let mut column = columns.start;
        while column + step <= columns.end {
            if V::MANY {
                outer::<V, 4, 4>(tape, row, column, first, add);
            } else {
                outer::<V, 2, 2>(tape, row, column, first, add);
            }
            column += step;
        }
        while column < columns.end {
            if V::MANY {
                outer::<V, 4, 1>(tape, row, column, first, add);
            } else {
                outer::<V, 2, 1>(tape, row, column, first, add);
            }
            column += 1;
        }
    }
}

/// A tile of it, whose sums stay in registers over all steps; only then are the lanes added up.
#[inline(always)]
fn outer<V: Lanes, const R: usize, const C: usize>(
    tape: &Tape,
    row: usize,
    column: usize,
    first: usize,
    add: &mut impl FnMut(usize, usize, f32),
) {
    let mut sums = [[V::splat(0.0); C]; R];
    let deltas = tape.deltas[first * tape.deltas_stride..].chunks_exact(tape.deltas_stride);
    let reads = tape.reads[first * tape.reads_stride..].chunks_exact(tape.reads_stride);
    for (deltas, reads) in deltas.zip(reads).take(tape.steps) {
        let (deltas, reads) = (&deltas[row..row + R], &reads[column..column + C]);
        for (sums, delta) in sums.iter_mut().zip(deltas) {
            let delta = V::load(delta);
            for (sum, read) in sums.iter_mut().zip(reads) {
                *sum = delta.fma(V::load(read), *sum);
            }
        }
    }
    for (i, sums) in sums.iter().enumerate() {
        for (j, sum) in sums.iter().enumerate() {
            add(row + i, column + j, sum.sum());
        }
    }
}

impl Tape {
    /// Goes back through a window whose outputs were replaced by the gradient at the head, which is first multiplied
    /// by `lane_scale` (0 leaves a lane out), and adds the gradient of the parameters to `gradient`.
    pub fn backward(&mut self, packed: &Packed, lane_scale: &Wide, gradient: &mut Parameters) {
        dispatch(Backward {
            tape: self,
            packed,
            lane_scale,
            gradient,
        });
    }

    /// How many windows go side by side.
    #[must_use]
    pub const fn lanes(&self) -> usize {
        LANES
    }
}
