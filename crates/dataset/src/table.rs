//! The three tables of a captured data set and the columns of each.

use features::SCHEMA;
use polars::prelude::{DataType, Schema, TimeUnit};

/// A table of a captured data set; each is a folder of that name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Table {
    /// What came in and what was made of it, one row per scored sample.
    Samples,
    /// What people said of alerts.
    Feedback,
    /// Intervals that were marked as faults or as mitigated, some of them afterwards.
    Provenance,
}

/// The version of the layout that this crate reads, as files carry it under `forestall.format`.
pub(crate) const FORMAT: &str = "1";
/// The words of the column `event`.
pub(crate) const EVENTS: [&str; 4] = ["", "opened", "open", "closed"];
/// The words of the column `provenance`.
pub(crate) const PROVENANCES: [&str; 3] = ["normal", "fault", "mitigated"];

/// The words of the column `verdict`.
pub(crate) const VERDICTS: [&str; 2] = ["confirmed", "dismissed"];

/// What a column holds; in memory an instant is whole microseconds and words are strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Instant,
    /// Few different strings, a dictionary in the file.
    Word,
    /// Any string.
    Text,
    F64,
    F32,
    /// A number that only tells rows apart.
    Id,
}

impl Kind {
    /// Whether a column of this type in a file can be read as this kind.
    fn accepts(self, found: &DataType) -> bool {
        match self {
            Self::Instant => {
                matches!(found, DataType::Datetime(TimeUnit::Microseconds, _))
            }
            Self::Word | Self::Text => {
                *found == DataType::String || matches!(found, DataType::Categorical(..))
            }
            Self::F64 => *found == DataType::Float64,
            Self::F32 => *found == DataType::Float32,
            Self::Id => *found == DataType::Int64,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Instant => "timestamp(us)",
            Self::Word | Self::Text => "string",
            Self::F64 => "f64",
            Self::F32 => "f32",
            Self::Id => "i64",
        }
    }
}

impl Table {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Samples, Self::Feedback, Self::Provenance];

    /// Its folder.
    #[must_use]
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Samples => "samples",
            Self::Feedback => "feedback",
            Self::Provenance => "provenance",
        }
    }

    /// The columns in the order in which they are written.
    pub(crate) fn columns(self) -> Vec<(String, Kind)> {
        let named = |list: &[(&str, Kind)]| -> Vec<(String, Kind)> {
            list.iter().map(|(n, k)| ((*n).to_owned(), *k)).collect()
        };
        match self {
            Self::Samples => {
                let mut columns = named(&[
                    ("time", Kind::Instant),
                    ("metric", Kind::Word),
                    ("labels", Kind::Word),
                    ("value", Kind::F64),
                    ("level", Kind::F64),
                ]);
                columns.extend(SCHEMA.iter().map(|c| (format!("f_{}", c.name), Kind::F32)));
                columns.extend(named(&[
                    ("score", Kind::F64),
                    ("alert_score", Kind::F32),
                    ("event", Kind::Word),
                    ("provenance", Kind::Word),
                ]));
                columns
            }
            Self::Feedback => named(&[
                ("time", Kind::Instant),
                ("metric", Kind::Word),
                ("labels", Kind::Word),
                ("from", Kind::Instant),
                ("to", Kind::Instant),
                ("verdict", Kind::Word),
                ("note", Kind::Text),
            ]),
            Self::Provenance => named(&[
                ("id", Kind::Id),
                ("from", Kind::Instant),
                ("to", Kind::Instant),
                ("kind", Kind::Word),
                ("selector", Kind::Text),
                ("note", Kind::Text),
            ]),
        }
    }

    /// What is wrong with the columns of a file, if anything: the first that is missing, odd or too many.
    pub(crate) fn mismatch(self, found: &Schema) -> Option<String> {
        let expected = self.columns();
        for (name, kind) in &expected {
            match found.get(name) {
                None => return Some(format!("no column {name:?}")),
                Some(dtype) if !kind.accepts(dtype) => {
                    return Some(format!(
                        "column {name:?} is {dtype:?}, expected {}",
                        kind.name()
                    ));
                }
                Some(_) => {}
            }
        }
        let extra = found
            .iter_names()
            .find(|name| !expected.iter().any(|(e, _)| e == name.as_str()));
        extra.map(|name| format!("column {:?} is not of this table", name.as_str()))
    }
}
