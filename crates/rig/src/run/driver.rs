//! The driver, from the side of whoever started it.

use std::io::BufReader;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::RunError;
use crate::metrics::Sample;
use crate::sandbox::SandboxError;
use crate::wire::{Ask, Task, Tell, receive, send};

/// One that has not prepared itself after this long will not.
const PATIENCE: Duration = Duration::from_secs(30);

/// What one that has ended still had to say is read within this.
const DYING_WORDS: Duration = Duration::from_millis(500);

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
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let driver = Self {
            child,
            stdin,
            told,
            ended: None,
            metrics: None,
        };
        if let Some(stdout) = stdout {
            let read = move || {
                let mut from = BufReader::new(stdout);
                while let Ok(Some(tell)) = receive(&mut from) {
                    if sender.send(tell).is_err() {
                        return;
                    }
                }
            };
            // Without it the driver, which is dropped then, ends.
            thread::Builder::new()
                .spawn(read)
                .map_err(SandboxError::io("starting a thread to listen to", program))?;
        }
        Ok(driver)
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

    /// Of one that has ended: all that it said and nobody has heard yet.
    pub(super) fn last_words(&mut self) -> Vec<Tell> {
        let begin = Instant::now();
        let mut words = Vec::new();
        // The end of its output shows that there is no more; somebody may have inherited that output.
        while let Ok(tell) = self
            .told
            .recv_timeout(DYING_WORDS.saturating_sub(begin.elapsed()))
        {
            if let Tell::Metrics { app, upstream } = tell {
                self.metrics = Some((app, upstream));
            } else {
                words.push(tell);
            }
        }
        words
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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_it_said_before_its_end_is_heard() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("driver");
        let said = r#"{"Onset":1.5}\n{"Metrics":{"app":[],"upstream":[]}}\n{"Stopped":2.5}\n"#;
        fs::write(&program, format!("#!/bin/sh\nprintf '{said}'\nexit 3\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let mut driver = Driver::start(&program).unwrap();
        let begin = Instant::now();
        let how = loop {
            if let Some(how) = driver.ended() {
                break how;
            }
            assert!(begin.elapsed() < Duration::from_secs(10), "it goes on");
            thread::sleep(Duration::from_millis(1));
        };
        assert_eq!(how, "process ended with exit status: 3");
        let words = driver.last_words();
        assert!(
            matches!(words[..], [Tell::Onset(_), Tell::Stopped(_)]),
            "{words:?}"
        );
        assert!(driver.metrics.is_some());
    }
}
