//! What runs out, as seen from the end of a recording.

use std::io::Write;
use std::sync::Arc;

use anyhow::Context;
use hotpath::{Lookout, LookoutConfig};
use predict::exhaustion::Outlook;
use proto::v1;
use series::{Sample, SeriesId, SeriesKey, Timestamp};

use super::row::{Observer, Row, Verdict};
use crate::outlook::list;

/// Outlooks that are listed: the soonest.
const MAX_LISTED: usize = 20;
/// What was silent for so long before the end, in seconds, is no longer a risk.
const SILENT_S: f64 = 300.0;

/// The lookout over one file.
#[derive(Debug)]
pub(super) struct Foretold {
    lookout: Lookout,
    /// By series: whether a resource is read from it; `None` before its first row.
    wanted: Vec<Option<bool>>,
    newest: Option<Timestamp>,
    refreshed: Option<Timestamp>,
    said: Vec<Outlook>,
    /// The newest of each resource.
    latest: Vec<Option<Outlook>>,
}

impl Foretold {
    /// Over nothing yet. `tempo`: how much faster than the recording's clock time runs.
    ///
    /// # Errors
    /// When the models that are built in do not fit, which would be a bug.
    pub(super) fn new(tempo: f64) -> anyhow::Result<Self> {
        let mut config = LookoutConfig {
            tempo,
            ..LookoutConfig::default()
        };
        config.refresh_s /= tempo;
        let judge = onnx::exhaustion::default_judge().context("loading the models")?;
        Ok(Self {
            lookout: Lookout::new(config, judge),
            wanted: Vec::new(),
            newest: None,
            refreshed: None,
            said: Vec::new(),
            latest: Vec::new(),
        })
    }

    /// All resources, soonest first; then those without a limit.
    pub(super) fn finish(mut self) -> Vec<v1::Outlook> {
        if let Some(newest) = self.newest {
            // All are due a whole interval after the last look.
            let us = (self.lookout.config().refresh_s * 1e6) as i64;
            self.refresh(newest.plus_micros(us));
        }
        self.latest.resize(self.lookout.resources().len(), None);
        let end = self.newest;
        let late_us = (SILENT_S * 1e6 / self.lookout.config().tempo) as i64;
        let is_stale = |said: &Outlook| end.is_some_and(|end| end - said.at > late_us);
        let all = (0..).zip(&self.latest);
        let mut outlooks: Vec<v1::Outlook> = all
            .filter_map(|(id, said)| {
                let is_late = said.as_ref().is_some_and(is_stale);
                server::outlook_message(&self.lookout, id, said.as_ref(), is_late)
            })
            .collect();
        outlooks.sort_by(|a, b| soonness(a).total_cmp(&soonness(b)));
        outlooks
    }

    fn refresh(&mut self, now: Timestamp) {
        self.refreshed = Some(now);
        self.said.clear();
        self.lookout.refresh(now, usize::MAX, &mut self.said);
        for outlook in &self.said {
            self.lookout.told(outlook);
            let place = outlook.resource as usize;
            if self.latest.len() <= place {
                self.latest.resize(place + 1, None);
            }
            self.latest[place] = Some(*outlook);
        }
    }
}

/// What is exhausted sooner is less; the likelier among what is not foreseen; then what has no forecast that holds.
fn soonness(outlook: &v1::Outlook) -> f64 {
    let holds = outlook.state() != v1::OutlookState::Stale;
    let Some(times) = outlook.time_to_exhaustion.filter(|_| holds) else {
        return if outlook.missing.is_empty() { 3e9 } else { 4e9 };
    };
    let within_a_day = outlook.probabilities.last().map_or(0.0, |p| p.probability);
    times.p50_s.unwrap_or(2e9 - 1e9 * within_a_day)
}

impl Observer for Foretold {
    fn row(&mut self, row: &Row<'_>) -> anyhow::Result<()> {
        if matches!(row.verdict, Verdict::Refused(_)) || !row.value.is_finite() {
            return Ok(());
        }
        let id = SeriesId(u32::try_from(row.series_idx)?);
        if self.wanted.len() <= row.series_idx {
            self.wanted.resize(row.series_idx + 1, None);
        }
        let wanted = match self.wanted[row.series_idx] {
            Some(wanted) => wanted,
            None => {
                let key: SeriesKey = row.series.parse()?;
                let wanted = self.lookout.add_series(id, &Arc::new(key));
                self.wanted[row.series_idx] = Some(wanted);
                wanted
            }
        };
        if !wanted {
            return Ok(());
        }
        // Looked at as often as a server would: what is learned on the way is then the same.
        let every_us = (self.lookout.config().refresh_s * 1e6) as i64;
        let since = *self.refreshed.get_or_insert(row.at);
        if row.at - since >= every_us {
            self.refresh(row.at);
        }
        let newest = self.newest.get_or_insert(row.at);
        *newest = (*newest).max(row.at);
        self.lookout.push(Sample {
            series: id,
            at: row.at,
            value: row.value,
        });
        Ok(())
    }
}

/// Writes what was found, after the summary of a file.
pub(super) fn write(out: &mut dyn Write, outlooks: &[v1::Outlook]) -> std::io::Result<()> {
    let (unknown, foretold): (Vec<_>, Vec<_>) = outlooks
        .iter()
        .cloned()
        .partition(|outlook| !outlook.missing.is_empty());
    if outlooks.is_empty() {
        return writeln!(
            out,
            "  outlook  no resource is among the series: `forestall help outlook` says what is looked for"
        );
    }
    let shown = &foretold[..foretold.len().min(MAX_LISTED)];
    match (shown.len(), foretold.len()) {
        (0, _) => {}
        (some, all) if some == all => writeln!(out, "  outlook  {all} at the last sample")?,
        (some, all) => writeln!(
            out,
            "  outlook  the soonest {some} of {all} at the last sample"
        )?,
    }
    if !shown.is_empty() {
        list::foretold(out, shown, "    ")?;
    }
    if !unknown.is_empty() {
        writeln!(out, "  missing  {} without a known limit", unknown.len())?;
        list::missing(out, &unknown[..unknown.len().min(MAX_LISTED)], "    ")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outlook::tests::{leak, without_limit};

    #[test]
    fn the_soonest_stand_first_and_what_is_missing_last() {
        let mut later = leak();
        later.time_to_exhaustion.as_mut().unwrap().p50_s = Some(7_200.0);
        let mut never = leak();
        never.time_to_exhaustion = Some(Default::default());
        let places = [
            leak(),
            later,
            never,
            v1::Outlook::default(),
            without_limit(),
        ];
        let order: Vec<f64> = places.iter().map(soonness).collect();
        assert!(order.is_sorted_by(|a, b| a < b), "{order:?}");
    }

    #[test]
    fn what_is_told_is_held_against_what_comes() {
        let mut foretold = Foretold::new(1.0).unwrap();
        // Full after an hour, and looked at once more then.
        for i in 0..=184 {
            let at = Timestamp::from_millis(i * 20_000);
            for (series_idx, (series, value)) in [
                ("process_max_fds", 1_800.0),
                ("process_open_fds", 10.0 * i as f64),
            ]
            .into_iter()
            .enumerate()
            {
                let row = Row {
                    file: "x.csv",
                    series,
                    series_idx,
                    at,
                    times: crate::dates::TimeForm::Date,
                    value,
                    label: None,
                    verdict: Verdict::Pending,
                    latest: None,
                };
                foretold.row(&row).unwrap();
            }
        }
        let family = predict::exhaustion::Family::Descriptors;
        let stretch = foretold.lookout.conformal().stretch(family);
        assert!((stretch - 1.0).abs() > 1e-3, "{stretch}");
    }

    #[test]
    fn what_was_found_is_told_in_two_lists() {
        let told = |outlooks: &[v1::Outlook]| {
            let mut out = Vec::new();
            write(&mut out, outlooks).unwrap();
            String::from_utf8(out).unwrap()
        };
        let text = told(&[leak(), without_limit()]);
        assert!(
            text.contains("  outlook  1 at the last sample\n    resource"),
            "{text}"
        );
        assert!(text.contains("in 12 min (7–20)"), "{text}");
        assert!(
            text.contains("  missing  1 without a known limit\n"),
            "{text}"
        );
        assert!(told(&[]).contains("no resource is among the series"));
    }
}
