//! Entities and links, by dense numbers: what is added, what is forgotten, what may be looked at.

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

/// Most links that one call of [`Topology::learn`] takes in: labels tell three or four.
const MAX_LEARNED_LINKS: usize = 64;

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

#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) id: EntityId,
    pub(super) origin: Origin,
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) owner: Option<String>,
    pub(super) tier: Option<u8>,
    /// Links from it, sorted by relation and number.
    pub(super) out: Vec<Edge>,
    /// Links to it, sorted likewise.
    pub(super) into: Vec<Edge>,
}

/// Entities and their links. See the [module](super).
#[derive(Debug, Clone, Default)]
pub struct Topology {
    numbers: BTreeMap<EntityId, u32>,
    /// By number; what was forgotten leaves its place to whoever comes next.
    pub(super) nodes: Vec<Node>,
    free: Vec<u32>,
    /// Learned ones, least recently seen first.
    by_age: BTreeSet<(Timestamp, u32)>,
    /// By name, with the place where it is named.
    undeclared: BTreeMap<EntityId, String>,
    limits: Limits,
    n_links: usize,
    forgotten: u64,
    refused_links: u64,
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

    /// Takes in an entity and links that labels told of at `at`; both ends of a link count as seen. What makes no sense is
    /// counted and left out, see [`Counts::refused_links`]. When there are too many entities, the one that was learned and
    /// not seen for longest is forgotten; so is, of too many links, the one to such an entity.
    ///
    /// An instance, volume or database is on one host, and an instance part of one service: the newest that was learned
    /// counts, unless another is declared. A volume `host:path` is taken to be on that host, and a package `target:package`
    /// to be used by the target, if that is known.
    ///
    /// O(log n) for each link while an entity has fewer links than it may have.
    pub fn learn(&mut self, id: &EntityId, links: &[Link], at: Timestamp) {
        let Some(number) = self.see(id, at) else {
            return;
        };
        self.refused_links += links.len().saturating_sub(MAX_LEARNED_LINKS) as u64;
        for link in links.iter().take(MAX_LEARNED_LINKS) {
            let is_taken = link.is_sound() && self.learn_link(link, at);
            self.refused_links += u64::from(!is_taken);
        }
        // The links above may have taken its place, if there is hardly any.
        if self.find(id) == Some(number)
            && let Some(link) = self.implied(number)
        {
            self.learn_link(&link, at);
        }
    }

    /// Forgets learned entities that were not seen since `before`: replicas that are gone would be counted else. Returns how
    /// many there were. Call it with an age well above the pause between two calls of [`Topology::learn`] for the same entity.
    pub fn forget_before(&mut self, before: Timestamp) -> usize {
        let mut n = 0;
        while let Some(&(_, number)) = self.by_age.first().filter(|(seen, _)| *seen < before) {
            self.forget(number);
            n += 1;
        }
        n
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
        let name = |edge: &Edge| self.node(edge.other).id.clone();
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
        let node = self.node(number);
        Entity {
            id: &node.id,
            origin: node.origin,
            attributes: &node.attributes,
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

    pub(super) fn kind(&self, number: u32) -> Kind {
        self.node(number).id.kind()
    }

    /// Adds what a declaration tells of or names; an entity that is only named may be declared later.
    pub(super) fn declare(&mut self, id: &EntityId, origin: Origin, place: &str) -> u32 {
        let is_named = origin == Origin::Named;
        match self.find(id) {
            Some(number) => {
                if !is_named {
                    self.nodes[number as usize].origin = origin;
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

    /// The number of an entity that was seen, new or not; `None` when none may be learned.
    fn see(&mut self, id: &EntityId, at: Timestamp) -> Option<u32> {
        if let Some(number) = self.find(id) {
            match &mut self.nodes[number as usize].origin {
                Origin::Declared => {}
                Origin::Named => {
                    self.undeclared.remove(id);
                }
                Origin::Learned { seen } => {
                    if at > *seen {
                        self.by_age.remove(&(*seen, number));
                        *seen = at;
                        self.by_age.insert((at, number));
                    }
                }
            }
            return Some(number);
        }
        if self.by_age.len() >= self.limits.learned {
            let &(_, oldest) = self.by_age.first()?;
            self.forget(oldest);
        }
        let number = self.insert(id, Origin::Learned { seen: at });
        self.by_age.insert((at, number));
        Some(number)
    }

    fn insert(&mut self, id: &EntityId, origin: Origin) -> u32 {
        let node = Node {
            id: id.clone(),
            origin,
            attributes: BTreeMap::new(),
            owner: None,
            tier: None,
            out: Vec::new(),
            into: Vec::new(),
        };
        let number = if let Some(number) = self.free.pop() {
            self.nodes[number as usize] = node;
            number
        } else {
            self.nodes.push(node);
            (self.nodes.len() - 1) as u32
        };
        self.numbers.insert(id.clone(), number);
        number
    }

    fn forget(&mut self, number: u32) {
        let node = &mut self.nodes[number as usize];
        let (out, into) = (
            std::mem::take(&mut node.out),
            std::mem::take(&mut node.into),
        );
        self.n_links -= out.len() + into.len();
        for edge in out {
            take_out(
                &mut self.nodes[edge.other as usize].into,
                edge.relation,
                number,
            );
        }
        for edge in into {
            take_out(
                &mut self.nodes[edge.other as usize].out,
                edge.relation,
                number,
            );
        }
        let node = &mut self.nodes[number as usize];
        node.attributes = BTreeMap::new();
        if let Origin::Learned { seen } = node.origin {
            self.by_age.remove(&(seen, number));
        }
        self.numbers.remove(&node.id);
        self.free.push(number);
        self.forgotten += 1;
    }

    fn learn_link(&mut self, link: &Link, at: Timestamp) -> bool {
        let (Some(from), Some(to)) = (self.see(&link.from, at), self.see(&link.to, at)) else {
            return false;
        };
        // With hardly any room the second may have taken the place of the first.
        if self.find(&link.from) != Some(from) {
            return false;
        }
        let place = place(&self.node(from).out, link.relation, to);
        if place.is_ok() {
            return true;
        }
        if let Some(edge) = self.single(from, link.relation) {
            if edge.is_declared {
                return false;
            }
            self.unlink(from, link.relation, edge.other);
        }
        let is_out_full = self.node(from).out.len() >= self.limits.links;
        if is_out_full && !self.make_room(from, true) {
            return false;
        }
        let is_into_full = self.node(to).into.len() >= self.limits.links;
        if is_into_full && !self.make_room(to, false) {
            return false;
        }
        self.put(from, link.relation, to, false);
        true
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
            return Err(Conflict::Single(self.node(edge.other).id.clone()));
        }
        let full = [
            (from, self.node(from).out.len()),
            (to, self.node(to).into.len()),
        ];
        if let Some(&(number, _)) = full.iter().find(|(_, n)| *n >= self.limits.links) {
            return Err(Conflict::Full(self.node(number).id.clone()));
        }
        self.put(from, relation, to, true);
        Ok(true)
    }

    /// The link of which there may be one only.
    fn single(&self, from: u32, relation: Relation) -> Option<Edge> {
        let edge = of(&self.node(from).out, relation).first().copied();
        edge.filter(|_| relation.is_single(self.kind(from)))
    }

    /// The link that the name of an entity tells of, if no link says otherwise: see [`Topology::learn`].
    pub(super) fn implied(&self, number: u32) -> Option<Link> {
        let node = self.node(number);
        match node.id.kind() {
            Kind::Volume if of(&node.out, Relation::RunsOn).is_empty() => {
                let host = EntityId::new(Kind::Host, names::volume_host(node.id.name())?).ok()?;
                Some(Link::new(node.id.clone(), Relation::RunsOn, host))
            }
            Kind::Package if node.into.is_empty() => {
                let name = node.id.name();
                let mut targets = name.match_indices(':').map(|(i, _)| &name[..i]);
                let target = targets.find_map(|target| {
                    let kinds = [Kind::Host, Kind::Instance, Kind::Service];
                    let plain = kinds.map(|kind| EntityId::new(kind, target));
                    let mut all = std::iter::once(target.parse()).chain(plain).flatten();
                    all.find(|id| self.find(id).is_some())
                })?;
                Some(Link::new(target, Relation::Uses, node.id.clone()))
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

    /// Drops the learned link to the entity that was not seen for longest; whether there was one.
    fn make_room(&mut self, number: u32, is_out: bool) -> bool {
        let node = self.node(number);
        let edges = if is_out { &node.out } else { &node.into };
        let age = |edge: &&Edge| {
            let other = self.node(edge.other);
            match other.origin {
                Origin::Learned { seen } => (seen, &other.id),
                Origin::Declared | Origin::Named => (Timestamp::from_micros(i64::MAX), &other.id),
            }
        };
        let oldest = edges
            .iter()
            .filter(|edge| !edge.is_declared)
            .min_by_key(age);
        let Some(edge) = oldest.copied() else {
            return false;
        };
        let (from, to) = if is_out {
            (number, edge.other)
        } else {
            (edge.other, number)
        };
        self.unlink(from, edge.relation, to);
        self.refused_links += 1;
        true
    }

    fn put(&mut self, from: u32, relation: Relation, to: u32, is_declared: bool) {
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

    fn unlink(&mut self, from: u32, relation: Relation, to: u32) {
        take_out(&mut self.nodes[from as usize].out, relation, to);
        take_out(&mut self.nodes[to as usize].into, relation, from);
        self.n_links -= 1;
    }
}

fn place(edges: &[Edge], relation: Relation, other: u32) -> Result<usize, usize> {
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

fn take_out(edges: &mut Vec<Edge>, relation: Relation, other: u32) {
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
