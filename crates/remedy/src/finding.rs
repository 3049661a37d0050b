//! What was seen to be wrong, or not any more: what the planner is told.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use series::Timestamp;

use crate::{Class, EntityId};

/// How a finding was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A threshold was crossed, and stayed so.
    Rule,
    /// A threshold will be crossed.
    Prediction,
    /// A certificate or a file was looked at.
    Probe,
    /// A scanner's report says so.
    Report,
}

impl Source {
    /// The name on the wire and for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rule => "rule",
            Self::Prediction => "prediction",
            Self::Probe => "probe",
            Self::Report => "report",
        }
    }
}

/// One thing that is, or was, wrong with one entity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// What it is wrong with.
    pub entity: EntityId,
    /// What is wrong.
    pub class: Class,
    /// How it was found.
    pub source: Source,
    /// Whether it is so; `false` takes back an earlier finding of the same entity, class, source and signal.
    pub is_present: bool,
    /// The time of the newest sample, probe or report that it rests on.
    pub at: Timestamp,
    /// Where it was seen: a series `node_load1{host="a"}`, a file, an endpoint, a report.
    pub signal: String,
    /// What was measured, in `unit`.
    pub value: f64,
    /// At what value it is wrong, in `unit`.
    pub threshold: f64,
    /// Of both: `ratio`, `seconds`, `days`, `bytes`, `restarts`, `score`, …
    pub unit: String,
    /// Calibrated probability, 0 to 1, that the threshold is crossed within 30 minutes; 1 when it is.
    pub probability: f64,
    /// The same within a day; at least `probability`.
    pub probability_day: f64,
    /// 5, 50 and 95 % quantiles of the time until it is, in seconds; `None` when no end is foreseen. Zeros when it is.
    pub ttf_s: Option<[f64; 3]>,
    /// How far this can be relied on, 0 to 1.
    pub confidence: f64,
    /// Why, as far as is known: `leak`, `growth`, `burst`, `cycle`, `warm-up`, `dependency`, `oom`, …; may be empty.
    pub cause: String,
    /// What else is known: labels of the series, package and versions, the difference of a file.
    pub facts: BTreeMap<String, String>,
}

/// Why a finding is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FindingError {
    /// A number that says nothing.
    #[error("{field} of the finding about {entity} is {value}, expected {expected}")]
    Number {
        /// What it is about.
        entity: EntityId,
        /// Which.
        field: &'static str,
        /// What it is.
        value: f64,
        /// What it must be.
        expected: &'static str,
    },
    /// A text that is too long.
    #[error(
        "{field} of the finding about {entity} has {bytes} bytes, at most {MAX_FACT_BYTES} are allowed"
    )]
    Long {
        /// What it is about.
        entity: EntityId,
        /// Which.
        field: String,
        /// Its length.
        bytes: usize,
    },
    /// It says to come from the future: somebody's clock is wrong.
    #[error("the finding about {entity} is {ahead_s:.0} s ahead of the clock here")]
    Ahead {
        /// What it is about.
        entity: EntityId,
        /// Seconds.
        ahead_s: f64,
    },
    /// Too many facts.
    #[error("the finding about {entity} has {n} facts, at most {MAX_FACTS} are allowed")]
    Facts {
        /// What it is about.
        entity: EntityId,
        /// How many.
        n: usize,
    },
}

/// Most facts of a finding.
pub const MAX_FACTS: usize = 64;
/// Most bytes of a text in a finding.
pub const MAX_FACT_BYTES: usize = 4096;

impl Finding {
    /// Whether its probabilities and its time tell of the trouble itself. A rule that a resource is at 91 % says that it is
    /// near its end, and nothing of when; the predictions beside it do.
    #[must_use]
    pub fn tells_when(&self) -> bool {
        let is_share = self.unit == "ratio"
            && matches!(
                self.class,
                Class::CpuSaturation | Class::MemoryExhaustion | Class::DiskExhaustion
            );
        self.source != Source::Rule || !is_share || self.value >= 1.0
    }

    /// Refuses what a peer may not send: numbers out of range, texts and lists out of bounds.
    ///
    /// # Errors
    /// See [`FindingError`].
    pub fn check(&self) -> Result<(), FindingError> {
        let number = |field, value, expected| FindingError::Number {
            entity: self.entity.clone(),
            field,
            value,
            expected,
        };
        let shares = [
            ("probability", self.probability),
            ("probability_day", self.probability_day),
            ("confidence", self.confidence),
        ];
        for (field, value) in shares {
            if !(0.0..=1.0).contains(&value) {
                return Err(number(field, value, "0 to 1"));
            }
        }
        for (field, value) in [("value", self.value), ("threshold", self.threshold)] {
            if !value.is_finite() {
                return Err(number(field, value, "a finite number"));
            }
        }
        let mut least = 0.0;
        for ttf_s in self.ttf_s.into_iter().flatten() {
            if !(ttf_s.is_finite() && ttf_s >= least) {
                return Err(number("ttf_s", ttf_s, "finite seconds that do not fall"));
            }
            least = ttf_s;
        }
        if self.facts.len() > MAX_FACTS {
            return Err(FindingError::Facts {
                entity: self.entity.clone(),
                n: self.facts.len(),
            });
        }
        let texts = [
            ("signal", &self.signal),
            ("unit", &self.unit),
            ("cause", &self.cause),
        ];
        let facts = self.facts.iter();
        let facts = facts.flat_map(|(name, value)| [(&**name, name), (&**name, value)]);
        for (field, text) in texts.into_iter().chain(facts) {
            if text.len() > MAX_FACT_BYTES {
                return Err(FindingError::Long {
                    entity: self.entity.clone(),
                    field: field.chars().take(40).collect(),
                    bytes: text.len(),
                });
            }
        }
        Ok(())
    }
}
