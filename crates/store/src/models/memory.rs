//! What whoever learns remembers beside a model, opaque to the registry.

use std::fs::{self, File};
use std::io::Write;

use super::files::Dir;
use super::{ChangeError, FileError, Name, Registry};
use crate::snapshot::sync_dir;

const FILE: &str = "reference.json";
/// Some histograms.
const MAX_BYTES: u64 = 1 << 20;

impl Registry {
    /// What was remembered; `None` when nothing was.
    ///
    /// # Errors
    /// [`FileError`] when it cannot be read, or has more than 1 MiB.
    pub fn remembered(&self, name: &Name) -> Result<Option<Vec<u8>>, FileError> {
        let dir = Dir::open(self.root()).and_then(|root| root.enter(name.as_str()));
        match dir.and_then(|dir| dir.read(FILE, MAX_BYTES)) {
            Err(FileError::Missing { .. }) => Ok(None),
            other => other.map(Some),
        }
    }

    /// Replaces what was remembered, as a whole.
    ///
    /// # Errors
    /// [`ChangeError::Io`] when the disk is full or fails; what was remembered before stays.
    pub fn remember(&self, name: &Name, bytes: &[u8]) -> Result<(), ChangeError> {
        let dir = self.model_dir(name);
        let path = dir.join(FILE);
        let io = |source| ChangeError::io("writing", &path, source);
        fs::create_dir_all(&dir).map_err(io)?;
        let unfinished = dir.join(".reference.unfinished");
        let mut file = File::create(&unfinished).map_err(io)?;
        file.write_all(bytes).map_err(io)?;
        file.sync_all().map_err(io)?;
        fs::rename(&unfinished, &path).map_err(io)?;
        sync_dir(&dir).map_err(io)
    }
}
