//! Each class by example, and what no peer may bring about.

mod bounds;
mod by_level;
mod by_outlook;

use std::collections::BTreeMap;

use predict::exhaustion::{Cause, FACTORS, FAN_POINTS, Family, Fan, Outlook, Survival};
use predict::{Event, EventId, Factor, Score};

use super::*;
use crate::Source;

fn at(s: f64) -> Timestamp {
    Timestamp::from_secs_f64(1.7e9 + s).unwrap()
}

/// Signs with what they said, and whether it is in order.
struct Desk {
    signs: Signs,
    ids: BTreeMap<String, u32>,
    out: Vec<Finding>,
    present: BTreeMap<(String, Class, Source, String), bool>,
    last: Option<Finding>,
}

impl Desk {
    fn new() -> Self {
        Self::with("[]")
    }

    fn with(rules: &str) -> Self {
        let rules: Vec<RuleConfig> = serde_json::from_str(rules).unwrap();
        Self {
            signs: Signs::new(&rules, LabelRules::default(), "here").unwrap(),
            ids: BTreeMap::new(),
            out: Vec::new(),
            present: BTreeMap::new(),
            last: None,
        }
    }

    fn last(&self) -> &Finding {
        self.last.as_ref().unwrap()
    }

    fn fact(&self, name: &str) -> &str {
        self.last().facts.get(name).map_or("", String::as_str)
    }

    fn id(&mut self, series: &str) -> SeriesId {
        let n = self.ids.len() as u32;
        let id = SeriesId(*self.ids.entry(series.to_owned()).or_insert(n));
        if id.0 == n {
            self.signs.add_series(id, &series.parse().unwrap());
        }
        id
    }

    /// A sample; what was said of it, as `rule+` or `prediction-`.
    fn push(&mut self, s: f64, series: &str, value: f64) -> String {
        let id = self.id(series);
        self.signs.push(id, at(s), value, &mut self.out);
        self.said()
    }

    fn outlook(&mut self, key: &str, outlook: &Outlook) -> String {
        self.signs
            .outlook(&key.parse().unwrap(), outlook, &mut self.out);
        self.said()
    }

    /// Checks what is new: each within its bounds, present before it is taken back, and not taken back twice.
    fn said(&mut self) -> String {
        let mut text = Vec::new();
        let all = std::mem::take(&mut self.out);
        for found in &all {
            found.check().unwrap();
            let key = (
                found.entity.to_string(),
                found.class,
                found.source,
                found.signal.clone(),
            );
            let was = self.present.insert(key, found.is_present).unwrap_or(false);
            assert!(
                found.is_present || was,
                "taken back without being there: {found:?}"
            );
            if found.is_present != was {
                text.push(format!(
                    "{}{}",
                    found.source.name(),
                    if found.is_present { '+' } else { '-' }
                ));
            }
        }
        self.last = all.last().cloned().or(self.last.take());
        text.join(" ")
    }
}

fn outlook(s: f64, family: Family, share: f64, within: [f32; 2], ttf_s: [f64; 3]) -> Outlook {
    let limit = if matches!(family, Family::Cpu | Family::Dependency) {
        1.0
    } else {
        1000.0
    };
    let mut factors = [Factor::default(); 3];
    factors[0] = Factor {
        index: FACTORS.iter().position(|name| *name == "level").unwrap() as u8,
        share: 0.6,
    };
    Outlook {
        resource: 0,
        family,
        at: at(s),
        level: share * limit,
        limit,
        survival: Survival::CERTAIN,
        within: [0.0, 0.0, within[0], within[1], within[1]],
        ttf_s,
        seen_s: 3_600.0,
        confidence: 0.8,
        cause: Cause::Leak,
        factors,
        actions: &[],
        fan: Fan {
            ahead_s: [0.0; FAN_POINTS],
            ..Fan::default()
        },
    }
}

const NO_END: [f64; 3] = [f64::INFINITY; 3];

/// A level every `step_s` seconds; what was said, with the second at which it was.
fn told(
    desk: &mut Desk,
    series: &str,
    step_s: f64,
    levels: impl IntoIterator<Item = f64>,
) -> Vec<String> {
    let mut text = Vec::new();
    for (i, level) in levels.into_iter().enumerate() {
        let s = i as f64 * step_s;
        let said = desk.push(s, series, level);
        if !said.is_empty() {
            text.push(format!("{s}: {said}"));
        }
    }
    text
}

fn levels(parts: &[(usize, f64)]) -> Vec<f64> {
    parts
        .iter()
        .flat_map(|&(n, level)| vec![level; n])
        .collect()
}

fn risk(s: f64, series: u32, phase: Phase, peak: f32) -> Risk {
    Risk {
        series: SeriesId(series),
        at: at(s),
        value: 0.15,
        level: 0.15,
        expected: 0.05,
        band: 0.01,
        score: Score::from_tail(0.1),
        alert_score: 0.0,
        confidence: 1.0,
        event: Some(Event {
            id: EventId(1),
            phase,
            since: at(s),
            peak,
        }),
        detectors: Default::default(),
        features: Default::default(),
    }
}
