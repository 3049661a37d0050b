//! Names to numbers, with a bound.

use std::collections::HashMap;
use std::sync::Arc;

use crate::{Refusal, SeriesId, SeriesKey};

/// Gives each key a dense id, in the order in which they are met, up to a limit.
///
/// Ids are never reused: a table indexed by them may grow but needs no generation counters.
#[derive(Debug, Default)]
pub struct Registry {
    ids: HashMap<Arc<SeriesKey>, SeriesId>,
    keys: Vec<Arc<SeriesKey>>,
    limit: usize,
}

/// What came of asking for an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registered {
    /// Known before.
    Known(SeriesId),
    /// Met for the first time.
    New(SeriesId),
}

impl Registered {
    /// The id either way.
    #[must_use]
    pub const fn id(self) -> SeriesId {
        match self {
            Self::Known(id) | Self::New(id) => id,
        }
    }
}

impl Registry {
    /// An empty registry that takes at most `limit` series (at most `u32::MAX`).
    #[must_use]
    pub fn with_limit(limit: usize) -> Self {
        Self {
            limit: limit.min(u32::MAX as usize),
            ..Self::default()
        }
    }

    /// The id of `key`, given now if it has none.
    ///
    /// # Errors
    /// [`Refusal::SeriesLimit`] when the key is new and the registry full.
    pub fn register(&mut self, key: &SeriesKey) -> Result<Registered, Refusal> {
        if let Some(&id) = self.ids.get(key) {
            return Ok(Registered::Known(id));
        }
        if self.keys.len() >= self.limit {
            return Err(Refusal::SeriesLimit);
        }
        let id = SeriesId(u32::try_from(self.keys.len()).map_err(|_| Refusal::SeriesLimit)?);
        let key = Arc::new(key.clone());
        self.keys.push(Arc::clone(&key));
        self.ids.insert(key, id);
        Ok(Registered::New(id))
    }

    /// The id of a key that is already known.
    #[must_use]
    pub fn find(&self, key: &SeriesKey) -> Option<SeriesId> {
        self.ids.get(key).copied()
    }

    /// The key behind an id.
    #[must_use]
    pub fn key(&self, id: SeriesId) -> Option<&Arc<SeriesKey>> {
        self.keys.get(id.index())
    }

    /// How many series are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// How many series may be known.
    #[must_use]
    pub const fn limit(&self) -> usize {
        self.limit
    }

    /// All keys with their ids, in order of id.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (SeriesId, &Arc<SeriesKey>)> {
        self.keys
            .iter()
            .enumerate()
            .map(|(i, key)| (SeriesId(i as u32), key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_registry_still_knows_its_own() {
        let key = |name: &str| name.parse::<SeriesKey>().unwrap();
        let mut registry = Registry::with_limit(2);
        assert_eq!(
            registry.register(&key("a")),
            Ok(Registered::New(SeriesId(0)))
        );
        assert_eq!(
            registry.register(&key("b")),
            Ok(Registered::New(SeriesId(1)))
        );
        assert_eq!(registry.register(&key("c")), Err(Refusal::SeriesLimit));
        assert_eq!(
            registry.register(&key("a")),
            Ok(Registered::Known(SeriesId(0)))
        );
        assert_eq!(registry.key(SeriesId(1)).unwrap().metric(), "b");
    }
}
