//! The step model: one LSTM layer and a head that forecasts a Student t distribution per horizon, with its gradient.
//!
//! Windows of [`crate::LANES`] series go side by side through time, laid out so that a register holds one number of each;
//! a step of both passes reads and writes one contiguous slab. Compared with one matrix product per step, nothing is
//! packed again, gates and state are finished while they are in registers, and the state never leaves the cache.

mod backward;
mod forward;
mod loss;
mod packed;
mod parameters;
mod tape;

pub use packed::Packed;
pub use parameters::{Parameters, Shape};
pub use tape::{Carry, Tape, Targets};

#[cfg(test)]
mod tests;
