//! What is in a registry.

use std::fs::{self, DirEntry};
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::{FileError, Name, Registry, Version};

/// Most entries of one directory that are looked at: a registry is not a dump.
const MAX_ENTRIES: usize = 10_000;

/// One model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: Name,
    /// Its versions, ascending. They were not opened.
    pub versions: Vec<Version>,
    /// Which one serves; an unreadable pointer says why.
    pub champion: Result<Option<Version>, String>,
}

/// Something in a registry that is not part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignored {
    /// Where it is.
    pub path: PathBuf,
    /// Why it does not count.
    pub why: String,
}

/// All that was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Models, by name.
    pub models: Vec<Listed>,
    /// What does not count.
    pub ignored: Vec<Ignored>,
}

/// Directories in `path` whose names make sense; links and odd names are told in `ignored`, hidden ones are not.
fn directories<T: FromStr<Err: std::fmt::Display> + Ord>(
    path: &Path,
    ignored: &mut Vec<Ignored>,
) -> io::Result<Vec<T>> {
    let mut found = Vec::new();
    let entries = match fs::read_dir(path) {
        // A registry that was never written to is empty.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        other => other?,
    };
    for entry in entries.take(MAX_ENTRIES) {
        let entry: DirEntry = entry?;
        let name = entry.file_name();
        if name.as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let mut ignore = |why: String| {
            ignored.push(Ignored {
                path: entry.path(),
                why,
            });
        };
        let kind = entry.file_type()?;
        if kind.is_symlink() {
            ignore("a symbolic link, which is not followed".to_owned());
        } else if kind.is_dir() {
            match name.to_string_lossy().parse() {
                Ok(name) => found.push(name),
                Err(error) => ignore(format!("{error}")),
            }
        }
    }
    found.sort();
    Ok(found)
}

impl Registry {
    /// All models with their versions. A root that does not exist is an empty registry.
    ///
    /// # Errors
    /// [`FileError::Io`] when a directory cannot be read.
    pub fn list(&self) -> Result<Listing, FileError> {
        let mut listing = Listing::default();
        let names: Vec<Name> = directories(self.root(), &mut listing.ignored)
            .map_err(|source| io_error(self.root(), source))?;
        for name in names {
            let versions = directories(&self.model_dir(&name), &mut listing.ignored)
                .map_err(|source| io_error(&self.model_dir(&name), source))?;
            let champion = self.champion(&name).map_err(|error| error.to_string());
            listing.models.push(Listed {
                name,
                versions,
                champion,
            });
        }
        Ok(listing)
    }

    /// The versions of one model, ascending; none when there is no such model.
    ///
    /// # Errors
    /// [`FileError::Io`] when the directory cannot be read.
    pub fn versions(&self, name: &Name) -> Result<Vec<Version>, FileError> {
        let dir = self.model_dir(name);
        directories(&dir, &mut Vec::new()).map_err(|source| io_error(&dir, source))
    }
}

fn io_error(path: &Path, source: io::Error) -> FileError {
    FileError::Io {
        path: path.to_owned(),
        source,
    }
}
