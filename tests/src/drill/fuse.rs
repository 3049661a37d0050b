//! Boundaries, and the kill at one of them.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::thread;
use std::time::Duration;

use rustix::process::{Signal, getpid, kill_process};

/// Counts boundaries.
#[derive(Debug)]
pub(crate) struct Fuse {
    at: Option<u64>,
    n: u64,
    /// Which were passed.
    log: File,
}

impl Fuse {
    pub(crate) fn new(folder: &Path, at: Option<u64>) -> Self {
        let log = folder.join("boundaries");
        let log = File::options().create(true).append(true).open(log).unwrap();
        Self { at, n: 0, log }
    }

    /// The end, without a kill: tells how many boundaries there were.
    pub(crate) fn end(&mut self) {
        writeln!(self.log, "{} the end", self.n).unwrap();
    }

    /// A boundary: the process may end here.
    pub(crate) fn reach(&mut self, what: &str) {
        self.n += 1;
        if self.at == Some(self.n) {
            writeln!(self.log, "{} {what}", self.n).unwrap();
            kill();
        }
    }
}

/// Kills this process after a while, wherever it is then.
pub(crate) fn burn(us: u64) {
    thread::spawn(move || {
        thread::sleep(Duration::from_micros(us));
        kill();
    });
}

fn kill() -> ! {
    kill_process(getpid(), Signal::KILL).unwrap();
    unreachable!("nobody outlives SIGKILL");
}
