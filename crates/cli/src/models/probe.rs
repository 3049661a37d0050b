//! The hidden subcommand that tries graphs of others, so that what they do to a process is done to a child.

use std::path::PathBuf;

use onnx::{Guard, probe_main};

/// Reads a graph on standard input, loads it and runs it once, within limits of memory and time.
///
/// # Errors
/// When the graph is refused. It may also end this process: that is what it is for.
pub(crate) fn probe() -> anyhow::Result<()> {
    // The parent's guard has the same limits; the program is of no use here.
    let guard = Guard::new(PathBuf::new());
    probe_main(&mut std::io::stdin().lock(), &guard)?;
    Ok(())
}
