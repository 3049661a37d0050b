//! A new version: written beside the others under a name of its own, and given its number when it is whole.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use series::Timestamp;

use super::card::sha256_hex;
use super::files::{CARD_BYTES, Dir};
use super::{
    Action, CARD_FILE, Card, CardError, ChangeError, FileError, GOLDEN_FILE, MODEL_FILE, Name,
    ReadError, Record, Registry, Version,
};
use crate::snapshot::sync_dir;

/// What is to become a version. Name, version and checksums of the card are replaced by what is true.
#[derive(Debug, Clone, PartialEq)]
pub struct NewBundle {
    /// What it is.
    pub card: Card,
    /// The bytes of `model.onnx`.
    pub model: Vec<u8>,
    /// The bytes of `golden.json`.
    pub golden: Vec<u8>,
}

/// Why there is no new version.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// What was to be installed cannot be read, or is not what its card says.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The registry cannot be changed.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// The card cannot be written.
    #[error("writing the card")]
    Card(#[from] CardError),
    /// A file is larger than the registry takes.
    #[error("{file} has {bytes} bytes, at most {limit} are taken")]
    TooLarge {
        /// Which one.
        file: &'static str,
        /// Its length.
        bytes: usize,
        /// The limit.
        limit: u64,
    },
    /// There are no more numbers.
    #[error("{name} has used up all version numbers")]
    NoNumber {
        /// The model.
        name: Name,
    },
}

impl From<FileError> for InstallError {
    fn from(error: FileError) -> Self {
        Self::Read(error.into())
    }
}

impl Registry {
    /// Reads a bundle from any directory, such as the one that training wrote; the version in its card may be any.
    ///
    /// # Errors
    /// [`ReadError`] as for a version of the registry.
    pub fn read_loose(&self, dir: &Path) -> Result<NewBundle, ReadError> {
        let bundle = self.read_from(&Dir::open(dir)?, dir)?;
        Ok(NewBundle {
            card: bundle.card,
            model: bundle.model,
            golden: bundle.golden,
        })
    }

    /// Adds a version of `name` and returns its number: one more than any that there ever was. It serves nobody yet.
    ///
    /// # Errors
    /// [`InstallError`]; what was begun is removed.
    pub fn install(
        &self,
        name: &Name,
        bundle: NewBundle,
        why: &str,
        now: Timestamp,
    ) -> Result<Version, InstallError> {
        let NewBundle {
            mut card,
            model,
            golden,
        } = bundle;
        for (file, bytes, limit) in [
            (MODEL_FILE, model.len(), self.limits.model_bytes),
            (GOLDEN_FILE, golden.len(), self.limits.golden_bytes),
        ] {
            if bytes as u64 > limit {
                return Err(InstallError::TooLarge { file, bytes, limit });
            }
        }
        let dir = self.model_dir(name);
        let io = |source| ChangeError::io("making", &dir, source);
        // Models can be told apart from what they learned: for the owner's eyes only, as all state is.
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&dir)
            .map_err(io)?;
        let _turn = self.turn(name)?;
        let version = self.next_version(name)?;
        card.name = name.clone();
        card.version = version;
        card.sha256 = sha256_hex(&model);
        card.golden_sha256 = sha256_hex(&golden);
        let text = card.to_text()?;
        if text.len() as u64 > CARD_BYTES {
            return Err(InstallError::TooLarge {
                file: CARD_FILE,
                bytes: text.len(),
                limit: CARD_BYTES,
            });
        }
        let unfinished = dir.join(format!(".install-{version}"));
        let place = self.version_dir(name, version);
        let files = [
            (MODEL_FILE, model.as_slice()),
            (GOLDEN_FILE, golden.as_slice()),
            (CARD_FILE, text.as_bytes()),
        ];
        if let Err((path, source)) = write_all(&unfinished, &files) {
            // Nothing better can be done when removing fails as well; `gc` tries again.
            let _ = fs::remove_dir_all(&unfinished);
            return Err(ChangeError::io("writing", &path, source).into());
        }
        let named = fs::rename(&unfinished, &place).and_then(|()| sync_dir(&dir));
        named.map_err(|source| ChangeError::io("making", &place, source))?;
        self.note(
            name,
            Record {
                time_us: now.micros(),
                action: Action::Install,
                from: None,
                to: Some(version),
                why: why.to_owned(),
                sha256: card.sha256,
            },
        )?;
        Ok(version)
    }

    /// Numbers are not used again, so that a history stays true after versions were deleted.
    fn next_version(&self, name: &Name) -> Result<Version, InstallError> {
        let there = self.versions(name)?.last().copied();
        let ever = self
            .history(name)?
            .iter()
            .filter_map(|record| record.to)
            .max();
        match there.max(ever) {
            None => Ok(Version::FIRST),
            Some(last) => last
                .next()
                .ok_or_else(|| InstallError::NoNumber { name: name.clone() }),
        }
    }
}

fn write_all(dir: &Path, files: &[(&str, &[u8])]) -> Result<(), (PathBuf, io::Error)> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |source| (path, source)
    };
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err((dir.into(), error)),
        Ok(()) | Err(_) => {}
    }
    fs::create_dir(dir).map_err(at(dir))?;
    for (name, bytes) in files {
        let path = dir.join(name);
        let mut file = File::create_new(&path).map_err(at(&path))?;
        file.write_all(bytes).map_err(at(&path))?;
        file.sync_all().map_err(at(&path))?;
    }
    sync_dir(dir).map_err(at(dir))
}
