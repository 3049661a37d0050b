//! A process of its own for graphs that others wrote.
//!
//! The checks refuse what can be seen. What cannot is a bug of a runtime: tract aborts on some graphs while it loads
//! them, and either may loop or ask for all the memory there is. So such a graph is loaded and run once by a child with
//! limits on memory, processor time and patience; when the child comes back well, it is loaded here.

use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use crate::backend::{Backend, chosen};
use crate::places::NO_RUNTIME;
use crate::session::brief;

/// How much of what the child says is kept.
const MOST_WORDS: u64 = 16 << 10;

/// How a child is started, and what it may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guard {
    /// The program, which calls [`crate::probe_main`].
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Address space of the child.
    pub memory_bytes: u64,
    /// Processor time of the child; it is ended after twice as long by the clock on the wall.
    pub seconds: u64,
}

/// Why a graph did not come back well.
#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    /// The child did not start.
    #[error("starting {program} to try the graph")]
    Start {
        /// The program.
        program: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The child said no.
    #[error("{0}")]
    Refused(String),
    /// The child died.
    #[error("the graph ends the process that loads it ({how}); it said: {said}")]
    Died {
        /// By which signal.
        how: String,
        /// Its last words.
        said: String,
    },
    /// The child did not end in time.
    #[error("the graph was not loaded and run once within {seconds} seconds")]
    Slow {
        /// By the clock on the wall.
        seconds: u64,
    },
}

impl Guard {
    /// The forestall binary as the child: 4 GiB and 20 seconds, enough for the largest graph that passes the checks.
    #[must_use]
    pub fn new(program: PathBuf) -> Self {
        Self {
            program,
            arguments: vec!["__probe-model".to_owned()],
            memory_bytes: 4 << 30,
            seconds: 20,
        }
    }

    /// Has a child load and run a graph, on the runtime of this process.
    ///
    /// # Errors
    /// [`GuardError`] unless the child comes back well.
    pub fn check(&self, bytes: &[u8]) -> Result<(), GuardError> {
        let runtime = match &chosen().backend {
            Backend::OnnxRuntime { path, .. } => path.clone(),
            Backend::Tract => PathBuf::from(NO_RUNTIME),
        };
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            .env("FORESTALL_ONNXRUNTIME", runtime)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|source| GuardError::Start {
                program: self.program.clone(),
                source,
            })?;
        let (status, said) = self.attend(&mut child, bytes)?;
        let said = brief(&String::from_utf8_lossy(&said));
        if status.success() {
            return Ok(());
        }
        Err(match status.signal() {
            None => GuardError::Refused(said.strip_prefix("error: ").unwrap_or(&said).to_owned()),
            Some(signal) => GuardError::Died {
                how: signal_name(signal),
                said: if said.is_empty() {
                    "nothing".to_owned()
                } else {
                    said
                },
            },
        })
    }

    /// Feeds a child and waits for it, but not for ever.
    fn attend(&self, child: &mut Child, bytes: &[u8]) -> Result<(ExitStatus, Vec<u8>), GuardError> {
        let (stdin, stderr) = (child.stdin.take(), child.stderr.take());
        let patience = 2 * self.seconds;
        std::thread::scope(|scope| {
            scope.spawn(move || {
                // A child that is gone takes nothing more; how it went is told by its status.
                let _gone = stdin.map(|mut stdin| stdin.write_all(bytes));
            });
            let (tell, told) = mpsc::channel();
            scope.spawn(move || {
                let mut said = Vec::new();
                if let Some(stderr) = stderr {
                    let mut stderr = stderr.take(MOST_WORDS);
                    let _cut = stderr.read_to_end(&mut said);
                    // The rest is read and dropped, so that the child does not wait for us.
                    let _rest = std::io::copy(&mut stderr.into_inner(), &mut std::io::sink());
                }
                // Its standard error closes when it ends.
                let _unheard = tell.send(said);
            });
            let said = told.recv_timeout(Duration::from_secs(patience));
            if said.is_err() {
                let _gone = child.kill();
            }
            let status = child.wait();
            match (said, status) {
                (Ok(said), Ok(status)) => Ok((status, said)),
                (Ok(_), Err(source)) => Err(GuardError::Start {
                    program: self.program.clone(),
                    source,
                }),
                (Err(_), _) => Err(GuardError::Slow { seconds: patience }),
            }
        })
    }
}

/// A signal as a person knows it.
fn signal_name(signal: i32) -> String {
    let name = match signal {
        4 => "illegal instruction",
        6 => "abort",
        7 | 11 => "memory fault",
        8 => "division by zero",
        9 => "killed",
        24 => "out of processor time",
        _ => return format!("signal {signal}"),
    };
    format!("signal {signal}, {name}")
}
