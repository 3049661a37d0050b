//! Things that are built by name: a detector, a predictor, a strategy. A crate because two users share nothing
//! else: `predict` and `remedy` declare entries, `server` and `cli` list and build them.

use serde::de::DeserializeOwned;

/// What a part needs besides its own options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context {
    /// Seed of every pseudo-random choice; the same seed gives the same bits.
    pub seed: u64,
}

/// One buildable thing: its name, a line about it, its options and how to build it.
pub struct Entry<T: ?Sized> {
    /// The key in the configuration and the label in telemetry: lower case with underscores.
    pub name: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// The options with their defaults, as TOML; it builds as it stands.
    pub example: &'static str,
    /// Builds it from its options.
    pub build: fn(&Params, &Context) -> Result<Box<T>, BuildError>,
}

impl<T: ?Sized> std::fmt::Debug for Entry<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Why something was not built.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum BuildError {
    /// Nothing goes by this name.
    #[error("nothing is called {name:?}; there are {known}")]
    Unknown {
        /// The name that was asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// The options do not parse: an unknown key, a wrong type.
    #[error("options of {name}: {message}")]
    Options {
        /// Whose options.
        name: String,
        /// What is wrong, with the key.
        message: String,
    },
    /// An option is outside its range.
    #[error("{name}: {option} is {value}, expected {expected}")]
    Range {
        /// Whose option.
        name: String,
        /// The option.
        option: &'static str,
        /// What it is.
        value: String,
        /// What it may be.
        expected: &'static str,
    },
}

/// Options by name, as they stand in the configuration.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Params(toml::Table);

impl Params {
    /// From a parsed table.
    #[must_use]
    pub fn new(table: toml::Table) -> Self {
        Self(table)
    }

    /// From TOML text.
    ///
    /// # Errors
    /// [`BuildError::Options`] when it is not TOML.
    pub fn parse(name: &str, text: &str) -> Result<Self, BuildError> {
        text.parse()
            .map(Self)
            .map_err(|e: toml::de::Error| options(name, e.message()))
    }

    /// Puts `other` on top: what it names replaces what was there.
    pub fn overlay(&mut self, other: toml::Table) {
        self.0.extend(other);
    }

    /// As the options struct of `name`, which should refuse unknown fields.
    ///
    /// # Errors
    /// [`BuildError::Options`] with the key that is wrong.
    pub fn read<C: DeserializeOwned>(&self, name: &str) -> Result<C, BuildError> {
        self.0.clone().try_into().map_err(|e: toml::de::Error| {
            options(name, &e.to_string().trim_end().replace('\n', " "))
        })
    }
}

fn options(name: &str, message: &str) -> BuildError {
    BuildError::Options {
        name: name.to_owned(),
        message: message.to_owned(),
    }
}

/// The entry of that name.
///
/// # Errors
/// [`BuildError::Unknown`], with the names there are.
pub fn find<'a, T: ?Sized>(
    entries: &'a [Entry<T>],
    name: &str,
) -> Result<&'a Entry<T>, BuildError> {
    entries
        .iter()
        .find(|entry| entry.name == name)
        .ok_or_else(|| BuildError::Unknown {
            name: name.to_owned(),
            known: entries
                .iter()
                .map(|entry| entry.name)
                .collect::<Vec<_>>()
                .join(", "),
        })
}
