//! The driver, from the side of whoever started it.

use std::io::BufReader;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use super::RunError;
use crate::metrics::Sample;
use crate::sandbox::SandboxError;
use crate::wire::{Ask, Task, Tell, receive, send};

/// One that has not prepared itself after this long will not.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running driver; dropping it kills it.
#[derive(Debug)]
pub(super) struct Driver {
    child: Child,
    stdin: Option<ChildStdin>,
    told: Receiver<Tell>,
    ended: Option<ExitStatus>,
    /// The last metrics of the application and of what it depends on, until they are taken.
    pub(super) metrics: Option<(Vec<Sample>, Vec<Sample>)>,
}

impl Driver {
    /// Starts the process; it waits for its task.
    pub(super) fn start(program: &Path) -> Result<Self, RunError> {
        let child = Command::new(program)
            .arg("__rig-driver")
            // Each arena of the allocator reserves address space, which is what may be bounded.
            .env("MALLOC_ARENA_MAX", "1")
            // What is freed goes back to the system at once, however much was freed before.
            .env("MALLOC_MMAP_THRESHOLD_", "131072")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // Ctrl-C in a terminal is for us, who then end it in order.
            .process_group(0)
            .spawn();
        let mut child = child.map_err(SandboxError::io("starting", program))?;
        let (sender, told) = channel();
        let stdin = child.stdin.take();
        if let Some(stdout) = child.stdout.take() {
            thread::spawn(move || {
                let mut from = BufReader::new(stdout);
                while let Ok(Some(tell)) = receive(&mut from) {
                    if sender.send(tell).is_err() {
                        return;
                    }
                }
            });
        }
        Ok(Self {
            child,
            stdin,
            told,
            ended: None,
            metrics: None,
        })
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Gives it its task, and waits until it has prepared itself; its port and its own limit.
    pub(super) fn prepare(&mut self, task: &Task) -> Result<(Option<u16>, Option<f64>), RunError> {
        let stdin = self.stdin.as_mut().ok_or_else(gone)?;
        send(stdin, task).map_err(RunError::Talk)?;
        match self.told.recv_timeout(PATIENCE) {
            Ok(Tell::Ready { port, limit }) => Ok((port, limit)),
            Ok(Tell::Failed(text)) => Err(RunError::Driver(text)),
            Ok(_) | Err(_) => Err(RunError::Driver("it did not prepare itself".to_owned())),
        }
    }

    /// Lets it begin, in a sandbox in which so much memory is used.
    pub(super) fn begin(&mut self, used_bytes: f64) -> Result<(), RunError> {
        let stdin = self.stdin.as_mut().ok_or_else(gone)?;
        send(stdin, &Ask::Begin { used_bytes }).map_err(RunError::Talk)
    }

    /// Asks for its metrics. One that is gone does not answer, which is what a failed scrape is.
    pub(super) fn ask(&mut self) {
        self.metrics = None;
        if let Some(stdin) = &mut self.stdin {
            let _ = send(stdin, &Ask::Scrape);
        }
    }

    /// The next thing it says, within `wait`; metrics are kept, not given.
    pub(super) fn listen(&mut self, wait: Duration) -> Option<Tell> {
        match self.told.recv_timeout(wait) {
            Ok(Tell::Metrics { app, upstream }) => {
                self.metrics = Some((app, upstream));
                None
            }
            Ok(tell) => Some(tell),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                thread::sleep(wait);
                None
            }
        }
    }

    pub(super) const fn is_alive(&self) -> bool {
        self.ended.is_none()
    }

    /// How it ended, told once.
    pub(super) fn ended(&mut self) -> Option<String> {
        if self.ended.is_some() {
            return None;
        }
        let status = self.child.try_wait().ok().flatten()?;
        self.ended = Some(status);
        Some(match status.signal() {
            Some(signal) => format!("process ended by signal {signal}"),
            None => format!("process ended with {status}"),
        })
    }
}

fn gone() -> RunError {
    RunError::Driver("it has no standard input".to_owned())
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.stdin = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
