//! One small runtime for commands that talk to a server. Only `serve` needs threads of its own.

use std::future::Future;

use anyhow::Context;

/// Runs `work` to its end on this thread.
///
/// # Errors
/// Those of `work`, and when the system refuses a runtime.
pub(crate) fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime
        .context("starting the network runtime")?
        .block_on(work)
}
