//! From what was found to what is done about it, as data: findings become issues, issues decisions, decisions plans, and
//! plans orders. A crate because it keeps a promise: no I/O, no clock, no chance. Whoever drives it hands in findings,
//! commands and the time, writes down the [`record::Record`]s that come out, and only then carries out the orders.

pub mod action;
pub mod audit;
mod class;
pub mod decision;
mod entity;
mod finding;
pub mod health;
pub mod issue;
pub mod plan;
pub mod record;
pub mod strategy;
mod surroundings;

pub use class::{Area, Class};
pub use entity::{EntityError, EntityId, Kind, MAX_ENTITY_BYTES};
pub use finding::{Finding, FindingError, MAX_FACT_BYTES, MAX_FACTS, Source};
pub use surroundings::{Surroundings, UNKNOWN_TIER};
