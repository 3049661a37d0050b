//! What is measured in a scenario, sample by sample.

use anyhow::Context;
use series::{Sample, SeriesId, SeriesKey, Timestamp};

use super::named::{Named, keys, seed};
use super::scenario::{Requests, Series};
use super::shape::{Course, Part};
use super::stage::{Turn, Watchers};

/// A sample that comes at a time: which series, the time it bears, its value.
pub(super) struct Feed<'a> {
    keys: Vec<SeriesKey>,
    ids: Vec<Option<SeriesId>>,
    origin: Origin<'a>,
    step_s: f64,
    skew_s: f64,
    gaps_s: &'a [[f64; 2]],
    /// When the next sample comes.
    pub(super) next_s: f64,
}

enum Origin<'a> {
    Series(Box<OfSeries<'a>>),
    Requests(Box<OfRequests<'a>>),
}

struct OfSeries<'a> {
    series: &'a Series,
    course: Course<'a>,
    total: f64,
    at_s: f64,
    epoch_s: f64,
}

struct OfRequests<'a> {
    requests: &'a Requests,
    per_s: Course<'a>,
    mean: Course<'a>,
    failed: Course<'a>,
    /// Of those that are well and those that failed: how many, and their seconds.
    totals: [f64; 4],
    at_s: f64,
}

/// Everything that is measured. `epoch_s`: when the scenario begins, in seconds since 1970.
///
/// # Errors
/// When a series has no name that it can have.
pub(super) fn feeds<'a>(named: &'a Named, epoch_s: f64) -> anyhow::Result<Vec<Feed<'a>>> {
    let scenario = &named.scenario;
    let course = |key: &SeriesKey, what: &str, parts: &'a [Part]| {
        let seed = seed(&format!("{} {key} {what}", named.name));
        Course::new(parts, scenario.begins_hour, seed)
    };
    let mut feeds = Vec::new();
    for series in &scenario.series {
        let keys =
            keys(&series.metric, &series.labels, &series.each).map_err(anyhow::Error::msg)?;
        for key in keys {
            let of = OfSeries {
                series,
                course: course(&key, "", &series.shape),
                total: 0.0,
                at_s: 0.0,
                epoch_s,
            };
            feeds.push(Feed {
                keys: vec![key],
                ids: vec![None],
                origin: Origin::Series(Box::new(of)),
                step_s: series.step_s.unwrap_or(scenario.step_s),
                skew_s: series.skew_s,
                gaps_s: &series.gaps_s,
                next_s: 0.0,
            });
        }
    }
    for requests in &scenario.requests {
        let name = format!("{}_count", requests.metric);
        let keys = keys(&name, &requests.labels, &requests.each).map_err(anyhow::Error::msg)?;
        for key in keys {
            let mut made = Vec::new();
            for status in ["200", "503"] {
                for end in ["_count", "_sum"] {
                    let labels = key.labels().chain([("http_response_status_code", status)]);
                    made.push(
                        SeriesKey::new(&format!("{}{end}", requests.metric), labels)
                            .context("naming requests")?,
                    );
                }
            }
            // Most clients make the series of failures with the first of them.
            made.truncate(if requests.failed.is_empty() { 2 } else { 4 });
            let of = OfRequests {
                requests,
                per_s: course(&key, "per_s", &requests.per_s),
                mean: course(&key, "mean", &requests.mean),
                failed: course(&key, "failed", &requests.failed),
                totals: [0.0; 4],
                at_s: 0.0,
            };
            feeds.push(Feed {
                ids: vec![None; made.len()],
                keys: made,
                origin: Origin::Requests(Box::new(of)),
                step_s: scenario.step_s,
                skew_s: requests.skew_s,
                gaps_s: &requests.gaps_s,
                next_s: 0.0,
            });
        }
    }
    Ok(feeds)
}

impl Feed<'_> {
    /// Takes the next samples; returns how many came.
    pub(super) fn scrape(
        &mut self,
        watchers: &mut Watchers,
        turn: &mut Turn,
        instant: &impl Fn(f64) -> Timestamp,
    ) -> u64 {
        let t = self.next_s;
        self.next_s += self.step_s;
        let values = match &mut self.origin {
            Origin::Series(of) => vec![of.value(t)],
            Origin::Requests(of) => of.values(t),
        };
        if self
            .gaps_s
            .iter()
            .any(|[from, to]| (*from..*to).contains(&t))
        {
            return 0;
        }
        let mut n = 0;
        for ((key, id), value) in self.keys.iter().zip(&mut self.ids).zip(values) {
            let series = *id.get_or_insert_with(|| watchers.add_series(key.clone(), turn));
            watchers.push(Sample {
                series,
                at: instant(t + self.skew_s),
                value,
            });
            n += 1;
        }
        n
    }
}

/// Whether a total begins again between two times.
fn is_reset(resets_s: &[f64], from: f64, to: f64) -> bool {
    resets_s.iter().any(|&at| from < at && at <= to)
}

impl OfSeries<'_> {
    fn value(&mut self, t: f64) -> f64 {
        let series = self.series;
        let mut value = self.course.at(t);
        value = value.max(series.low.unwrap_or(f64::NEG_INFINITY));
        value = value.min(series.high.unwrap_or(f64::INFINITY));
        if series.counter {
            if is_reset(&series.resets_s, self.at_s, t) {
                self.total = 0.0;
            }
            self.total += value.max(0.0) * (t - self.at_s);
            value = self.total;
        }
        self.at_s = t;
        if series.epoch {
            value += self.epoch_s;
        }
        if series.whole { value.round() } else { value }
    }
}

impl OfRequests<'_> {
    fn values(&mut self, t: f64) -> Vec<f64> {
        if is_reset(&self.requests.resets_s, self.at_s, t) {
            self.totals = [0.0; 4];
        }
        let n = self.per_s.at(t).max(0.0) * (t - self.at_s);
        let mean = self.mean.at(t).max(0.0);
        let failed = self.failed.at(t).clamp(0.0, 1.0);
        for (i, share) in [1.0 - failed, failed].into_iter().enumerate() {
            self.totals[2 * i] += n * share;
            self.totals[2 * i + 1] += n * share * mean;
        }
        self.at_s = t;
        self.totals.to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The samples of each series, as `time value`, up to an instant.
    fn samples(series: &str, until_s: f64) -> Vec<String> {
        let text =
            format!("about = \"x\"\nsort = \"quiet\"\nduration_s = 3600\nstep_s = 10\n{series}");
        let named = Named::parse("x", &text).unwrap();
        let mut told = Vec::new();
        for feed in &mut feeds(&named, 1000.0).unwrap() {
            while feed.next_s <= until_s {
                let t = feed.next_s;
                feed.next_s += feed.step_s;
                let values = match &mut feed.origin {
                    Origin::Series(of) => vec![of.value(t)],
                    Origin::Requests(of) => of.values(t),
                };
                told.extend(values.iter().map(|value| format!("{t} {value}")));
            }
        }
        told
    }

    #[test]
    fn totals_add_up_and_begin_again() {
        let series = "[[series]]\nmetric = \"a_total\"\ncounter = true\nresets_s = [25]\nshape = [{ constant = 2 }]";
        assert_eq!(
            samples(series, 40.0),
            ["0 0", "10 20", "20 40", "30 20", "40 40"]
        );
        let series = "[[requests]]\nmetric = \"r_seconds\"\nper_s = [{ constant = 4 }]\nmean = [{ constant = 0.5 }]\n\
                      failed = [{ constant = 0.25 }]";
        // Those that are well, then those that failed: how many, and their seconds.
        assert_eq!(
            samples(series, 10.0)[4..],
            ["10 30", "10 15", "10 10", "10 5"]
        );
    }

    #[test]
    fn levels_stay_within_their_bounds() {
        let series = "[[series]]\nmetric = \"a\"\nlow = 1\nhigh = 4\nwhole = true\nshape = [{ line = { per_hour = 1080 } }]";
        assert_eq!(samples(series, 20.0), ["0 1", "10 3", "20 4"]);
        let series = "[[series]]\nmetric = \"a\"\nepoch = true\nshape = [{ constant = 5 }]";
        assert_eq!(samples(series, 0.0), ["0 1005"]);
    }
}
