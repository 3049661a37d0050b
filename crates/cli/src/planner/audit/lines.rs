//! An export, line by line.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use anyhow::Context;
use remedy::audit::Entry;

use super::chain::{Chain, Kept};
use super::report::{Report, Stop};

/// No entry is as long: a longer line is none of ours.
const MAX_LINE_BYTES: u64 = 64 << 20;

/// Reads what `forestall audit export` wrote.
///
/// # Errors
/// When it cannot be read.
pub(super) fn of_export(path: &Path, kept: Vec<Kept>) -> anyhow::Result<Report> {
    let is_stdin = path == Path::new("-");
    let open = || File::open(path).with_context(|| format!("opening {}", path.display()));
    let reader: Box<dyn Read> = if is_stdin {
        Box::new(io::stdin())
    } else {
        Box::new(open()?)
    };
    let size = if is_stdin {
        None
    } else {
        path.metadata().ok().map(|file| file.len())
    };
    let bar = crate::progress::bytes("verifying the export", size);
    let mut report = Report {
        place: if is_stdin {
            "standard input".to_owned()
        } else {
            path.display().to_string()
        },
        chain: Chain::new(kept.clone()),
        heads: kept,
        ..Report::default()
    };
    let outcome = report.read_lines(BufReader::new(bar.wrap_read(reader)));
    bar.finish_and_clear();
    match outcome {
        Ok(()) => {}
        Err(Stop::Flaw(flaw)) => report.flaw = Some(flaw),
        Err(Stop::Unread(error)) => return Err(error),
    }
    Ok(report)
}

impl Report {
    pub(super) fn read_lines(&mut self, mut lines: impl BufRead) -> Result<(), Stop> {
        let mut line = Vec::new();
        for n in 1_u64.. {
            line.clear();
            let read = lines
                .by_ref()
                .take(MAX_LINE_BYTES)
                .read_until(b'\n', &mut line);
            let read = read
                .with_context(|| format!("reading line {n}"))
                .map_err(Stop::Unread)?;
            if read == 0 {
                break;
            }
            let entry: Entry = serde_json::from_slice(&line).map_err(|error| {
                Stop::Flaw(format!("line {n} is no entry of an audit: {error}"))
            })?;
            self.take(&entry)?;
        }
        self.chain.finish().map_err(|flaw| Stop::Flaw(flaw.0))
    }
}
