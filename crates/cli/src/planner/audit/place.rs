//! Where the ledger is, for commands that read it without a server.

use std::path::{Path, PathBuf};

use clap::Args;
use ledger::{Ledger, Location};
use server::Config;

use crate::hint::WithHint;

/// Beside the ledger: how far the audit had come, as the server wrote it last.
const HEAD_FILE: &str = "audit.head";

/// Which ledger.
#[derive(Debug, Clone, Args)]
pub(in crate::planner) struct LedgerArgs {
    /// The ledger: a file, or postgres://…; without it, the one that `forestall serve` would write
    #[arg(long, value_name = "PATH|URL")]
    ledger: Option<Location>,
    /// Configuration file of the server, of which planner.ledger and the section [state] count
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// A ledger that is only read.
#[derive(Debug)]
pub(in crate::planner) struct Opened {
    pub(in crate::planner) ledger: Ledger,
    /// Where the end of its audit is kept besides, if it is.
    pub(in crate::planner) head_file: Option<PathBuf>,
}

impl LedgerArgs {
    /// Of one that is named.
    #[cfg(test)]
    pub(in crate::planner) const fn of(ledger: Location) -> Self {
        Self {
            ledger: Some(ledger),
            config: None,
        }
    }

    /// Opens it; nothing in it is changed, and a server may write it meanwhile.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub(in crate::planner) async fn open(&self) -> anyhow::Result<Opened> {
        let config = self
            .config
            .as_deref()
            .map(Config::load)
            .transpose()?
            .unwrap_or_default();
        let state = config.state.resolved_dir().filter(|_| config.state.enabled);
        let location = self.location(&config, state.as_deref())?;
        let ledger = Ledger::open_read_only(&location).await.map_err(|error| {
            let error = anyhow::Error::new(error);
            error.hint(
                "name another with --ledger PATH, or the server's configuration with --config FILE",
            )
        })?;
        let head_file = head_file(&location, state.as_deref());
        Ok(Opened { ledger, head_file })
    }

    fn location(&self, config: &Config, state: Option<&Path>) -> anyhow::Result<Location> {
        if let Some(location) = &self.ledger {
            return Ok(location.clone());
        }
        if !config.planner.ledger.is_empty() {
            return Ok(config.planner.ledger.parse()?);
        }
        let Some(state) = state else {
            let error = anyhow::anyhow!(
                "the configuration keeps no ledger: state.enabled is false, or there is no home"
            );
            return Err(error.hint("name one with --ledger PATH"));
        };
        Ok(Location::Sqlite(server::planning::default_ledger(state)))
    }
}

fn head_file(location: &Location, state: Option<&Path>) -> Option<PathBuf> {
    let dir = match location {
        Location::Sqlite(path) => path.parent(),
        Location::Postgres(_) => state,
    };
    dir.map(|dir| dir.join(HEAD_FILE))
        .filter(|path| path.exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_one_that_serve_would_write() {
        let args = |ledger: Option<&str>| LedgerArgs {
            ledger: ledger.map(|text| text.parse().unwrap()),
            config: None,
        };
        let mut config = Config::default();
        let state = Path::new("/s");
        let place = |args: LedgerArgs, config: &Config, state| {
            args.location(config, state).map(|place| place.to_string())
        };
        assert_eq!(
            place(args(None), &config, Some(state)).unwrap(),
            "/s/ledger.sqlite"
        );
        let error = place(args(None), &config, None).unwrap_err();
        assert!(crate::hint::message(&error).ends_with("hint: name one with --ledger PATH"));
        config.planner.ledger = "/var/l.db".to_owned();
        assert_eq!(
            place(args(None), &config, Some(state)).unwrap(),
            "/var/l.db"
        );
        assert_eq!(
            place(args(Some("b.db")), &config, Some(state)).unwrap(),
            "b.db"
        );
    }

    #[test]
    fn the_head_is_looked_for_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Location::Sqlite(dir.path().join("ledger.sqlite"));
        assert_eq!(head_file(&ledger, None), None);
        std::fs::write(dir.path().join(HEAD_FILE), "0 00").unwrap();
        assert_eq!(head_file(&ledger, None), Some(dir.path().join(HEAD_FILE)));
    }
}
