//! The highest fence seen for each target: what makes an order of a lease that was lost stale.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use remedy::EntityId;

/// An order of a lease that somebody else holds by now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the fence of the order for {target} is {fence}, and {seen} was seen already: its lease is lost"
)]
pub struct StaleFence {
    /// What it was about to be done to.
    pub target: EntityId,
    /// The fence of the order.
    pub fence: u64,
    /// The highest one seen.
    pub seen: u64,
}

/// Remembers fences, for at most so many targets.
///
/// When there are more, the target that was not heard of for longest is forgotten: an order for it passes whatever its
/// fence. Rejected: a common floor under all that was forgotten, which would refuse first orders of new targets.
#[derive(Debug)]
pub struct Fences {
    capacity: usize,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    /// By target: its highest fence, and when it was last heard of, in orders.
    targets: BTreeMap<EntityId, (u64, u64)>,
    n_orders: u64,
}

impl Default for Fences {
    /// For 4,096 targets: under 3 MB even if each has the longest of names.
    fn default() -> Self {
        Self::new(4_096)
    }
}

impl Fences {
    /// For `capacity` targets, at least 1.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity: capacity.max(1),
            seen: Mutex::default(),
        }
    }

    /// Lets an order with this fence pass, and remembers it. The same fence passes again: a lease covers many orders.
    ///
    /// # Errors
    /// A higher fence was seen for the target.
    pub fn admit(&self, target: &EntityId, fence: u64) -> Result<(), StaleFence> {
        let mut seen = self.seen.lock();
        seen.n_orders += 1;
        let now = seen.n_orders;
        if let Some((highest, heard)) = seen.targets.get_mut(target) {
            *heard = now;
            if fence < *highest {
                return Err(StaleFence {
                    target: target.clone(),
                    fence,
                    seen: *highest,
                });
            }
            *highest = fence;
            return Ok(());
        }
        if seen.targets.len() >= self.capacity {
            // Orders are rare: a look at all targets costs less than a second index would.
            let oldest = seen.targets.iter().min_by_key(|(_, (_, heard))| *heard);
            if let Some(oldest) = oldest.map(|(target, _)| target.clone()) {
                seen.targets.remove(&oldest);
            }
        }
        seen.targets.insert(target.clone(), (fence, now));
        Ok(())
    }

    /// How many targets it remembers.
    #[must_use]
    pub fn n_targets(&self) -> usize {
        self.seen.lock().targets.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str) -> EntityId {
        format!("host/{name}").parse().unwrap()
    }

    #[test]
    fn a_lower_fence_than_was_seen_is_stale() {
        let fences = Fences::default();
        fences.admit(&id("a"), 7).unwrap();
        fences.admit(&id("a"), 7).unwrap();
        let error = fences.admit(&id("a"), 6).unwrap_err();
        assert_eq!((error.fence, error.seen), (6, 7));
        assert!(error.to_string().contains("host/a is 6, and 7 was seen"));
        fences.admit(&id("b"), 1).unwrap();
        fences.admit(&id("a"), 8).unwrap();
        fences.admit(&id("a"), 7).unwrap_err();
    }

    #[test]
    fn the_target_not_heard_of_for_longest_is_forgotten() {
        let fences = Fences::new(2);
        fences.admit(&id("a"), 5).unwrap();
        fences.admit(&id("b"), 5).unwrap();
        // Even a refused order is word of its target.
        fences.admit(&id("a"), 4).unwrap_err();
        fences.admit(&id("c"), 5).unwrap();
        assert_eq!(fences.n_targets(), 2);
        fences.admit(&id("a"), 4).unwrap_err();
        fences.admit(&id("b"), 1).unwrap();
    }
}
