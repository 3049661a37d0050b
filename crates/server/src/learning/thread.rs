//! The thread that learns: lowest priority, ended when the server is.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use series::Clock;

use super::Learner;

/// The least priority that Linux knows: others run whenever they want to.
const LEAST: i32 = 19;

/// A running thread; stops when dropped, in the middle of a training too.
pub(crate) struct LearningThread {
    stop: Option<Sender<()>>,
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl LearningThread {
    /// Checks in every interval. One training may take `longest`.
    pub(crate) fn start(
        learner: Learner,
        clock: Arc<dyn Clock>,
        interval: Duration,
        longest: Duration,
    ) -> io::Result<Self> {
        let (stop, stopped) = channel::<()>();
        let stopping = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&stopping);
        let thread = thread::Builder::new()
            .name("learning".to_owned())
            .spawn(move || {
                // Without a process id, Linux takes the calling thread; the others keep their priority.
                if let Err(error) = rustix::process::setpriority_process(None, LEAST) {
                    tracing::warn!(%error, "learning runs at normal priority");
                }
                while matches!(
                    stopped.recv_timeout(interval),
                    Err(RecvTimeoutError::Timeout)
                ) {
                    let end = Instant::now() + longest;
                    let go_on = || !asked.load(Ordering::Relaxed) && Instant::now() < end;
                    learner.check(clock.now(), &go_on);
                }
            })?;
        Ok(Self {
            stop: Some(stop),
            stopping,
            thread: Some(thread),
        })
    }
}

impl Drop for LearningThread {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been printed; there is nothing to add.
            let _ = thread.join();
        }
    }
}
