//! Looks at the champion's file every few seconds, and at once when told to: a command on the directory is enough.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch as stop_signal};
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval_at};

use super::Serving;

/// Starts looking; ends with the server. What was refused is tried again when `reload` says so, not at each look.
pub(crate) fn watch(
    serving: Arc<Serving>,
    every: Duration,
    reload: Arc<Notify>,
    mut stopping: stop_signal::Receiver<bool>,
) {
    tokio::spawn(async move {
        let mut ticks = interval_at(tokio::time::Instant::now() + every, every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let again = tokio::select! {
                _ = ticks.tick() => false,
                () = reload.notified() => true,
                _ = stopping.wait_for(|&stop| stop) => return,
            };
            let serving = Arc::clone(&serving);
            // Loading takes time. The task ends early only when it panics, which has been printed.
            let _ = spawn_blocking(move || serving.refresh(again)).await;
        }
    });
}
