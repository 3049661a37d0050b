//! What the lookout's thread tells the planner: findings, the entities that series are about, and the values of signals that
//! plans are judged by.

use std::collections::HashMap;
use std::sync::Arc;

use predict::Risk;
use predict::exhaustion::Outlook;
use remedy::signs::{Signs, SignsError};
use remedy::topology::{LabelRules, Link};
use remedy::{EntityId, Finding};
use series::{Clock, Sample, SeriesId, SeriesKey, Timestamp};

use crate::config::Config;
use crate::planning::{Mailbox, News};

/// Entities of series that still report are told again so often, in seconds: the planner forgets those that do not.
const LEARN_EVERY_S: f64 = 300.0;
/// What still holds is repeated so often, in seconds.
const REPEAT_EVERY_S: f64 = 5.0;

/// The lookout's end of the planner's mailbox.
pub(crate) struct Reporter {
    signs: Signs,
    labels: LabelRules,
    local_host: String,
    mailbox: Arc<Mailbox>,
    clock: Arc<dyn Clock>,
    /// What wanted series are about, and whether a sample came since that was told last.
    about: HashMap<SeriesId, About>,
    learned: Timestamp,
    repeated: Timestamp,
    found: Vec<Finding>,
}

struct About {
    entity: EntityId,
    links: Vec<Link>,
    is_alive: bool,
}

impl Reporter {
    /// # Errors
    /// What is wrong with the rules of the configuration.
    pub(crate) fn new(
        config: &Config,
        mailbox: Arc<Mailbox>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SignsError> {
        let labels = config.topology.labels.clone();
        let local_host = local_host();
        Ok(Self {
            signs: Signs::new(&config.findings.rules, labels.clone(), &local_host)?,
            labels,
            local_host,
            mailbox,
            clock,
            about: HashMap::new(),
            learned: Timestamp::default(),
            repeated: Timestamp::default(),
            found: Vec::new(),
        })
    }

    /// Takes note of a series; whether its samples are wanted. `is_wanted`: whether the lookout wants them.
    pub(super) fn add_series(&mut self, id: SeriesId, key: &SeriesKey, is_wanted: bool) -> bool {
        let is_wanted = self.signs.add_series(id, key) || is_wanted;
        if is_wanted
            && let Some((entity, links)) =
                self.labels
                    .entity_of(key.metric(), key.labels(), &self.local_host)
        {
            self.mailbox
                .tell([News::Entity(entity.clone(), links.clone())]);
            let about = About {
                entity,
                links,
                is_alive: true,
            };
            self.about.insert(id, about);
        }
        is_wanted
    }

    pub(super) fn push(&mut self, sample: Sample) {
        if let Some(about) = self.about.get_mut(&sample.series) {
            about.is_alive = true;
        }
        self.signs
            .push(sample.series, sample.at, sample.value, &mut self.found);
    }

    pub(super) fn event(&mut self, key: &SeriesKey, risk: &Risk) {
        self.signs.event(key, risk, &mut self.found);
    }

    pub(super) fn outlook(&mut self, key: &SeriesKey, outlook: &Outlook) {
        self.signs.outlook(key, outlook, &mut self.found);
        if self.mailbox.watches_any() {
            let signal = key.to_string();
            if self.mailbox.is_watched(&signal) {
                let level = outlook.level / outlook.limit;
                self.mailbox.tell([News::Value(signal, level, outlook.at)]);
            }
        }
    }

    /// Ends a turn: what was found goes out.
    pub(super) fn turn(&mut self) {
        let now = self.clock.now();
        if now.seconds_since(self.repeated).abs() >= REPEAT_EVERY_S {
            self.repeated = now;
            self.signs.tick(now, &mut self.found);
        }
        if now.seconds_since(self.learned).abs() >= LEARN_EVERY_S {
            self.learned = now;
            let alive = self.about.values_mut().filter(|about| about.is_alive);
            let news = alive.map(|about| {
                about.is_alive = false;
                News::Entity(about.entity.clone(), about.links.clone())
            });
            self.mailbox.tell(news);
        }
        let found = self
            .found
            .drain(..)
            .map(|finding| News::Finding(Box::new(finding)));
        self.mailbox.tell(found);
    }

    /// Forgets everything, as the lookout does after a failure.
    pub(super) fn begin_again(&mut self, config: &[remedy::signs::RuleConfig]) {
        // The rules compiled before.
        if let Ok(signs) = Signs::new(config, self.labels.clone(), &self.local_host) {
            self.signs = signs;
        }
        self.about.clear();
        self.found.clear();
    }
}

/// The name of this host, as the kernel has it.
pub(crate) fn local_host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        "" => "localhost".to_owned(),
        name => name.to_owned(),
    }
}
