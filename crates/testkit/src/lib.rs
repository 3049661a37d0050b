//! What the tests of several crates share: synthetic series, named tolerances, an allocator that counts. A crate because
//! it has many users that share nothing else; a dev-dependency only, over `series` alone, so that every crate above the
//! floor may test with it.

mod counting;
mod noise;
mod shape;
mod tolerance;
mod trace;

pub use counting::{Counting, allocations};
pub use noise::Noise;
pub use shape::{
    CALM, DAY, SHAPES, Shape, alternating, autoregressive, constant, counter, counts, extremes,
    gaussian, irregular, lognormal, ramp, sawtooth, seasonal, spikes, step, stuck,
};
pub use tolerance::{NOTHING, ROUNDING, SHIFTED, Tolerance};
pub use trace::{START, STEP_S, Trace};
