//! One shard: samples in, risks out; and the threads that run shards. A crate because it keeps a promise:
//! no I/O, no lock and no clock on the way from sample to risk, and no allocation after a series' first sample.

mod config;

mod group;
mod shard;


pub use group::Groups;
pub use config::{EngineConfig, Profile};
pub use shard::{SeriesSpec, Shard};
