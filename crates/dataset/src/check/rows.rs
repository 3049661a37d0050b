//! What can be wrong with a row.

use std::collections::{BTreeMap, HashMap};

use polars::prelude::{DataFrame, DataType, PolarsResult};
use series::SeriesKey;

use super::Problem;
use crate::Table;
use crate::date::{day_of, day_text, instant_text};
use crate::folder::Part;
use crate::read::guarded;
use crate::table::{EVENTS, Kind, PROVENANCES, VERDICTS};

/// The latest instant of each series, over the files of a table.
pub(super) type Last = HashMap<(String, String), i64>;

/// The rows of one part, slice after slice.
pub(super) struct Rows<'a> {
    table: Table,
    part: &'a Part,
    last: &'a mut Last,
    /// By kind of problem: the first, and how many there are.
    found: BTreeMap<String, Problem>,
    /// Series whose labels were looked at in this part: the canonical form where it is another.
    labels: HashMap<(String, String), Option<String>>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(table: Table, part: &'a Part, last: &'a mut Last) -> Self {
        Self {
            table,
            part,
            last,
            found: BTreeMap::new(),
            labels: HashMap::new(),
        }
    }

    /// Looks at rows of which `from` come before.
    pub(super) fn look(&mut self, from: u64, frame: &DataFrame) {
        if let Err(problem) = guarded(|| self.look_at(from, frame)) {
            self.add("read", from, || problem);
        }
    }

    pub(super) fn into_problems(self) -> Vec<Problem> {
        let mut problems: Vec<Problem> = self.found.into_values().collect();
        problems.sort_by_key(|problem| problem.row);
        problems
    }

    fn add(&mut self, kind: &str, row: u64, what: impl FnOnce() -> String) {
        if let Some(problem) = self.found.get_mut(kind) {
            problem.more += 1;
            return;
        }
        let problem = Problem {
            file: self.part.name.clone(),
            row: Some(row + 1),
            what: what(),
            more: 0,
        };
        self.found.insert(kind.to_owned(), problem);
    }

    fn look_at(&mut self, from: u64, frame: &DataFrame) -> PolarsResult<()> {
        for (name, kind) in self.table.columns() {
            let column = frame.column(&name)?;
            // An interval that goes on has no end.
            let may_be_null = self.table != Table::Samples && name == "to";
            if column.null_count() > 0 && !may_be_null {
                let nulls = column.is_null();
                for (row, _) in (from..)
                    .zip(nulls.iter())
                    .filter(|(_, null)| *null == Some(true))
                {
                    self.add(&format!("{name} null"), row, || format!("{name} is null"));
                }
            }
            match kind {
                Kind::F64 | Kind::F32 => {
                    let wide = column.cast(&DataType::Float64)?;
                    for (row, value) in (from..).zip(wide.f64()?.iter()) {
                        if let Some(value) = value.filter(|value| !value.is_finite()) {
                            self.add(&format!("{name} finite"), row, || {
                                format!("{name} is {value}")
                            });
                        }
                    }
                }
                Kind::Word => {
                    let known: &[&str] = match name.as_str() {
                        "event" => &EVENTS,
                        "provenance" => &PROVENANCES,
                        "kind" => &PROVENANCES[1..],
                        "verdict" => &VERDICTS,
                        _ => continue,
                    };
                    for (row, word) in (from..).zip(column.str()?.iter()) {
                        if let Some(word) = word.filter(|word| !known.contains(word)) {
                            self.add(&format!("{name} word"), row, || {
                                format!("{name} is {word:?}")
                            });
                        }
                    }
                }
                Kind::Instant | Kind::Text | Kind::Id => {}
            }
        }
        let first = if self.table == Table::Provenance {
            "from"
        } else {
            "time"
        };
        for (row, at) in (from..).zip(frame.column(first)?.i64()?.iter()) {
            if let Some(at) = at.filter(|at| day_of(*at) != self.part.day) {
                self.add("day", row, || {
                    format!("its day is {}", day_text(day_of(at)))
                });
            }
        }
        if self.table != Table::Provenance {
            self.series(from, frame)?;
        }
        if self.table != Table::Samples {
            self.intervals(from, frame)?;
        }
        Ok(())
    }

    fn series(&mut self, from: u64, frame: &DataFrame) -> PolarsResult<()> {
        let times = frame.column("time")?.i64()?;
        let (metrics, labels) = (
            frame.column("metric")?.str()?,
            frame.column("labels")?.str()?,
        );
        let rows = (from..)
            .zip(times.iter())
            .zip(metrics.iter().zip(labels.iter()));
        for ((row, time), pair) in rows {
            let (Some(time), (Some(metric), Some(labels))) = (time, pair) else {
                continue;
            };
            let key = (metric.to_owned(), labels.to_owned());
            let odd = self
                .labels
                .entry(key.clone())
                .or_insert_with(|| not_canonical(metric, labels));
            if let Some(odd) = odd.clone() {
                self.add(&format!("series {metric}{labels}"), row, || odd);
            }
            if self.table != Table::Samples {
                continue;
            }
            let last = self.last.insert(key, time);
            match last {
                Some(last) if last == time => self.add("twice", row, || {
                    format!("{metric}{labels} has {} twice", instant_text(time))
                }),
                Some(last) if last > time => self.add("back", row, || {
                    let (from, to) = (instant_text(last), instant_text(time));
                    format!("{metric}{labels} goes back in time, from {from} to {to}")
                }),
                Some(_) | None => {}
            }
        }
        Ok(())
    }

    fn intervals(&mut self, rows_before: u64, frame: &DataFrame) -> PolarsResult<()> {
        let (from, to) = (frame.column("from")?.i64()?, frame.column("to")?.i64()?);
        for (row, (from, to)) in (rows_before..).zip(from.iter().zip(to.iter())) {
            if let (Some(from), Some(to)) = (from, to)
                && from > to
            {
                self.add("interval", row, || {
                    format!(
                        "it ends at {}, before it begins at {}",
                        instant_text(to),
                        instant_text(from)
                    )
                });
            }
        }
        Ok(())
    }
}

/// What is wrong with the name and labels of a series, if anything.
fn not_canonical(metric: &str, labels: &str) -> Option<String> {
    let text = format!("{metric}{labels}");
    match text.parse::<SeriesKey>() {
        Err(error) => Some(format!("{text} is no series: {error}")),
        Ok(key) if key.metric() != metric => {
            Some(format!("metric {metric:?} carries labels of its own"))
        }
        Ok(key) => {
            let canonical = key.to_string();
            (canonical != text).then(|| format!("{text} is not in canonical form: {canonical}"))
        }
    }
}
