//! A captured data set as files, before any of them is opened.

use std::io;
use std::path::{Path, PathBuf};

use crate::Table;
use crate::date::parse_day;

/// Files of the recorder at work that are not part of the set: what it will seal next.
const JOURNAL: &str = ".journal";

/// One file of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Where it is.
    pub path: PathBuf,
    /// The same below the data set's folder, with `/` between.
    pub name: String,
    /// Days since 1970-01-01, by the name of its folder.
    pub day: i64,
    /// Its size on disk.
    pub bytes: u64,
}

/// A captured data set: its parts in order of their days and names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    root: PathBuf,
    samples: Vec<Part>,
    feedback: Vec<Part>,
    provenance: Vec<Part>,
    foreign: Vec<String>,
    journal: Vec<String>,
}

/// Why a folder is not a captured data set.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The operating system refused.
    #[error("listing {}", path.display())]
    Io {
        /// Which folder.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// None of the tables' folders is there.
    #[error("{} is not a captured data set: it has no folder samples/", path.display())]
    Absent {
        /// What was opened.
        path: PathBuf,
    },
}

impl Folder {
    /// Lists the files of a data set; reads none of them.
    ///
    /// # Errors
    /// When there is no folder `samples` in `root`, or a folder cannot be listed.
    pub fn open(root: &Path) -> Result<Self, OpenError> {
        if !root.join(Table::Samples.folder()).is_dir() {
            return Err(OpenError::Absent {
                path: root.to_owned(),
            });
        }
        let mut folder = Self {
            root: root.to_owned(),
            samples: Vec::new(),
            feedback: Vec::new(),
            provenance: Vec::new(),
            foreign: Vec::new(),
            journal: Vec::new(),
        };
        for path in entries(root)? {
            let name = name_of(&path);
            if name == JOURNAL {
                // Beside its journals a recorder keeps a lock there.
                let mut files = entries(&path)?;
                files.retain(|file| file.extension().is_some_and(|e| e == "arrows"));
                folder.journal = files.iter().map(|file| relative(root, file)).collect();
            } else if !Table::ALL.iter().any(|table| table.folder() == name) {
                folder.foreign.push(relative(root, &path));
            }
        }
        for table in Table::ALL {
            folder.list(table)?;
        }
        Ok(folder)
    }

    fn list(&mut self, table: Table) -> Result<(), OpenError> {
        let dir = self.root.join(table.folder());
        if !dir.is_dir() {
            return Ok(());
        }
        let mut parts = Vec::new();
        for date in entries(&dir)? {
            let name = name_of(&date);
            let day = name.strip_prefix("date=").and_then(parse_day);
            let Some(day) = day.filter(|_| date.is_dir()) else {
                self.foreign.push(relative(&self.root, &date));
                continue;
            };
            for path in entries(&date)? {
                let name = relative(&self.root, &path);
                let file = std::fs::metadata(&path).map_err(|source| OpenError::Io {
                    path: path.clone(),
                    source,
                })?;
                if file.is_file() && path.extension().is_some_and(|e| e == "parquet") {
                    let bytes = file.len();
                    parts.push(Part {
                        path,
                        name,
                        day,
                        bytes,
                    });
                } else {
                    self.foreign.push(name);
                }
            }
        }
        parts.sort_by(|a, b| (a.day, order(&a.name)).cmp(&(b.day, order(&b.name))));
        match table {
            Table::Samples => self.samples = parts,
            Table::Feedback => self.feedback = parts,
            Table::Provenance => self.provenance = parts,
        }
        Ok(())
    }

    /// The folder itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The files of a table, by day and then in the order in which they were begun.
    #[must_use]
    pub fn parts(&self, table: Table) -> &[Part] {
        match table {
            Table::Samples => &self.samples,
            Table::Feedback => &self.feedback,
            Table::Provenance => &self.provenance,
        }
    }

    /// What lies in the folder and is not of the data set, below the folder.
    #[must_use]
    pub fn foreign(&self) -> &[String] {
        &self.foreign
    }

    /// Files that a recorder has not sealed yet; their rows are not seen here.
    #[must_use]
    pub fn journal(&self) -> &[String] {
        &self.journal
    }
}

/// The last number of a name tells in which order parts were begun; a name without one comes first.
fn order(name: &str) -> (Option<u64>, &str) {
    let stem = name.strip_suffix(".parquet").unwrap_or(name);
    let number = stem.rsplit('-').next().and_then(|n| n.parse().ok());
    (number, name)
}

fn entries(dir: &Path) -> Result<Vec<PathBuf>, OpenError> {
    let listed = std::fs::read_dir(dir).and_then(|found| {
        found
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<io::Result<Vec<_>>>()
    });
    let mut found = listed.map_err(|source| OpenError::Io {
        path: dir.to_owned(),
        source,
    })?;
    found.sort();
    Ok(found)
}

fn name_of(path: &Path) -> String {
    path.file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

fn relative(root: &Path, path: &Path) -> String {
    let below = path.strip_prefix(root).unwrap_or(path);
    below.to_string_lossy().replace('\\', "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_parts_in_order_and_names_what_is_foreign() {
        let dir = tempfile::tempdir().unwrap();
        let touch = |name: &str| {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x").unwrap();
        };
        touch("samples/date=2024-01-02/part-9-10.parquet");
        touch("samples/date=2024-01-02/part-10-9.parquet");
        touch("samples/date=2024-01-01/part-99-0.parquet");
        touch("samples/date=2024-01-01/part-99-0.parquet.part");
        touch("samples/date=2024-1-1/part-1-0.parquet");
        touch("feedback/date=2024-01-01/part-1-0.parquet");
        touch(".journal/open.arrows");
        touch(".journal/lock");
        touch("notes.txt");
        let folder = Folder::open(dir.path()).unwrap();
        let names: Vec<&str> = folder.samples.iter().map(|p| p.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "samples/date=2024-01-01/part-99-0.parquet",
                "samples/date=2024-01-02/part-10-9.parquet",
                "samples/date=2024-01-02/part-9-10.parquet"
            ]
        );
        assert_eq!(folder.samples[0].day, 19_723);
        assert_eq!(folder.parts(Table::Feedback).len(), 1);
        assert_eq!(
            folder.foreign(),
            [
                "notes.txt",
                "samples/date=2024-01-01/part-99-0.parquet.part",
                "samples/date=2024-1-1"
            ]
        );
        assert_eq!(folder.journal(), [".journal/open.arrows"]);
        let error = Folder::open(&dir.path().join("feedback")).unwrap_err();
        assert!(error.to_string().contains("no folder samples/"), "{error}");
    }
}
