//! Which things there are, what they are part of, run on and depend on.
//!
//! Entities and links come from two sides: what people declare ([`Declared`]) stays, and what the labels of series tell
//! ([`LabelRules`], [`Topology::learn`]) comes and goes, within bounds. Nobody has to declare anything; what is declared
//! adds owners, tiers and the dependencies that no label shows.
//!
//! *Trouble travels* along links, in one direction for each relation: from an instance to the service that it is part
//! of, from a host, volume, certificate or callee to whoever runs on, stores on, uses or calls it. [`Topology::surroundings`]
//! follows it to what suffers, [`Topology::causes`] back to where it may come from. Cycles are legal, since services do
//! call each other: every walk visits a node once and ends after [`MAX_DEPTH`] links.
//!
//! Strings stay at the edge: inside, an entity is a dense number, and a walk allocates a few bytes per entity. What a walk
//! answers is ordered by distance, then by name, so that it does not depend on the order in which things became known.

mod around;
mod declared;
mod graph;
mod labels;
mod learn;
mod names;
mod reading;
mod relation;
mod rules;
mod walk;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use declared::{Declared, DeclaredEntity, Mistake, Problem, TopologyError};
pub use graph::{Counts, Entity, Limits, Origin, Topology, Undeclared};
pub use relation::{Link, Relation};
pub use rules::LabelRules;
pub use walk::{MAX_AFFECTED, MAX_CAUSE_HOPS, MAX_CAUSES, MAX_DEPTH, MAX_PATHS};
