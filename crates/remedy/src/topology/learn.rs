//! What labels tell comes, and goes when there is too much of it or it is not told any more.

use series::Timestamp;

use super::graph::{Edge, place, take_out};
use super::{Link, Origin, Topology};
use crate::EntityId;

/// Most links that one call of [`Topology::learn`] takes in: labels tell three or four.
const MAX_LEARNED_LINKS: usize = 64;

impl Topology {
    /// Takes in an entity and links that labels told of at `at`; both ends of a link count as seen. What makes no sense is
    /// counted and left out, see [`super::Counts::refused_links`]. When there are too many entities, the one that was learned and
    /// not seen for longest is forgotten; of too many links, those to such entities are.
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

    /// The number of an entity that was seen, new or not; `None` when none may be learned.
    fn see(&mut self, id: &EntityId, at: Timestamp) -> Option<u32> {
        if let Some(number) = self.find(id) {
            match &mut self.about[number as usize].origin {
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

    /// Forgets a learned entity.
    fn forget(&mut self, number: u32) {
        let node = &mut self.nodes[number as usize];
        let (out, into) = (
            std::mem::take(&mut node.out),
            std::mem::take(&mut node.into),
        );
        self.n_links -= out.len() + into.len();
        for edge in out {
            let other = &mut self.nodes[edge.other as usize];
            take_out(&mut other.into, edge.relation, number);
        }
        for edge in into {
            let other = &mut self.nodes[edge.other as usize];
            take_out(&mut other.out, edge.relation, number);
        }
        let about = &self.about[number as usize];
        if let Origin::Learned { seen } = about.origin {
            self.by_age.remove(&(seen, number));
        }
        self.numbers.remove(&about.id);
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

    /// Drops learned links to entities that were not seen for longest; whether there were any. An eighth of all at once:
    /// whoever is full is full again with the next link, and to look for the oldest costs as much as to look at all.
    fn make_room(&mut self, number: u32, is_out: bool) -> bool {
        let node = self.node(number);
        let edges = if is_out { &node.out } else { &node.into };
        let age = |edge: &Edge| {
            let other = self.about(edge.other);
            match other.origin {
                Origin::Learned { seen } => (seen, &other.id),
                Origin::Declared | Origin::Named => (Timestamp::from_micros(i64::MAX), &other.id),
            }
        };
        let learned = edges.iter().filter(|edge| !edge.is_declared);
        let mut oldest: Vec<_> = learned.map(|edge| (age(edge), *edge)).collect();
        let n = (edges.len() / 8).max(1);
        if oldest.len() > n {
            oldest.select_nth_unstable(n);
            oldest.truncate(n);
        }
        let oldest: Vec<_> = oldest.into_iter().map(|(_, edge)| edge).collect();
        for edge in &oldest {
            let (from, to) = if is_out {
                (number, edge.other)
            } else {
                (edge.other, number)
            };
            self.unlink(from, edge.relation, to);
        }
        self.refused_links += oldest.len() as u64;
        !oldest.is_empty()
    }
}
