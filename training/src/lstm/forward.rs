//! The forward pass.
//!
//! No closure here or in the backward pass touches a register: one that the compiler left out of line would be compiled
//! for the oldest processor (the first version was, and ran at a fifth of the speed).

use super::packed::{Four, Packed};
use super::parameters::{LEAST_SCALE, LEAST_TAIL};
use super::tape::{Carry, Tape};
use crate::simd::{Kernel, Lanes, Wide, dispatch, sigmoid, softplus, tanh};

/// `N` fours of rows of a matrix times a slab, plus a start. The inner loop of training: `4 N` sums stay in registers.
#[inline(always)]
pub(super) fn fours<V: Lanes, const N: usize>(
    rows: [&[Four]; N],
    slab: &[Wide],
    start: [Four; N],
) -> [[V; 4]; N] {
    let mut sums = [[V::splat(0.0); 4]; N];
    for (sums, start) in sums.iter_mut().zip(&start) {
        for (sum, &start) in sums.iter_mut().zip(start) {
            *sum = V::splat(start);
        }
    }
    let rows = rows.map(|row| &row[..slab.len()]);
    for (k, x) in slab.iter().enumerate() {
        let x = V::load(x);
        for (sums, row) in sums.iter_mut().zip(&rows) {
            for (sum, &weight) in sums.iter_mut().zip(&row[k]) {
                *sum = V::splat(weight).fma(x, *sum);
            }
        }
    }
    sums
}

/// Where the numbers of one step go.
struct Places<'a> {
    gates: &'a mut [Wide],
    cells: &'a [Wide],
    next_cells: &'a mut [Wide],
    cell_tanh: &'a mut [Wide],
    next_h: &'a mut [Wide],
}

impl Places<'_> {
    /// From the sums of one unit's gates to its state.
    #[inline(always)]
    fn finish<V: Lanes>(&mut self, unit: usize, sums: &[V; 4]) {
        let (i, o) = (sigmoid(sums[0]), sigmoid(sums[1]));
        let (f, c) = (sigmoid(sums[2]), tanh(sums[3]));
        let cell = f.fma(V::load(&self.cells[unit]), i.mul(c));
        let squashed = tanh(cell);
        let gates = &mut self.gates[4 * unit..4 * unit + 4];
        i.store(&mut gates[0]);
        o.store(&mut gates[1]);
        f.store(&mut gates[2]);
        c.store(&mut gates[3]);
        cell.store(&mut self.next_cells[unit]);
        squashed.store(&mut self.cell_tanh[unit]);
        o.mul(squashed).store(&mut self.next_h[unit]);
    }
}

struct Forward<'a> {
    tape: &'a mut Tape,
    packed: &'a Packed,
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes>(self) {
        for t in 0..self.tape.steps {
            step::<V>(self.tape, self.packed, t);
        }
    }
}

#[inline(always)]
fn step<V: Lanes>(tape: &mut Tape, packed: &Packed, t: usize) {
    let shape = tape.shape;
    let (hidden, inputs, n) = (shape.hidden, shape.inputs, shape.reads());
    let (before, after) = tape.reads.split_at_mut((t + 1) * tape.reads_stride);
    let slab = &before[t * tape.reads_stride..][..n];
    let next_h = &mut after[inputs..n];
    let (gates, next) = tape.deltas[t * tape.deltas_stride..].split_at_mut(tape.deltas_stride);
    let (cells, next_cells) = tape.cells[t * hidden..].split_at_mut(hidden);
    let cell_tanh = &mut tape.cell_tanh[t * hidden..][..hidden];
    let mut unit = 0;
    let mut places = Places {
        gates,
        cells,
        next_cells,
        cell_tanh,
        next_h,
    };
    let row = |unit: usize| &packed.gates[unit * n..(unit + 1) * n];
    let bias = &packed.gate_bias;
    if V::MANY {
        while unit + 4 <= hidden {
            let rows = std::array::from_fn(|i| row(unit + i));
            let sums = fours::<V, 4>(rows, slab, std::array::from_fn(|i| bias[unit + i]));
            for (i, sums) in sums.iter().enumerate() {
                places.finish(unit + i, sums);
            }
            unit += 4;
        }
    }
    while unit < hidden {
        let [sums] = fours::<V, 1>([row(unit)], slab, [bias[unit]]);
        places.finish(unit, &sums);
        unit += 1;
    }
    for (i, place) in next[4 * hidden..shape.deltas()]
        .chunks_exact_mut(4)
        .enumerate()
    {
        let row = &packed.head[i * hidden..(i + 1) * hidden];
        let [sums] = fours::<V, 1>([row], places.next_h, [packed.head_bias[i]]);
        for (place, sum) in place.iter_mut().zip(&sums) {
            sum.store(place);
        }
    }
}

struct Positive<'a>(&'a Tape, usize, &'a mut [Wide]);

impl Kernel for Positive<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Lanes>(self) {
        let k = self.0.shape.horizons;
        for (i, (raw, out)) in self.0.outputs(self.1).iter().zip(self.2).enumerate() {
            let raw = V::load(raw);
            let value = match i / k {
                0 => raw,
                1 => softplus(raw).add(V::splat(LEAST_SCALE)),
                _ => softplus(raw).add(V::splat(LEAST_TAIL)),
            };
            value.store(out);
        }
    }
}

impl Tape {
    /// Runs the window whose inputs were set, from the state in `carry`, and leaves the state after it there.
    pub fn forward(&mut self, packed: &Packed, carry: &mut Carry) {
        let (f, h) = (self.shape.inputs, self.shape.hidden);
        self.reads[f..f + h].copy_from_slice(&carry.h);
        self.cells[..h].copy_from_slice(&carry.c);
        dispatch(Forward { tape: self, packed });
        carry.h.copy_from_slice(self.state(self.steps - 1));
        carry.c.copy_from_slice(self.cell(self.steps - 1));
    }

    /// The forecasts of step `t` of a window that went forward: locations, scales and tails; shape `(3K,)`.
    pub fn forecasts(&self, t: usize, out: &mut [Wide]) {
        dispatch(Positive(self, t, out));
    }
}
