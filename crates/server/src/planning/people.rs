//! Who may decide, and how they show that it is them.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use remedy::strategy::Authority;

use crate::auth::{Auth, TokenError};
use crate::config::{PersonConfig, PlannerConfig};

/// Why a person's token cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the token of {name} in {path}")]
pub struct PersonError {
    name: String,
    path: PathBuf,
    #[source]
    source: TokenError,
}

/// Who is calling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person(pub(crate) String);

/// Who may decide.
#[derive(Debug, Clone, Default)]
pub(crate) struct People {
    /// By name; some have a token of their own.
    known: BTreeMap<String, Option<Auth>>,
    authorities: BTreeMap<String, Authority>,
}

impl People {
    pub(super) fn new(config: &PlannerConfig) -> Result<Self, PersonError> {
        let mut known = BTreeMap::new();
        for person in &config.people {
            known.insert(person.name.clone(), token(person)?);
        }
        if known.is_empty() {
            known.insert(local_name(), None);
        }
        Ok(Self {
            known,
            authorities: config.authorities(&local_name()),
        })
    }

    /// Who may decide what.
    pub(crate) const fn authorities(&self) -> &BTreeMap<String, Authority> {
        &self.authorities
    }

    /// The tokens that people have of their own.
    pub(crate) fn tokens(&self) -> impl Iterator<Item = &Auth> {
        self.known.values().flatten()
    }

    /// The person whose own token this is.
    pub(crate) fn by_token(&self, shown: Option<&str>) -> Option<Person> {
        shown?;
        let mut all = self.known.iter();
        let found = all.find(|(_, token)| {
            token
                .as_ref()
                .is_some_and(|token| token.check(shown).is_ok())
        });
        found.map(|(name, _)| Person(name.clone()))
    }

    /// Who acts: the person who showed a token, or else the one that the caller names, if that one has none to show.
    ///
    /// # Errors
    /// Why that cannot be, for people.
    pub(crate) fn actor(&self, shown: Option<&str>, named: &str) -> Result<String, String> {
        if let Some(Person(name)) = self.by_token(shown) {
            return match named.is_empty() || named == name {
                true => Ok(name),
                false => Err(format!("the token is that of {name:?}, not of {named:?}")),
            };
        }
        match self.known.get(named) {
            Some(None) => Ok(named.to_owned()),
            Some(Some(_)) => Err(format!(
                "{named:?} acts with a token of their own, which was not shown"
            )),
            None => {
                let known = self
                    .known
                    .keys()
                    .map(String::as_str)
                    .collect::<Vec<_>>()
                    .join(", ");
                let named: String = named.chars().take(80).collect();
                Err(format!("{named:?} is not among planner.people ({known})"))
            }
        }
    }
}

/// The token that a person has of their own, if any.
pub(super) fn token(person: &PersonConfig) -> Result<Option<Auth>, PersonError> {
    let path = &person.token_file;
    if path.as_os_str().is_empty() {
        return Ok(None);
    }
    let token = Auth::from_file(path).map_err(|source| PersonError {
        name: person.name.clone(),
        path: path.clone(),
        source,
    })?;
    Ok(Some(token))
}

/// The name of whoever runs this process, as the system knows it.
#[must_use]
pub fn local_name() -> String {
    let uid = rustix::process::getuid().as_raw();
    name_of(uid, Path::new("/etc/passwd")).unwrap_or_else(|_| format!("uid-{uid}"))
}

fn name_of(uid: u32, passwd: &Path) -> io::Result<String> {
    let text = fs::read_to_string(passwd)?;
    let mut names = text.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let id = fields.nth(1)?;
        (id.parse() == Ok(uid)).then(|| name.to_owned())
    });
    names.next().ok_or_else(|| io::ErrorKind::NotFound.into())
}
