//! The thread that writes snapshots, and what is known of them.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use hotpath::Engine;
use parking_lot::Mutex;
use series::{Clock, Timestamp};
use store::{SaveError, Snapshots};

/// What is known of this process's snapshots.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SnapshotStatus {
    pub(crate) written: Option<Timestamp>,
    pub(crate) bytes: u64,
    pub(crate) restored_series: usize,
    /// When the restored snapshot was written.
    pub(crate) restored_from: Option<Timestamp>,
    /// Why the last attempt failed; empty when it did not.
    pub(crate) last_error: String,
}

/// A running writer of snapshots; stops when dropped, without a last one.
pub(crate) struct Keeper {
    writer: Arc<Writer>,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct Writer {
    engine: Arc<Engine>,
    clock: Arc<dyn Clock>,
    snapshots: Snapshots,
    status: Arc<Mutex<SnapshotStatus>>,
}

impl Keeper {
    /// Restores the newest good snapshot into the engine, then writes one in every interval.
    pub(crate) fn start(
        snapshots: Snapshots,
        engine: Arc<Engine>,
        clock: Arc<dyn Clock>,
        interval_s: f64,
    ) -> io::Result<Self> {
        let (restored_series, restored_from) = restore(&snapshots, &engine);
        let status = SnapshotStatus {
            restored_series,
            restored_from,
            ..SnapshotStatus::default()
        };
        let status = Arc::new(Mutex::new(status));
        let writer = Arc::new(Writer {
            engine,
            clock,
            snapshots,
            status,
        });
        let (stop, stopped) = channel::<()>();
        let interval = Duration::from_secs_f64(interval_s);
        let thread = thread::Builder::new().name("snapshots".to_owned()).spawn({
            let writer = Arc::clone(&writer);
            move || {
                while matches!(
                    stopped.recv_timeout(interval),
                    Err(RecvTimeoutError::Timeout)
                ) {
                    // What went wrong is told in the log and in the status; the next interval is the next try.
                    let _ = writer.write();
                }
            }
        })?;
        Ok(Self {
            writer,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// What is known of the snapshots, kept up to date.
    pub(crate) fn status(&self) -> Arc<Mutex<SnapshotStatus>> {
        Arc::clone(&self.writer.status)
    }

    /// Stops, and writes a last snapshot. Blocks.
    pub(crate) fn finish(mut self) -> Result<(), SaveError> {
        self.end_thread();
        self.writer.write()
    }

    fn end_thread(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been printed; there is nothing to add.
            let _ = thread.join();
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.end_thread();
    }
}

impl Writer {
    fn write(&self) -> Result<(), SaveError> {
        let now = self.clock.now();
        let saved = self.snapshots.save(now, |out| self.engine.snapshot(out));
        let mut status = self.status.lock();
        match saved {
            Ok(bytes) => {
                if !status.last_error.is_empty() {
                    tracing::info!("snapshots can be written again");
                }
                status.written = Some(now);
                status.bytes = bytes;
                status.last_error.clear();
                Ok(())
            }
            Err(error) => {
                status.last_error = format!("{error}: {}", error.source);
                tracing::error!(error = %status.last_error, "no snapshot was written; the one before is kept");
                Err(error)
            }
        }
    }
}

/// Returns how many series came back, and when they were written. That none did is no reason not to start.
fn restore(snapshots: &Snapshots, engine: &Engine) -> (usize, Option<Timestamp>) {
    let restored = snapshots.restore(|input| engine.restore(input).map_err(Into::into));
    for refused in &restored.refused {
        let kept_as = refused
            .kept_as
            .as_ref()
            .map(|path| path.display().to_string());
        tracing::warn!(
            path = %refused.path.display(),
            reason = %refused.error,
            kept_as = kept_as.unwrap_or_default(),
            "snapshot refused",
        );
    }
    match restored.state {
        Some((n_series, written)) => {
            tracing::info!(n_series, written = %written, "learned state restored");
            (n_series, Some(written))
        }
        None => (0, None),
    }
}
