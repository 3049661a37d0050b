//! What a model and a version of it may be called.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Longest name, in bytes.
const MAX_NAME_BYTES: usize = 64;

/// The name of a model: 1 to 64 of `a-z`, `0-9`, `_` and `-`, so that it is the same in a path, a URL and a label.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// The version of a model: 1, 2, 3 and so on, as the registry gives them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(NonZeroU32);

/// Why a text is not a name or a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// It is not a model's name.
    #[error("{0:?} is not a model's name: 1 to 64 of a-z, 0-9, _ and -")]
    Name(String),
    /// It is not a version.
    #[error("{0:?} is not a version: a whole number from 1 to 4294967295 without leading zeros")]
    Version(String),
}

/// What is shown of a text that somebody else wrote.
fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}

impl Name {
    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
        if text.is_empty() || text.len() > MAX_NAME_BYTES || !text.bytes().all(fits) {
            return Err(NameError::Name(shortened(text)));
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for Name {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Version {
    /// The first one.
    pub const FIRST: Self = Self(NonZeroU32::MIN);

    /// `None` for 0.
    #[must_use]
    pub fn new(number: u32) -> Option<Self> {
        NonZeroU32::new(number).map(Self)
    }

    /// As a number, at least 1.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0.get()
    }

    /// The one after it; `None` after the last that there is.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        self.0.checked_add(1).map(Self)
    }
}

impl FromStr for Version {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let number = text.parse().ok().map(Self);
        // `07` and `+7` are numbers too, but no version's directory is called that.
        number
            .filter(|version| version.to_string() == text)
            .ok_or_else(|| NameError::Version(shortened(text)))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_plain() {
        for good in ["lstm", "a", "0", "my_model-2", &"x".repeat(64)] {
            assert_eq!(good.parse::<Name>().unwrap().as_str(), good);
        }
        for bad in [
            "",
            ".",
            "..",
            "a/b",
            "A",
            "ä",
            "a b",
            "a\0",
            &"x".repeat(65),
        ] {
            let shown = bad.parse::<Name>().unwrap_err().to_string();
            assert!(shown.contains("is not a model's name"), "{shown}");
        }
        for bad in ["0", "", "01", "+1", "-1", "1.0", "4294967296", "champion"] {
            assert!(bad.parse::<Version>().is_err(), "{bad}");
        }
        assert_eq!("7".parse::<Version>().unwrap().get(), 7);
        assert_eq!(Version::new(u32::MAX).unwrap().next(), None);
    }

    proptest! {
        /// Whatever the name, it is one step below the root: this is what keeps paths inside.
        #[test]
        fn a_name_is_one_component_of_a_path(text in ".{0,70}") {
            if let Ok(name) = text.parse::<Name>() {
                let path = std::path::Path::new(name.as_str());
                prop_assert_eq!(path.components().count(), 1);
                let plain = matches!(path.components().next(), Some(std::path::Component::Normal(_)));
                prop_assert!(plain);
            }
        }
    }
}
