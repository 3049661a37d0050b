//! Marks: intervals in which somebody interfered with what is watched.
//!
//! A row that was observed during a fault is no example of normal behaviour, and one that was observed after a
//! mitigation is an example of nothing: what would have failed did not, because somebody acted. Marks may be made
//! afterwards, so they are kept as files of their own, and whoever reads rows applies them again.

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow_array::{Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use series::SeriesKey;

use super::batch::{times, words};
use super::file::{self, ReadError};
use super::layout::{self, Day, JOURNAL, UNFINISHED};
use super::pack;
use super::row::Provenance;
use super::schema::Table;
use super::space::Space;
use super::tables;

/// Most marks in one directory. Each costs a file, and a look at each series.
const MAX_MARKS: usize = 10_000;

/// Whether a series is picked.
pub type Picker = Box<dyn Fn(&SeriesKey) -> bool + Send + Sync>;
/// Reads a selector; the error says what is wrong with it. What a selector looks like is for the caller to say.
pub type Selectors = fn(&str) -> Result<Picker, String>;

/// What kind of interference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkKind {
    /// A fault was injected, or known to be there.
    Fault,
    /// Somebody acted on a fault.
    Mitigated,
}

impl MarkKind {
    /// What rows within such a mark are.
    #[must_use]
    pub const fn provenance(self) -> Provenance {
        match self {
            Self::Fault => Provenance::Fault,
            Self::Mitigated => Provenance::Mitigated,
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        [Self::Fault, Self::Mitigated]
            .into_iter()
            .find(|kind| kind.provenance().name() == text)
    }
}

/// A mark to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMark {
    /// What kind.
    pub kind: MarkKind,
    /// Which series it is about; empty for all.
    pub selector: String,
    /// A remark.
    pub note: String,
    /// The first instant, in microseconds since 1970-01-01T00:00:00Z.
    pub from_us: i64,
    /// The instant after the last; `None` while it goes on.
    pub to_us: Option<i64>,
}

/// One mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Its number, from 1.
    pub id: u64,
    /// What it says.
    pub body: NewMark,
}

/// Why a mark was not made or ended.
#[derive(Debug, thiserror::Error)]
pub enum MarkError {
    /// The selector is none.
    #[error("{0}")]
    Selector(String),
    /// It would end before it begins, or just then.
    #[error("a mark from {from_us} µs cannot end at {to_us} µs")]
    Interval {
        /// Its first instant.
        from_us: i64,
        /// The end that was asked for.
        to_us: i64,
    },
    /// There is none of this number.
    #[error("there is no mark {0}")]
    Unknown(u64),
    /// It was ended before.
    #[error("mark {id} ended at {to_us} µs already")]
    Ended {
        /// Its number.
        id: u64,
        /// When it ended.
        to_us: i64,
    },
    /// There are as many as may be.
    #[error("there are {MAX_MARKS} marks already")]
    Full,
    /// The disk is full or failed. Nothing was changed.
    #[error("writing the mark")]
    Io(#[source] io::Error),
}

/// A mark, and what it picks.
pub(super) struct Entry {
    pub(super) mark: Mark,
    picks: Picker,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.mark.fmt(f)
    }
}

/// All marks, in order of their numbers; a mark never changes its place.
pub(super) type List = Arc<Vec<Arc<Entry>>>;

/// Reads all marks of a directory.
pub(super) fn load(dir: &std::path::Path, selectors: Selectors) -> Result<Vec<Entry>, ReadError> {
    let mut entries = Vec::new();
    for part in layout::parts(dir, Table::Provenance).map_err(ReadError::io(dir))? {
        let file = match File::open(&part.path) {
            // It was rewritten under another day, or removed as too old to matter.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            other => other.map_err(ReadError::io(&part.path))?,
        };
        for mark in tables::marks(&part.path, file)? {
            let picks = selectors(&mark.body.selector).map_err(|message| ReadError::Column {
                path: part.path.clone(),
                row_group: None,
                column: "selector".to_owned(),
                message: file::short(&message),
            })?;
            entries.push(Entry { mark, picks });
            if entries.len() > MAX_MARKS {
                return Err(ReadError::Large {
                    path: dir.join(Table::Provenance.name()),
                    row_group: None,
                    message: format!("more than {MAX_MARKS} marks"),
                });
            }
        }
    }
    entries.sort_by_key(|entry| entry.mark.id);
    Ok(entries)
}

/// Which marks pick one series, as far as has been looked.
#[derive(Debug, Default)]
pub(super) struct Hits {
    seen: usize,
    places: Vec<u32>,
}

impl Hits {
    /// What a row of the series `key` at `time_us` is by these marks. Marks are looked at once per series, as they come.
    pub(super) fn provenance(
        &mut self,
        marks: &[Arc<Entry>],
        key: &SeriesKey,
        time_us: i64,
    ) -> Provenance {
        for (place, entry) in marks.iter().enumerate().skip(self.seen) {
            if (entry.picks)(key) {
                self.places.push(place as u32);
            }
        }
        self.seen = marks.len();
        let mut worst = Provenance::Normal;
        for &place in &self.places {
            let body = &marks[place as usize].mark.body;
            if body.from_us <= time_us && body.to_us.is_none_or(|to_us| time_us < to_us) {
                worst = worst.max(body.kind.provenance());
            }
        }
        worst
    }
}

/// The marks of a directory that is being written.
#[derive(Debug)]
pub(super) struct Marks {
    selectors: Selectors,
    list: Mutex<List>,
}

impl Marks {
    /// Reads the marks there are. Those that ended before the oldest samples began say nothing about any row, and are
    /// removed.
    pub(super) fn open(space: &Space, selectors: Selectors) -> Result<Self, ReadError> {
        let mut entries = load(space.dir(), selectors)?;
        if let Some(oldest) = space.oldest_day() {
            entries.retain(|entry| {
                let body = &entry.mark.body;
                let is_past = body.to_us.is_some_and(|to_us| Day::of(to_us) < oldest);
                // When removing fails, it is tried again at the next start.
                !(is_past && fs::remove_file(path(space, &entry.mark)).is_ok())
            });
        }
        let list = entries.into_iter().map(Arc::new).collect();
        Ok(Self {
            selectors,
            list: Mutex::new(Arc::new(list)),
        })
    }

    fn lock(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All of them, as they are now.
    pub(super) fn list(&self) -> List {
        Arc::clone(&self.lock())
    }

    pub(super) fn start(&self, space: &Space, body: NewMark) -> Result<Mark, MarkError> {
        let picks = (self.selectors)(&body.selector).map_err(MarkError::Selector)?;
        check_end(body.from_us, body.to_us)?;
        let mut list = self.lock();
        if list.len() >= MAX_MARKS {
            return Err(MarkError::Full);
        }
        let id = list.last().map_or(1, |last| last.mark.id + 1);
        let mark = Mark { id, body };
        write(space, &mark).map_err(MarkError::Io)?;
        let mut longer = Vec::clone(&list);
        longer.push(Arc::new(Entry {
            mark: mark.clone(),
            picks,
        }));
        *list = Arc::new(longer);
        Ok(mark)
    }

    pub(super) fn end(&self, space: &Space, id: u64, to_us: i64) -> Result<Mark, MarkError> {
        let mut list = self.lock();
        let place = list
            .iter()
            .position(|entry| entry.mark.id == id)
            .ok_or(MarkError::Unknown(id))?;
        let mut mark = list[place].mark.clone();
        if let Some(to_us) = mark.body.to_us {
            return Err(MarkError::Ended { id, to_us });
        }
        check_end(mark.body.from_us, Some(to_us))?;
        let picks = (self.selectors)(&mark.body.selector).map_err(MarkError::Selector)?;
        mark.body.to_us = Some(to_us);
        write(space, &mark).map_err(MarkError::Io)?;
        let mut changed = Vec::clone(&list);
        changed[place] = Arc::new(Entry {
            mark: mark.clone(),
            picks,
        });
        *list = Arc::new(changed);
        Ok(mark)
    }
}

fn check_end(from_us: i64, to_us: Option<i64>) -> Result<(), MarkError> {
    match to_us {
        Some(to_us) if to_us <= from_us => Err(MarkError::Interval { from_us, to_us }),
        Some(_) | None => Ok(()),
    }
}

fn path(space: &Space, mark: &Mark) -> PathBuf {
    layout::day_dir(space.dir(), Table::Provenance, Day::of(mark.body.from_us))
        .join(layout::mark_name(mark.id))
}

/// Writes a mark's file, over the one it had before.
fn write(space: &Space, mark: &Mark) -> io::Result<()> {
    let body = &mark.body;
    let to: TimestampMicrosecondArray = [body.to_us].into_iter().collect();
    let columns = vec![
        Arc::new(Int64Array::from(vec![mark.id.cast_signed()])) as _,
        times(vec![body.from_us]),
        Arc::new(to.with_timezone("UTC")),
        words(&[body.kind.provenance().name()]).map_err(io::Error::other)?,
        Arc::new(StringArray::from_iter_values([&body.selector])),
        Arc::new(StringArray::from_iter_values([&body.note])),
    ];
    let batch =
        RecordBatch::try_new(Table::Provenance.schema(), columns).map_err(io::Error::other)?;
    let unfinished = space
        .dir()
        .join(JOURNAL)
        .join(format!("mark-{}.{UNFINISHED}", mark.id));
    let bytes = pack::write(&unfinished, Table::Provenance, std::iter::once(batch))?;
    pack::put_in_place(&unfinished, &path(space, mark))?;
    space.keep(bytes);
    Ok(())
}
