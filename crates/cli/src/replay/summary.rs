//! What a replay found, told in a screenful.

use std::io::Write;

use predict::Phase;
use series::{REFUSALS, Timestamp};

use super::judge::Unread;
use super::row::{Contributions, Observer, Row, Verdict};
use crate::dates::{TimeForm, duration};
use crate::numbers::grouped;
use crate::table::{Align, Table};

/// Counts and events of one file.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    members: Vec<&'static str>,
    rows: u64,
    judged: u64,
    series: usize,
    refused: [u64; REFUSALS.len()],
    times: TimeForm,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    events: Vec<Seen>,
    /// The last event of each series, as an index into `events`.
    current: Vec<Option<usize>>,
}

/// One event.
#[derive(Debug, Clone)]
struct Seen {
    id: u64,
    series: String,
    since: Timestamp,
    until: Timestamp,
    open: bool,
    peak: f32,
    contributions: Contributions,
}

impl Summary {
    /// Of nothing yet, for an engine with these members.
    pub(crate) fn new(members: &[&'static str]) -> Self {
        Self {
            members: members.to_vec(),
            ..Self::default()
        }
    }

    /// Writes it: at most `most_events` events, those with the highest peaks.
    ///
    /// # Errors
    /// When writing fails.
    pub(crate) fn write(
        &self,
        out: &mut dyn Write,
        file: &str,
        unread: &Unread,
        most_events: usize,
    ) -> std::io::Result<()> {
        let span = match (self.first, self.last) {
            (Some(first), Some(last)) => format!(
                ", {} to {} ({})",
                self.times.write(first),
                self.times.write(last),
                duration(last.seconds_since(first))
            ),
            _ => String::new(),
        };
        writeln!(
            out,
            "{file}: {} samples of {} series{span}",
            grouped(self.rows),
            grouped(self.series as u64)
        )?;
        if self.judged == self.rows {
            writeln!(out, "  scored   all")?;
        } else {
            writeln!(out, "  scored   {}", grouped(self.judged))?;
        }
        for (refusal, &count) in REFUSALS
            .iter()
            .zip(&self.refused)
            .filter(|(_, count)| **count > 0)
        {
            writeln!(out, "  refused  {}: {refusal}", grouped(count))?;
        }
        if unread.count > 0 {
            writeln!(
                out,
                "  unread   {} cells or lines, the first of them:",
                grouped(unread.count)
            )?;
            for message in &unread.first {
                writeln!(out, "    {message}")?;
            }
        }
        self.write_events(out, most_events)
    }

    fn write_events(&self, out: &mut dyn Write, most: usize) -> std::io::Result<()> {
        let mut shown: Vec<&Seen> = self.events.iter().collect();
        shown.sort_by(|a, b| b.peak.total_cmp(&a.peak).then(a.since.cmp(&b.since)));
        shown.truncate(most);
        shown.sort_by_key(|event| event.since);
        match (self.events.len(), shown.len()) {
            (0, _) => return writeln!(out, "  events   none"),
            (all, some) if all == some => writeln!(out, "  events   {all}")?,
            (all, some) => writeln!(out, "  events   {all}; the {some} with the highest peaks:")?,
        }
        let headings = [
            ("event", Align::Right),
            ("start", Align::Left),
            ("lasted", Align::Right),
            ("peak", Align::Right),
            ("series", Align::Left),
            ("because of", Align::Left),
        ];
        let mut table = Table::new(&headings);
        for event in shown {
            let open = if event.open { "+" } else { "" };
            let reason = |(name, share): (&str, f32)| format!("{name} {:.0} %", share * 100.0);
            let reasons: Vec<String> = event
                .contributions
                .top(&self.members, 3)
                .into_iter()
                .map(reason)
                .collect();
            table.row([
                event.id.to_string(),
                self.times.write(event.since),
                format!("{}{open}", duration(event.until.seconds_since(event.since))),
                format!("{:.3}", event.peak),
                event.series.clone(),
                reasons.join(", "),
            ]);
        }
        table.write(out, "    ")
    }
}

impl Observer for Summary {
    fn row(&mut self, row: &Row<'_>) -> anyhow::Result<()> {
        self.rows += 1;
        self.times = row.times;
        self.series = self.series.max(row.series_idx + 1);
        self.first = Some(self.first.map_or(row.at, |first| first.min(row.at)));
        self.last = Some(self.last.map_or(row.at, |last| last.max(row.at)));
        let risk = match row.verdict {
            Verdict::Judged { risk, .. } => risk,
            Verdict::Pending => return Ok(()),
            Verdict::Refused(why) => {
                self.refused[why as usize] += 1;
                return Ok(());
            }
        };
        self.judged += 1;
        let Some(event) = risk.event else {
            return Ok(());
        };
        self.current
            .resize(self.current.len().max(row.series_idx + 1), None);
        let place = match self.current[row.series_idx] {
            Some(place) if self.events[place].id == event.id.0 => place,
            _ => {
                self.events.push(Seen {
                    id: event.id.0,
                    series: row.series.to_owned(),
                    since: event.since,
                    until: row.at,
                    open: true,
                    peak: event.peak,
                    contributions: Contributions::default(),
                });
                self.events.len() - 1
            }
        };
        self.current[row.series_idx] = Some(place);
        let seen = &mut self.events[place];
        seen.until = row.at;
        seen.open = event.phase != Phase::Closed;
        seen.peak = seen.peak.max(event.peak);
        seen.contributions
            .add(&risk.detectors, risk.alert_score.max(f32::MIN_POSITIVE));
        Ok(())
    }
}
