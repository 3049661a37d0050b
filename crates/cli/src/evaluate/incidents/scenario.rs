//! A scenario as it is written down: what there is, what is measured, and what a good operator would have said and done.

use std::collections::BTreeMap;

use remedy::topology::Declared;
use serde::Deserialize;

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
