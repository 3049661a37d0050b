//! What a step is made of.

use crate::forecast::Signature;

/// Weights of a step, in the order of ONNX: gate blocks input, output, forget, cell.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Weights {
    /// From the inputs; shape `(4 * hidden, inputs)`.
    pub w: Vec<f32>,
    /// From the state; shape `(4 * hidden, hidden)`.
    pub r: Vec<f32>,
    /// Sum of both biases; shape `(4 * hidden,)`.
    pub b: Vec<f32>,
    /// From the state to raw locations, scales and tails; shape `(3 * horizons, hidden)`.
    pub head_w: Vec<f32>,
    /// Shape `(3 * horizons,)`.
    pub head_b: Vec<f32>,
}

impl Weights {
    /// Small weights from a seed, as training begins with: uniform within `1 / sqrt(hidden)` of 0, either way.
    #[must_use]
    pub fn seeded(signature: &Signature, seed: u64) -> Self {
        let (f, h, k) = (
            signature.inputs().len(),
            signature.hidden(),
            signature.horizons().len(),
        );
        let bound = 1.0 / (h as f32).sqrt();
        let mut state = seed;
        let mut numbers = |n: usize| {
            std::iter::repeat_with(|| {
                // Steele, Lea & Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
                state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
                let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                (((mixed ^ (mixed >> 31)) >> 40) as f32 / (1u64 << 24) as f32 - 0.5) * 2.0 * bound
            })
            .take(n)
            .collect()
        };
        Self {
            w: numbers(4 * h * f),
            r: numbers(4 * h * h),
            b: numbers(4 * h),
            head_w: numbers(3 * k * h),
            head_b: numbers(3 * k),
        }
    }
}

/// Why weights are not those of a step with this signature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WeightsError {
    /// A matrix has another size than the signature says.
    #[error("{name} has {found} numbers, expected {expected}")]
    Size {
        /// Which.
        name: &'static str,
        /// How many there are.
        found: usize,
        /// How many it takes.
        expected: usize,
    },
    /// A weight is NaN or infinite.
    #[error("{name}[{place}] is not finite")]
    NotFinite {
        /// Of which matrix.
        name: &'static str,
        /// Where in it.
        place: usize,
    },
}
