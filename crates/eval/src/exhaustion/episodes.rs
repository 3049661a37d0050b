//! Episodes on the disk: `ID.truth.json`, found anywhere under a folder, and `ID.csv.gz` beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use super::truth::{Truth, check};

/// Recordings of fewer rows than this are not judged.
pub const MIN_ROWS: u64 = 500;

/// An episode on the disk.
#[derive(Debug, Clone, PartialEq)]
pub struct Episode {
    /// What came of it. Never for a predictor, but for the time scale.
    pub truth: Truth,
    /// Where the truth was read.
    pub path: PathBuf,
}

impl Episode {
    /// Where its samples are: `ID.csv.gz` beside the truth, or `ID.csv` if only that is there.
    #[must_use]
    pub fn samples(&self) -> PathBuf {
        let packed = self
            .path
            .with_file_name(format!("{}.csv.gz", self.truth.id));
        let plain = self.path.with_file_name(format!("{}.csv", self.truth.id));
        if !packed.exists() && plain.exists() {
            plain
        } else {
            packed
        }
    }
}

/// Why episodes could not be read.
#[derive(Debug, thiserror::Error)]
pub enum EpisodesError {
    /// A folder or file could not be read.
    #[error("reading {}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file is not the truth of an episode.
    #[error("{}: not the truth of an episode", path.display())]
    Json {
        /// Which.
        path: PathBuf,
        /// Where and why.
        #[source]
        source: serde_json::Error,
    },
    /// A field has a value that makes no sense.
    #[error("{}: {problem}", path.display())]
    Field {
        /// Which file.
        path: PathBuf,
        /// The field, its value and what was expected.
        problem: String,
    },
    /// Two files tell of the same episode.
    #[error("episode {id} is told of by {} and by {}", first.display(), second.display())]
    Twice {
        /// The episode.
        id: String,
        /// Where it was read first.
        first: PathBuf,
        /// Where it was read again.
        second: PathBuf,
    },
    /// No episode is long enough to be judged.
    #[error("no *.truth.json with at least {MIN_ROWS} rows under {}", path.display())]
    Empty {
        /// The folder.
        path: PathBuf,
    },
}

/// Reads every truth under `dir`, at any depth, in the order of their paths; short recordings are left out.
///
/// # Errors
/// [`EpisodesError`]: nothing there, something unreadable, or a truth that contradicts itself.
pub fn episodes(dir: &Path) -> Result<Vec<Episode>, EpisodesError> {
    let mut paths = Vec::new();
    find(dir, &mut BTreeSet::new(), &mut paths)?;
    paths.sort();
    let mut found: Vec<Episode> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for path in paths {
        let text = std::fs::read(&path).map_err(|source| EpisodesError::Io {
            path: path.clone(),
            source,
        })?;
        let truth: Truth = serde_json::from_slice(&text).map_err(|source| EpisodesError::Json {
            path: path.clone(),
            source,
        })?;
        if let Err(problem) = check(&truth) {
            return Err(EpisodesError::Field { path, problem });
        }
        if let Some(place) = places.insert(truth.id.clone(), found.len()) {
            return Err(EpisodesError::Twice {
                id: truth.id,
                first: found[place].path.clone(),
                second: path,
            });
        }
        found.push(Episode { truth, path });
    }
    found.retain(|episode| episode.truth.rows >= MIN_ROWS);
    if found.is_empty() {
        return Err(EpisodesError::Empty {
            path: dir.to_owned(),
        });
    }
    Ok(found)
}

/// Gathers truth files. Links to folders are followed, but no folder is entered twice, so a loop of links ends.
fn find(
    dir: &Path,
    seen: &mut BTreeSet<PathBuf>,
    paths: &mut Vec<PathBuf>,
) -> Result<(), EpisodesError> {
    let fault = |source| EpisodesError::Io {
        path: dir.to_owned(),
        source,
    };
    if !seen.insert(dir.canonicalize().map_err(fault)?) {
        return Ok(());
    }
    let entries = std::fs::read_dir(dir).map_err(fault)?;
    let mut entries: Vec<PathBuf> = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()
        .map_err(fault)?;
    entries.sort();
    for path in entries {
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        if name.starts_with('.') {
            continue;
        }
        if path.is_dir() {
            find(&path, seen, paths)?;
        } else if name.ends_with(".truth.json") {
            paths.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(dir: &Path, name: &str, fields: &str) {
        let text = format!(
            r#"{{"kind":"disk","time_scale":20,"start_ts":1000.5,"end_ts":1100,"exhausted":true,
               "exhaustion_ts":1090,"onset_ts":null,"driver_stop_ts":null,"more":[1],{fields}}}"#
        );
        std::fs::create_dir_all(dir).unwrap();
        std::fs::write(dir.join(name), text).unwrap();
    }

    #[test]
    fn found_at_any_depth_and_short_ones_left_out() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        written(&root.join("b"), "b.truth.json", r#""id":"b","rows":500"#);
        written(&root.join("a/c"), "c.truth.json", r#""id":"c","rows":900"#);
        written(root, "short.truth.json", r#""id":"short","rows":499"#);
        written(root, "note.json", r#""id":"note","rows":900"#);
        #[cfg(unix)]
        std::os::unix::fs::symlink(root, root.join("a/loop")).unwrap();
        std::fs::write(root.join("b/b.csv"), "").unwrap();
        let found = episodes(root).unwrap();
        let ids: Vec<&str> = found.iter().map(|e| e.truth.id.as_str()).collect();
        assert_eq!(ids, ["c", "b"]);
        assert!(found[0].samples().ends_with("a/c/c.csv.gz"));
        assert!(found[1].samples().ends_with("b/b.csv"));
    }

    #[test]
    fn broken_truths_name_the_field() {
        for (fields, expected) in [
            (r#""id":"../x","rows":500"#, r#"id "../x" is no file name"#),
            (r#""id":"x""#, "not the truth of an episode"),
        ] {
            let dir = tempfile::tempdir().unwrap();
            written(dir.path(), "x.truth.json", fields);
            let error = episodes(dir.path()).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn two_files_for_one_episode_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        written(
            &dir.path().join("a"),
            "x.truth.json",
            r#""id":"x","rows":500"#,
        );
        written(
            &dir.path().join("b"),
            "x.truth.json",
            r#""id":"x","rows":500"#,
        );
        assert!(matches!(
            episodes(dir.path()),
            Err(EpisodesError::Twice { .. })
        ));
        let empty = tempfile::tempdir().unwrap();
        assert!(matches!(
            episodes(empty.path()),
            Err(EpisodesError::Empty { .. })
        ));
    }
}
