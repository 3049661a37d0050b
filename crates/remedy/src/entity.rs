//! What an issue is about, by name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Most bytes of an [`EntityId`].
pub const MAX_ENTITY_BYTES: usize = 512;

/// What sort of thing an entity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// What answers requests, as a whole; its instances are replicas.
    Service,
    /// A process, container or pod.
    Instance,
    /// A machine.
    Host,
    /// A file system, named `host:mountpoint`.
    Volume,
    /// A database server or pool.
    Database,
    /// A certificate, named after its file or endpoint.
    Certificate,
    /// An installed package, named `target:package`.
    Package,
    /// A file of configuration.
    Configuration,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Service,
        Self::Instance,
        Self::Host,
        Self::Volume,
        Self::Database,
        Self::Certificate,
        Self::Package,
        Self::Configuration,
    ];

    /// The first part of an id.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Instance => "instance",
            Self::Host => "host",
            Self::Volume => "volume",
            Self::Database => "database",
            Self::Certificate => "certificate",
            Self::Package => "package",
            Self::Configuration => "configuration",
        }
    }
}

/// The name of an entity: its kind, a slash, and a name that is unique within the kind; `host/web-1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EntityId {
    kind: Kind,
    text: Box<str>,
}

/// Why a text is not the name of an entity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntityError {
    /// No kind before a slash.
    #[error("{0:?} does not begin with a kind and a slash, as host/web-1 does; kinds are {kinds}", kinds = kinds())]
    Kind(String),
    /// Nothing after the slash.
    #[error("{0:?} has no name after the slash")]
    Empty(String),
    /// Longer than [`MAX_ENTITY_BYTES`].
    #[error("{start:?}… has {bytes} bytes, at most {MAX_ENTITY_BYTES} are allowed")]
    Long {
        /// How it begins.
        start: String,
        /// Its length.
        bytes: usize,
    },
    /// A control character, which would garble a terminal or a log.
    #[error("{0:?} holds a control character")]
    Control(String),
}

fn kinds() -> String {
    Kind::ALL.map(Kind::name).join(", ")
}

impl EntityId {
    /// From its parts.
    ///
    /// # Errors
    /// See [`EntityError`].
    pub fn new(kind: Kind, name: &str) -> Result<Self, EntityError> {
        let text = format!("{}/{name}", kind.name());
        if name.is_empty() {
            return Err(EntityError::Empty(text));
        }
        if text.len() > MAX_ENTITY_BYTES {
            return Err(EntityError::Long {
                start: text.chars().take(40).collect(),
                bytes: text.len(),
            });
        }
        if text.chars().any(char::is_control) {
            return Err(EntityError::Control(text));
        }
        Ok(Self {
            kind,
            text: text.into(),
        })
    }

    /// What sort of thing it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The name without the kind.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.text[self.kind.name().len() + 1..]
    }

    /// The whole text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for EntityId {
    type Err = EntityError;

    fn from_str(text: &str) -> Result<Self, EntityError> {
        let short = || text.chars().take(80).collect::<String>();
        let (kind, name) = text
            .split_once('/')
            .ok_or_else(|| EntityError::Kind(short()))?;
        let kind = Kind::ALL.into_iter().find(|known| known.name() == kind);
        Self::new(kind.ok_or_else(|| EntityError::Kind(short()))?, name)
    }
}

impl TryFrom<String> for EntityId {
    type Error = EntityError;

    fn try_from(text: String) -> Result<Self, EntityError> {
        text.parse()
    }
}

impl From<EntityId> for String {
    fn from(id: EntityId) -> Self {
        id.text.into()
    }
}

impl fmt::Display for EntityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_it_is_written() {
        let id: EntityId = "volume/web-1:/var/lib".parse().unwrap();
        assert_eq!((id.kind(), id.name()), (Kind::Volume, "web-1:/var/lib"));
        assert_eq!(id.to_string().parse::<EntityId>().unwrap(), id);
    }

    #[test]
    fn what_is_no_id_is_refused_with_its_text() {
        let check = |text: &str, message: &str| {
            let error = text.parse::<EntityId>().unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        };
        check("web-1", "\"web-1\" does not begin with a kind");
        check("server/web-1", "kinds are service, instance, host");
        check("host/", "has no name");
        check("host/a\u{1b}[2J", "control character");
        check(&format!("host/{}", "x".repeat(600)), "has 605 bytes");
    }
}
