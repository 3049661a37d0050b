//! Where files lie in a capture directory, and which day a sample belongs to.
//!
//! ```text
//! samples/date=2026-11-22/part-1795363200000000-00000042.parquet     first time of the part, number of the part
//! feedback/date=…/part-…                                             the same
//! provenance/date=…/mark-00000007.parquet                            one mark each
//! .journal/samples-2026-11-22-00000043.arrows                        what is not sealed yet
//! ```
//!
//! Numbers of parts rise over the whole life of a directory, so that parts of one day in order of their numbers are in
//! order of arrival, whatever times their samples have.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::row::DAY_US;
use super::schema::Table;

/// The folder of what is not sealed yet.
pub(super) const JOURNAL: &str = ".journal";
/// The ending of a file that is being written.
pub(super) const UNFINISHED: &str = "unfinished";

/// A day in UTC, counted from 1970-01-01, within the years 0 to 9999: what is outside is put with the nearest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Day(i32);

const FIRST: i32 = days_before_year(0) - days_before_year(1970);
const LAST: i32 = days_before_year(10_000) - days_before_year(1970) - 1;

/// Days from 0000-01-01 to the first of January of `year` (0 or later), in the Gregorian calendar.
const fn days_before_year(year: i32) -> i32 {
    // Leap years before `year`; the year 0 is one.
    let leap = (year + 3) / 4 - (year + 99) / 100 + (year + 399) / 400;
    year * 365 + leap
}

const fn is_leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

const fn days_of(year: i32, month: i32) -> i32 {
    match month {
        2 => 28 + is_leap(year) as i32,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl Day {
    /// The day of an instant.
    pub(super) fn of(time_us: i64) -> Self {
        let day = time_us.div_euclid(DAY_US);
        Self(day.clamp(i64::from(FIRST), i64::from(LAST)) as i32)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut fields = text.splitn(3, '-');
        let mut number = |digits: usize| {
            let field = fields.next()?;
            let plain = field.len() == digits && field.bytes().all(|b| b.is_ascii_digit());
            plain.then(|| field.parse::<i32>().ok()).flatten()
        };
        let (year, month, day) = (number(4)?, number(2)?, number(2)?);
        if !(1..=12).contains(&month) || !(1..=days_of(year, month)).contains(&day) {
            return None;
        }
        let months: i32 = (1..month).map(|month| days_of(year, month)).sum();
        Some(Self(
            days_before_year(year) - days_before_year(1970) + months + day - 1,
        ))
    }
}

impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let since_0 = self.0 - FIRST;
        // At most one year too late; never too early.
        let mut year = since_0 / 365;
        while days_before_year(year) > since_0 {
            year -= 1;
        }
        let (mut month, mut rest) = (1, since_0 - days_before_year(year));
        while rest >= days_of(year, month) {
            rest -= days_of(year, month);
            month += 1;
        }
        write!(f, "{year:04}-{month:02}-{:02}", rest + 1)
    }
}

/// One Parquet file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Part {
    pub(super) day: Day,
    pub(super) table: Table,
    /// `None` for a file that has no name of ours: it is read, and never removed.
    pub(super) seq: Option<u64>,
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
}

/// The folder of one day.
pub(super) fn day_dir(dir: &Path, table: Table, day: Day) -> PathBuf {
    dir.join(table.name()).join(format!("date={day}"))
}

/// The name of a sealed part.
pub(super) fn part_name(start_us: i64, seq: u64) -> String {
    format!("part-{start_us}-{seq:08}.parquet")
}

/// The name of a mark's file.
pub(super) fn mark_name(id: u64) -> String {
    format!("mark-{id:08}.parquet")
}

fn seq_of(name: &str) -> Option<u64> {
    let stem = name.strip_suffix(".parquet")?;
    if let Some(id) = stem.strip_prefix("mark-") {
        return id.parse().ok();
    }
    let (start, seq) = stem.strip_prefix("part-")?.rsplit_once('-')?;
    start.parse::<i64>().ok()?;
    seq.parse().ok()
}

/// All Parquet files of a table, by day and number. A folder that is not there has none.
pub(super) fn parts(dir: &Path, table: Table) -> io::Result<Vec<Part>> {
    let mut found = Vec::new();
    for (name, path) in entries(&dir.join(table.name()))? {
        let Some(day) = name.strip_prefix("date=").and_then(Day::parse) else {
            continue;
        };
        for (name, path) in entries(&path)? {
            if !name.ends_with(".parquet") {
                continue;
            }
            // One that is gone by now was removed to make room.
            let Ok(metadata) = fs::metadata(&path) else {
                continue;
            };
            found.push(Part {
                day,
                table,
                seq: seq_of(&name),
                bytes: metadata.len(),
                path,
            });
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// The place of a journal.
pub(super) fn journal_path(dir: &Path, table: Table, day: Day, seq: u64) -> PathBuf {
    dir.join(JOURNAL)
        .join(format!("{}-{day}-{seq:08}.arrows", table.name()))
}

/// One journal by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct JournalFile {
    pub(super) seq: u64,
    pub(super) table: Table,
    pub(super) day: Day,
    pub(super) path: PathBuf,
}

/// All journals, oldest first.
pub(super) fn journals(dir: &Path) -> io::Result<Vec<JournalFile>> {
    let mut found = Vec::new();
    for (name, path) in entries(&dir.join(JOURNAL))? {
        let parsed = name.strip_suffix(".arrows").and_then(|stem| {
            let (table, rest) = stem.split_once('-')?;
            let (day, seq) = rest.rsplit_once('-')?;
            Some((Table::parse(table)?, Day::parse(day)?, seq.parse().ok()?))
        });
        if let Some((table, day, seq)) = parsed {
            found.push(JournalFile {
                seq,
                table,
                day,
                path,
            });
        }
    }
    found.sort_by_key(|journal| journal.seq);
    Ok(found)
}

fn entries(dir: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let listed = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let mut found = Vec::new();
    for entry in listed {
        let entry = entry?;
        if let Ok(name) = entry.file_name().into_string() {
            found.push((name, entry.path()));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(time_us: i64, text: &str) {
        let day = Day::of(time_us);
        assert_eq!(day.to_string(), text);
        assert_eq!(Day::parse(text), Some(day));
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        check(0, "1970-01-01");
        check(-1, "1969-12-31");
        check(951_782_400_000_000, "2000-02-29");
        check(951_868_800_000_000, "2000-03-01");
        check(1_795_392_000_000_000 - 1, "2026-11-22");
        check(4_107_542_400_000_000, "2100-03-01");
        check(i64::MIN, "0000-01-01");
        check(i64::MAX, "9999-12-31");
        for wrong in [
            "",
            "2026-11",
            "2026-02-29",
            "2026-13-01",
            "+026-01-01",
            "2026-1-01",
        ] {
            assert_eq!(Day::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn every_day_of_all_years_reads_back() {
        let mut year_ends = 0;
        for day in FIRST..=LAST {
            let text = Day(day).to_string();
            year_ends += usize::from(text.ends_with("-12-31"));
            assert_eq!(Day::parse(&text), Some(Day(day)), "{text}");
        }
        assert_eq!(year_ends, 10_000);
    }

    #[test]
    fn names_are_told_apart_from_those_of_others() {
        assert_eq!(seq_of(&part_name(-5, 42)), Some(42));
        assert_eq!(seq_of(&mark_name(7)), Some(7));
        assert_eq!(seq_of("merged.parquet"), None);
        assert_eq!(seq_of("part-x-1.parquet"), None);
    }
}
