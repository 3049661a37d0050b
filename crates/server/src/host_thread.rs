//! The thread that reads this host's metrics and hands them to the engine.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use series::{Refusal, Sample, SeriesId, Timestamp};
use sources::host::{Host, Missing, Reading};
use tokio::runtime::Handle;

use crate::HostConfig;
use crate::board::Board;
use crate::culprits::{Culprits, Use};
use crate::intake::Intake;

/// A running reader; stops when dropped.
pub(crate) struct HostThread {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
    missing: Arc<Mutex<Vec<Missing>>>,
}

impl HostThread {
    /// Starts reading, at once and then in every interval. Must be called within a tokio runtime.
    ///
    /// What processes use goes to `culprits`, which finds the host's events on `board`.
    pub(crate) fn start(
        config: &HostConfig,
        intake: Intake,
        board: Arc<Board>,
        culprits: Arc<Culprits>,
    ) -> io::Result<Self> {
        let (stop, stopped) = channel::<()>();
        let missing = Arc::<Mutex<Vec<Missing>>>::default();
        let interval = Duration::from_secs_f64(config.interval_s);
        let source = sources::host::Config {
            top_processes: config.top_processes,
            ..Default::default()
        };
        let runtime = Handle::current();
        let told = Arc::clone(&missing);
        let thread = thread::Builder::new()
            .name("host".to_owned())
            .spawn(move || {
                let mut host = Host::new(&source);
                let mut readings = Vec::new();
                let mut ids = Vec::new();
                let mut next = Instant::now();
                loop {
                    readings.clear();
                    let at = intake.now();
                    host.collect(at, &mut readings);
                    if told.lock().len() != host.missing().len() {
                        *told.lock() = host.missing().to_vec();
                    }
                    let samples = to_samples(&intake, at, &readings, &mut ids);
                    let noted = ids.iter().zip(&readings);
                    culprits.note(
                        at,
                        noted.map(|(id, row)| Use {
                            series: *id,
                            key: &row.key,
                            value: row.value,
                        }),
                    );
                    // The events are those of the reading before: this one is not scored yet.
                    culprits.follow(|id| board.latest.get(id));
                    // Waits while the engine is behind: a reading that comes late is better than a queue without end.
                    drop(runtime.block_on(intake.submit(samples)));
                    let now = Instant::now();
                    next += interval;
                    if next < now {
                        // Readings that were missed are gaps; they are not made up for in a burst.
                        next = now + interval;
                    }
                    match stopped.recv_timeout(next - now) {
                        Err(RecvTimeoutError::Timeout) => {}
                        Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
                    }
                }
            })?;
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
            missing,
        })
    }

    /// What this host does not offer; complete after the first reading.
    pub(crate) fn missing(&self) -> Arc<Mutex<Vec<Missing>>> {
        Arc::clone(&self.missing)
    }
}

/// Leaves the series' numbers in `ids`, one for each reading; none for those that the engine has no room for.
fn to_samples(
    intake: &Intake,
    at: Timestamp,
    readings: &[Reading],
    ids: &mut Vec<Option<SeriesId>>,
) -> Vec<Sample> {
    let mut samples = intake.engine().buffer();
    let mut over_limit = 0;
    ids.clear();
    for Reading { key, value } in readings {
        let registered = intake.engine().register(key);
        ids.push(registered.as_ref().ok().copied());
        match registered {
            Ok(series) => samples.push(Sample {
                series,
                at,
                value: *value,
            }),
            Err(_) => over_limit += 1,
        }
    }
    if over_limit > 0 {
        intake.refuse(Refusal::SeriesLimit, over_limit);
    }
    samples
}

impl Drop for HostThread {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been printed; there is nothing to add.
            let _ = thread.join();
        }
    }
}
