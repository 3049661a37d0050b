//! From what was found to what is done about it, as data: findings become issues, issues decisions, decisions plans, and
//! plans orders. A crate because it keeps a promise: no I/O, no clock, no chance. Whoever drives it hands in findings,
//! commands and the time, writes down the [`record::Record`]s that come out, and only then carries out the orders.

pub mod action;
pub mod audit;
mod class;
pub mod decision;
mod entity;
mod finding;
pub mod guard;
pub mod health;
pub mod issue;
pub mod order;
pub mod plan;
pub mod planner;
pub mod record;
mod settings;
pub mod signs;
pub mod strategy;
mod surroundings;
pub mod topology;

pub use class::{Area, Class};
pub use entity::{EntityError, EntityId, Kind, MAX_ENTITY_BYTES};
pub use finding::{Finding, FindingError, MAX_FACT_BYTES, MAX_FACTS, Source};
pub use settings::{Bar, Phase, Problem, Settings};
pub use surroundings::{Surroundings, UNKNOWN_TIER};
