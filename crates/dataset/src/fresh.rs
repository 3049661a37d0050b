//! Output that is there whole or not at all.

use std::io;
use std::path::{Path, PathBuf};

use crate::Table;

/// Why an output cannot be begun, or cannot take its place.
#[derive(Debug, thiserror::Error)]
pub enum FreshError {
    /// Something is there already.
    #[error("{} exists already", path.display())]
    Exists {
        /// The output.
        path: PathBuf,
    },
    /// What is there is no data set, so it is not replaced whatever was asked.
    #[error("{} holds {found:?}, which is not part of a captured data set: not replaced", path.display())]
    NotOurs {
        /// The output.
        path: PathBuf,
        /// What was found in it.
        found: String,
    },
    /// The operating system refused.
    #[error("making {}", path.display())]
    Io {
        /// The output.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
}

/// A folder or file under way, beside its place; it goes there on [`Fresh::commit`] and goes away when dropped.
#[derive(Debug)]
pub struct Fresh {
    target: PathBuf,
    scratch: PathBuf,
    is_folder: bool,
    force: bool,
    done: bool,
}

impl Fresh {
    /// Begins a folder that will stand at `target`.
    ///
    /// # Errors
    /// When `target` exists and is not an empty folder, unless `force` is set and it holds a captured data set and
    /// nothing else; and when the folder beside it cannot be made.
    pub fn folder(target: &Path, force: bool) -> Result<Self, FreshError> {
        Self::begin(target, force, true)
    }

    /// Begins a file that will stand at `target`.
    ///
    /// # Errors
    /// When `target` exists, unless `force` is set and it is a file.
    pub fn file(target: &Path, force: bool) -> Result<Self, FreshError> {
        Self::begin(target, force, false)
    }

    fn begin(target: &Path, force: bool, is_folder: bool) -> Result<Self, FreshError> {
        let mut fresh = Self {
            target: target.to_owned(),
            scratch: PathBuf::new(),
            is_folder,
            force,
            done: true,
        };
        fresh.refuse_or_replace()?;
        let name = target.file_name().ok_or_else(|| {
            fresh.io(io::Error::new(
                io::ErrorKind::InvalidInput,
                "it has no name",
            ))
        })?;
        let name = name.to_string_lossy().into_owned();
        let parent = fresh.parent();
        std::fs::create_dir_all(&parent).map_err(|e| fresh.io(e))?;
        let process = std::process::id();
        // A process of the same number may have died here before.
        for attempt in 0..1000 {
            let scratch = parent.join(format!(".{name}.partial-{process}-{attempt}"));
            let made = if is_folder {
                std::fs::create_dir(&scratch)
            } else {
                std::fs::File::create_new(&scratch).map(drop)
            };
            match made {
                Ok(()) => {
                    fresh.scratch = scratch;
                    fresh.done = false;
                    return Ok(fresh);
                }
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(fresh.io(e)),
            }
        }
        Err(fresh.io(io::ErrorKind::AlreadyExists.into()))
    }

    /// Where to write until then.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.scratch
    }

    /// Puts it in its place.
    ///
    /// # Errors
    /// As at the beginning: somebody may have made `target` in the meantime. Nothing of it is lost then.
    pub fn commit(mut self) -> Result<(), FreshError> {
        self.refuse_or_replace()?;
        let old = self.scratch.with_extension("old");
        let is_full = self.is_folder && self.target.is_dir() && !self.is_empty();
        if is_full {
            std::fs::rename(&self.target, &old).map_err(|e| self.io(e))?;
        }
        if let Err(error) = std::fs::rename(&self.scratch, &self.target) {
            if is_full {
                // Put back what was there; if that fails too it is still beside, whole.
                let _ = std::fs::rename(&old, &self.target);
            }
            return Err(self.io(error));
        }
        self.done = true;
        // The name is durable once the folder that holds it is.
        let synced = std::fs::File::open(self.parent()).and_then(|parent| parent.sync_all());
        synced.map_err(|e| self.io(e))?;
        if is_full {
            std::fs::remove_dir_all(&old).map_err(|e| self.io(e))?;
        }
        Ok(())
    }

    fn refuse_or_replace(&self) -> Result<(), FreshError> {
        let exists = || FreshError::Exists {
            path: self.target.clone(),
        };
        if self.target.symlink_metadata().is_err() || (self.is_folder && self.is_empty()) {
            return Ok(());
        }
        if !self.force || self.target.is_dir() != self.is_folder {
            return Err(exists());
        }
        if self.is_folder {
            for entry in std::fs::read_dir(&self.target).map_err(|e| self.io(e))? {
                let name = entry.map_err(|e| self.io(e))?.file_name();
                let found = name.to_string_lossy().into_owned();
                if found != ".journal" && !Table::ALL.iter().any(|t| t.folder() == found) {
                    return Err(FreshError::NotOurs {
                        path: self.target.clone(),
                        found,
                    });
                }
            }
        }
        Ok(())
    }

    fn is_empty(&self) -> bool {
        std::fs::read_dir(&self.target).is_ok_and(|mut entries| entries.next().is_none())
    }

    fn parent(&self) -> PathBuf {
        match self.target.parent() {
            Some(parent) if parent != Path::new("") => parent.to_owned(),
            Some(_) | None => PathBuf::from("."),
        }
    }

    fn io(&self, source: io::Error) -> FreshError {
        FreshError::Io {
            path: self.target.clone(),
            source,
        }
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        // There is nobody to tell any more; what stays is named as partial.
        let _ = if self.is_folder {
            std::fs::remove_dir_all(&self.scratch)
        } else {
            std::fs::remove_file(&self.scratch)
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(dir)
            .unwrap()
            .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn appears_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("out");
        let dropped = Fresh::folder(&target, false).unwrap();
        std::fs::write(dropped.path().join("half"), "x").unwrap();
        drop(dropped);
        assert_eq!(names(dir.path()), [""; 0]);

        let fresh = Fresh::folder(&target, false).unwrap();
        std::fs::create_dir(fresh.path().join("samples")).unwrap();
        fresh.commit().unwrap();
        assert_eq!(names(dir.path()), ["out"]);
        assert_eq!(names(&target), ["samples"]);
    }

    #[test]
    fn replaces_only_a_data_set_and_only_when_told() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("out");
        std::fs::create_dir(&target).unwrap();
        assert!(
            Fresh::folder(&target, false).is_ok(),
            "an empty folder is fine"
        );
        std::fs::create_dir(target.join("samples")).unwrap();
        let message = |force| Fresh::folder(&target, force).unwrap_err().to_string();
        assert!(message(false).ends_with("out exists already"));
        let fresh = Fresh::folder(&target, true).unwrap();
        std::fs::create_dir(fresh.path().join("feedback")).unwrap();
        fresh.commit().unwrap();
        assert_eq!(names(&target), ["feedback"]);
        assert_eq!(names(dir.path()), ["out"]);
        std::fs::write(target.join("thesis.tex"), "x").unwrap();
        assert!(message(true).contains("thesis.tex"));
        assert!(Fresh::file(&target, true).is_err(), "a folder is no file");
        let file = target.join("thesis.tex");
        assert!(Fresh::file(&file, false).is_err());
        Fresh::file(&file, true).unwrap().commit().unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"");
    }
}
