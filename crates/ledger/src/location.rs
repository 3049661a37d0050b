//! Where a ledger is.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;

/// Where a ledger is: read from `postgres://user@host/database`, `sqlite:PATH` or a bare path. What of a PostgreSQL URL is
/// not said is taken from the environment (`PGHOST`, `PGPASSWORD`, …) and `~/.pgpass`, as PostgreSQL's own programs do.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// A file of SQLite.
    Sqlite(PathBuf),
    /// The URL of a database of PostgreSQL. It holds one ledger, and may hold other tables.
    Postgres(String),
}

/// Why a text is not the place of a ledger. Never repeats what may be a password.
#[derive(Debug, thiserror::Error)]
pub enum LocationError {
    /// Nothing.
    #[error(
        "the place of the ledger is empty: expected a path, sqlite:PATH or postgres://user@host/database"
    )]
    Empty,
    /// Some other database.
    #[error(
        "{scheme}:// is not known: expected a path, sqlite:PATH or postgres://user@host/database"
    )]
    Scheme {
        /// What stands before the colon.
        scheme: String,
    },
    /// Not a URL as PostgreSQL takes it.
    #[error("reading the URL {location}: {why}")]
    Url {
        /// The URL without its password.
        location: Location,
        /// What is wrong with it.
        why: String,
    },
    /// A path that no file can have.
    #[error("{path:?} holds a NUL, which no path can")]
    Nul {
        /// The path.
        path: String,
    },
}

impl FromStr for Location {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, LocationError> {
        let rest = text.strip_prefix("sqlite:").map(|rest| {
            let path = rest.strip_prefix("//");
            path.unwrap_or(rest)
        });
        let path = match (rest, text.split_once("://")) {
            (Some(path), _) => path,
            (None, Some(("postgres" | "postgresql", _))) => {
                let location = Self::Postgres(text.to_owned());
                return match text.parse::<PgConnectOptions>() {
                    Ok(_) => Ok(location),
                    Err(error) => Err(LocationError::Url {
                        location,
                        why: error.to_string(),
                    }),
                };
            }
            (None, Some((scheme, _))) if !scheme.contains('/') => {
                let scheme = scheme.chars().take(40).collect();
                return Err(LocationError::Scheme { scheme });
            }
            (None, _) => text,
        };
        if path.is_empty() {
            return Err(LocationError::Empty);
        }
        if path.contains('\0') {
            let path = path.chars().take(80).collect();
            return Err(LocationError::Nul { path });
        }
        Ok(Self::Sqlite(path.into()))
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = match self {
            Self::Sqlite(path) => return write!(f, "{}", path.display()),
            Self::Postgres(url) => url,
        };
        let (scheme, rest) = url.split_once("://").unwrap_or(("postgres", url));
        // A password may hold an @ or a slash that should have been escaped: hide too much rather than too little.
        let (who, rest) = rest.rsplit_once('@').unwrap_or(("", rest));
        // Parameters may hold one too.
        let place = rest.split(['?', '#']).next().unwrap_or_default();
        write!(f, "{scheme}://")?;
        match who.split_once(':') {
            Some((user, _)) => write!(f, "{user}:***@")?,
            None if who.is_empty() => {}
            None => write!(f, "{who}@")?,
        }
        f.write_str(place)
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_path_or_a_url_and_anything_else_is_refused_by_name() {
        let place = |text: &str| text.parse::<Location>();
        for (text, path) in [
            ("ledger.db", "ledger.db"),
            ("sqlite:l.db", "l.db"),
            ("sqlite:///var/l.db", "/var/l.db"),
            ("/a://b", "/a://b"),
        ] {
            assert_eq!(place(text).unwrap(), Location::Sqlite(path.into()));
        }
        let url = "postgresql://forestall@db.internal:5433/ops";
        assert_eq!(place(url).unwrap(), Location::Postgres(url.to_owned()));
        let refused = |text: &str, message: &str| {
            let error = place(text).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        };
        refused("", "is empty");
        refused("sqlite:", "is empty");
        refused("mysql://root@db/x", "mysql:// is not known");
        refused(
            "postgres://u:secret@db:port/x",
            "postgres://u:***@db:port/x",
        );
        refused("a\0b", "holds a NUL");
    }

    #[test]
    fn a_password_is_never_shown() {
        for url in [
            "postgres://ann:secret@db/ops",
            "postgres://ann:sec/secret@db/ops",
            "postgres://ann:se@secret@db/ops?password=secret",
            "postgres://db/ops?user=ann&password=secret",
            "postgres://ann:secret#x@db/ops",
        ] {
            let location = Location::Postgres(url.to_owned());
            let shown = format!("{location} {location:?}");
            assert!(!shown.contains("secret"), "{shown}");
            assert!(shown.contains("db/ops"), "{shown}");
        }
    }
}
