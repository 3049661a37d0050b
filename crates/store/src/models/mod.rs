//! Models kept like code: versions that never change, one of them the champion, and a history that says why.
//!
//! `<root>/<name>/<version>/` holds `model.onnx`, `card.toml` and `golden.json`; beside the versions stand `champion`
//! (the version that serves) and `history.jsonl`. What a model computes is not known here: a bundle is whole when its
//! bytes have the checksums that its card names. Whoever loads one verifies it by running it.
//!
//! Everything is read once, through directories that are held open, so that what was checked is what is used; a link
//! that leads out of the root is never followed.

mod bundle;
mod card;
mod champion;
mod files;
mod gc;
mod history;
mod install;
mod list;
mod memory;
mod name;

pub use bundle::{Bundle, ReadError};
pub use card::{Card, CardError, Kind, sha256_hex};
pub use champion::{ChangeError, Promotion, Sighting};
pub use files::{FileError, Limits};
pub use gc::Removed;
pub use history::{Action, Record};
pub use install::{InstallError, NewBundle};
pub use list::{Ignored, Listed, Listing};
pub use name::{Name, NameError, Version};

use std::path::{Path, PathBuf};

/// The model itself.
pub const MODEL_FILE: &str = "model.onnx";
/// What it is, and the checksums of the other two.
pub const CARD_FILE: &str = "card.toml";
/// Inputs, and what the model gave for them.
pub const GOLDEN_FILE: &str = "golden.json";

/// A directory of models. Making one touches nothing; the directory may come later.
#[derive(Debug, Clone)]
pub struct Registry {
    root: PathBuf,
    limits: Limits,
}

impl Registry {
    /// The registry in `root`, with the usual limits.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self::with_limits(root, Limits::default())
    }

    /// The registry in `root`; files beyond `limits` are refused unread.
    #[must_use]
    pub fn with_limits(root: &Path, limits: Limits) -> Self {
        Self {
            root: root.to_owned(),
            limits,
        }
    }

    /// Where it is.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where a model's versions are.
    #[must_use]
    pub fn model_dir(&self, name: &Name) -> PathBuf {
        self.root.join(name.as_str())
    }

    /// Where a version is.
    #[must_use]
    pub fn version_dir(&self, name: &Name, version: Version) -> PathBuf {
        self.model_dir(name).join(version.to_string())
    }
}

#[cfg(test)]
mod tests;
