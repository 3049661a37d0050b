//! The step of a long short-term memory, written for the machine: no runtime, no allocation, no call overhead.
//!
//! Hochreiter & Schmidhuber, "Long Short-Term Memory", Neural Computation 9 (1997), with the forget gate of Gers et al.
//! (2000). Four rows share each load of the weights, which lie so that the numbers of one tile are neighbours; the
//! compiler turns the tiles into vector registers, once for each set of instructions that is worth it.

mod weights;

use std::sync::Arc;

pub use weights::{Weights, WeightsError};

use super::math::{mul_add, sigmoid, softplus, tanh};
use super::{Batch, Model, Signature, Step, StepError};

/// Rows that share a load of weights.
const ROWS: usize = 4;
/// Columns of a tile by instructions: with [`ROWS`] rows, eight accumulators, enough to keep two multipliers busy.
const TILE_512: usize = 32;
const TILE_256: usize = 16;
/// Gates are padded to a multiple of this, so that four of them fill whole tiles.
const LANES: usize = TILE_512 / 4;
/// Place of the cell gate among the four.
const CELL: usize = 3;
/// Least scale, and least degrees of freedom, of a forecast.
const LEAST_SCALE: f32 = 0.001;
const LEAST_TAIL: f32 = 2.0;

/// A model that runs on this kernel.
#[derive(Debug)]
pub struct Kernel {
    signature: Signature,
    version: String,
    packed: Arc<Packed>,
}

/// Weights as the loop reads them.
#[derive(Debug)]
struct Packed {
    inputs: usize,
    hidden: usize,
    horizons: usize,
    /// `hidden` rounded up so that four gates fill whole tiles.
    padded: usize,
    /// Shape `(inputs + hidden, 4 * padded)`.
    gates: Vec<f32>,
    /// Shape `(4 * padded,)`.
    bias: Vec<f32>,
    /// Columns of the head, rounded up to whole tiles.
    head_columns: usize,
    /// Shape `(hidden, head_columns)`.
    head: Vec<f32>,
    /// Shape `(head_columns,)`.
    head_bias: Vec<f32>,
}

impl Kernel {
    /// From weights that fit the signature.
    ///
    /// # Errors
    /// [`WeightsError`] when they do not, or are not finite.
    pub fn new(
        signature: Signature,
        version: &str,
        weights: &Weights,
    ) -> Result<Self, WeightsError> {
        let (f, h, k) = (
            signature.inputs().len(),
            signature.hidden(),
            signature.horizons().len(),
        );
        let sized: [(&'static str, &[f32], usize); 5] = [
            ("w", &weights.w, 4 * h * f),
            ("r", &weights.r, 4 * h * h),
            ("b", &weights.b, 4 * h),
            ("head_w", &weights.head_w, 3 * k * h),
            ("head_b", &weights.head_b, 3 * k),
        ];
        for (name, numbers, expected) in sized {
            if numbers.len() != expected {
                return Err(WeightsError::Size {
                    name,
                    found: numbers.len(),
                    expected,
                });
            }
            if let Some(place) = numbers.iter().position(|x| !x.is_finite()) {
                return Err(WeightsError::NotFinite { name, place });
            }
        }
        let padded = h.next_multiple_of(LANES);
        let width = 4 * padded;
        let mut gates = vec![0.0; (f + h) * width];
        let mut bias = vec![0.0; width];
        for (gate, j) in (0..4).flat_map(|gate| (0..h).map(move |j| (gate, j))) {
            let (from, to) = (gate * h + j, gate * padded + j);
            let factor = if gate == CELL { 2.0 } else { 1.0 };
            bias[to] = factor * weights.b[from];
            for i in 0..f {
                gates[i * width + to] = factor * weights.w[from * f + i];
            }
            for i in 0..h {
                gates[(f + i) * width + to] = factor * weights.r[from * h + i];
            }
        }
        let head_columns = (3 * k).next_multiple_of(TILE_512);
        let mut head = vec![0.0; h * head_columns];
        let mut head_bias = vec![0.0; head_columns];
        for out in 0..3 * k {
            head_bias[out] = weights.head_b[out];
            for i in 0..h {
                head[i * head_columns + out] = weights.head_w[out * h + i];
            }
        }
        let packed = Packed {
            inputs: f,
            hidden: h,
            horizons: k,
            padded,
            gates,
            bias,
            head_columns,
            head,
            head_bias,
        };
        Ok(Self {
            signature,
            version: version.to_owned(),
            packed: Arc::new(packed),
        })
    }

    /// The instructions that this machine runs it with.
    #[must_use]
    pub fn instructions() -> &'static str {
        match Level::of_this_machine() {
            Level::Avx512 => "AVX-512",
            Level::Avx2 => "AVX2 and FMA",
            Level::Portable => "portable",
        }
    }
}

impl Model for Kernel {
    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn version(&self) -> &str {
        &self.version
    }

    fn session(&self) -> Result<Box<dyn Step>, StepError> {
        Ok(Box::new(Session {
            level: Level::of_this_machine(),
            gates: vec![0.0; ROWS * 4 * self.packed.padded],
            head: vec![0.0; ROWS * self.packed.head_columns],
            soft: vec![0.0; ROWS * self.packed.head_columns],
            packed: Arc::clone(&self.packed),
        }))
    }
}

/// Which instructions a step is compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Portable,
    #[cfg_attr(
        not(target_arch = "x86_64"),
        expect(dead_code, reason = "found on x86-64 only")
    )]
    Avx2,
    #[cfg_attr(
        not(target_arch = "x86_64"),
        expect(dead_code, reason = "found on x86-64 only")
    )]
    Avx512,
}

impl Level {
    fn of_this_machine() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            let fma = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            if fma && is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl") {
                return Self::Avx512;
            }
            if fma {
                return Self::Avx2;
            }
        }
        Self::Portable
    }
}

/// The scratch space of one thread.
#[derive(Debug)]
struct Session {
    packed: Arc<Packed>,
    level: Level,
    /// Shape `(ROWS, 4 * padded)`.
    gates: Vec<f32>,
    /// Shape `(ROWS, head_columns)`.
    head: Vec<f32>,
    /// The same after softplus.
    soft: Vec<f32>,
}

impl Step for Session {
    fn step(&mut self, batch: &mut Batch) -> Result<(), StepError> {
        match self.level {
            #[cfg(target_arch = "x86_64")]
            #[expect(
                unsafe_code,
                reason = "calls code for instructions that `of_this_machine` found"
            )]
            // SAFETY: the level is what was detected on this machine.
            Level::Avx512 => unsafe { self.run_avx512(batch) },
            #[cfg(target_arch = "x86_64")]
            #[expect(
                unsafe_code,
                reason = "calls code for instructions that `of_this_machine` found"
            )]
            // SAFETY: the level is what was detected on this machine.
            Level::Avx2 => unsafe { self.run_avx2(batch) },
            _ => self.run::<false, TILE_256>(batch),
        }
        let outputs = [&batch.location, &batch.scale, &batch.tail];
        if outputs.into_iter().flatten().all(|x| x.is_finite()) {
            Ok(())
        } else {
            Err(StepError("a forecast is not finite".to_owned()))
        }
    }
}

impl Session {
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
    fn run_avx512(&mut self, batch: &mut Batch) {
        self.run::<true, TILE_512>(batch);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma")]
    fn run_avx2(&mut self, batch: &mut Batch) {
        self.run::<true, TILE_256>(batch);
    }

    #[inline(always)]
    fn run<const FUSED: bool, const TILE: usize>(&mut self, batch: &mut Batch) {
        let rows = batch.rows();
        let whole = rows - rows % ROWS;
        for first in (0..whole).step_by(ROWS) {
            self.rows::<FUSED, TILE, ROWS>(batch, first);
        }
        for first in whole..rows {
            self.rows::<FUSED, TILE, 1>(batch, first);
        }
    }

    /// One step for `N` rows from `first`.
    #[inline(always)]
    fn rows<const FUSED: bool, const TILE: usize, const N: usize>(
        &mut self,
        batch: &mut Batch,
        first: usize,
    ) {
        let p = &*self.packed;
        let (f, h, k, width) = (p.inputs, p.hidden, p.horizons, 4 * p.padded);
        let (from_x, from_h) = p.gates.split_at(f * width);
        let x: [&[f32]; N] = std::array::from_fn(|n| &batch.x[(first + n) * f..][..f]);
        let before: [&[f32]; N] = std::array::from_fn(|n| &batch.h[(first + n) * h..][..h]);
        for tile in (0..width).step_by(TILE) {
            let mut sums = [start::<TILE>(&p.bias, tile); N];
            add_products::<FUSED, TILE, N>(&mut sums, x, from_x, width, tile);
            add_products::<FUSED, TILE, N>(&mut sums, before, from_h, width, tile);
            for (n, sums) in sums.iter().enumerate() {
                self.gates[n * width + tile..][..TILE].copy_from_slice(sums);
            }
        }
        let gates = &mut self.gates[..N * width];
        for gate in gates.iter_mut() {
            *gate = sigmoid::<FUSED>(*gate);
        }
        let c = &mut batch.c[first * h..][..N * h];
        for (gates, c) in gates.chunks_exact(width).zip(c.chunks_exact_mut(h)) {
            let (input, forget) = (&gates[..h], &gates[2 * p.padded..][..h]);
            let cell = &gates[3 * p.padded..][..h];
            for j in 0..h {
                // The weights of the cell gate are doubled: tanh(x) = 2 sigmoid(2 x) - 1.
                let new = input[j] * mul_add::<FUSED>(2.0, cell[j], -1.0);
                c[j] = mul_add::<FUSED>(forget[j], c[j], new);
            }
        }
        let h_next = &mut batch.h[first * h..][..N * h];
        for (h, c) in h_next.iter_mut().zip(&*c) {
            *h = tanh::<FUSED>(*c);
        }
        for (gates, h_next) in gates.chunks_exact(width).zip(h_next.chunks_exact_mut(h)) {
            for (h, output) in h_next.iter_mut().zip(&gates[p.padded..]) {
                *h *= output;
            }
        }
        let after: [&[f32]; N] = std::array::from_fn(|n| &batch.h[(first + n) * h..][..h]);
        let columns = p.head_columns;
        for tile in (0..columns).step_by(TILE) {
            let mut sums = [start::<TILE>(&p.head_bias, tile); N];
            add_products::<FUSED, TILE, N>(&mut sums, after, &p.head, columns, tile);
            for (n, sums) in sums.iter().enumerate() {
                self.head[n * columns + tile..][..TILE].copy_from_slice(sums);
            }
        }
        for (soft, raw) in self.soft[..N * columns].iter_mut().zip(&self.head) {
            *soft = softplus::<FUSED>(*raw);
        }
        for n in 0..N {
            let out = (first + n) * k;
            batch.location[out..][..k].copy_from_slice(&self.head[n * columns..][..k]);
            let soft = &self.soft[n * columns..][..3 * k];
            for (scale, soft) in batch.scale[out..][..k].iter_mut().zip(&soft[k..]) {
                *scale = soft + LEAST_SCALE;
            }
            for (tail, soft) in batch.tail[out..][..k].iter_mut().zip(&soft[2 * k..]) {
                *tail = soft + LEAST_TAIL;
            }
        }
    }
}

#[inline(always)]
fn start<const TILE: usize>(bias: &[f32], tile: usize) -> [f32; TILE] {
    let mut sums = [0.0; TILE];
    sums.copy_from_slice(&bias[tile..][..TILE]);
    sums
}

/// Adds to each row's sums its numbers times their rows of weights.
#[inline(always)]
fn add_products<const FUSED: bool, const TILE: usize, const N: usize>(
    sums: &mut [[f32; TILE]; N],
    numbers: [&[f32]; N],
    weights: &[f32],
    width: usize,
    tile: usize,
) {
    let rows = weights.len() / width;
    let numbers = numbers.map(|numbers| &numbers[..rows]);
    for (i, weights) in weights.chunks_exact(width).take(rows).enumerate() {
        let weights = &weights[tile..][..TILE];
        for n in 0..N {
            let number = numbers[n][i];
            for (sum, weight) in sums[n].iter_mut().zip(weights) {
                *sum = mul_add::<FUSED>(number, *weight, *sum);
            }
        }
    }
}

#[cfg(test)]
mod tests;
