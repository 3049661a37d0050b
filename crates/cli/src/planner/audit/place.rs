//! Where the ledger is, for commands that read it without a server.

use std::path::{Path, PathBuf};

use clap::Args;
use ledger::{Ledger, Location};
use server::Config;

use crate::hint::WithHint;

/// Which ledger.
#[derive(Debug, Clone, Args)]
pub(in crate::planner) struct LedgerArgs {
    /// The ledger: a file, or postgres://…; without it, the one that `forestall serve` would write
    #[arg(long, value_name = "PATH|URL")]
    ledger: Option<Location>,
    /// Configuration file of the server, of which planner.ledger and state count
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
        let of_server = server::planning::location(&config, state.as_deref())?;
        let location = self.ledger.clone().or_else(|| of_server.clone());
        let location = location.ok_or_else(|| {
            let error = anyhow::anyhow!(
                "the configuration keeps no ledger: state.enabled is false, or there is no home"
            );
            error.hint("name one with --ledger PATH")
        })?;
        // The server keeps the end in its state directory; of a copy it may lie beside it.
        let state = state.filter(|_| of_server.as_ref() == Some(&location));
        let head_file = head_file(&location, state.as_deref());
        let ledger = Ledger::open_read_only(&location).await.map_err(|error| {
            let error = anyhow::Error::new(error);
            error.hint(
                "name another with --ledger PATH, or the server's configuration with --config FILE",
            )
        })?;
        Ok(Opened { ledger, head_file })
    }
}

fn head_file(location: &Location, state: Option<&Path>) -> Option<PathBuf> {
    let beside = match location {
        Location::Sqlite(path) => path.parent(),
        Location::Postgres(_) => None,
    };
    state
        .or(beside)
        .map(server::planning::head_file)
        .filter(|path| path.exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_is_looked_for_in_the_state_directory_and_beside_a_copy() {
        let (state, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let place = |dir: &tempfile::TempDir| dir.path().join("audit.head");
        let ledger = Location::Sqlite(copy.path().join("ledger.sqlite"));
        assert_eq!(head_file(&ledger, None), None);
        std::fs::write(place(&copy), "").unwrap();
        assert_eq!(head_file(&ledger, None), Some(place(&copy)));
        assert_eq!(head_file(&ledger, Some(state.path())), None);
        std::fs::write(place(&state), "").unwrap();
        assert_eq!(head_file(&ledger, Some(state.path())), Some(place(&state)));
    }
}
