//! What is measured. Serialises under the names that the scorer in Python gives the same figures.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::spread::Measure;

/// False alarms per hour of episode time at which the share that is caught is compared.
pub(super) const BUDGETS: [f64; 2] = [0.1, 0.25];
/// Minutes left, from and to, by which the error of the time to exhaustion is told.
pub(super) const BANDS_MIN: [(f64, f64); 5] = [
    (0.0, 5.0),
    (5.0, 15.0),
    (15.0, 30.0),
    (30.0, 60.0),
    (5.0, 30.0),
];

/// Whether it runs out within one horizon.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Horizon {
    /// Questions with a known answer.
    pub n: u64,
    /// Those of them where it is yes.
    pub positive: u64,
    /// At a probability of one half, as are recall and F1.
    pub precision: f64,
    /// See `precision`.
    pub recall: f64,
    /// See `precision`.
    pub f1: f64,
    /// Area under the curve of precision over recall: average precision.
    pub auc_pr: f64,
    /// Mean squared error of the probability.
    pub brier: f64,
}

/// Sustained alarms at P(within 30 minutes) of one half.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Alarm {
    /// Share of events with an alarm at least 5 minutes ahead.
    pub caught_5min: f64,
    /// Median over events, 0 for one without an alarm; `None` without events.
    pub lead_median_min: Option<f64>,
    /// False alarms per hour of episode time.
    pub false_per_hour: f64,
    /// Hours of episode time in which an alarm would be false.
    pub quiet_hours: f64,
}

/// The best threshold within a budget of false alarms.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Budget {
    /// Share of events with an alarm at least 5 minutes ahead.
    pub caught_5min: f64,
    /// That threshold; `None` if no threshold catches anything within the budget.
    pub threshold: Option<f64>,
}

/// Error of the median time to exhaustion, over the time that was left.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct TimeError {
    /// Questions.
    pub n: u64,
    /// Infinite (in JSON null) when at least half were not foreseen.
    pub relative_error_median: f64,
    /// The 90th percentile; infinite (in JSON null) when more than a tenth were not foreseen.
    pub relative_error_p90: f64,
    /// Share of questions where the median was infinite.
    pub not_foreseen: f64,
}

/// The interval from the 5 to the 95 % quantile, with 1 to 60 minutes left.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// Questions.
    pub n: u64,
    /// Share of them with the truth inside.
    pub coverage: f64,
    /// Share of them with an interval that ends.
    pub finite: f64,
    /// Width over the time that was left, median of those that end.
    pub width_ratio_median: Option<f64>,
}

/// Everything that is measured of one predictor on one set of episodes.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    /// Episodes.
    pub episodes: u64,
    /// Those that ran out.
    pub events: u64,
    /// Questions.
    pub queries: u64,
    /// Those without a prediction; nothing foreseen counts in its place.
    pub unanswered: u64,
    /// 5, 15, 30 minutes, without the questions that nobody could answer.
    pub answerable: [Horizon; 3],
    /// 5, 15, 30 minutes, every question whose answer is known.
    pub strict: [Horizon; 3],
    /// Alarms at one half.
    pub alarm: Alarm,
    /// Alarms at 0.1 and at 0.25 false ones per hour.
    pub budgets: [Budget; 2],
    /// With 0–5, 5–15, 15–30, 30–60, 5–30 minutes left; `None` where nothing was asked.
    pub time_errors: [Option<TimeError>; 5],
    /// `None` where nothing was asked.
    pub interval: Option<Interval>,
}

impl Serialize for Figures {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("episodes", &self.episodes)?;
        map.serialize_entry("events", &self.events)?;
        map.serialize_entry("queries", &self.queries)?;
        map.serialize_entry("unanswered", &self.unanswered)?;
        for (which, horizons) in [("answerable", &self.answerable), ("strict", &self.strict)] {
            for (minutes, horizon) in [5, 15, 30].into_iter().zip(horizons) {
                map.serialize_entry(&format!("{which}.h{minutes}"), horizon)?;
            }
        }
        map.serialize_entry("alarm.at_0.5", &self.alarm)?;
        for (budget, at) in BUDGETS.iter().zip(&self.budgets) {
            map.serialize_entry(&format!("alarm.caught_5min_at_{budget}_false_per_hour"), at)?;
        }
        for ((from, to), error) in BANDS_MIN.iter().zip(&self.time_errors) {
            if let Some(error) = error {
                map.serialize_entry(&format!("ttf.{from}_{to}min"), error)?;
            }
        }
        if let Some(interval) = &self.interval {
            map.serialize_entry("interval90", interval)?;
        }
        map.end()
    }
}

/// The figures that have targets, each with its 90 % interval over episodes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Spread {
    /// F1 at 5, 15, 30 minutes, answerable questions, as are AUC-PR and Brier score.
    pub f1: [Measure; 3],
    /// See `f1`.
    pub auc_pr: [Measure; 3],
    /// See `f1`.
    pub brier: [Measure; 3],
    /// Share caught at least 5 minutes ahead, at 0.1 and at 0.25 false alarms per hour, the threshold chosen anew in each
    /// resample.
    pub caught: [Measure; 2],
    /// The same at a probability of one half.
    pub caught_at_half: Measure,
    /// False alarms per hour at a probability of one half.
    pub false_per_hour: Measure,
    /// Median relative error of the time to exhaustion, by minutes left: 0–5, 5–15, 15–30, 30–60, 5–30.
    pub error_median: [Measure; 5],
    /// Its 90th percentile.
    pub error_p90: [Measure; 5],
    /// Share of intervals with the truth inside.
    pub coverage: Measure,
    /// Share of intervals that end.
    pub finite: Measure,
    /// Median width over the time that was left.
    pub width: Measure,
}
