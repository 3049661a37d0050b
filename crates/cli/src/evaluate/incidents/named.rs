//! Scenarios read from their folder, and what is wrong with one, with its place.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, anyhow, bail};
use eval::incidents::{Expected, Incident, Trouble};
use remedy::EntityId;
use remedy::topology::Topology;
use series::SeriesKey;

use super::label::Place;
use super::scenario::{Scenario, Sort};
use super::shape::Part;

/// A scenario with its name.
#[derive(Debug, Clone)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) scenario: Scenario,
    pub(super) topology: Topology,
}

impl Named {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, or what is wrong in it, with its place.
    fn read(path: &Path) -> anyhow::Result<Self> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        Self::parse(&name, &text).map_err(|mistake| anyhow!("{}: {mistake}", path.display()))
    }

    /// From text.
    ///
    /// # Errors
    /// What is wrong, with its place.
    pub(super) fn parse(name: &str, text: &str) -> Result<Self, String> {
        let scenario: Scenario =
            toml::from_str(text).map_err(|error| error.to_string().trim().to_owned())?;
        let topology = Topology::from_declared(&scenario.topology).map_err(|e| e.to_string())?;
        let named = Self {
            name: name.to_owned(),
            scenario,
            topology,
        };
        match named.mistake() {
            Some((place, message)) => Err(format!("{place}: {message}")),
            None => Ok(named),
        }
    }

    /// The first thing that makes no sense, with its place.
    fn mistake(&self) -> Option<(String, String)> {
        let scenario = &self.scenario;
        let at = |place: &str, message: &str| Some((place.to_owned(), message.to_owned()));
        if scenario.about.trim().is_empty() {
            return at("about", "it is empty");
        }
        let ranges = [
            ("duration_s", scenario.duration_s, 60.0, 172_800.0),
            ("step_s", scenario.step_s, 1.0, 300.0),
            ("begins_hour", scenario.begins_hour, 0.0, 24.0),
        ];
        for (key, value, low, high) in ranges {
            if !(low..=high).contains(&value) {
                return at(key, &format!("{value} is not between {low} and {high}"));
            }
        }
        let is_quiet = scenario.sort == Sort::Quiet;
        match (scenario.sort, scenario.expect.is_empty()) {
            (Sort::Quiet, false) => {
                return at("expect", "nothing is expected of a quiet scenario");
            }
            (Sort::Plain | Sort::Overlapping, true) => {
                return at(
                    "expect",
                    "there is no label: only quiet and misleading scenarios may do without",
                );
            }
            (Sort::Quiet, true) | (Sort::Misleading, _) | (_, false) => {}
        }
        if is_quiet && !(scenario.symptoms.is_empty() && scenario.tolerated.is_empty()) {
            return at("symptoms", "nothing may be opened in a quiet scenario");
        }
        let names = match self.entities() {
            Ok(names) => names,
            Err(mistake) => return Some(mistake),
        };
        for (i, label) in scenario.expect.iter().enumerate() {
            if let Some((key, message)) = label.mistake(scenario.duration_s, &names) {
                return Some((format!("expect[{i}].{key}"), message));
            }
        }
        let places = [
            ("symptoms", &scenario.symptoms),
            ("tolerated", &scenario.tolerated),
        ];
        for (list, places) in places {
            for (i, place) in places.iter().enumerate() {
                if !names.contains(&place.entity) {
                    let message = format!("nothing here is called {}", place.entity);
                    return Some((format!("{list}[{i}].entity"), message));
                }
            }
        }
        None
    }

    /// All entities that the scenario speaks of, so that a label cannot misspell one.
    fn entities(&self) -> Result<BTreeSet<EntityId>, (String, String)> {
        let scenario = &self.scenario;
        let mut names: BTreeSet<EntityId> = self
            .topology
            .entities()
            .map(|entity| entity.id.clone())
            .collect();
        let labels = &scenario.topology.labels;
        let mut note = |place: String, parts: &[&[Part]], key: &SeriesKey| {
            if let Some(mistake) = parts
                .iter()
                .flat_map(|parts| parts.iter())
                .find_map(Part::mistake)
            {
                return Err((place, mistake));
            }
            let found = labels.entity_of(key.metric(), key.labels(), super::stage::LOCAL_HOST);
            if let Some((entity, links)) = found {
                names.insert(entity);
                names.extend(links.into_iter().flat_map(|link| [link.from, link.to]));
            }
            Ok(())
        };
        for (i, series) in scenario.series.iter().enumerate() {
            let place = format!("series[{i}]");
            let keys = keys(&series.metric, &series.labels, &series.each);
            for key in keys.map_err(|message| (place.clone(), message))? {
                note(place.clone(), &[&series.shape], &key)?;
            }
        }
        for (i, requests) in scenario.requests.iter().enumerate() {
            let place = format!("requests[{i}]");
            let name = format!("{}_count", requests.metric);
            let keys = keys(&name, &requests.labels, &requests.each);
            for key in keys.map_err(|message| (place.clone(), message))? {
                let parts: [&[Part]; 3] = [&requests.per_s, &requests.mean, &requests.failed];
                note(place.clone(), &parts, &key)?;
            }
        }
        let others = (scenario.certificates.iter())
            .map(|one| format!("certificate/{}", one.name))
            .chain(
                (scenario.vulnerabilities.iter())
                    .map(|one| format!("package/{}:{}", one.target, one.package)),
            )
            .chain(
                (scenario.files.iter())
                    .map(|one| format!("configuration/{}:{}", one.host, one.path)),
            );
        for text in others {
            let id = text
                .parse()
                .map_err(|error| ("names".to_owned(), format!("{text:?}: {error}")))?;
            names.insert(id);
        }
        Ok(names)
    }

    /// Whether it was put aside from the beginning: a third, by the hash of the name.
    pub(super) fn is_held_out(&self) -> bool {
        seed(&self.name).is_multiple_of(3)
    }

    /// The label, for whoever marks.
    pub(super) fn incident(&self) -> Incident {
        let trouble = |place: &Place| Trouble {
            class: place.class.name().to_owned(),
            entity: place.entity.to_string(),
        };
        let expected = self.scenario.expect.iter().map(|label| Expected {
            class: label.class.name().to_owned(),
            entities: std::iter::once(&label.entity)
                .chain(&label.or)
                .map(ToString::to_string)
                .collect(),
            from_s: label.from_s,
            by_s: label.from_s + label.within_s,
            best: label.best.clone(),
            fair: label.fair.clone(),
            wrong: label.wrong.clone(),
            abstain: label.abstain,
            is_optional: label.optional,
        });
        Incident {
            name: self.name.clone(),
            is_held_out: self.is_held_out(),
            expected: expected.collect(),
            symptoms: self.scenario.symptoms.iter().map(trouble).collect(),
            tolerated: self.scenario.tolerated.iter().map(trouble).collect(),
        }
    }
}

/// The series of a metric: one for each combination of the labels that have several values.
pub(super) fn keys(
    metric: &str,
    labels: &BTreeMap<String, String>,
    each: &BTreeMap<String, Vec<String>>,
) -> Result<Vec<SeriesKey>, String> {
    let mut all = vec![labels.clone()];
    for (label, values) in each {
        let with = |known: &BTreeMap<String, String>, value: &String| {
            let mut known = known.clone();
            known.insert(label.clone(), value.clone());
            known
        };
        all = all
            .iter()
            .flat_map(|known| values.iter().map(move |value| with(known, value)))
            .collect();
    }
    all.into_iter()
        .map(|labels| SeriesKey::new(metric, labels).map_err(|error| error.to_string()))
        .collect()
}

/// A number from a text, the same in every release (FNV-1a).
pub(super) fn seed(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The scenarios in a folder, or in the folder `incidents` within it, by name.
///
/// # Errors
/// When there is none, or one cannot be read or makes no sense.
pub(super) fn read_all(dir: &Path) -> anyhow::Result<Vec<Named>> {
    let inner = dir.join("incidents");
    let dir = if inner.is_dir() { &inner } else { dir };
    let mut paths = Vec::new();
    let listed = std::fs::read_dir(dir).with_context(|| format!("listing {}", dir.display()))?;
    for entry in listed {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "toml") {
            paths.push(path);
        }
    }
    paths.sort();
    if paths.is_empty() {
        bail!("no scenario is in {}", dir.display());
    }
    paths.iter().map(|path| Named::read(path)).collect()
}

#[cfg(test)]
#[path = "named_tests.rs"]
mod tests;
