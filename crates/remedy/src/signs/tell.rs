//! From what is known to what is said: findings within their bounds, each told once, repeated, and taken back once.

use std::collections::BTreeMap;

use series::{SeriesKey, Timestamp};
use sha2::{Digest, Sha256};

use crate::{Class, EntityId, Finding, MAX_FACTS, Source};

/// What is present is said again after so many seconds.
pub(super) const REPEAT_S: f64 = 30.0;
/// Nor more often than this, however the numbers move.
const LEAST_S: f64 = 5.0;
/// Longest text of a signal or fact, in bytes; far below what a finding may hold.
const MAX_TEXT_BYTES: usize = 1024;

/// The numbers of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Numbers {
    pub(super) value: f64,
    pub(super) threshold: f64,
    pub(super) probability: f64,
    pub(super) probability_day: f64,
    pub(super) ttf_s: Option<[f64; 3]>,
    pub(super) confidence: f64,
}

impl Numbers {
    /// Of a threshold that is crossed.
    pub(super) fn crossed(value: f64, threshold: f64) -> Self {
        Self {
            value,
            threshold,
            probability: 1.0,
            probability_day: 1.0,
            ttf_s: Some([0.0; 3]),
            confidence: 0.95,
        }
    }
}

/// What was last said of one entity, class, source and signal.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Told {
    pub(super) is_present: bool,
    /// When, on the clock of the samples or of [`super::Signs::tick`], whichever is later.
    when: Timestamp,
    value: f64,
    probability: f64,
    middle_s: f64,
}

impl Told {
    /// What is to be said at `now`, if anything: that it is so, or that it is so no more.
    pub(super) fn turn(&mut self, wanted: bool, now: Timestamp, numbers: &Numbers) -> Option<bool> {
        if !wanted {
            let was = std::mem::take(&mut self.is_present);
            return was.then_some(false);
        }
        let middle_s = numbers.ttf_s.map_or(f64::INFINITY, |ttf_s| ttf_s[1]);
        if self.is_present {
            // A clock that was set back starts the wait anew.
            let waited_s = now.seconds_since(self.when);
            let moved = |from: f64, to: f64, share: f64, least: f64| {
                (to - from).abs() > least.max(share * from.abs())
            };
            let is_material = moved(self.value, numbers.value, 0.1, 1e-9)
                || moved(self.probability, numbers.probability, 0.0, 0.1)
                || self.middle_s.is_finite() != middle_s.is_finite()
                || moved(self.middle_s, middle_s, 0.25, 60.0);
            let is_due = waited_s >= REPEAT_S || (is_material && waited_s >= LEAST_S);
            if !is_due && waited_s >= 0.0 {
                return None;
            }
        }
        *self = Self {
            is_present: true,
            when: now,
            value: numbers.value,
            probability: numbers.probability,
            middle_s,
        };
        Some(true)
    }

    /// Whether it is time to say it again.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        self.is_present && now.seconds_since(self.when) >= REPEAT_S
    }
}

/// Whom a finding is about and where it was seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct About<'a> {
    pub(super) entity: &'a EntityId,
    pub(super) class: Class,
    pub(super) source: Source,
    /// A series, a file, an endpoint, a report.
    pub(super) signal: &'a str,
    pub(super) unit: &'a str,
    pub(super) cause: &'a str,
}

/// A number between bounds; the lower one for what is none.
pub(super) fn within(value: f64, low: f64, high: f64) -> f64 {
    if value >= low { value.min(high) } else { low }
}

/// A finding that passes [`Finding::check`].
pub(super) fn finding(
    about: &About<'_>,
    is_present: bool,
    at: Timestamp,
    numbers: &Numbers,
    mut facts: BTreeMap<String, String>,
) -> Finding {
    let finite = |value: f64| within(value, -f64::MAX, f64::MAX);
    let probability = within(numbers.probability, 0.0, 1.0);
    let ttf_s = numbers
        .ttf_s
        .filter(|all| all.iter().all(|s| s.is_finite()));
    let ttf_s = ttf_s.map(|[low, middle, high]| {
        let low = low.max(0.0);
        let middle = middle.max(low);
        [low, middle, high.max(middle)]
    });
    while facts.len() > MAX_FACTS {
        facts.pop_last();
    }
    for value in facts.values_mut() {
        if value.len() > MAX_TEXT_BYTES {
            *value = cut(value);
        }
    }
    Finding {
        entity: about.entity.clone(),
        class: about.class,
        source: about.source,
        is_present,
        at,
        signal: cut(about.signal),
        value: finite(numbers.value),
        threshold: finite(numbers.threshold),
        unit: cut(about.unit),
        probability,
        probability_day: within(numbers.probability_day, probability, 1.0),
        ttf_s,
        confidence: within(numbers.confidence, 0.0, 1.0),
        cause: cut(about.cause),
        facts,
    }
}

/// The text of a series, cut when labels make it longer than anybody reads.
pub(super) fn signal(key: &SeriesKey) -> String {
    cut(&key.to_string())
}

/// At most [`MAX_TEXT_BYTES`] bytes, see [`cut_to`].
pub(super) fn cut(text: &str) -> String {
    cut_to(text, MAX_TEXT_BYTES)
}

/// At most so many bytes, 20 or more: the end gives way to a digest of the whole, so that no two texts become one.
pub(super) fn cut_to(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let digest = Sha256::digest(text.as_bytes());
    let digest: String = digest
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let end = text.floor_char_boundary(most - digest.len() - 1);
    format!("{}~{digest}", &text[..end])
}

/// Labels that strategies and people want to know, with the name of the fact. A list, because labels are written by
/// whoever exposes metrics: nobody gets to name a fact that permits something.
const FACTS: [(&str, &str); 27] = [
    ("namespace", "namespace"),
    ("exported_namespace", "namespace"),
    ("pod", "pod"),
    ("exported_pod", "pod"),
    ("container", "container"),
    ("exported_container", "container"),
    ("node", "node"),
    ("mountpoint", "mountpoint"),
    ("device", "device"),
    ("fstype", "fstype"),
    ("persistentvolumeclaim", "claim"),
    ("datname", "datname"),
    ("database", "datname"),
    ("schema", "datname"),
    ("state", "state"),
    ("table", "table"),
    ("relname", "table"),
    ("db_collection_name", "table"),
    ("columns", "columns"),
    ("query", "query"),
    ("digest_text", "query"),
    ("db_query_text", "query"),
    ("queryid", "queryid"),
    ("digest", "queryid"),
    ("handler", "handler"),
    ("http_route", "handler"),
    ("comm", "process"),
];

/// What the labels of a series say, under the names of facts.
pub(super) fn facts(key: &SeriesKey) -> BTreeMap<String, String> {
    let told = FACTS.iter().filter_map(|(label, fact)| {
        let value = key.label(label)?;
        Some(((*fact).to_owned(), clean(value)))
    });
    told.collect()
}

/// Without control characters, which would garble a terminal or a log.
pub(super) fn clean(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// A time as a fact: a date that people read, or seconds where there is no such date.
pub(super) fn date(at: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(at.micros())
        .map_or_else(|_| at.to_string(), |date| format!("{date:.0}"))
}

/// A number as a fact.
pub(super) fn number(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        return format!("{value:.0}");
    }
    format!("{value:.4}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: f64) -> Timestamp {
        Timestamp::from_secs_f64(1.7e9 + s).unwrap()
    }

    #[test]
    fn it_is_told_once_repeated_and_taken_back_once() {
        let mut told = Told::default();
        let numbers = Numbers::crossed(0.9, 0.8);
        assert_eq!(told.turn(false, at(0.0), &numbers), None);
        assert_eq!(told.turn(true, at(0.0), &numbers), Some(true));
        assert_eq!(told.turn(true, at(29.0), &numbers), None);
        assert!(told.is_due(at(30.0)));
        assert_eq!(told.turn(true, at(30.0), &numbers), Some(true));
        let worse = Numbers::crossed(1.2, 0.8);
        assert_eq!(told.turn(true, at(34.0), &worse), None);
        assert_eq!(told.turn(true, at(35.0), &worse), Some(true));
        assert_eq!(told.turn(false, at(36.0), &worse), Some(false));
        assert_eq!(told.turn(false, at(37.0), &worse), None);
    }

    #[test]
    fn long_texts_are_cut_and_stay_apart() {
        let key = |end: &str| {
            let long = format!("{}{end}", "ä".repeat(900));
            SeriesKey::new("m", [("a", &*long), ("b", &*long)]).unwrap()
        };
        let (a, b) = (signal(&key("a")), signal(&key("b")));
        assert!(a.len() <= MAX_TEXT_BYTES && a != b);
    }

    #[test]
    fn labels_become_facts_by_list_only() {
        let labels = [
            ("pod", "p\u{7}"),
            ("growable", "yes"),
            ("relname", "orders"),
        ];
        let facts = facts(&SeriesKey::new("m", labels).unwrap());
        let told: Vec<_> = facts
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert_eq!(told, ["pod=p ", "table=orders"]);
    }
}
