//! A data set in windows of time, each small enough to be held and sorted in memory.
//!
//! The parts of a day may hold its rows in any order of time, and a day may hold more rows than there is memory. So the
//! rows of a full day are first counted by second, then as many seconds as fit are read at a time. Partitions are by
//! day, so no window spans two days.

use polars::prelude::{DataFrame, SortMultipleOptions, UniqueKeepStrategy, col, len, lit};

use crate::date::DAY_US;
use crate::folder::{Folder, Part};
use crate::read::{ReadError, guarded, known, of_day};
use crate::selector::select;
use crate::{Selector, Table, day_text};

/// Rows of a window, unless one second alone holds more: some 40 MB at about 150 bytes a row.
pub(crate) const WINDOW_ROWS: u64 = 262_144;
const SECOND_US: i64 = 1_000_000;

/// Why a data set could not be taken window by window.
#[derive(Debug, thiserror::Error)]
pub enum WindowError {
    /// A part cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Rows lie under another day than their own, where a reader of that day misses them.
    #[error("{day} in {root} holds rows of another day, or rows without a time")]
    Misfiled {
        /// The folder's day.
        day: String,
        /// The data set.
        root: String,
    },
    /// The rows of a window could not be put in order.
    #[error("sorting rows of {day}: {problem}")]
    Sort {
        /// The day.
        day: String,
        /// What went wrong.
        problem: String,
    },
}

/// A half-open interval of time, `[from, to)`, in microseconds; either end may be open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Span {
    pub(crate) from: Option<i64>,
    pub(crate) to: Option<i64>,
}

impl Span {
    fn start(self) -> i64 {
        self.from.unwrap_or(i64::MIN)
    }

    fn end(self) -> i64 {
        self.to.unwrap_or(i64::MAX)
    }

    /// Whether the closed interval `from..=to` has a part in this span.
    pub(crate) fn touches(self, from: i64, to: i64) -> bool {
        from < self.end() && to >= self.start()
    }
}

/// Rows of one day between two instants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) day: i64,
    /// The first instant.
    pub(crate) from: i64,
    /// The first instant after it.
    pub(crate) to: i64,
    /// About how many rows it holds, duplicates included.
    pub(crate) n_rows: u64,
}

/// The samples of one or more data sets, window by window in order of time.
#[derive(Debug)]
pub(crate) struct Windows<'a> {
    sources: &'a [Folder],
    pub(crate) windows: Vec<Window>,
    pub(crate) n_rows: u64,
}

/// What becomes of rows with the same series and time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Duplicates {
    Keep,
    /// The row of the earlier source stays.
    DropLater,
}

impl<'a> Windows<'a> {
    /// Divides the samples within `span` into windows of at most `budget` rows.
    pub(crate) fn plan(
        sources: &'a [Folder],
        span: Span,
        budget: u64,
    ) -> Result<Self, WindowError> {
        let mut days: Vec<i64> = Vec::new();
        for part in sources.iter().flat_map(|s| s.parts(Table::Samples)) {
            known(Table::Samples, part)?;
            days.push(part.day);
        }
        days.sort_unstable();
        days.dedup();
        let mut windows = Vec::new();
        for day in days {
            let (first, end) = (
                day.saturating_mul(DAY_US),
                day.saturating_add(1).saturating_mul(DAY_US),
            );
            let (from, to) = (first.max(span.start()), end.min(span.end()));
            if from < to {
                plan_day(
                    sources,
                    Window {
                        day,
                        from,
                        to,
                        n_rows: 0,
                    },
                    budget,
                    &mut windows,
                )?;
            }
        }
        Ok(Self {
            sources,
            n_rows: windows.iter().map(|w: &Window| w.n_rows).sum(),
            windows,
        })
    }

    /// The rows of a window by time, then series; what several sources have comes in their order.
    pub(crate) fn load(
        &self,
        window: Window,
        selectors: &[Selector],
        duplicates: Duplicates,
    ) -> Result<DataFrame, WindowError> {
        let mut all: Option<DataFrame> = None;
        for source in self.sources {
            let parts = of(source, window.day);
            if parts.is_empty() {
                continue;
            }
            let rows = of_day(Table::Samples, window.day, &parts, |lazy| {
                lazy.filter(within(window))
            })?;
            match &mut all {
                None => all = Some(rows),
                Some(all) => {
                    let stacked = guarded(|| all.vstack_mut(&rows).map(drop));
                    stacked.map_err(|problem| sort_error(window, problem))?;
                }
            }
        }
        let sorted = guarded(|| {
            let all = select(all.unwrap_or_default(), selectors)?;
            if all.height() == 0 {
                return Ok(all);
            }
            let stable = SortMultipleOptions::default().with_maintain_order(true);
            let sorted = all.sort(["time", "metric", "labels"], stable)?;
            match duplicates {
                Duplicates::Keep => Ok(sorted),
                Duplicates::DropLater => {
                    let key = ["time", "metric", "labels"].map(str::to_owned);
                    sorted.unique_stable(Some(&key), UniqueKeepStrategy::First, None)
                }
            }
        });
        sorted.map_err(|problem| sort_error(window, problem))
    }
}

fn sort_error(window: Window, problem: String) -> WindowError {
    WindowError::Sort {
        day: day_text(window.day),
        problem,
    }
}

fn of(source: &Folder, day: i64) -> Vec<&Part> {
    let parts = source.parts(Table::Samples).iter();
    parts.filter(|part| part.day == day).collect()
}

fn within(window: Window) -> polars::prelude::Expr {
    col("time")
        .gt_eq(lit(window.from))
        .and(col("time").lt(lit(window.to)))
}

fn plan_day(
    sources: &[Folder],
    whole: Window,
    budget: u64,
    windows: &mut Vec<Window>,
) -> Result<(), WindowError> {
    let day = whole.day;
    let (mut total, mut seconds) = (0, std::collections::BTreeMap::<i64, u64>::new());
    for source in sources {
        let parts = of(source, day);
        if parts.is_empty() {
            continue;
        }
        let bounds = of_day(Table::Samples, day, &parts, |lazy| {
            lazy.select([
                col("time").min().alias("first"),
                col("time").max().alias("last"),
                col("time")
                    .null_count()
                    .cast(polars::prelude::DataType::Int64)
                    .alias("nulls"),
                within(whole)
                    .cast(polars::prelude::DataType::Int64)
                    .sum()
                    .alias("within"),
            ])
        })?;
        let number = |name: &str| -> Option<i64> {
            let column = bounds.column(name).ok()?;
            column.i64().ok()?.get(0)
        };
        let own = |at: Option<i64>| at.is_none_or(|at| crate::day_of(at) == day);
        if !own(number("first")) || !own(number("last")) || number("nulls") != Some(0) {
            return Err(WindowError::Misfiled {
                day: day_text(day),
                root: source.root().display().to_string(),
            });
        }
        total += number("within").unwrap_or(0).unsigned_abs();
    }
    if total == 0 {
        return Ok(());
    }
    if total <= budget {
        windows.push(Window {
            n_rows: total,
            ..whole
        });
        return Ok(());
    }
    for source in sources {
        let parts = of(source, day);
        if parts.is_empty() {
            continue;
        }
        let counted = of_day(Table::Samples, day, &parts, |lazy| {
            let since = || col("time") - lit(day * DAY_US);
            lazy.filter(within(whole))
                .group_by([(since() - since() % lit(SECOND_US)).alias("second")])
                .agg([len().cast(polars::prelude::DataType::Int64).alias("n")])
        })?;
        let sorted = guarded(|| {
            let (second, n) = (
                counted.column("second")?.i64()?,
                counted.column("n")?.i64()?,
            );
            Ok(second
                .iter()
                .flatten()
                .zip(n.iter().flatten())
                .collect::<Vec<_>>())
        });
        for (second, n) in sorted.map_err(|problem| sort_error(whole, problem))? {
            *seconds.entry(second).or_default() += n.unsigned_abs();
        }
    }
    let mut open = Window { n_rows: 0, ..whole };
    for (second, n) in seconds {
        let start = day * DAY_US + second;
        if open.n_rows > 0 && open.n_rows + n > budget {
            windows.push(Window { to: start, ..open });
            open = Window {
                from: start,
                n_rows: 0,
                ..whole
            };
        }
        open.n_rows += n;
    }
    windows.push(open);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::made::{Made, START_US, row};

    #[test]
    fn a_full_day_comes_in_small_windows_in_order() {
        // Two parts whose times interleave; one second holds more than a window may.
        let even: Vec<_> = (0..50).map(|i| row(i * 2, "a", "")).collect();
        let mut odd: Vec<_> = (0..50).map(|i| row(i * 2 + 1, "a", "")).collect();
        odd.extend((0..12).map(|i| row(20, "b", &format!("{{i=\"{i}\"}}"))));
        let made = Made::new()
            .samples("2024-01-01", &even)
            .samples("2024-01-01", &odd);
        let folders = [Folder::open(made.path()).unwrap()];
        let times = |span: Span, budget: u64| -> (usize, Vec<i64>) {
            let windows = Windows::plan(&folders, span, budget).unwrap();
            let mut times = Vec::new();
            for window in &windows.windows {
                let frame = windows.load(*window, &[], Duplicates::Keep).unwrap();
                assert_eq!(frame.height() as u64, window.n_rows);
                times.extend(
                    frame
                        .column("time")
                        .unwrap()
                        .i64()
                        .unwrap()
                        .iter()
                        .flatten(),
                );
            }
            assert_eq!(times.len() as u64, windows.n_rows);
            (windows.windows.len(), times)
        };
        let (n, whole) = times(Span::default(), 1_000);
        assert_eq!((n, whole.len()), (1, 112));
        let (n, small) = times(Span::default(), 10);
        assert!(n > 10);
        assert_eq!(small, whole);
        assert!(whole.is_sorted());
        let span = Span {
            from: Some(START_US + 10_000_000),
            to: Some(START_US + 19_500_000),
        };
        for budget in [3, 1_000] {
            assert_eq!(times(span, budget).1.len(), 10);
        }
    }
}
