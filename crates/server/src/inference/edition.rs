//! Which version of a model: one of the registry, or the one that is part of this program.

use std::fmt;
use std::str::FromStr;

use store::models::{NameError, Version};

/// What the built-in version is called.
const BUILT_IN: &str = "builtin";

/// A version of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Edition {
    /// The one in this program: older than all that somebody installed.
    BuiltIn,
    /// One of the registry.
    Installed(Version),
}

impl fmt::Display for Edition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => f.pad(BUILT_IN),
            Self::Installed(version) => version.fmt(f),
        }
    }
}

impl FromStr for Edition {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        match text {
            BUILT_IN => Ok(Self::BuiltIn),
            number => number.parse().map(Self::Installed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back_in_order_of_age() {
        let editions = ["builtin", "1", "2", "10"].map(|text| text.parse::<Edition>().unwrap());
        assert!(editions.is_sorted());
        assert_eq!(editions.map(|e| e.to_string()), ["builtin", "1", "2", "10"]);
        assert!("0".parse::<Edition>().is_err() && "".parse::<Edition>().is_err());
    }
}
