//! The real server on a free port, and real clients.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod capture;
mod feedback;
mod harness;
mod health;
mod inference;
mod ingest;
mod metrics;
mod models;
mod outlook;
mod planning;
#[expect(dead_code, reason = "the tests of the binary use more of it")]
#[path = "../../../../tests/it/harness/postgres.rs"]
mod postgres;
mod risk;
mod scoring;
mod security;
mod state;
mod watch;
