//! What people declare, as a table of a configuration, and what can be wrong with it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{LabelRules, Limits, Relation};
use crate::{EntityError, EntityId, Kind, MAX_FACT_BYTES, MAX_FACTS};

/// The table `[topology]`: lists of entities by kind, how labels are read, and bounds.
///
/// ```toml
/// [topology]
/// max_learned = 100000
///
/// [[topology.services]]
/// name = "api"
/// owner = "shop"
/// tier = 1
/// instances = ["api-1", "api-2"]
/// depends_on = ["database/orders", "service/pay"]
/// uses = ["certificate/shop.example:443"]
/// attributes = { replicas_max = "6" }
///
/// [[topology.databases]]
/// name = "orders"
/// runs_on = ["db-1"]
/// stores_on = ["db-1:/var/lib/postgresql"]
///
/// [topology.labels]
/// service = ["team_service", "app"]
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Declared {
    /// What answers requests.
    pub services: Vec<DeclaredEntity>,
    /// Processes, containers, pods; those that a service lists need not be listed again.
    pub instances: Vec<DeclaredEntity>,
    /// Machines.
    pub hosts: Vec<DeclaredEntity>,
    /// File systems, named `host:mountpoint`; that they are on this host is understood.
    pub volumes: Vec<DeclaredEntity>,
    /// Database servers and pools.
    pub databases: Vec<DeclaredEntity>,
    /// Certificates, named after their file or endpoint.
    pub certificates: Vec<DeclaredEntity>,
    /// Packages, named `target:package`.
    pub packages: Vec<DeclaredEntity>,
    /// Files of configuration.
    pub configurations: Vec<DeclaredEntity>,
    /// How labels of series are read.
    pub labels: LabelRules,
    /// Most entities that are learned from labels; see [`Limits`].
    pub max_learned: usize,
    /// Most links of one entity in each direction; see [`Limits`].
    pub max_links: usize,
}

impl Default for Declared {
    fn default() -> Self {
        let limits = Limits::default();
        Self {
            services: Vec::new(),
            instances: Vec::new(),
            hosts: Vec::new(),
            volumes: Vec::new(),
            databases: Vec::new(),
            certificates: Vec::new(),
            packages: Vec::new(),
            configurations: Vec::new(),
            labels: LabelRules::default(),
            max_learned: limits.learned,
            max_links: limits.links,
        }
    }
}

/// One entity of a list, whose kind is that of the list.
///
/// Where a field can name one kind only, the name is enough (`web-1`); the whole id (`host/web-1`) is understood
/// everywhere, and needed where the name itself begins with a kind and a slash.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclaredEntity {
    /// Without the kind.
    pub name: String,
    /// Who answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// 1 (everything depends on it) to 4 (nobody would notice).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<i64>,
    /// The service that it is an instance of; one at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub part_of: Vec<String>,
    /// Its instances, if it is a service.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub instances: Vec<String>,
    /// The host that it is on; services may be on many.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runs_on: Vec<String>,
    /// Services and databases that it calls, as whole ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<String>,
    /// Volumes that it keeps files on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stores_on: Vec<String>,
    /// Certificates, configurations and packages that it reads, as whole ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uses: Vec<String>,
    /// What strategies may want to know: `growable`, `replicas_max`, …
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
}

/// All that is wrong with a declaration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct TopologyError(pub Vec<Problem>);

/// One thing that is wrong, with its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {mistake}")]
pub struct Problem {
    /// Such as `topology.services[2].depends_on[0]`; counted from 0.
    pub place: String,
    /// What.
    pub mistake: Mistake,
}

/// What can be wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mistake {
    /// A name that no entity can have, or an unknown kind.
    #[error(transparent)]
    Entity(#[from] EntityError),
    /// An entity is declared twice.
    #[error("{0} is declared twice")]
    Twice(EntityId),
    /// A list names an entity twice.
    #[error("{0} is listed twice")]
    Listed(EntityId),
    /// A link to itself.
    #[error("{0} is linked to itself")]
    Itself(EntityId),
    /// A tier that there is not.
    #[error("tier is {0}, expected 1 (everything depends on it) to 4 (nobody would notice)")]
    Tier(i64),
    /// Kinds that do not go together.
    #[error("{relation} cannot lead from {from} to {to}", relation = relation.name())]
    Kinds {
        /// From what.
        from: EntityId,
        /// How.
        relation: Relation,
        /// To what.
        to: EntityId,
    },
    /// An entity that is in one place, or part of one service, is said to be in another too.
    #[error("{from} belongs to {first} already")]
    Single {
        /// Which.
        from: EntityId,
        /// Where it was said to be before.
        first: EntityId,
    },
    /// Too many links.
    #[error("{entity} has more than {most} links")]
    Links {
        /// Of what.
        entity: EntityId,
        /// How many there may be.
        most: usize,
    },
    /// Too many, or too long, attributes.
    #[error("more than {MAX_FACTS} attributes, or one of more than {MAX_FACT_BYTES} bytes")]
    Attributes,
}

impl Declared {
    /// The lists, with the kind and name of each.
    pub(super) fn lists(&self) -> [(Kind, &'static str, &[DeclaredEntity]); 8] {
        [
            (Kind::Service, "services", &self.services),
            (Kind::Instance, "instances", &self.instances),
            (Kind::Host, "hosts", &self.hosts),
            (Kind::Volume, "volumes", &self.volumes),
            (Kind::Database, "databases", &self.databases),
            (Kind::Certificate, "certificates", &self.certificates),
            (Kind::Package, "packages", &self.packages),
            (Kind::Configuration, "configurations", &self.configurations),
        ]
    }

    /// How much is kept of what is learned.
    #[must_use]
    pub const fn limits(&self) -> Limits {
        Limits {
            learned: self.max_learned,
            links: self.max_links,
        }
    }
}
