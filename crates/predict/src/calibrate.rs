//! From a raw score to a tail probability: how often did this series do something at least this odd before?
//!
//! The rank of a score among all earlier ones of its series is a conformal p-value: whatever the distribution, and
//! as long as behaviour does not change, p <= a happens with probability a (Vovk, Gammerman & Shafer, "Algorithmic
//! Learning in a Random World", 2005; the online form of section 8). Ranks are kept as counts over bins that double in
//! width every `PER_OCTAVE` bins, which costs a few dozen bytes where the exact ranks would cost the whole past.

use bytemuck::{Pod, Zeroable};

/// Counts of past scores over `N` bins, whose lower edges are 0, then `2^LOWEST · 2^(i / PER_OCTAVE)`.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(crate) struct Tail<const N: usize, const LOWEST: i32, const PER_OCTAVE_LOG2: u32> {
    counts: [u16; N],
}

// Plain 16-bit counts, no padding, every bit pattern valid: what the derive cannot see through the parameters.
#[expect(
    unsafe_code,
    reason = "bytemuck cannot derive Pod for generic structs; one array of u16 satisfies it"
)]
unsafe impl<const N: usize, const L: i32, const P: u32> Pod for Tail<N, L, P> {}
#[expect(unsafe_code, reason = "see Pod")]
unsafe impl<const N: usize, const L: i32, const P: u32> Zeroable for Tail<N, L, P> {}

impl<const N: usize, const LOWEST: i32, const PER_OCTAVE_LOG2: u32>
    Tail<N, LOWEST, PER_OCTAVE_LOG2>
{
    /// The bin of `score`, and how far into it, 0..1.
    fn place(score: f32) -> (usize, f32) {
        let shift = 23 - PER_OCTAVE_LOG2;
        let lowest = (127 + LOWEST).cast_unsigned() << PER_OCTAVE_LOG2;
        let bits = score.max(0.0).to_bits();
        let bin = (bits >> shift).saturating_sub(lowest.saturating_sub(1)) as usize;
        if bin == 0 {
            return (0, 0.0);
        }
        if bin >= N {
            return (N - 1, 1.0);
        }
        (
            bin,
            (bits & ((1 << shift) - 1)) as f32 / (1 << shift) as f32,
        )
    }

    /// The tail probability of `score`, then learns it.
    ///
    /// The share of the past above it, with `prior` (the tail probability of `score` in series at large) weighing as
    /// much as `prior_weight` earlier scores: it speaks while the series is young, and ranks what tops all before.
    /// Every halving at `memory` counts, or at twice the count since the last one while young, lets the start fade.
    pub(crate) fn step(&mut self, score: f32, prior: f32, prior_weight: f32, memory: u32) -> f32 {
        let (bin, into) = Self::place(score);
        let mut above = 0u32;
        let mut all = 0u32;
        for (i, &count) in self.counts.iter().enumerate() {
            all += u32::from(count);
            above += if i > bin { u32::from(count) } else { 0 };
        }
        let here = f32::from(self.counts[bin]) * (1.0 - into);
        let p = (above as f32 + here + prior_weight * prior) / (all as f32 + prior_weight);
        if all >= memory {
            // What does not divide is carried to the next bin: rounding each alone would keep, or drop, every single
            // count of the sparse tail.
            let mut carried = 0;
            for count in &mut self.counts {
                carried += *count;
                *count = carried / 2;
                carried %= 2;
            }
        }
        self.counts[bin] = self.counts[bin].saturating_add(1);
        p.clamp(f32::MIN_POSITIVE, 1.0)
    }
}
