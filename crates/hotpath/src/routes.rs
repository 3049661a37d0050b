//! Which shard watches which series. Read and written at the edge only: a shard knows nothing of the others.

use std::sync::Arc;

use series::{Refusal, Registered, Registry, SeriesId, SeriesKey};

use crate::{EngineConfig, Groups, SeriesSpec};

/// Where the samples of a series go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Route {
    /// The shard.
    pub(crate) shard: u32,
    /// The series' number there.
    pub(crate) local: SeriesId,
}

/// A series that its shard is yet to hear of. Shards number series in the order in which they hear of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Newcomer {
    pub(crate) id: SeriesId,
    pub(crate) spec: SeriesSpec,
}

/// All series: their keys, their groups and their routes.
#[derive(Debug)]
pub(crate) struct Directory {
    registry: Registry,
    groups: Groups,
    /// By group: its shard, and its number there.
    group_homes: Vec<(u32, u32)>,
    routes: Vec<Route>,
    /// By shard: how many series and how many groups it has.
    loads: Vec<(u32, u32)>,
}

impl Directory {
    pub(crate) fn new(config: &EngineConfig, n_shards: usize) -> Self {
        Self {
            registry: Registry::with_limit(config.max_series),
            groups: Groups::new(&config.replica_labels),
            group_homes: Vec::new(),
            routes: Vec::new(),
            loads: vec![(0, 0); n_shards],
        }
    }

    /// The id of `key`; when it is new, `announce` is called with its shard and must tell that shard.
    ///
    /// A series goes to the shard of its group, so that replicas are compared without a lock; the first of a group,
    /// and a series without one, to the shard that has fewest. (A hash of the key would need no count, but leaves
    /// shards of 30 series as uneven as 24 and 36.)
    pub(crate) fn register(
        &mut self,
        key: &SeriesKey,
        announce: impl FnOnce(usize, Newcomer),
    ) -> Result<SeriesId, Refusal> {
        let id = match self.registry.register(key)? {
            Registered::Known(id) => return Ok(id),
            Registered::New(id) => id,
        };
        let (shard, group) = match self.groups.of(key) {
            None => (self.least_loaded(), None),
            Some(group) => {
                if group as usize == self.group_homes.len() {
                    let shard = self.least_loaded();
                    let (_, n_groups) = &mut self.loads[shard as usize];
                    self.group_homes.push((shard, *n_groups));
                    *n_groups += 1;
                }
                let (shard, number) = self.group_homes[group as usize];
                (shard, Some(number))
            }
        };
        let (n_series, _) = &mut self.loads[shard as usize];
        self.routes.push(Route {
            shard,
            local: SeriesId(*n_series),
        });
        *n_series += 1;
        announce(
            shard as usize,
            Newcomer {
                id,
                spec: SeriesSpec::of(key, group),
            },
        );
        Ok(id)
    }

    fn least_loaded(&self) -> u32 {
        (0..self.loads.len())
            .min_by_key(|&shard| self.loads[shard].0)
            .unwrap_or(0) as u32
    }

    pub(crate) fn find(&self, key: &SeriesKey) -> Option<SeriesId> {
        self.registry.find(key)
    }

    pub(crate) fn key(&self, id: SeriesId) -> Option<Arc<SeriesKey>> {
        self.registry.key(id).cloned()
    }

    pub(crate) fn route(&self, id: SeriesId) -> Option<Route> {
        self.routes.get(id.index()).copied()
    }

    /// All routes, in order of id.
    pub(crate) fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// All keys, in order of id.
    pub(crate) fn keys(&self) -> Vec<Arc<SeriesKey>> {
        self.registry
            .iter()
            .map(|(_, key)| Arc::clone(key))
            .collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.registry.len()
    }

    pub(crate) const fn limit(&self) -> usize {
        self.registry.limit()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replicas_share_a_shard_and_shards_share_the_work() {
        let mut directory = Directory::new(&EngineConfig::default(), 3);
        let mut told = vec![Vec::new(); 3];
        for metric in ["load", "free"] {
            for replica in 0..4 {
                let key = format!("{metric}{{instance=\"{replica}\"}}")
                    .parse()
                    .unwrap();
                directory
                    .register(&key, |shard, newcomer| told[shard].push(newcomer))
                    .unwrap();
            }
        }
        for alone in 0..4 {
            let key = format!("alone_{alone}_total").parse().unwrap();
            directory
                .register(&key, |shard, newcomer| told[shard].push(newcomer))
                .unwrap();
        }
        let sizes: Vec<_> = told.iter().map(Vec::len).collect();
        assert_eq!(sizes, [4, 4, 4]);
        for (shard, newcomers) in told.iter().enumerate() {
            for (local, newcomer) in newcomers.iter().enumerate() {
                let route = Route {
                    shard: shard as u32,
                    local: SeriesId(local as u32),
                };
                assert_eq!(directory.route(newcomer.id), Some(route));
            }
        }
        assert!(told[0].iter().all(|n| n.spec
            == SeriesSpec {
                kind: series::Kind::Gauge,
                unit: series::Unit::None,
                group: Some(0)
            }));
        assert!(told[2].iter().all(|n| n.spec
            == SeriesSpec {
                kind: series::Kind::Counter,
                unit: series::Unit::None,
                group: None
            }));
    }
}
