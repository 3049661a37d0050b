//! Rows in, journals out.

use std::sync::Arc;

use series::{SeriesKey, Timestamp};

use super::batch::{Batch, Name, Samples, Verdicts};
use super::journal::Journal;
use super::layout::{self, Day, JournalFile};
use super::marks::{Hits, List};
use super::row::Row;
use super::schema::Table;
use super::space::Space;
use super::verdict::Said;
use super::{Options, Shared};

/// Rows that are gathered before they are written: 1 MiB or so.
const BATCH_ROWS: usize = 8192;
/// Days that are written at a time. Samples of more days, from somebody who pushes history, close the journal that has
/// waited longest.
const MAX_OPEN: usize = 8;
/// Text of one journal's dictionaries, in bytes. Arrow can address 2 GiB.
const MAX_TEXT_BYTES: usize = 256 << 20;
/// How long nothing is tried after the disk refused, in microseconds.
const RETRY_US: i64 = 30_000_000;

/// Writes what is captured. Dropping it is what a kill does: what was flushed is found at the next start.
#[derive(Debug)]
pub struct Writer {
    shared: Arc<Shared>,
    samples: Vec<Open<Samples>>,
    feedback: Vec<Open<Verdicts>>,
    /// By the caller's number of a series.
    known: Vec<Option<Known>>,
    marks: List,
    /// Until when nothing is tried.
    paused_until: Option<Timestamp>,
    /// Counts calls, to tell which journal has waited longest.
    turn: u64,
}

#[derive(Debug)]
struct Known {
    name: Name,
    key: Arc<SeriesKey>,
    hits: Hits,
}

/// A journal under way.
#[derive(Debug)]
struct Open<B> {
    day: Day,
    seq: u64,
    journal: Journal,
    batch: B,
    since: Timestamp,
    used: u64,
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            marks: shared.marks.list(),
            shared,
            samples: Vec::new(),
            feedback: Vec::new(),
            known: Vec::new(),
            paused_until: None,
            turn: 0,
        }
    }

    /// Takes rows; `key_of` tells what a series is called, and is asked once per series. Rows of a series that it does
    /// not know are lost, and counted.
    ///
    /// Never fails: while the disk is full, rows are lost and counted, and writing is tried again every 30 s.
    pub fn append(
        &mut self,
        rows: &[Row],
        now: Timestamp,
        mut key_of: impl FnMut(u32) -> Option<Arc<SeriesKey>>,
    ) {
        if self.is_paused(now) {
            return self.lose(rows.len());
        }
        self.turn += 1;
        self.marks = self.shared.marks.list();
        let mut i = 0;
        while i < rows.len() {
            // Neighbours are nearly always of one day.
            let day = Day::of(rows[i].time_us);
            let n = rows[i..]
                .iter()
                .take_while(|row| Day::of(row.time_us) == day)
                .count();
            if let Err(why) = self.append_day(day, &rows[i..i + n], now, &mut key_of) {
                self.pause(now, why);
                return self.lose(rows.len() - i);
            }
            i += n;
        }
    }

    fn append_day(
        &mut self,
        day: Day,
        rows: &[Row],
        now: Timestamp,
        key_of: &mut dyn FnMut(u32) -> Option<Arc<SeriesKey>>,
    ) -> Result<(), String> {
        let open = journal_of(&mut self.samples, &self.shared.space, day, now, self.turn)?;
        let mut n_unknown = 0;
        for row in rows {
            let place = row.series as usize;
            if place >= self.known.len() {
                self.known.resize_with(place + 1, || None);
            }
            let known = &mut self.known[place];
            if known.is_none() {
                *known = key_of(row.series).map(|key| Known {
                    name: Name::of(&key),
                    key,
                    hits: Hits::default(),
                });
            }
            let Some(Known { name, key, hits }) = known else {
                n_unknown += 1;
                continue;
            };
            let provenance = hits.provenance(&self.marks, key, row.time_us);
            open.batch.push(row, name, provenance);
            if open.batch.len() >= BATCH_ROWS {
                open.write(&self.shared.space)?;
            }
        }
        self.lose(n_unknown);
        Ok(())
    }

    /// Takes what a person said. As [`Writer::append`] for the rest.
    pub fn say(&mut self, said: Said, now: Timestamp) {
        if self.is_paused(now) {
            return;
        }
        self.turn += 1;
        let day = Day::of(said.submitted_us);
        match journal_of(&mut self.feedback, &self.shared.space, day, now, self.turn) {
            Ok(open) => open.batch.push(said),
            Err(why) => self.pause(now, why),
        }
    }

    /// Writes all rows that are gathered, and closes journals that are large or old enough. Call it about once a
    /// second: what was not flushed is what a kill loses. Returns whether there is something to seal.
    pub fn flush(&mut self, now: Timestamp) -> bool {
        let Shared { space, options, .. } = &*self.shared;
        let samples = flush_all(&mut self.samples, space, options, now);
        let feedback = flush_all(&mut self.feedback, space, options, now);
        match (samples, feedback) {
            (Ok(one), Ok(other)) => one || other,
            (Err(why), _) | (_, Err(why)) => {
                self.pause(now, why);
                true
            }
        }
    }

    /// Flushes and closes everything.
    pub fn close(mut self, now: Timestamp) {
        self.flush(now);
        self.close_all();
    }

    fn close_all(&mut self) {
        for open in self.samples.drain(..) {
            open.close(&self.shared.space);
        }
        for open in self.feedback.drain(..) {
            open.close(&self.shared.space);
        }
    }

    fn lose(&self, rows: usize) {
        if rows > 0 {
            self.shared
                .space
                .count(|status| status.rows_lost += rows as u64);
        }
    }

    fn is_paused(&mut self, now: Timestamp) -> bool {
        match self.paused_until {
            Some(until) if now < until => true,
            Some(_) => {
                // The attempt to write that follows decides what the status says.
                self.paused_until = None;
                false
            }
            None => false,
        }
    }

    /// Gives up what is gathered, and every journal: whichever failed cannot be gone on with.
    fn pause(&mut self, now: Timestamp, why: String) {
        self.paused_until = Some(now.plus_micros(RETRY_US));
        let gathered: usize = self.samples.iter().map(|open| open.batch.len()).sum();
        self.close_all();
        self.shared.space.count(|status| {
            status.is_paused = true;
            status.last_error = why;
            status.rows_lost += gathered as u64;
        });
    }
}

/// The journal of a day, made if there is none.
fn journal_of<'a, B: Batch>(
    all: &'a mut Vec<Open<B>>,
    space: &Space,
    day: Day,
    now: Timestamp,
    turn: u64,
) -> Result<&'a mut Open<B>, String> {
    let place = match all.iter().position(|open| open.day == day) {
        Some(place) => place,
        None => {
            if all.len() >= MAX_OPEN {
                let longest = (0..all.len()).min_by_key(|&i| all[i].used).unwrap_or(0);
                all[longest].write(space)?;
                all.swap_remove(longest).close(space);
            }
            all.push(Open::create(space, day, now)?);
            all.len() - 1
        }
    };
    all[place].used = turn;
    Ok(&mut all[place])
}

fn flush_all<B: Batch>(
    all: &mut Vec<Open<B>>,
    space: &Space,
    options: &Options,
    now: Timestamp,
) -> Result<bool, String> {
    let mut n_closed = 0;
    for i in (0..all.len()).rev() {
        all[i].write(space)?;
        if all[i].is_done(options, now) {
            all.swap_remove(i).close(space);
            n_closed += 1;
        }
    }
    Ok(n_closed > 0)
}

impl<B: Batch> Open<B> {
    fn create(space: &Space, day: Day, now: Timestamp) -> Result<Self, String> {
        let seq = space.next_seq();
        let path = layout::journal_path(space.dir(), B::TABLE, day, seq);
        let journal = Journal::create(path.clone(), B::TABLE)
            .map_err(|error| format!("making {}: {error}", path.display()))?;
        space.count(|status| status.journals += 1);
        Ok(Self {
            day,
            seq,
            journal,
            batch: B::new(),
            since: now,
            used: 0,
        })
    }

    /// Brings what is gathered to the journal.
    fn write(&mut self, space: &Space) -> Result<(), String> {
        let n = self.batch.len() as u64;
        if n == 0 {
            return Ok(());
        }
        let written = self.write_piece(space, n);
        space.count(|status| match &written {
            Ok(bytes) => {
                status.journal_bytes += bytes;
                if B::TABLE == Table::Samples {
                    status.rows_written += n;
                }
                if status.is_paused {
                    status.is_paused = false;
                    status.last_error.clear();
                }
            }
            Err(_) if B::TABLE == Table::Samples => status.rows_lost += n,
            Err(_) => {}
        });
        written.map(|_| ())
    }

    /// Returns how many bytes were added.
    fn write_piece(&mut self, space: &Space, n: u64) -> Result<u64, String> {
        let path = self.journal.path().display().to_string();
        let encoded = self
            .batch
            .take()
            .and_then(|batch| self.journal.encode(&batch));
        let bytes = encoded.map_err(|error| format!("encoding rows for {path}: {error}"))?;
        if !space.make_room(bytes) {
            return Err(
                "the bound on disk use leaves no room: what is not sealed takes it all".to_owned(),
            );
        }
        self.journal
            .write(n)
            .map_err(|error| format!("writing {path}: {error}"))?;
        Ok(bytes)
    }

    fn is_done(&self, options: &Options, now: Timestamp) -> bool {
        self.journal.rows() >= options.rotate_rows
            || self.journal.bytes() >= options.rotate_bytes
            || now - self.since >= options.rotate_age_us
            || self.batch.text_bytes() >= MAX_TEXT_BYTES
    }

    /// Hands the journal over to be sealed. One without rows is what a full disk left: there is nothing to seal.
    fn close(self, space: &Space) {
        let bytes = self.journal.bytes();
        if self.journal.rows() == 0 && std::fs::remove_file(self.journal.path()).is_ok() {
            return space.count(|status| status.journals -= 1);
        }
        let journal = JournalFile {
            seq: self.seq,
            table: B::TABLE,
            day: self.day,
            path: self.journal.path().to_owned(),
        };
        space.close(journal, bytes);
    }
}
