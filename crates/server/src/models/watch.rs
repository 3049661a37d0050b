//! Looks at the champion's file every few seconds, and at once on SIGHUP: a command on the directory is enough.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch as stop_signal;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{MissedTickBehavior, interval_at};

use super::Serving;

/// Starts looking; ends with the server.
///
/// # Errors
/// When the system refuses to tell of SIGHUP.
pub(crate) fn watch(
    serving: Arc<Serving>,
    every: Duration,
    mut stopping: stop_signal::Receiver<bool>,
) -> io::Result<JoinHandle<()>> {
    let mut hangup: Signal = signal(SignalKind::hangup())?;
    Ok(tokio::spawn(async move {
        let mut ticks = interval_at(tokio::time::Instant::now() + every, every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let again = tokio::select! {
                _ = ticks.tick() => false,
                _ = hangup.recv() => {
                    tracing::info!("SIGHUP: looking at the champion again");
                    true
                }
                _ = stopping.wait_for(|&stop| stop) => return,
            };
            let serving = Arc::clone(&serving);
            // Loading takes time. The task ends early only when it panics, which has been printed.
            let _ = spawn_blocking(move || serving.refresh(again)).await;
        }
    }))
}
