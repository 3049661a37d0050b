//! Where one entity stands among the others: what a decision needs to know of the topology, cut out of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::EntityId;

/// What depends on an entity, and what it depends on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Surroundings {
    /// What is known of the entity, and of its service and host where it says nothing itself.
    pub attributes: BTreeMap<String, String>,
    /// The service that it is, or is part of.
    pub service: Option<EntityId>,
    /// The host that it is, or runs on.
    pub host: Option<EntityId>,
    /// Instances of that service, itself included; 0 when none are known.
    pub replicas: u32,
    /// Who answers for it.
    pub owner: Option<String>,
    /// How much depends on it: 1 (everything) to 4 (nobody would notice); the most critical of what it affects.
    pub tier: u8,
    /// Services that suffer when it fails, nearest first, bounded.
    pub affected: Vec<EntityId>,
    /// How many there are, beyond the bound too.
    pub n_affected: u32,
    /// How a failure would travel: paths of entities, shortest first, bounded.
    pub paths: Vec<Vec<EntityId>>,
    /// What it calls or stores in.
    pub depends_on: Vec<EntityId>,
}

/// The tier of what nobody said anything about.
pub const UNKNOWN_TIER: u8 = 3;
