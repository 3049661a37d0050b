//! Opening a ledger: for the one server that writes it, or for reading only.

use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::fault::Fault;
use crate::link::{Link, Pool, Purpose, Way};
use crate::location::Location;
use crate::lock::{lock_database, lock_file};
use crate::schema;
use crate::writer::Writer;

/// A database that does not answer for so long is taken to be gone.
const LIMIT: Duration = Duration::from_secs(10);

/// What the planner remembers.
///
/// Every call ends within ten seconds ([`Ledger::load`] within a minute): a database that hangs is an error. All may be
/// called from many tasks at once; those that write take turns.
pub struct Ledger {
    location: Location,
    pub(crate) pool: Pool,
    pub(crate) writer: Option<Writer>,
    pub(crate) limit: Duration,
}

/// Why a ledger cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A file cannot be made, read or locked.
    #[error("opening {path}")]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Another server writes it.
    #[error("the ledger {location} is written by {who}")]
    InUse {
        /// Where it is.
        location: Location,
        /// Who does.
        who: String,
    },
    /// There is nothing to read.
    #[error("there is no ledger at {location}")]
    Missing {
        /// Where.
        location: Location,
    },
    /// A later program wrote it.
    #[error(
        "the ledger {location} is of version {found}, this program knows {known}: use the program that wrote it, or a later one"
    )]
    Newer {
        /// Where it is.
        location: Location,
        /// Its version.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// An earlier program wrote it, and reading it changes nothing.
    #[error(
        "the ledger {location} is of version {found}, this program reads {known}: start the server once to bring it up"
    )]
    Older {
        /// Where it is.
        location: Location,
        /// Its version.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// The database refuses, or cannot be reached.
    #[error("opening the ledger {location}")]
    Database {
        /// Where it is.
        location: Location,
        /// What it failed with.
        #[source]
        source: Fault,
    },
}

impl Ledger {
    /// Opens it for writing: makes it where there is none, brings it to this program's version, and keeps every other
    /// writer out until it is closed or dropped.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn open_for_writing(location: &Location) -> Result<Self, OpenError> {
        let fault = |source| OpenError::Database {
            location: location.clone(),
            source,
        };
        let (way, reading, file) = match location {
            Location::Sqlite(path) => {
                let path = &absolute(path)?;
                let file = claim(location, path)?;
                let way = Way::sqlite(path, Purpose::Writing);
                (way, Way::sqlite(path, Purpose::Reading), Some(file))
            }
            Location::Postgres(url) => {
                let way = |purpose| {
                    Way::postgres(url, purpose, LIMIT)
                        .map_err(|error| fault(Fault::sql("reading the URL", error)))
                };
                (way(Purpose::Writing)?, way(Purpose::Reading)?, None)
            }
        };
        let work = async {
            let mut link = way.connect().await.map_err(fault)?;
            if let Err(who) = lock_database(&mut link).await.map_err(fault)? {
                link.close().await;
                let location = location.clone();
                return Err(OpenError::InUse { location, who });
            }
            let found = version(location, &mut link).await?;
            let made = schema::migrate(&mut link, found).await;
            made.map_err(fault)?;
            Ok(link)
        };
        let link = bounded(location, work).await?;
        Ok(Self {
            location: location.clone(),
            pool: reading.pool(LIMIT),
            writer: Some(Writer::new(way, link, file)),
            limit: LIMIT,
        })
    }

    /// Opens it for reading only, whether or not a server writes it at the same time. Nothing in it is changed, and nobody
    /// is kept out.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn open_read_only(location: &Location) -> Result<Self, OpenError> {
        let fault = |source| OpenError::Database {
            location: location.clone(),
            source,
        };
        let missing = || OpenError::Missing {
            location: location.clone(),
        };
        let mut ways = match location {
            Location::Sqlite(path) => {
                let path = &absolute(path)?;
                match path.metadata() {
                    // A server that is just making it has not come far.
                    Ok(file) if file.len() == 0 => return Err(missing()),
                    Ok(_) => {}
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {
                        return Err(missing());
                    }
                    Err(source) => {
                        let path = path.clone();
                        return Err(OpenError::Io { path, source });
                    }
                }
                sqlite_for_reading(path)
            }
            Location::Postgres(url) => {
                let way = Way::postgres(url, Purpose::Reading, LIMIT);
                vec![way.map_err(|error| fault(Fault::sql("reading the URL", error)))?]
            }
        };
        let work = async {
            let last = ways.pop();
            for way in ways {
                if let Ok(ledger) = Self::read_through(location, &way).await {
                    return Ok(ledger);
                }
            }
            let last = last.ok_or_else(missing)?;
            Self::read_through(location, &last).await
        };
        bounded(location, work).await
    }

    async fn read_through(location: &Location, way: &Way) -> Result<Self, OpenError> {
        let mut link = way.connect().await.map_err(|source| OpenError::Database {
            location: location.clone(),
            source,
        })?;
        let found = version(location, &mut link).await;
        link.close().await;
        let location = location.clone();
        match found? {
            0 => Err(OpenError::Missing { location }),
            found if found < schema::VERSION => Err(OpenError::Older {
                location,
                found,
                known: schema::VERSION,
            }),
            _ => Ok(Self {
                location,
                pool: way.pool(LIMIT),
                writer: None,
                limit: LIMIT,
            }),
        }
    }

    /// Where it is.
    #[must_use]
    pub const fn location(&self) -> &Location {
        &self.location
    }

    /// Ends all connections in good order. Dropping does the same, without waiting for it.
    pub async fn close(self) {
        let work = async {
            self.pool.close().await;
            if let Some(writer) = &self.writer {
                writer.close().await;
            }
        };
        // What has not ended by then ends with the process.
        let _ = tokio::time::timeout(self.limit, work).await;
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut ledger = f.debug_struct("Ledger");
        ledger.field("location", &self.location);
        ledger.finish_non_exhaustive()
    }
}

async fn bounded<T>(
    location: &Location,
    work: impl Future<Output = Result<T, OpenError>>,
) -> Result<T, OpenError> {
    let late = tokio::time::timeout(LIMIT, work).await;
    late.unwrap_or_else(|_| {
        Err(OpenError::Database {
            location: location.clone(),
            source: Fault::late("connecting", LIMIT),
        })
    })
}

/// The version of a ledger that is not too new for us.
async fn version(location: &Location, link: &mut Link) -> Result<i64, OpenError> {
    let location = location.clone();
    match schema::version(link).await {
        Ok(found) if found > schema::VERSION => Err(OpenError::Newer {
            location,
            found,
            known: schema::VERSION,
        }),
        Ok(found) => Ok(found),
        Err(source) => Err(OpenError::Database { location, source }),
    }
}

/// SQLite gives meanings to some relative names, such as `:memory:` and `file:x`.
fn absolute(path: &Path) -> Result<PathBuf, OpenError> {
    std::path::absolute(path).map_err(|source| OpenError::Io {
        path: path.to_owned(),
        source,
    })
}

/// Takes the lock beside a file, then makes the file where there is none, for its owner's eyes only.
fn claim(location: &Location, path: &Path) -> Result<File, OpenError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".lock");
    let beside = PathBuf::from(beside);
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| OpenError::Io { path, source }
    };
    let lock = lock_file(&beside).map_err(io(&beside))?;
    let lock = lock.map_err(|who| OpenError::InUse {
        location: location.clone(),
        who,
    })?;
    // SQLite gives the log and its index the mode of the file. One that is there is not opened here: closing it again would
    // take away the locks that readers in this process have on it.
    let made = File::options()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(path);
    match made {
        Ok(_) => Ok(lock),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(lock),
        Err(error) => Err(io(path)(error)),
    }
}

/// How a file may be read, likeliest first. While a server runs, and after one was killed, what it wrote last is in the log,
/// and reading that needs its index, which may have to be made anew. In a folder that we may not write (a backup) there is
/// no index to be had; a file without a log is then read as one that nobody changes.
fn sqlite_for_reading(path: &Path) -> Vec<Way> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let has_log = Path::new(&log).metadata().is_ok_and(|log| log.len() > 0);
    let purposes: &[Purpose] = if has_log {
        &[Purpose::Reading]
    } else {
        &[Purpose::Reading, Purpose::ReadingImmutable]
    };
    purposes
        .iter()
        .map(|purpose| Way::sqlite(path, *purpose))
        .collect()
}
