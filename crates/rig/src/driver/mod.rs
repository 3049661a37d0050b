//! The process that makes the fault. It follows the level of the curve, tells what happens, and dies with whoever
//! started it.

mod connections;
mod cpu;
mod dependency;
mod descriptors;
mod disk;
mod memory;

pub(crate) use connections::RESERVED;
pub(crate) use cpu::service_s;
pub(crate) use dependency::{FAILED, TIMEOUT, rate};

use std::io::{self, BufReader};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Signal, getppid, set_parent_process_death_signal};

use crate::clock::now_s;
use crate::kind::{Kind, Mechanism};
use crate::metrics::Metrics;
use crate::shape::Shape;
use crate::wire::{Ask, Task, Tell, receive, send};

/// How often the level is followed.
const STEP: Duration = Duration::from_millis(50);

/// A driver that cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    /// The other side speaks another language: this is no command for people.
    #[error("this command is started by `forestall rig` and reads a task that only it writes")]
    Task(#[source] io::Error),
    /// Something the fault needs cannot be had.
    #[error("{doing}")]
    Io {
        /// What it was about to do.
        doing: &'static str,
        /// Why it could not.
        source: io::Error,
    },
}

impl DriverError {
    fn io(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, source }
    }
}

/// What shows that the resource ran out, and since when.
struct Evidence {
    at_s: f64,
    text: String,
}

impl Evidence {
    fn now(text: String) -> Self {
        Self {
            at_s: now_s(),
            text,
        }
    }
}

/// One kind of fault.
trait Fault {
    /// The run begins, with so many bytes of memory in use in the sandbox.
    fn begin(&mut self, _used_bytes: f64) {}

    /// Brings the use of the resource to `level`, a share of the limit. What shows that it ran out, when it did.
    fn step(&mut self, level: f64) -> Result<Option<Evidence>, DriverError>;

    /// Where it serves, if it does.
    fn port(&self) -> Option<u16> {
        None
    }

    /// The limit that it set for itself, if that is not the one it was given.
    fn limit(&self) -> Option<f64> {
        None
    }
}

fn start(task: &Task, metrics: &Metrics) -> Result<Box<dyn Fault>, DriverError> {
    let spec = &task.spec;
    Ok(match spec.kind {
        Kind::Memory => Box::new(memory::Memory::start(spec.limit, task.grouped, metrics)?),
        Kind::Disk => {
            let folder = task.folder.clone().unwrap_or_default();
            let inodes = spec.mechanism == Mechanism::Inodes;
            Box::new(disk::Disk::start(folder, inodes, metrics))
        }
        Kind::Descriptors => Box::new(descriptors::Descriptors::start(spec.limit, metrics)?),
        Kind::Connections => Box::new(connections::Connections::start(
            task.port.unwrap_or_default(),
            spec.limit,
            metrics,
        )),
        Kind::Cpu => Box::new(cpu::Cpu::start(task)?),
        Kind::Dependency => Box::new(dependency::Dependency::start(spec, metrics)?),
    })
}

/// The whole life of a driver: reads its task and what it is asked on standard input, tells on standard output.
///
/// # Errors
/// When nobody has given it a task. What fails later it tells to whoever started it.
pub fn driver_main() -> Result<(), DriverError> {
    // First of all: from here on it does not outlive its parent.
    set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(|errno| DriverError::Task(errno.into()))?;
    let mut from = BufReader::new(io::stdin());
    let task: Task = receive(&mut from)
        .map_err(DriverError::Task)?
        .ok_or_else(|| DriverError::Task(io::ErrorKind::UnexpectedEof.into()))?;
    let parent = getppid().map(|pid| pid.as_raw_nonzero().get().unsigned_abs());
    if parent != Some(task.parent) {
        return Ok(());
    }
    let metrics = Metrics::default();
    let (sender, begin) = channel();
    let shown = metrics.clone();
    let listening = thread::Builder::new()
        .spawn(move || listen(from, &shown, &sender))
        .map_err(DriverError::io("starting a thread to listen with"));
    let driven = listening.and_then(|_| drive(&task, &metrics, &begin));
    if let Err(error) = driven {
        let mut text = error.to_string();
        if let Some(cause) = std::error::Error::source(&error) {
            text = format!("{text}: {cause}");
        }
        tell(&Tell::Failed(text));
    }
    Ok(())
}

/// Follows the curve until it is killed.
fn drive(task: &Task, metrics: &Metrics, begin: &Receiver<f64>) -> Result<(), DriverError> {
    let curve = task.spec.curve();
    let mut fault = start(task, metrics)?;
    tell(&Tell::Ready {
        port: fault.port(),
        limit: fault.limit(),
    });
    let Ok(used_bytes) = begin.recv() else {
        return Ok(());
    };
    fault.begin(used_bytes);
    let began = Instant::now();
    let mut onset = (task.spec.shape != Shape::Flat).then_some(0.0);
    let mut stop = curve.stops_at_s();
    let mut told = false;
    loop {
        let s = began.elapsed().as_secs_f64() - task.spec.warm_s();
        if onset.take_if(|at| s >= *at).is_some() {
            tell(&Tell::Onset(now_s()));
        }
        if stop.take_if(|at| s >= *at).is_some() {
            tell(&Tell::Stopped(now_s()));
        }
        if let Some(evidence) = fault.step(curve.level(s))?
            && !told
        {
            told = true;
            let Evidence { at_s, text } = evidence;
            tell(&Tell::Exhausted {
                at_s,
                evidence: text,
            });
        }
        thread::sleep(STEP);
    }
}

/// A line on standard output; with nobody to read it there is nothing left to do.
fn tell(what: &Tell) {
    if send(&mut io::stdout().lock(), what).is_err() {
        std::process::exit(1);
    }
}

/// Answers until the other side is gone.
fn listen(mut from: BufReader<io::Stdin>, metrics: &Metrics, begin: &Sender<f64>) {
    while let Ok(Some(ask)) = receive(&mut from) {
        match ask {
            Ask::Begin { used_bytes } => drop(begin.send(used_bytes)),
            Ask::Scrape => {
                let is_upstream =
                    |sample: &crate::metrics::Sample| sample.metric.starts_with("upstream_workers");
                let (upstream, app) = metrics.samples().into_iter().partition(is_upstream);
                tell(&Tell::Metrics { app, upstream });
            }
        }
    }
    std::process::exit(0);
}
