//! One shard: samples in, risks out; and the threads that run shards. A crate because it keeps a promise:
//! no I/O, no lock and no clock on the way from sample to risk, and no allocation after a series' first sample.

mod batch;
mod config;
mod digest;
mod engine;
mod group;
mod lane;
mod lookout;
mod routes;
mod shard;
mod sink;
mod slices;
mod snapshot;
mod tally;
mod worker;

pub use batch::Outcome;
pub use config::{EngineConfig, Models, Profile};
pub use engine::{Counters, Engine, Verdict};
pub use group::Groups;
pub use lookout::{LimitRule, Lookout, LookoutConfig, Resource};
pub use predict::anomaly::AdoptError;
pub use shard::{SeriesSpec, Shard};
pub use sink::{Scored, Sink};
pub use snapshot::RestoreError;
