//! A scenario as it is written down: what there is, what is measured, and what a good operator would have said and done.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, anyhow, bail};
use eval::incidents::{Expected, Incident, Trouble};
use remedy::EntityId;
use remedy::topology::{Declared, Topology};
use serde::Deserialize;
use series::SeriesKey;

use super::label::{Label, Place};
use super::shape::Part;

/// One file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scenario {
    /// What happens, and why the label is what it is: for people.
    pub(super) about: String,
    /// What sort of scenario it is.
    pub(super) sort: Sort,
    /// How long it lasts, in seconds.
    pub(super) duration_s: f64,
    /// Seconds between two samples of a series.
    #[serde(default = "step")]
    pub(super) step_s: f64,
    /// Hour of the day at which it begins, 0 to 24.
    #[serde(default = "morning")]
    pub(super) begins_hour: f64,
    /// What there is, as in the configuration of `forestall serve`.
    #[serde(default)]
    pub(super) topology: Declared,
    /// What is measured.
    #[serde(default)]
    pub(super) series: Vec<Series>,
    /// Requests, as histograms tell of them.
    #[serde(default)]
    pub(super) requests: Vec<Requests>,
    /// Certificates that are looked at once a minute.
    #[serde(default)]
    pub(super) certificates: Vec<Certificate>,
    /// What scanners report.
    #[serde(default)]
    pub(super) vulnerabilities: Vec<Vulnerable>,
    /// Files that are held against what is declared once a minute.
    #[serde(default)]
    pub(super) files: Vec<Watched>,
    /// What should be opened, and what should be done about it.
    #[serde(default)]
    pub(super) expect: Vec<Label>,
    /// Where the trouble shows too: opened on its own it is a second issue for one cause.
    #[serde(default)]
    pub(super) symptoms: Vec<Place>,
    /// What may be opened, and need not.
    #[serde(default)]
    pub(super) tolerated: Vec<Place>,
}

fn step() -> f64 {
    15.0
}

fn morning() -> f64 {
    9.0
}

/// What sort of scenario it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Sort {
    /// One trouble, as in a textbook.
    Plain,
    /// Two troubles at once, or one that shows elsewhere.
    Overlapping,
    /// It looks like what it is not.
    Misleading,
    /// Nothing is wrong.
    Quiet,
}

/// A series.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Series {
    pub(super) metric: String,
    #[serde(default)]
    pub(super) labels: BTreeMap<String, String>,
    /// One series for each of these values of a label.
    #[serde(default)]
    pub(super) each: BTreeMap<String, Vec<String>>,
    pub(super) shape: Vec<Part>,
    /// Whether the shape is the rate per second of a running total.
    #[serde(default)]
    pub(super) counter: bool,
    /// When a running total begins again at nothing.
    #[serde(default)]
    pub(super) resets_s: Vec<f64>,
    /// Adds the instant at which the scenario begins, in seconds since 1970: for metrics that are times.
    #[serde(default)]
    pub(super) epoch: bool,
    pub(super) low: Option<f64>,
    pub(super) high: Option<f64>,
    /// Rounded to whole numbers.
    #[serde(default)]
    pub(super) whole: bool,
    /// When it does not come: pairs of begin and end.
    #[serde(default)]
    pub(super) gaps_s: Vec<[f64; 2]>,
    /// How much the clock of whoever measured is ahead.
    #[serde(default)]
    pub(super) skew_s: f64,
    /// Seconds between two samples, where that is not the scenario's.
    pub(super) step_s: Option<f64>,
}

/// Requests: `NAME_count` and `NAME_sum`, with those that failed under another label.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Requests {
    /// Without `_count`.
    pub(super) metric: String,
    #[serde(default)]
    pub(super) labels: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) each: BTreeMap<String, Vec<String>>,
    /// Requests per second.
    pub(super) per_s: Vec<Part>,
    /// How long one takes, in the unit of the metric.
    pub(super) mean: Vec<Part>,
    /// The share that fails.
    #[serde(default)]
    pub(super) failed: Vec<Part>,
    /// When the process, and with it the totals, begins again.
    #[serde(default)]
    pub(super) resets_s: Vec<f64>,
    #[serde(default)]
    pub(super) gaps_s: Vec<[f64; 2]>,
    #[serde(default)]
    pub(super) skew_s: f64,
}

/// A certificate.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Certificate {
    /// Its file or endpoint.
    pub(super) name: String,
    /// Days that are left at the beginning.
    pub(super) days_left: f64,
    /// Days for which it was issued.
    pub(super) validity_days: f64,
    #[serde(default)]
    pub(super) issuer: String,
    /// From when on a file holds a newer one.
    pub(super) newer_on_disk_from_s: Option<f64>,
    /// When it is renewed without anybody's doing, for as long again.
    pub(super) renewed_s: Option<f64>,
}

/// A vulnerability that a scanner reports.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Vulnerable {
    /// The host or instance that it is on, without the kind.
    pub(super) target: String,
    pub(super) package: String,
    pub(super) id: String,
    pub(super) installed: String,
    /// Empty when nothing mends it.
    #[serde(default)]
    pub(super) fixed: String,
    pub(super) severity: String,
    pub(super) score: Option<f64>,
    /// Days ago that it was published.
    pub(super) published_days: Option<f64>,
    /// From when on it is reported.
    #[serde(default)]
    pub(super) from_s: f64,
    /// From when on it is not.
    pub(super) to_s: Option<f64>,
}

/// A file that is held against what is declared.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Watched {
    pub(super) host: String,
    pub(super) path: String,
    #[serde(default)]
    pub(super) sensitive: bool,
    #[serde(default)]
    pub(super) lines_changed: Option<u64>,
    /// When it differs.
    #[serde(default)]
    pub(super) differs: Vec<Span>,
}

/// When a file differs.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Span {
    pub(super) from_s: f64,
    pub(super) to_s: Option<f64>,
    /// Spans with other names differ from one another.
    #[serde(default)]
    pub(super) version: String,
}

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
#[path = "scenario_tests.rs"]
mod tests;
