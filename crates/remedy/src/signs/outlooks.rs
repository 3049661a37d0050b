//! Which resource an outlook is of, and what samples tell of it beside.

use predict::exhaustion::Outlook;
use series::SeriesKey;

use super::resource::{self, Beside, Left, Resource};
use super::rule::Test;
use super::{Signs, cpu, group_key, note, queries};
use crate::{Finding, Kind};

/// Most resources.
const MAX_RESOURCES: usize = 50_000;
/// A resource without outlooks for so long gives way to another when there is no room, in seconds.
const STALE_S: f64 = 3_600.0;

impl Signs {
    /// Takes in an outlook; `key` is the series by which its resource goes.
    pub fn outlook(&mut self, key: &SeriesKey, outlook: &Outlook, out: &mut Vec<Finding>) {
        let Some(place) = self.place(key, outlook) else {
            self.refused += 1;
            return;
        };
        let family = outlook.family;
        let threshold = self.levels[family as usize].unwrap_or_else(|| resource::usual(family));
        let beside = self.beside(key);
        let (_, resource) = &mut self.resources[place as usize];
        // Of one series each thing is told once: by samples where a rule reads them.
        let named = self.by_metric.get(key.metric()).into_iter().flatten();
        let mut left = Left {
            level: true,
            end: true,
        };
        for (rule, read) in named {
            let rule = &self.rules[usize::from(*rule)];
            let is_alike = rule.is_single() && rule.class == resource.class();
            if is_alike && rule.reads[usize::from(*read)].takes(key) {
                left.level = false;
                left.end &= !rule.foretells;
            }
        }
        resource.take(key, outlook, &threshold, left);
        resource.speak(key, &beside, outlook.at, out);
        note(&mut self.present_resources, place, resource.is_present());
    }

    fn place(&mut self, key: &SeriesKey, outlook: &Outlook) -> Option<u32> {
        if let Some(&place) = self.places.get(key) {
            return Some(place);
        }
        let class = resource::class(outlook.family, Kind::Instance);
        let (entity, dependency) = self.entity(class, key)?;
        let fresh = Resource::new(outlook.family, entity, dependency);
        let place = if self.resources.len() < MAX_RESOURCES {
            self.resources.push((key.clone(), fresh));
            self.resources.len() - 1
        } else {
            let now = self.now;
            let is_stale = |resource: &Resource| {
                !resource.is_present() && now.seconds_since(resource.newest) > STALE_S
            };
            let place = self
                .resources
                .iter()
                .position(|(_, resource)| is_stale(resource))?;
            self.places.remove(&self.resources[place].0);
            self.resources[place] = (key.clone(), fresh);
            place
        };
        self.places.insert(key.clone(), place as u32);
        Some(place as u32)
    }

    /// What samples tell of a resource beside its outlook.
    pub(super) fn beside(&self, key: &SeriesKey) -> Beside {
        let level = |metric: &str| {
            let named = self.by_metric.get(metric).into_iter().flatten();
            let mut facts = named
                .map(|(rule, _)| *rule)
                .filter(|&rule| self.rules[usize::from(rule)].test == Test::Never);
            let rule = facts.next()?;
            let group = group_key(&self.rules[usize::from(rule)], key)?;
            let watch = &self.table.watches[self.table.group(rule, &group)? as usize];
            Some(watch.level).filter(|level| level.is_finite() && *level >= 0.0)
        };
        match key.metric() {
            queries::SESSIONS => Beside {
                idle: level(queries::SESSIONS),
                cores: None,
            },
            "container_cpu_usage_seconds_total" => Beside {
                idle: None,
                cores: level(cpu::QUOTA),
            },
            _ => Beside::default(),
        }
    }
}
