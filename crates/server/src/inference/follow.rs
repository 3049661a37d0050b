//! Looks every few seconds which models there are by now: whoever installs or promotes one need not tell.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch as signal;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::Inference;

/// Looks until the server stops.
pub(crate) async fn follow(
    inference: Arc<Inference>,
    every: Duration,
    mut stopping: signal::Receiver<bool>,
) {
    let mut ticks = interval_at(Instant::now() + every, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stopping.wait_for(|&stop| stop) => return,
        }
        let inference = Arc::clone(&inference);
        // Loading takes time. The task ends early only when it panics, which has been printed.
        let looked = spawn_blocking(move || inference.repository.refresh()).await;
        if let Ok(Err(error)) = looked {
            tracing::warn!(%error, "what models there are cannot be told");
        }
    }
}
