//! One version, read whole and checked against its card.

use std::path::PathBuf;

use super::card::sha256_hex;
use super::files::{CARD_BYTES, Dir};
use super::{
    CARD_FILE, Card, CardError, FileError, GOLDEN_FILE, MODEL_FILE, Name, Registry, Version,
};

/// A version in memory: exactly the bytes that were checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Bundle {
    /// What it is.
    pub card: Card,
    /// The bytes of `model.onnx`.
    pub model: Vec<u8>,
    /// The bytes of `golden.json`.
    pub golden: Vec<u8>,
}

/// Why a version cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A file or directory cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The card makes no sense.
    #[error("{path}: {source}")]
    Card {
        /// The card.
        path: PathBuf,
        /// What is wrong with it.
        source: CardError,
    },
    /// The card is that of another model or version.
    #[error("{path} says {found}, and stands in the place of {expected}")]
    Place {
        /// The card.
        path: PathBuf,
        /// What it says, as `name/version`.
        found: String,
        /// Where it stands.
        expected: String,
    },
    /// The bytes are not those that the card was written for.
    #[error(
        "{path} has SHA-256 {found}, its card says {expected}: it is damaged, or changed while it was read"
    )]
    Checksum {
        /// The file.
        path: PathBuf,
        /// What its bytes hash to.
        found: String,
        /// What the card says.
        expected: String,
    },
}

impl Registry {
    /// Reads a version and checks it against its card.
    ///
    /// # Errors
    /// [`ReadError`] when anything is missing, too large, a link, or not what the card says.
    pub fn read(&self, name: &Name, version: Version) -> Result<Bundle, ReadError> {
        let text = version.to_string();
        let dir = Dir::open(self.root())?.enter(name.as_str())?.enter(&text)?;
        let path = self.version_dir(name, version);
        let bundle = self.read_from(&dir, &path)?;
        let (found, expected) = (
            format!("{}/{}", bundle.card.name, bundle.card.version),
            format!("{name}/{version}"),
        );
        if found != expected {
            return Err(ReadError::Place {
                path: path.join(CARD_FILE),
                found,
                expected,
            });
        }
        Ok(bundle)
    }

    /// Reads the card of a version alone; the files that it speaks of are not looked at.
    ///
    /// # Errors
    /// As [`Registry::read`].
    pub fn card(&self, name: &Name, version: Version) -> Result<Card, ReadError> {
        let text = version.to_string();
        let dir = Dir::open(self.root())?.enter(name.as_str())?.enter(&text)?;
        let bytes = dir.read(CARD_FILE, CARD_BYTES)?;
        Card::parse(&bytes).map_err(|source| ReadError::Card {
            path: self.version_dir(name, version).join(CARD_FILE),
            source,
        })
    }

    pub(super) fn read_from(&self, dir: &Dir, path: &std::path::Path) -> Result<Bundle, ReadError> {
        let card = dir.read(CARD_FILE, CARD_BYTES)?;
        let card = Card::parse(&card).map_err(|source| ReadError::Card {
            path: path.join(CARD_FILE),
            source,
        })?;
        let checked = |file: &str, limit: u64, expected: &str| {
            let bytes = dir.read(file, limit)?;
            let found = sha256_hex(&bytes);
            if found != expected {
                return Err(ReadError::Checksum {
                    path: path.join(file),
                    found,
                    expected: expected.to_owned(),
                });
            }
            Ok(bytes)
        };
        let model = checked(MODEL_FILE, self.limits.model_bytes, &card.sha256)?;
        let golden = checked(GOLDEN_FILE, self.limits.golden_bytes, &card.golden_sha256)?;
        Ok(Bundle {
            card,
            model,
            golden,
        })
    }
}
