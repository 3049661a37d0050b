//! How one entity stands to another.

use serde::{Deserialize, Serialize};

use crate::{EntityId, Kind};

/// What a link says of the entity that it goes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// An instance is one of the replicas of a service.
    PartOf,
    /// An instance, service, volume or database is on a host.
    RunsOn,
    /// A service, instance or database calls a service or database.
    DependsOn,
    /// Whoever has files keeps them on a volume.
    StoresOn,
    /// Whoever serves reads a certificate, a configuration or a package.
    Uses,
}

impl Relation {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::PartOf,
        Self::RunsOn,
        Self::DependsOn,
        Self::StoresOn,
        Self::Uses,
    ];

    /// The name in configuration, on the wire and for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PartOf => "part_of",
            Self::RunsOn => "runs_on",
            Self::DependsOn => "depends_on",
            Self::StoresOn => "stores_on",
            Self::Uses => "uses",
        }
    }

    /// Whether it may go from an entity of one kind to one of another.
    #[must_use]
    pub const fn joins(self, from: Kind, to: Kind) -> bool {
        use Kind::{
            Certificate, Configuration, Database, Host, Instance, Package, Service, Volume,
        };
        match self {
            Self::PartOf => matches!((from, to), (Instance, Service)),
            Self::RunsOn => matches!((from, to), (Instance | Service | Volume | Database, Host)),
            // A pool depends on its server, a replica on its primary.
            Self::DependsOn => matches!(
                (from, to),
                (Service | Instance | Database, Service | Database)
            ),
            Self::StoresOn => matches!((from, to), (Service | Instance | Database | Host, Volume)),
            Self::Uses => matches!(
                (from, to),
                (
                    Service | Instance | Database | Host,
                    Certificate | Configuration | Package
                )
            ),
        }
    }

    /// Whether an entity of this kind has at most one such link: it is in one place, and part of one thing. A service is
    /// on as many hosts as it likes.
    pub(super) const fn is_single(self, from: Kind) -> bool {
        match self {
            Self::PartOf => true,
            Self::RunsOn => !matches!(from, Kind::Service),
            Self::DependsOn | Self::StoresOn | Self::Uses => false,
        }
    }
}

/// One entity stands in a relation to another: `instance/api-1` runs on `host/web-1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// Which.
    pub from: EntityId,
    /// How.
    pub relation: Relation,
    /// To which.
    pub to: EntityId,
}

impl Link {
    /// From its parts.
    #[must_use]
    pub const fn new(from: EntityId, relation: Relation, to: EntityId) -> Self {
        Self { from, relation, to }
    }

    /// Whether it says something: the kinds fit, and it leads elsewhere.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.relation.joins(self.from.kind(), self.to.kind()) && self.from != self.to
    }
}
