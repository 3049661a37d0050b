//! Versions that nobody needs any more.

use std::fs;
use std::path::Path;

use series::Timestamp;

use super::{Action, ChangeError, Name, Record, Registry, Version};
use crate::snapshot::sync_dir;

/// What was removed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Removed {
    /// Versions, ascending.
    pub versions: Vec<Version>,
    /// Their size together, in bytes.
    pub bytes: u64,
}

impl Registry {
    /// The versions that [`Registry::gc`] would remove: all but the champion, the one that a rollback would bring
    /// back, and the `keep` newest.
    ///
    /// # Errors
    /// As [`Registry::champion`] and [`Registry::history`]: without both nothing is known to be unneeded.
    pub fn garbage(&self, name: &Name, keep: usize) -> Result<Vec<Version>, ChangeError> {
        let mut versions = self.versions(name)?;
        let needed = [self.champion(name)?, self.previous(name)?.flatten()];
        versions.truncate(versions.len().saturating_sub(keep));
        versions.retain(|version| !needed.contains(&Some(*version)));
        Ok(versions)
    }

    /// Removes what [`Registry::garbage`] finds, and what installations left unfinished.
    ///
    /// A version is first moved out of the way as a whole, so that nobody finds half of one.
    ///
    /// # Errors
    /// [`ChangeError`] at the first that cannot be removed; those before it are gone.
    pub fn gc(&self, name: &Name, keep: usize, now: Timestamp) -> Result<Removed, ChangeError> {
        let dir = self.model_dir(name);
        let mut removed = Removed::default();
        if !dir.is_dir() {
            return Ok(removed);
        }
        let _turn = self.turn(name)?;
        for version in self.garbage(name, keep)? {
            let (place, aside) = (
                self.version_dir(name, version),
                dir.join(format!(".removed-{version}")),
            );
            let io = |source| ChangeError::io("removing", &place, source);
            removed.bytes += size(&place);
            // What a removal that was cut off left behind.
            let _ = fs::remove_dir_all(&aside);
            fs::rename(&place, &aside).map_err(io)?;
            removed.versions.push(version);
            self.note(
                name,
                Record {
                    time_us: now.micros(),
                    action: Action::Remove,
                    from: None,
                    to: Some(version),
                    why: format!("not among the {keep} newest, and not needed for a rollback"),
                    sha256: String::new(),
                },
            )?;
        }
        let entries = fs::read_dir(&dir).map_err(|e| ChangeError::io("reading", &dir, e))?;
        for entry in entries.flatten() {
            let hidden = entry.file_name().to_string_lossy().into_owned();
            if hidden.starts_with(".removed-") || hidden.starts_with(".install-") {
                let path = entry.path();
                fs::remove_dir_all(&path).map_err(|e| ChangeError::io("removing", &path, e))?;
            }
        }
        sync_dir(&dir).map_err(|e| ChangeError::io("removing from", &dir, e))?;
        Ok(removed)
    }
}

/// Bytes of the files in a directory; 0 for what cannot be looked at.
fn size(dir: &Path) -> u64 {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.metadata().ok())
        .map(|about| about.len())
        .sum()
}
