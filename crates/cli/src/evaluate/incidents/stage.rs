//! The watchers and the planner as `forestall serve` joins them, on a clock that somebody else moves.
//!
//! What is not there: the day ahead (`server::lookout::days`), which needs histories of days; queues that overflow; people.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Context;
use hotpath::{EngineConfig, Lookout, LookoutConfig, SeriesSpec, Shard};
use predict::exhaustion::Judge;
use remedy::planner::{Batch, Parts, Planner};
use remedy::record::Memory;
use remedy::signs::Signs;
use remedy::topology::{LabelRules, Link, Topology};
use remedy::{EntityId, Finding, Settings};
use series::{Sample, SeriesId, SeriesKey, Timestamp};

/// The host that metrics without a host tell of: none of those that scenarios name.
pub(super) const LOCAL_HOST: &str = "forestall-host";
/// Entities of series that still report are told again so often, in seconds; as in `server::lookout::reporter`.
const LEARN_EVERY_S: f64 = 300.0;
/// A resource is looked at anew in every turn.
const REFRESH_S: f64 = 5.0;

/// What looks at samples: the engine's anomalies, the outlooks, and the signs that make findings of them.
pub(super) struct Watchers {
    shard: Shard,
    lookout: Lookout,
    signs: Signs,
    labels: LabelRules,
    keys: Vec<Arc<SeriesKey>>,
    wanted: Vec<bool>,
    about: HashMap<SeriesId, About>,
    learned: Timestamp,
    batch: Vec<Sample>,
}

struct About {
    entity: EntityId,
    links: Vec<Link>,
    is_alive: bool,
}

/// What came of a turn of the watchers.
#[derive(Debug, Default, Clone)]
pub(super) struct Turn {
    /// Entities that series are about.
    pub(super) entities: Vec<(EntityId, Vec<Link>)>,
    pub(super) findings: Vec<Finding>,
}

impl Watchers {
    /// With the usual settings of `serve`.
    pub(super) fn new(judge: Arc<Judge>, labels: LabelRules) -> anyhow::Result<Self> {
        let config = LookoutConfig {
            refresh_s: REFRESH_S,
            ..LookoutConfig::default()
        };
        Ok(Self {
            shard: Shard::new(&EngineConfig::default()).context("making the engine")?,
            lookout: Lookout::new(config, judge),
            signs: Signs::new(&[], labels.clone(), LOCAL_HOST).context("making the rules")?,
            labels,
            keys: Vec::new(),
            wanted: Vec::new(),
            about: HashMap::new(),
            learned: Timestamp::default(),
            batch: Vec::new(),
        })
    }

    /// Makes a series known.
    pub(super) fn add_series(&mut self, key: SeriesKey, turn: &mut Turn) -> SeriesId {
        let id = self.shard.add_series(SeriesSpec::of(&key, None));
        let key = Arc::new(key);
        let is_of_resource = self.lookout.add_series(id, &key);
        let is_wanted = self.signs.add_series(id, &key) || is_of_resource;
        let found = self
            .labels
            .entity_of(key.metric(), key.labels(), LOCAL_HOST)
            .filter(|_| is_wanted);
        if let Some((entity, links)) = found {
            turn.entities.push((entity.clone(), links.clone()));
            let about = About {
                entity,
                links,
                is_alive: true,
            };
            self.about.insert(id, about);
        }
        self.keys.push(key);
        self.wanted.push(is_wanted);
        id
    }

    /// Takes a sample.
    pub(super) fn push(&mut self, sample: Sample) {
        self.batch.push(sample);
    }

    /// Ends a turn at `now`: samples in the order of their time, then events, outlooks, and what is to be said again.
    pub(super) fn turn(&mut self, now: Timestamp, turn: &mut Turn) {
        self.batch.sort_by_key(|sample| sample.at);
        let (mut risks, mut refused) = (Vec::new(), Vec::new());
        self.shard.push(&self.batch, &mut risks, &mut refused);
        for sample in self.batch.drain(..) {
            if !self.wanted[sample.series.index()] {
                continue;
            }
            if let Some(about) = self.about.get_mut(&sample.series) {
                about.is_alive = true;
            }
            self.lookout.push(sample);
            (self.signs).push(sample.series, sample.at, sample.value, &mut turn.findings);
        }
        let events = risks.iter().filter(|risk| risk.event.is_some());
        for risk in events {
            let place = risk.series.index();
            if self.wanted[place] {
                self.signs
                    .event(&self.keys[place], risk, &mut turn.findings);
            }
        }
        let mut outlooks = Vec::new();
        self.lookout.refresh(now, usize::MAX, &mut outlooks);
        for outlook in &outlooks {
            self.lookout.told(outlook);
            let key = Arc::clone(&self.lookout.resources()[outlook.resource as usize].key);
            self.signs.outlook(&key, outlook, &mut turn.findings);
        }
        self.signs.tick(now, &mut turn.findings);
        if now.seconds_since(self.learned) >= LEARN_EVERY_S {
            self.learned = now;
            let alive = self.about.values_mut().filter(|about| about.is_alive);
            let mut again: Vec<_> = alive
                .map(|about| {
                    about.is_alive = false;
                    (about.entity.clone(), about.links.clone())
                })
                .collect();
            again.sort();
            turn.entities.extend(again);
        }
    }
}

/// A planner in phase `propose` that nobody answers, with the usual settings.
pub(super) fn planner(topology: Topology) -> anyhow::Result<Planner> {
    let parts = Parts {
        settings: Settings::default(),
        topology,
        people: Default::default(),
        executor: "dry_run".to_owned(),
        actions: None,
        seed: 0,
    };
    Planner::new(parts, Memory::default()).context("making the planner")
}

/// Hands a turn to a planner, and takes what comes of it. `takes`: which findings it hears of.
pub(super) fn think(
    planner: &mut Planner,
    now: Timestamp,
    turn: &Turn,
    takes: impl Fn(&Finding) -> bool,
) -> Batch {
    for (entity, links) in &turn.entities {
        planner.topology.learn(entity, links, now);
    }
    for finding in turn.findings.iter().filter(|finding| takes(finding)) {
        // What a peer may not say is refused, as `serve` does.
        let _ = planner.observe(now, finding.clone());
    }
    planner.tick(now);
    planner.take()
}
