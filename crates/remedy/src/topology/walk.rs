//! Walks along the links: breadth first, each entity once, no deeper than a bound.
//!
//! *Where trouble goes* from an entity: to the service that it is part of, and to whoever runs on it, stores on it, uses it
//! or depends on it. A volume that nobody is known to store on is taken to be everybody's who runs on its host: a full root
//! file system stops all of them.
//!
//! *Where trouble comes from* is the same backwards, with one addition: what a service depends on, its instances depend on.
//!
//! Time is O(n + m) in what is reached, memory O(n) in all entities.

use std::cmp::Ordering;

use super::graph::of;
use super::{Relation, Topology};
use crate::{EntityId, Kind};

/// Most links from an entity to what suffers from it.
pub const MAX_DEPTH: u32 = 8;
/// Most services listed that suffer.
pub const MAX_AFFECTED: usize = 32;
/// Most paths listed.
pub const MAX_PATHS: usize = 16;
/// Most links from an entity to what its trouble may come from.
pub const MAX_CAUSE_HOPS: u32 = 4;
/// Most entities listed that trouble may come from.
pub const MAX_CAUSES: usize = 1_000;

/// A node's links were followed, be it for itself or for an instance of it.
const LINKS: u8 = 1;
/// A host's volumes were reached, for somebody who runs on it.
const VOLUMES: u8 = 2;

/// What suffers from an entity, by number.
#[derive(Debug, Default)]
pub(super) struct Impact {
    /// Services, nearest first, then by name; at most [`MAX_AFFECTED`].
    pub(super) affected: Vec<u32>,
    /// How many there are.
    pub(super) n_affected: u32,
    /// From the entity to each of the first [`MAX_PATHS`] services, both included.
    pub(super) paths: Vec<Vec<u32>>,
    /// The most critical tier that anything on the way says.
    pub(super) tier: Option<u8>,
    /// The nearest that has an owner, by name among those as near.
    pub(super) owned: Option<u32>,
}

/// How far a walk has come.
struct Front {
    /// 1 and the number of links from the start; 0 where the walk has not been. Zeros, because pages of zeros cost nothing
    /// until they are looked at.
    reached: Vec<u8>,
    /// The nodes that are farthest, and those found beyond them.
    here: Vec<u32>,
    next: Vec<u32>,
    step: u8,
}

impl Front {
    fn new(n: usize, start: u32) -> Self {
        let mut reached = vec![0; n];
        reached[start as usize] = 1;
        Self {
            reached,
            here: vec![start],
            next: Vec::new(),
            step: 1,
        }
    }

    /// Marks a node as found from here, unless it was before.
    fn reach(&mut self, node: u32) -> bool {
        let is_new = self.reached[node as usize] == 0;
        if is_new {
            self.reached[node as usize] = self.step + 1;
            self.next.push(node);
        }
        is_new
    }

    /// Whether a node was found in this step.
    fn is_next(&self, node: u32) -> bool {
        self.reached[node as usize] == self.step + 1
    }

    /// Goes one link farther; false when there is nothing.
    fn advance(&mut self) -> bool {
        std::mem::swap(&mut self.here, &mut self.next);
        self.next.clear();
        self.step += 1;
        !self.here.is_empty()
    }
}

impl Topology {
    fn by_name(&self, a: u32, b: u32) -> Ordering {
        self.id(a).cmp(self.id(b))
    }

    /// Keeps the first `most` by name, sorted.
    fn first_by_name(&self, mut found: Vec<u32>, most: usize) -> Vec<u32> {
        if found.len() > most {
            if let Some(last) = most.checked_sub(1) {
                found.select_nth_unstable_by(last, |&a, &b| self.by_name(a, b));
            }
            found.truncate(most);
        }
        found.sort_unstable_by(|&a, &b| self.by_name(a, b));
        found
    }

    /// What suffers at once when a node does.
    fn suffering(&self, node: u32, is_start: bool) -> impl Iterator<Item = u32> {
        let (out, into) = (&self.node(node).out, &self.node(node).into);
        let part_of = of(out, Relation::PartOf);
        // All relations but the first, which leads the other way.
        let others = &into[of(into, Relation::PartOf).len()..];
        // Only where the walk starts: a volume that is reached was reached from its host, as the others were.
        let is_shared = is_start && self.is_shared(node);
        let hosts = if is_shared {
            of(out, Relation::RunsOn)
        } else {
            &[]
        };
        let neighbours = hosts.iter().flat_map(|host| {
            let all = of(&self.node(host.other).into, Relation::RunsOn).iter();
            all.filter(|edge| self.kind(edge.other) != Kind::Volume)
        });
        let all = part_of.iter().chain(others).chain(neighbours);
        all.map(|edge| edge.other)
    }

    /// Whether a node is a volume that nobody is known to store on.
    fn is_shared(&self, node: u32) -> bool {
        self.kind(node) == Kind::Volume && of(&self.node(node).into, Relation::StoresOn).is_empty()
    }

    /// What suffers from `start`, within [`MAX_DEPTH`] links.
    pub(super) fn impact(&self, start: u32) -> Impact {
        let mut impact = Impact::default();
        let mut front = Front::new(self.nodes.len(), start);
        let mut parents = vec![0; self.nodes.len()];
        for depth in 0..MAX_DEPTH {
            // Beyond the last path nobody asks for the way.
            let is_path_wanted = impact.affected.len() < MAX_PATHS;
            for i in 0..front.here.len() {
                let node = front.here[i];
                self.suffering(node, depth == 0).for_each(|other| {
                    // Of several ways of one length, the one over the first by name.
                    let is_better = front.reach(other)
                        || is_path_wanted
                            && front.is_next(other)
                            && self.by_name(node, parents[other as usize]).is_lt();
                    if is_better {
                        parents[other as usize] = node;
                    }
                });
            }
            if !front.advance() {
                break;
            }
            self.note(&front.here, &mut impact);
        }
        let paths = impact.affected.iter().take(MAX_PATHS).map(|&service| {
            let mut path = vec![service];
            let mut node = service;
            while node != start {
                node = parents[node as usize];
                path.push(node);
            }
            path.reverse();
            path
        });
        impact.paths = paths.collect();
        impact
    }

    /// Takes in what was found at one distance.
    fn note(&self, found: &[u32], impact: &mut Impact) {
        let mut services = Vec::new();
        let mut owned: Option<u32> = None;
        let is_owner_wanted = impact.owned.is_none();
        for &number in found {
            let node = self.node(number);
            if node.kind == Kind::Service {
                services.push(number);
            }
            impact.tier = impact.tier.into_iter().chain(node.tier).min();
            if is_owner_wanted
                && node.owner.is_some()
                && owned.is_none_or(|first| self.by_name(number, first).is_lt())
            {
                owned = Some(number);
            }
        }
        impact.owned = impact.owned.or(owned);
        impact.n_affected += services.len() as u32;
        let room = MAX_AFFECTED - impact.affected.len();
        if room > 0 {
            impact.affected.extend(self.first_by_name(services, room));
        }
    }

    /// Entities whose trouble may explain that of `id`, with the number of links to them: what it runs on, stores on, uses
    /// and depends on, and in turn what that does; of a service, its instances too. Nearest first, then by name; at most
    /// [`MAX_CAUSE_HOPS`] links away and [`MAX_CAUSES`] of them; none for what is not known.
    #[must_use]
    pub fn causes(&self, id: &EntityId) -> Vec<(EntityId, u32)> {
        let mut causes = Vec::new();
        let Some(start) = self.find(id) else {
            return causes;
        };
        let mut front = Front::new(self.nodes.len(), start);
        let mut done = vec![0; self.nodes.len()];
        for hops in 1..=MAX_CAUSE_HOPS {
            for i in 0..front.here.len() {
                let node = front.here[i];
                self.follow(node, &mut done, &mut front);
                for part in of(&self.node(node).into, Relation::PartOf) {
                    front.reach(part.other);
                }
                for service in of(&self.node(node).out, Relation::PartOf) {
                    self.follow(service.other, &mut done, &mut front);
                }
            }
            if !front.advance() {
                break;
            }
            let room = MAX_CAUSES - causes.len();
            let found = self.first_by_name(front.here.clone(), room);
            causes.extend(found.iter().map(|&node| (self.id(node).clone(), hops)));
            if causes.len() == MAX_CAUSES {
                break;
            }
        }
        causes
    }

    /// Reaches what a node relies on: all that it links to but the service that it is part of. `done` keeps by node what
    /// was gone through already.
    fn follow(&self, node: u32, done: &mut [u8], front: &mut Front) {
        if done[node as usize] & LINKS != 0 {
            return;
        }
        done[node as usize] |= LINKS;
        let out = &self.node(node).out;
        let relied_on = &out[of(out, Relation::PartOf).len()..];
        for edge in relied_on {
            front.reach(edge.other);
            // The host's volumes come with it, unless others are known to keep their files there.
            let is_on = edge.relation == Relation::RunsOn && self.kind(node) != Kind::Volume;
            if is_on && done[edge.other as usize] & VOLUMES == 0 {
                done[edge.other as usize] |= VOLUMES;
                for on_host in of(&self.node(edge.other).into, Relation::RunsOn) {
                    if self.is_shared(on_host.other) {
                        front.reach(on_host.other);
                    }
                }
            }
        }
    }

    /// Whether two entities are at most `hops` links apart, whatever their direction; at most [`MAX_DEPTH`] are looked at.
    /// An entity is related to itself, known or not.
    #[must_use]
    pub fn is_related(&self, a: &EntityId, b: &EntityId, hops: u32) -> bool {
        if a == b {
            return true;
        }
        let (Some(start), Some(end)) = (self.find(a), self.find(b)) else {
            return false;
        };
        let mut front = Front::new(self.nodes.len(), start);
        for _ in 0..hops.min(MAX_DEPTH) {
            for i in 0..front.here.len() {
                let node = self.node(front.here[i]);
                for edge in node.out.iter().chain(&node.into) {
                    front.reach(edge.other);
                }
            }
            if front.is_next(end) {
                return true;
            }
            if !front.advance() {
                break;
            }
        }
        false
    }
}
