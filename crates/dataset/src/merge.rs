//! Data sets put together.

use std::path::Path;

use crate::folder::Folder;
use crate::fresh::{Fresh, FreshError};
use crate::read::{ReadError, known, metadata_of};
use crate::small::{self, SmallError};
use crate::windows::{Duplicates, Span, WINDOW_ROWS, WindowError, Windows};
use crate::write::{Parts, WriteError};
use crate::{Progress, Table};

/// Why data sets could not be merged. Nothing is left behind then.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// The output cannot be made.
    #[error(transparent)]
    Fresh(#[from] FreshError),
    /// A part cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The samples cannot be taken in order.
    #[error(transparent)]
    Window(#[from] WindowError),
    /// The output cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The features of the sources do not mean the same.
    #[error("{b} has feature schema {b_hash}, {a} has {a_hash}: their rows do not go together")]
    Schema {
        /// A part of one source.
        a: String,
        /// Its hash.
        a_hash: String,
        /// A part of another.
        b: String,
        /// Its hash.
        b_hash: String,
    },
    /// There are no samples in any source.
    #[error("there are no samples to write")]
    Empty,
}

/// Writes the union of `sources` to a new folder `out`; returns how many samples it has.
///
/// Samples come by time, then metric, then labels, so that the same sources give the same rows in the same order
/// whatever their parts were. Of samples with the same series and time the one of the earlier source stays; equal
/// feedback and equal marks are written once.
///
/// # Errors
/// [`MergeError`]; `out` is then as it was.
pub fn merge(
    sources: &[Folder],
    out: &Path,
    force: bool,
    progress: Progress<'_>,
) -> Result<u64, MergeError> {
    let fresh = Fresh::folder(out, force)?;
    same_schema(sources)?;
    let mut parts = Parts::new(fresh.path());
    let windows = Windows::plan(sources, Span::default(), WINDOW_ROWS)?;
    let metadata = metadata_of(sources, Table::Samples)?;
    let (mut done, mut written) = (0, 0);
    for window in &windows.windows {
        let frame = windows.load(*window, &[], Duplicates::DropLater)?;
        if frame.height() > 0 {
            parts.write(Table::Samples, window.day, &frame, metadata.as_ref())?;
        }
        written += frame.height() as u64;
        done += window.n_rows;
        progress(done, windows.n_rows);
    }
    if written == 0 {
        return Err(MergeError::Empty);
    }
    small::write(sources, &mut parts, |_, frame| Ok(frame))?;
    fresh.commit()?;
    Ok(written)
}

/// Refuses sources whose rows were computed by different features.
fn same_schema(sources: &[Folder]) -> Result<(), MergeError> {
    let mut first: Option<(String, String)> = None;
    for source in sources {
        for part in source.parts(Table::Samples) {
            let footer = known(Table::Samples, part)?;
            let hash = footer
                .get("forestall.schema_hash")
                .unwrap_or("none")
                .to_owned();
            let name = part.path.display().to_string();
            match &first {
                None => first = Some((name, hash)),
                Some((_, a_hash)) if *a_hash == hash => {}
                Some((a, a_hash)) => {
                    return Err(MergeError::Schema {
                        a: a.clone(),
                        a_hash: a_hash.clone(),
                        b: name,
                        b_hash: hash,
                    });
                }
            }
        }
    }
    Ok(())
}

impl From<SmallError> for MergeError {
    fn from(error: SmallError) -> Self {
        match error {
            SmallError::Read(error) => Self::Read(error),
            SmallError::Write(error) => Self::Write(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::PathBuf;

    use proptest::prelude::*;

    use super::*;
    use crate::made::{Made, Row, START_US, row};
    use crate::{Cut, check, cut};

    /// All rows of all tables as text, marks without their numbers.
    fn contents(dir: &Path) -> Vec<String> {
        let folder = Folder::open(dir).unwrap();
        let sources = std::slice::from_ref(&folder);
        let windows = Windows::plan(sources, Span::default(), WINDOW_ROWS).unwrap();
        let mut frames = Vec::new();
        for window in &windows.windows {
            frames.push(windows.load(*window, &[], Duplicates::Keep).unwrap());
        }
        for table in [Table::Feedback, Table::Provenance] {
            frames.extend(
                small::read(sources, table)
                    .unwrap()
                    .into_iter()
                    .map(|(_, frame)| frame),
            );
        }
        let mut lines = Vec::new();
        for frame in frames {
            for i in 0..frame.height() {
                let cells = frame
                    .columns()
                    .iter()
                    .filter(|column| column.name() != "id");
                let cells = cells.map(|column| column.get(i).unwrap().to_string());
                lines.push(cells.collect::<Vec<_>>().join("|"));
            }
        }
        lines
    }

    fn quiet() -> impl FnMut(u64, u64) {
        |_, _| ()
    }

    fn merged(dirs: &[PathBuf], out: &Path) -> u64 {
        let folders: Vec<Folder> = dirs.iter().map(|dir| Folder::open(dir).unwrap()).collect();
        merge(&folders, out, false, &mut quiet()).unwrap()
    }

    const DAY_S: i64 = 86_400;

    /// Two days of three series, in two parts a day, with feedback and marks.
    fn set(seconds: &[(u8, i64)]) -> Made {
        let mut made = Made::new();
        for (day, name) in ["2024-01-01", "2024-01-02"].into_iter().enumerate() {
            let start = day as i64 * DAY_S;
            let mut rows: Vec<Row> = seconds
                .iter()
                .filter(|(_, at)| (start..start + DAY_S).contains(at))
                .map(|(series, at)| row(*at, "m", &format!("{{s=\"{series}\"}}")))
                .collect();
            // In order of arrival: late ones within the day are fine, a series ascends.
            rows.sort_by_key(|r| r.time_us);
            let half = rows.len() / 2;
            for part in [&rows[..half], &rows[half..]] {
                if !part.is_empty() {
                    made = made.samples(name, part);
                }
            }
        }
        made.feedback("2024-01-01", 100, 2_000)
            .mark("2024-01-01", 50, Some(90_000))
            .mark("2024-01-02", 86_500, None)
    }

    proptest! {
        // Files are slow: few cases, each of several cuts.
        #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

        #[test]
        fn the_union_of_cuts_is_the_set(
            rows in prop::collection::btree_set((0_u8..3, 0..2 * DAY_S), 4..60),
            cuts in prop::collection::btree_set(1..2 * DAY_S, 1..4),
            overlap in 0..5_000_i64,
        ) {
            let rows: Vec<(u8, i64)> = rows.into_iter().collect();
            let made = set(&rows);
            let whole = Folder::open(made.path()).unwrap();
            let scratch = tempfile::tempdir().unwrap();
            let mut pieces = Vec::new();
            let edges: Vec<Option<i64>> = std::iter::once(None)
                .chain(cuts.iter().map(|s| Some(START_US + s * 1_000_000)))
                .chain([None])
                .collect();
            for (i, pair) in edges.windows(2).enumerate() {
                let piece = scratch.path().join(i.to_string());
                let to = pair[1].map(|to| to + overlap * 1_000_000);
                let kept = Cut { from: pair[0], to, selectors: Vec::new() };
                match cut(&whole, &kept, &piece, false, &mut quiet()) {
                    Ok(_) => pieces.push(piece),
                    Err(crate::CutError::Empty) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            let (forth, back) = (scratch.path().join("forth"), scratch.path().join("back"));
            prop_assert_eq!(merged(&pieces, &forth), rows.len() as u64);
            pieces.reverse();
            merged(&pieces, &back);
            let samples = |lines: Vec<String>| -> Vec<String> {
                lines.into_iter().filter(|line| line.matches('|').count() > 10).collect()
            };
            prop_assert_eq!(samples(contents(&forth)), samples(contents(made.path())));
            prop_assert_eq!(contents(&forth), contents(&back), "the order of the sources does not matter");
            let merged = Folder::open(&forth).unwrap();
            let checked = check(&merged, &BTreeSet::new(), &mut |_| (), &mut quiet());
            prop_assert_eq!(checked.problems, []);
        }
    }

    #[test]
    fn cuts_are_half_open_and_the_rest_comes_along() {
        let made = set(&[(0, 10), (0, 20), (0, 30), (1, 20), (0, DAY_S + 1)]);
        let whole = Folder::open(made.path()).unwrap();
        let out = made.path().with_extension("cut");
        let at = |seconds: i64| Some(START_US + seconds * 1_000_000);
        let mut kept = Cut {
            from: at(10),
            to: at(20),
            selectors: Vec::new(),
        };
        let n = |kept: &Cut| cut(&whole, kept, &out, true, &mut quiet());
        assert_eq!(n(&kept).unwrap(), 1, "from is kept, to is not");
        kept.to = Some(START_US + 20_000_001);
        assert_eq!(n(&kept).unwrap(), 3);
        assert_eq!(
            contents(&out).len(),
            3,
            "neither feedback nor marks touch these ten seconds"
        );
        kept.to = at(100);
        assert_eq!(n(&kept).unwrap(), 4);
        assert_eq!(contents(&out).len(), 5, "a mark begins within");
        kept = Cut {
            selectors: vec!["{s=\"1\"}".parse().unwrap()],
            ..Cut::default()
        };
        assert_eq!(n(&kept).unwrap(), 1);
        kept.selectors = vec![crate::Selector::metric("other")];
        assert!(matches!(n(&kept), Err(crate::CutError::Empty)));
        std::fs::remove_dir_all(&out).unwrap();
    }

    #[test]
    fn the_earlier_source_wins_and_schemas_must_agree() {
        let other = |value: f64| {
            let mut one = row(1, "m", "");
            one.value = value;
            Made::new()
                .samples("2024-01-01", &[one])
                .mark("2024-01-01", 0, None)
        };
        let (a, b) = (other(1.0), other(2.0));
        let out = a.path().with_extension("merged");
        let dirs = [a.path().to_owned(), b.path().to_owned()];
        assert_eq!(merged(&dirs, &out), 1);
        let lines = contents(&out);
        assert_eq!(lines.len(), 2, "the mark is the same in both: {lines:?}");
        assert!(lines[0].contains("|1.0|1.0|"), "{lines:?}");
        std::fs::remove_dir_all(&out).unwrap();
    }

    #[test]
    fn rows_under_the_wrong_day_are_not_lost_in_silence() {
        let made = Made::new().samples("2024-01-01", &[row(1, "m", ""), row(DAY_S, "m", "")]);
        let out = made.path().with_extension("merged");
        let folders = [Folder::open(made.path()).unwrap()];
        let error = merge(&folders, &out, false, &mut quiet()).unwrap_err();
        assert!(error.to_string().contains("2024-01-01 in"), "{error}");
        assert!(!out.exists());
    }
}
