//! What the first process and the driver say to each other, a line of JSON each.

use std::io::{self, BufRead, Write};
use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::metrics::Sample;
use crate::spec::Spec;

/// What the driver is given, first of all.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Task {
    pub(crate) spec: Spec,
    /// Who started it: if that is not its parent any more, it is too late.
    pub(crate) parent: u32,
    /// Where it may write, for what fills a disk.
    pub(crate) folder: Option<PathBuf>,
    /// Where PostgreSQL listens.
    pub(crate) port: Option<u16>,
    /// Whether a control group bounds it, so that it need not bound itself.
    pub(crate) grouped: bool,
}

/// What it may be asked afterwards.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) enum Ask {
    /// The sandbox is complete: the run begins. So many bytes of memory are used in it already.
    Begin { used_bytes: f64 },
    /// Its metrics.
    Scrape,
}

/// What the driver says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Tell {
    /// It has prepared itself; with the port that it serves and the limit that it set for itself, if any.
    Ready {
        port: Option<u16>,
        limit: Option<f64>,
    },
    /// The fault has begun.
    Onset(f64),
    /// A leak that stops has stopped.
    Stopped(f64),
    /// The resource has run out.
    Exhausted { at_s: f64, evidence: String },
    /// The metrics of the application, and those of what it depends on.
    Metrics {
        app: Vec<Sample>,
        upstream: Vec<Sample>,
    },
    /// It cannot go on.
    Failed(String),
}

/// Longer lines are nobody's.
const LONGEST: u64 = 4 << 20;

/// Writes one line.
pub(crate) fn send(to: &mut impl Write, what: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(what)?;
    line.push(b'\n');
    to.write_all(&line)?;
    to.flush()
}

/// Reads one line; `None` at the end.
pub(crate) fn receive<T: DeserializeOwned>(from: &mut impl BufRead) -> io::Result<Option<T>> {
    let mut line = String::new();
    if io::Read::take(&mut *from, LONGEST).read_line(&mut line)? == 0 {
        return Ok(None);
    }
    Ok(Some(serde_json::from_str(&line)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_survive_and_nonsense_is_an_error() {
        let mut pipe = Vec::new();
        send(&mut pipe, &Tell::Onset(1.5)).unwrap();
        send(&mut pipe, &Ask::Scrape).unwrap();
        let mut from = pipe.as_slice();
        assert!(
            matches!(receive(&mut from).unwrap(), Some(Tell::Onset(s)) if (s - 1.5).abs() < 1e-9)
        );
        assert!(matches!(receive(&mut from).unwrap(), Some(Ask::Scrape)));
        assert!(receive::<Ask>(&mut from).unwrap().is_none());
        assert!(receive::<Ask>(&mut "garbage\n".as_bytes()).is_err());
    }
}
