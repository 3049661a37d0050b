//! Is a data set what it says it is? Every file, every row.

mod rows;

use std::collections::{BTreeSet, HashMap};

use features::schema_hash;
use serde::{Deserialize, Serialize};

use crate::folder::{Folder, Part};
use crate::read::{self, Footer, ReadError};
use crate::{Progress, Table};

/// Rows that are looked at together.
const SLICE_ROWS: u64 = 131_072;

/// Something wrong, and the first place where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The file, below the data set's folder.
    pub file: String,
    /// The row in the file, counted from 1; `None` when the file is wrong as a whole.
    pub row: Option<u64>,
    /// What is wrong, with the offending value.
    pub what: String,
    /// In how many further rows of the file the same is wrong.
    pub more: u64,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// Files that were read.
    pub files: u64,
    /// Rows that were read.
    pub rows: u64,
    /// What is wrong, in order of the files; empty when all is well.
    pub problems: Vec<Problem>,
    /// Files that a recorder has not sealed yet and that were not looked at.
    pub unsealed: Vec<String>,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.file)?;
        if let Some(row) = self.row {
            write!(f, ", row {row}")?;
        }
        write!(f, ": {}", self.what)?;
        match self.more {
            0 => Ok(()),
            1 => f.write_str(" (and 1 more row like it)"),
            n => write!(f, " (and {n} more rows like it)"),
        }
    }
}

/// Reads everything and says what is wrong: files that cannot be read or do not belong, features of another schema,
/// nulls, numbers that are not finite, words that mean nothing, labels that are not canonical, rows under another day
/// than their own, series that go back in time or repeat an instant.
///
/// A file that cannot be read is a problem, not an error: the check goes on with the next. But the reader takes much of
/// a file at its word, and one that was made to harm can end the process. Whoever checks files of strangers does so in a
/// process of its own: `begins` is told the name of each file before it is touched, and files in `skip` are not.
pub fn check(
    folder: &Folder,
    skip: &BTreeSet<String>,
    begins: &mut dyn FnMut(&str),
    progress: Progress<'_>,
) -> Checked {
    let mut checked = Checked {
        files: 0,
        rows: 0,
        problems: Vec::new(),
        unsealed: folder.journal().to_vec(),
    };
    for file in folder.foreign() {
        let what = "not part of a captured data set".to_owned();
        checked.problems.push(whole(file, what));
    }
    let mut footers = |table: Table| -> Vec<(&Part, Result<Footer, ReadError>)> {
        let parts = folder.parts(table).iter();
        let wanted = parts.filter(|part| !skip.contains(&part.name));
        let read = wanted.map(|part| {
            begins(&part.name);
            (part, read::known(table, part))
        });
        read.collect()
    };
    let all = Table::ALL.map(|table| (table, footers(table)));

    let total = all
        .iter()
        .flat_map(|(_, parts)| parts)
        .filter_map(|(_, footer)| footer.as_ref().ok())
        .map(|footer| footer.n_rows)
        .sum();
    for (table, parts) in all {
        let mut last = HashMap::new();
        for (part, footer) in parts {
            checked.files += 1;
            begins(&part.name);
            let footer = match footer {
                Ok(footer) => footer,
                Err(error) => {
                    checked.problems.push(whole(&part.name, plain(&error)));
                    continue;
                }
            };
            checked.problems.extend(other_schema(table, part, &footer));
            let mut rows = rows::Rows::new(table, part, &mut last);
            let mut from = 0;
            while from < footer.n_rows {
                match read::slice(table, part, from, SLICE_ROWS) {
                    Ok(frame) => rows.look(from, &frame),
                    Err(error) => {
                        checked.problems.push(whole(&part.name, plain(&error)));
                        break;
                    }
                }
                from += SLICE_ROWS.min(footer.n_rows - from);
                progress(checked.rows + from, total);
            }
            checked.problems.extend(rows.into_problems());
            checked.rows += footer.n_rows;
        }
    }
    checked
}

/// Features of another schema mean something else, however well the numbers look.
fn other_schema(table: Table, part: &Part, footer: &Footer) -> Option<Problem> {
    let expected = format!("{:#018x}", schema_hash());
    let found = footer.get("forestall.schema_hash").unwrap_or("none");
    (table == Table::Samples && found != expected).then(|| {
        let what = format!("feature schema {found}, this program has {expected}");
        whole(&part.name, what)
    })
}

fn whole(file: &str, what: String) -> Problem {
    Problem {
        file: file.to_owned(),
        row: None,
        what,
        more: 0,
    }
}

/// An error without its path, which the problem names already.
fn plain(error: &ReadError) -> String {
    match error {
        ReadError::Open { source, .. } => format!("cannot be opened: {source}"),
        ReadError::Damaged { problem, .. } => format!("not a readable Parquet file: {problem}"),
        ReadError::Foreign { problem, .. } => {
            format!("not captured data of this format: {problem}")
        }
        ReadError::Day { .. } => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::made::{Made, row};
    use std::path::Path;

    fn problems(dir: &Path) -> Vec<String> {
        let folder = Folder::open(dir).unwrap();
        let checked = check(&folder, &BTreeSet::new(), &mut |_| (), &mut |_, _| ());
        checked.problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_good_set_has_no_problems() {
        let made = Made::new().samples(
            "2024-01-01",
            &[row(0, "a", ""), row(1, "a", ""), row(1, "b", "")],
        );
        let made = made.samples("2024-01-02", &[row(86_400, "a", "")]);
        let made = made
            .feedback("2024-01-01", 0, 2)
            .mark("2024-01-01", 0, None);
        assert_eq!(problems(made.path()), [""; 0]);
    }

    #[test]
    fn names_file_and_row_of_what_is_wrong() {
        let mut rows = vec![row(5, "a", ""), row(4, "a", ""), row(4, "a", "")];
        rows.push(row(86_400, "b", "{z=\"1\",a=\"2\"}"));
        rows.push(row(86_401, "b", "{z=\"1\",a=\"2\"}"));
        let mut odd = row(7, "c", "");
        odd.features = f32::NAN;
        odd.event = "begun";
        odd.provenance = None;
        rows.push(odd);
        let made = Made::new().samples("2024-01-01", &rows);
        let file = "samples/date=2024-01-01/part-1704067205000000-00000000.parquet";
        let expected = [
            "row 6: provenance is null",
            "row 6: f_level is NaN",
            "row 6: event is \"begun\"",
            "row 4: b{z=\"1\",a=\"2\"} is not in canonical form: b{a=\"2\",z=\"1\"} (and 1 more row like it)",
            "row 4: its day is 2024-01-02 (and 1 more row like it)",
            "row 2: a goes back in time, from 2024-01-01T00:00:05Z to 2024-01-01T00:00:04Z",
            "row 3: a has 2024-01-01T00:00:04Z twice",
        ];
        let found = problems(made.path());
        for line in expected {
            let line = format!("{file}, {line}");
            assert!(found.contains(&line), "{line} is not among {found:#?}");
        }
    }

    #[test]
    fn unreadable_and_foreign_files_are_named_and_the_rest_is_checked() {
        let made = Made::new().samples("2024-01-01", &[row(0, "a", "")]);
        let made = made.samples("2024-01-02", &[row(86_400, "a", "")]);
        let day = made.path().join("samples/date=2024-01-01");
        let part = std::fs::read_dir(&day)
            .unwrap()
            .next()
            .unwrap()
            .unwrap()
            .path();
        let bytes = std::fs::read(&part).unwrap();
        for keep in [0, 3, bytes.len() / 2, bytes.len() - 1] {
            std::fs::write(&part, &bytes[..keep]).unwrap();
            let found = problems(made.path());
            assert_eq!(found.len(), 1, "{keep}: {found:?}");
            assert!(
                found[0].contains("date=2024-01-01")
                    && found[0].contains("not a readable Parquet file"),
                "{found:?}"
            );
        }
        std::fs::write(&part, &bytes).unwrap();
        std::fs::write(day.join("README"), "x").unwrap();
        assert_eq!(
            problems(made.path()),
            ["samples/date=2024-01-01/README: not part of a captured data set"]
        );
    }
}
