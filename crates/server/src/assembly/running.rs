//! A server that runs, and its way back to rest.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use store::{SaveError, StateDir};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Notify, watch};
use tokio::task::{JoinHandle, spawn_blocking};
use tonic_health::ServingStatus;

use crate::capture;
use crate::grpc;
use crate::host_thread::HostThread;
use crate::intake::Intake;
use crate::keeper::Keeper;
use crate::learning::LearningThread;
use crate::lookout::LookoutThread;
use crate::planning::PlanningTask;

/// What SIGHUP does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hangup {
    /// It stops the server in good order: for one that belongs to a terminal, which sends it when it is closed.
    Stops,
    /// The champion is looked at again, at once: for one that belongs to nobody's terminal.
    Reloads,
}

/// The signals that a server obeys. Held from before it says that it serves: until then a signal does what it does to any
/// process, which for SIGHUP is its end.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    on_hangup: Hangup,
}

impl Signals {
    /// Takes them over, within a tokio runtime.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn listen(on_hangup: Hangup) -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            on_hangup,
        })
    }
}

/// A running server. Dropping it stops it at once; [`Running::shutdown`] does so in good order.
#[must_use = "the server stops when this is dropped"]
pub struct Running {
    pub(super) local_addr: SocketAddr,
    pub(super) stop: watch::Sender<bool>,
    pub(super) server: JoinHandle<()>,
    pub(super) health: grpc::Health,
    pub(super) intake: Intake,
    pub(super) host: Option<HostThread>,
    pub(super) keeper: Option<Keeper>,
    pub(super) capture: Option<Arc<capture::Recorder>>,
    pub(super) lookout: Option<LookoutThread>,
    pub(super) learning: Option<LearningThread>,
    pub(super) planner: Option<PlanningTask>,
    /// Told when the champion is to be looked at again.
    pub(super) reload: Arc<Notify>,
    pub(super) grace: Duration,
    /// Unlocks last.
    pub(super) _state_dir: Option<StateDir>,
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running")
            .field("local_addr", &self.local_addr)
            .finish_non_exhaustive()
    }
}

impl Running {
    /// Where it listens; the port is the system's choice when the configuration says 0.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Waits for SIGINT or SIGTERM, then shuts down; SIGHUP does what was said when the signals were taken over.
    ///
    /// # Errors
    /// As [`Running::shutdown`].
    pub async fn until_signal(self, mut signals: Signals) -> io::Result<()> {
        loop {
            tokio::select! {
                _ = signals.terminate.recv() => tracing::info!("SIGTERM: stopping"),
                _ = signals.interrupt.recv() => tracing::info!("SIGINT: stopping"),
                _ = signals.hangup.recv() => match signals.on_hangup {
                    Hangup::Stops => tracing::info!("SIGHUP: the terminal is gone, stopping"),
                    Hangup::Reloads => {
                        tracing::info!("SIGHUP: looking at the champion again");
                        self.reload.notify_one();
                        continue;
                    }
                },
            }
            break;
        }
        self.shutdown().await.map_err(io::Error::other)
    }

    /// Stops taking calls, answers what is under way, scores what was admitted, seals what was captured, and writes a
    /// last snapshot.
    ///
    /// # Errors
    /// When that snapshot cannot be written; the one before is kept, and all else is done.
    pub async fn shutdown(mut self) -> Result<(), SaveError> {
        self.health.report(ServingStatus::NotServing).await;
        self.stop.send_replace(true);
        if tokio::time::timeout(self.grace, &mut self.server)
            .await
            .is_err()
        {
            tracing::warn!("streams were still open after the grace period; they are cut off");
            self.server.abort();
        }
        if let Some(planner) = self.planner.take() {
            planner.join().await;
        }
        let (host, keeper, learning) = (self.host.take(), self.keeper.take(), self.learning.take());
        let lookout = self.lookout.take();
        // Joining a thread waits.
        let _ = spawn_blocking(move || drop((host, learning, lookout))).await;
        self.intake.drained().await;
        if let Some(capture) = self.capture.take() {
            let _ = spawn_blocking(move || capture.finish()).await;
        }
        let Some(keeper) = keeper else { return Ok(()) };
        // The task ends early only when it panics, which has been printed.
        spawn_blocking(move || keeper.finish())
            .await
            .unwrap_or(Ok(()))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.server.abort();
    }
}
