//! Figures of the engine as a whole, measured and printed, never tested. A crate because its binaries, which nothing
//! imports, share a fleet of synthetic series, a driver and a way to print: one JSON object per line for `cargo xtask
//! bench`, everything for people on standard error.

mod driver;
mod figure;
mod fleet;
mod forecaster;
mod load;
mod mlserver;
mod options;
mod resources;
mod serving;

pub use driver::{Driver, Order, Spent};
pub use figure::{Figure, quantile};
pub use fleet::{Fleet, STEP_US};
pub use forecaster::{engine_config, forecaster};
pub use load::{Clients, Load, Seen};
pub use mlserver::MlServer;
pub use options::{Options, profile_name};
pub use resources::{CpuByThread, available_bytes, rss_bytes};
pub use serving::{Serving, run};
