//! The series that a reader has met, and what it knows of each.

use std::collections::HashMap;
use std::sync::Arc;

use series::SeriesKey;

use super::rows::Columns;
use crate::Verdict;
use crate::capture::cells::Cells;
use crate::capture::file::ReadError;
use crate::capture::marks::Hits;
use crate::capture::row::EventPhase;
use crate::capture::tables;
use crate::capture::verdict::Said;

/// Most series that are read: each costs some hundred bytes for as long as the reader lives.
const MAX_SERIES: usize = 1 << 23;

#[derive(Debug)]
pub(super) struct Catalog {
    keys: Vec<Arc<SeriesKey>>,
    states: Vec<State>,
    by_key: HashMap<Arc<SeriesKey>, u32>,
    /// By metric and labels as they are written, so that each text is parsed once: others may write one key in
    /// several ways.
    by_text: HashMap<Box<str>, u32>,
    /// By its codes in the batch under way.
    by_codes: HashMap<(i32, i32), u32>,
    /// Where a text is put together.
    text: String,
    /// What was said of series that have not been met.
    said: HashMap<SeriesKey, Vec<Opinion>>,
}

/// What is known of one series.
#[derive(Debug)]
pub(super) struct State {
    pub(super) key: Arc<SeriesKey>,
    pub(super) last_us: Option<i64>,
    pub(super) hits: Hits,
    /// In the order in which they were said.
    opinions: Vec<Opinion>,
}

#[derive(Debug)]
struct Opinion {
    verdict: Verdict,
    submitted_us: i64,
    from_us: i64,
    /// `None` until the end of its event has been met.
    to_us: Option<i64>,
}

impl Catalog {
    /// `all` in the order in which it was said.
    pub(super) fn new(all: Vec<Said>) -> Self {
        let mut said: HashMap<SeriesKey, Vec<Opinion>> = HashMap::new();
        for one in all {
            said.entry(one.series).or_default().push(Opinion {
                verdict: one.verdict,
                submitted_us: one.submitted_us,
                from_us: one.from_us,
                to_us: one.to_us,
            });
        }
        Self {
            keys: Vec::new(),
            states: Vec::new(),
            by_key: HashMap::new(),
            by_text: HashMap::new(),
            text: String::new(),
            by_codes: HashMap::new(),
            said,
        }
    }

    pub(super) fn keys(&self) -> &[Arc<SeriesKey>] {
        &self.keys
    }

    /// Codes mean something else in each batch.
    pub(super) fn begin_batch(&mut self) {
        self.by_codes.clear();
    }

    /// The series of row `i`: its place, and what is known of it.
    pub(super) fn series(
        &mut self,
        cells: &Cells<'_>,
        columns: &Columns<'_>,
        i: usize,
    ) -> Result<(u32, &mut State), ReadError> {
        let codes = (columns.metric.codes[i], columns.labels.codes[i]);
        let place = match self.by_codes.get(&codes) {
            Some(&place) => place,
            None => {
                let place = self.by_text(cells, columns.metric.at(i), columns.labels.at(i))?;
                self.by_codes.insert(codes, place);
                place
            }
        };
        Ok((place, &mut self.states[place as usize]))
    }

    fn by_text(&mut self, cells: &Cells<'_>, metric: &str, labels: &str) -> Result<u32, ReadError> {
        self.text.clear();
        self.text.push_str(metric);
        self.text.push_str(labels);
        if let Some(&place) = self.by_text.get(self.text.as_str()) {
            return Ok(place);
        }
        if self.by_text.len() >= MAX_SERIES {
            return Err(ReadError::Large {
                path: cells.path.to_owned(),
                row_group: cells.row_group,
                message: format!("more than {MAX_SERIES} series up to here"),
            });
        }
        let place = self.place(tables::key(cells, metric, labels)?);
        self.by_text.insert(self.text.as_str().into(), place);
        Ok(place)
    }

    fn place(&mut self, key: SeriesKey) -> u32 {
        if let Some(&place) = self.by_key.get(&key) {
            return place;
        }
        let place = self.keys.len() as u32;
        let opinions = self.said.remove(&key).unwrap_or_default();
        let key = Arc::new(key);
        self.states.push(State {
            key: Arc::clone(&key),
            last_us: None,
            hits: Hits::default(),
            opinions,
        });
        self.keys.push(Arc::clone(&key));
        self.by_key.insert(key, place);
        place
    }
}

impl State {
    /// What was said of the row at `time_us`, which comes after all that were asked about before. The latest word counts.
    pub(super) fn verdict(&mut self, time_us: i64, event: EventPhase) -> Option<Verdict> {
        for opinion in &mut self.opinions {
            if opinion.to_us.is_none() && time_us > opinion.submitted_us {
                // The event that it was about goes on up to here, or was over before.
                opinion.to_us = match event {
                    EventPhase::Open => None,
                    EventPhase::Closed => Some(time_us),
                    EventPhase::None | EventPhase::Opened => Some(time_us.saturating_sub(1)),
                };
            }
        }
        let about = |opinion: &&Opinion| {
            opinion.from_us <= time_us && opinion.to_us.is_none_or(|to_us| time_us <= to_us)
        };
        let latest = self.opinions.iter().rev().find(about)?;
        Some(latest.verdict)
    }
}
