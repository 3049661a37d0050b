//! The thread that reads this host's metrics and hands them to the engine.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use series::{Refusal, Sample};
use sources::host::{Host, Missing, Reading};
use tokio::runtime::Handle;

use crate::HostConfig;
use crate::intake::Intake;

/// A running reader; stops when dropped.
pub(crate) struct HostThread {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
    missing: Arc<Mutex<Vec<Missing>>>,
}

impl HostThread {
    /// Starts reading, at once and then in every interval. Must be called within a tokio runtime.
    pub(crate) fn start(config: &HostConfig, intake: Intake) -> io::Result<Self> {
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
                let mut next = Instant::now();
                loop {
                    readings.clear();
                    let at = intake.now();
                    host.collect(at, &mut readings);
                    if told.lock().len() != host.missing().len() {
                        *told.lock() = host.missing().to_vec();
                    }
                    let samples = to_samples(&intake, at, &readings);
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

fn to_samples(intake: &Intake, at: series::Timestamp, readings: &[Reading]) -> Vec<Sample> {
    let mut samples = intake.engine().buffer();
    let mut over_limit = 0;
    for Reading { key, value } in readings {
        match intake.engine().register(key) {
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
