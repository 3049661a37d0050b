//! What is aimed at.

use std::fmt;

use serde::Serialize;

use crate::exhaustion::Spread;
use crate::spread::Measure;

/// A figure that is aimed at.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Target {
    /// What is measured.
    pub measure: &'static str,
    /// At least this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
    /// At most this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_most: Option<f64>,
    #[serde(skip)]
    pub(super) of: fn(&Spread) -> Measure,
}

const fn least(measure: &'static str, value: f64, of: fn(&Spread) -> Measure) -> Target {
    Target {
        measure,
        at_least: Some(value),
        at_most: None,
        of,
    }
}

const fn most(measure: &'static str, value: f64, of: fn(&Spread) -> Measure) -> Target {
    Target {
        measure,
        at_least: None,
        at_most: Some(value),
        of,
    }
}

/// What is aimed at, on answerable questions.
pub const TARGETS: [Target; 12] = [
    least("F1 at 5 min", 0.70, |s| s.f1[0]),
    least("F1 at 15 min", 0.75, |s| s.f1[1]),
    least("F1 at 30 min", 0.80, |s| s.f1[2]),
    least("AUC-PR at 15 min", 0.80, |s| s.auc_pr[1]),
    least("AUC-PR at 30 min", 0.88, |s| s.auc_pr[2]),
    most("Brier at 30 min", 0.09, |s| s.brier[2]),
    least("caught at 0.1 false/h", 0.85, |s| s.caught[0]),
    most("ttf error, median", 0.25, |s| s.error_median[4]),
    most("ttf error, p90", 1.0, |s| s.error_p90[4]),
    Target {
        measure: "interval coverage",
        at_least: Some(0.87),
        at_most: Some(0.93),
        of: |s| s.coverage,
    },
    most("interval width", 1.2, |s| s.width),
    least("interval finite", 0.95, |s| s.finite),
];

impl Target {
    /// Whether a predictor's figure is where it should be; what is not defined is not.
    pub(super) fn is_met(&self, intervals: &Spread) -> bool {
        let value = (self.of)(intervals).value;
        !value.is_nan()
            && self.at_least.is_none_or(|least| value >= least)
            && self.at_most.is_none_or(|most| value <= most)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.at_least, self.at_most) {
            (Some(least), Some(most)) => write!(f, "{least:.2}–{most:.2}"),
            (Some(least), None) => write!(f, "≥ {least:.2}"),
            (None, Some(most)) => write!(f, "≤ {most:.2}"),
            (None, None) => f.write_str("–"),
        }
    }
}
