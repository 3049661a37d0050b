//! Entities and links, by dense numbers: how they are kept, and what may be looked at.

use std::collections::{BTreeMap, BTreeSet};

use series::Timestamp;

use super::names;
use super::{Link, Relation};
use crate::{EntityId, Kind};

/// How much is kept of what was learned. What is declared is bounded by its own checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most entities that were learned from labels.
    pub learned: usize,
    /// Most links of one entity, in each direction.
    pub links: usize,
}

impl Default for Limits {
    /// A large cluster has some 10,000 pods, and a node some hundred of them; ten times as much does no harm.
    fn default() -> Self {
        Self {
            learned: 100_000,
            links: 4_096,
        }
    }
}

/// How an entity came to be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It was declared. It stays.
    Declared,
    /// Something that was declared names it. It stays.
    Named,
    /// From labels.
    Learned {
        /// When it was last seen in one.
        seen: Timestamp,
    },
}

/// What is known of one entity itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entity<'a> {
    /// Which.
    pub id: &'a EntityId,
    /// How it came to be known.
    pub origin: Origin,
    /// Its own attributes.
    pub attributes: &'a BTreeMap<String, String>,
    /// Who answers for it, if it says so itself.
    pub owner: Option<&'a str>,
    /// 1 to 4, if it says so itself.
    pub tier: Option<u8>,
}

/// An entity that a declaration names, which is neither declared nor was ever seen: perhaps a typing error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Undeclared<'a> {
    /// Which.
    pub id: &'a EntityId,
    /// Where it is first named, such as `topology.services[2].depends_on[0]`.
    pub place: &'a str,
}

/// How much there is, and how much was not taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Entities of every origin.
    pub entities: usize,
    /// Those of them that were learned.
    pub learned: usize,
    /// Links.
    pub links: usize,
    /// Learned entities that were forgotten.
    pub forgotten: u64,
    /// Learned links that were not taken in, or gave way: they make no sense, contradict what is declared, or are too many.
    pub refused_links: u64,
}

/// One end of a link, as the other end keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Edge {
    pub(super) relation: Relation,
    pub(super) other: u32,
    pub(super) is_declared: bool,
}

/// What walks look at. Apart from the rest, which saves a tenth of the time of a walk over 10,000 of them.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// Links from it, sorted by relation and number.
    pub(super) out: Vec<Edge>,
    /// Links to it, sorted likewise.
    pub(super) into: Vec<Edge>,
    pub(super) owner: Option<Box<str>>,
    pub(super) tier: Option<u8>,
    pub(super) kind: Kind,
}

/// The rest.
#[derive(Debug, Clone)]
pub(super) struct About {
    pub(super) id: EntityId,
    pub(super) origin: Origin,
    pub(super) attributes: BTreeMap<String, String>,
}

/// Entities and their links. See the [module](super).
#[derive(Debug, Clone, Default)]
pub struct Topology {
    pub(super) numbers: BTreeMap<EntityId, u32>,
    /// By number; what was forgotten leaves its place to whoever comes next.
    pub(super) nodes: Vec<Node>,
    pub(super) about: Vec<About>,
    pub(super) free: Vec<u32>,
    /// Learned ones, least recently seen first.
    pub(super) by_age: BTreeSet<(Timestamp, u32)>,
    /// By name, with the place where it is named.
    pub(super) undeclared: BTreeMap<EntityId, String>,
    pub(super) limits: Limits,
    pub(super) n_links: usize,
    pub(super) forgotten: u64,
    pub(super) refused_links: u64,
}

/// Why a declared link cannot be kept.
pub(super) enum Conflict {
    /// It is in one place, or part of one thing, and that is another.
    Single(EntityId),
    /// This entity has as many as it may.
    Full(EntityId),
}

impl Topology {
    /// Nothing yet.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }

    /// What is known of one entity itself; `None` if it is not known.
    #[must_use]
    pub fn entity(&self, id: &EntityId) -> Option<Entity<'_>> {
        self.find(id).map(|number| self.shown(number))
    }

    /// All entities, by kind and name.
    pub fn entities(&self) -> impl Iterator<Item = Entity<'_>> {
        self.numbers.values().map(|&number| self.shown(number))
    }

    /// The links from and to an entity, sorted; none if it is not known.
    #[must_use]
    pub fn links(&self, id: &EntityId) -> Vec<Link> {
        let Some(node) = self.find(id).map(|number| self.node(number)) else {
            return Vec::new();
        };
        let name = |edge: &Edge| self.id(edge.other).clone();
        let out = node
            .out
            .iter()
            .map(|edge| Link::new(id.clone(), edge.relation, name(edge)));
        let into = node
            .into
            .iter()
            .map(|edge| Link::new(name(edge), edge.relation, id.clone()));
        let mut links: Vec<_> = out.chain(into).collect();
        links.sort_unstable();
        links
    }

    /// What declarations name and nobody declared or saw, by kind and name: probably typing errors.
    pub fn undeclared(&self) -> impl Iterator<Item = Undeclared<'_>> {
        self.undeclared
            .iter()
            .map(|(id, place)| Undeclared { id, place })
    }

    /// How much there is.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts {
            entities: self.numbers.len(),
            learned: self.by_age.len(),
            links: self.n_links,
            forgotten: self.forgotten,
            refused_links: self.refused_links,
        }
    }

    fn shown(&self, number: u32) -> Entity<'_> {
        let (node, about) = (self.node(number), self.about(number));
        Entity {
            id: &about.id,
            origin: about.origin,
            attributes: &about.attributes,
            owner: node.owner.as_deref(),
            tier: node.tier,
        }
    }

    pub(super) fn find(&self, id: &EntityId) -> Option<u32> {
        self.numbers.get(id).copied()
    }

    pub(super) fn node(&self, number: u32) -> &Node {
        &self.nodes[number as usize]
    }

    pub(super) fn about(&self, number: u32) -> &About {
        &self.about[number as usize]
    }

    pub(super) fn id(&self, number: u32) -> &EntityId {
        &self.about(number).id
    }

    pub(super) fn kind(&self, number: u32) -> Kind {
        self.node(number).kind
    }

    /// Adds what a declaration tells of or names; an entity that is only named may be declared later.
    pub(super) fn declare(&mut self, id: &EntityId, origin: Origin, place: &str) -> u32 {
        let is_named = origin == Origin::Named;
        match self.find(id) {
            Some(number) => {
                if !is_named {
                    self.about[number as usize].origin = origin;
                    self.undeclared.remove(id);
                }
                number
            }
            None => {
                if is_named {
                    self.undeclared.insert(id.clone(), place.to_owned());
                }
                self.insert(id, origin)
            }
        }
    }

    pub(super) fn insert(&mut self, id: &EntityId, origin: Origin) -> u32 {
        let node = Node {
            out: Vec::new(),
            into: Vec::new(),
            owner: None,
            tier: None,
            kind: id.kind(),
        };
        let about = About {
            id: id.clone(),
            origin,
            attributes: BTreeMap::new(),
        };
        let number = if let Some(number) = self.free.pop() {
            self.nodes[number as usize] = node;
            self.about[number as usize] = about;
            number
        } else {
            self.nodes.push(node);
            self.about.push(about);
            (self.nodes.len() - 1) as u32
        };
        self.numbers.insert(id.clone(), number);
        number
    }

    /// Adds a declared link; `Ok(false)` if it is there.
    pub(super) fn declare_link(
        &mut self,
        from: u32,
        relation: Relation,
        to: u32,
    ) -> Result<bool, Conflict> {
        if place(&self.node(from).out, relation, to).is_ok() {
            return Ok(false);
        }
        if let Some(edge) = self.single(from, relation) {
            return Err(Conflict::Single(self.id(edge.other).clone()));
        }
        let full = [
            (from, self.node(from).out.len()),
            (to, self.node(to).into.len()),
        ];
        if let Some(&(number, _)) = full.iter().find(|(_, n)| *n >= self.limits.links) {
            return Err(Conflict::Full(self.id(number).clone()));
        }
        self.put(from, relation, to, true);
        Ok(true)
    }

    /// The link of which there may be one only.
    pub(super) fn single(&self, from: u32, relation: Relation) -> Option<Edge> {
        let edge = of(&self.node(from).out, relation).first().copied();
        edge.filter(|_| relation.is_single(self.kind(from)))
    }

    /// The link that the name of an entity tells of, if no link says otherwise: see [`Topology::learn`].
    pub(super) fn implied(&self, number: u32) -> Option<Link> {
        let (node, id) = (self.node(number), self.id(number));
        match id.kind() {
            Kind::Volume if of(&node.out, Relation::RunsOn).is_empty() => {
                let host = EntityId::new(Kind::Host, names::volume_host(id.name())?).ok()?;
                Some(Link::new(id.clone(), Relation::RunsOn, host))
            }
            Kind::Package if node.into.is_empty() => {
                let name = id.name();
                let mut targets = name.match_indices(':').map(|(i, _)| &name[..i]);
                let target = targets.find_map(|target| {
                    let kinds = [Kind::Host, Kind::Instance, Kind::Service];
                    let plain = kinds.map(|kind| EntityId::new(kind, target));
                    let mut all = std::iter::once(target.parse()).chain(plain).flatten();
                    all.find(|id| self.find(id).is_some())
                })?;
                Some(Link::new(target, Relation::Uses, id.clone()))
            }
            Kind::Service
            | Kind::Instance
            | Kind::Host
            | Kind::Volume
            | Kind::Database
            | Kind::Certificate
            | Kind::Package
            | Kind::Configuration => None,
        }
    }

    pub(super) fn put(&mut self, from: u32, relation: Relation, to: u32, is_declared: bool) {
        put_in(
            &mut self.nodes[from as usize].out,
            relation,
            to,
            is_declared,
        );
        put_in(
            &mut self.nodes[to as usize].into,
            relation,
            from,
            is_declared,
        );
        self.n_links += 1;
    }

    pub(super) fn unlink(&mut self, from: u32, relation: Relation, to: u32) {
        take_out(&mut self.nodes[from as usize].out, relation, to);
        take_out(&mut self.nodes[to as usize].into, relation, from);
        self.n_links -= 1;
    }
}

pub(super) fn place(edges: &[Edge], relation: Relation, other: u32) -> Result<usize, usize> {
    edges.binary_search_by(|edge| (edge.relation, edge.other).cmp(&(relation, other)))
}

fn put_in(edges: &mut Vec<Edge>, relation: Relation, other: u32, is_declared: bool) {
    if let Err(i) = place(edges, relation, other) {
        edges.insert(
            i,
            Edge {
                relation,
                other,
                is_declared,
            },
        );
    }
}

pub(super) fn take_out(edges: &mut Vec<Edge>, relation: Relation, other: u32) {
    if let Ok(i) = place(edges, relation, other) {
        edges.remove(i);
    }
}

/// The links of one relation.
pub(super) fn of(edges: &[Edge], relation: Relation) -> &[Edge] {
    let start = edges.partition_point(|edge| edge.relation < relation);
    let end = edges.partition_point(|edge| edge.relation <= relation);
    &edges[start..end]
}
