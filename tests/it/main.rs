//! The binary as its users meet it: started, asked over gRPC, killed, and started again.
//!
//! What one crate can test by itself is tested there. Here is what only shows when all of it runs: processes, signals,
//! sockets, files. Waits are for events, never for time to pass, and each ends in failure after a minute.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod harness;

mod causal;
mod compat;
mod config;
mod first_minutes;
mod hogs;
mod hostile;
mod kill;
mod planner_crash;
mod replay_into;
mod security;
mod triton;
