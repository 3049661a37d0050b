//! What a machine shows: the metrics of what moves, under the names that exporters give them, and of what does not.

mod connections;
mod curve;
mod descriptors;
mod disk;
mod host;
mod memory;
mod process;
mod processor;
mod upstream;

use super::Kind;
use super::mover::{Mover, Track};
use super::sheet::Sheet;
use crate::rng::Rng;

pub(super) use curve::{Curve, Totals};

/// What is scraped as one, and fails as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Job {
    /// The application, with the requests that come to it and those that it makes.
    App,
    /// Its container.
    Container,
    /// The machine.
    Node,
    /// The database.
    Postgres,
}

impl Job {
    pub(super) const ALL: [Self; 4] = [Self::App, Self::Container, Self::Node, Self::Postgres];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Container => "cadvisor",
            Self::Node => "node",
            Self::Postgres => "postgres",
        }
    }
}

/// The limit of a resource, as a truth tells it.
#[derive(Debug, Clone)]
pub(super) struct Limit {
    pub(super) metric: &'static str,
    pub(super) limit: f64,
    pub(super) unit: &'static str,
    pub(super) exhausted_when: &'static str,
    /// What is seen when it is reached.
    pub(super) evidence: &'static str,
}

/// What all parts of a machine know about its time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    /// Seconds since the epoch at bin 0.
    pub(super) start_ts: f64,
    /// Seconds of the recording in a bin.
    pub(super) bin_s: f64,
    /// The bin in which the process starts anew.
    pub(super) restart: Option<usize>,
    /// When it dies for good, in bins.
    pub(super) death: Option<f64>,
}

impl Clock {
    /// Seconds since the epoch, to the millisecond.
    pub(super) fn ts(&self, bins: f64) -> f64 {
        ((self.start_ts + bins * self.bin_s) * 1e3).round() / 1e3
    }

    /// What a running total of the process has grown by since it started.
    fn since_start(&self, totals: &Totals, at: f64) -> f64 {
        let from = self.restart.filter(|restart| *restart as f64 <= at);
        totals.at(at) - from.map_or(0.0, |from| totals.at(from as f64))
    }

    /// Whether the process runs.
    pub(super) fn is_up(&self, at: f64) -> bool {
        let starting = |restart: usize| (restart as f64..(restart + 1) as f64).contains(&at);
        !self.restart.is_some_and(starting) && !self.is_dead(at)
    }

    fn is_dead(&self, at: f64) -> bool {
        self.death.is_some_and(|death| at >= death)
    }
}

/// A machine, one of whose resources at least moves.
#[derive(Debug)]
pub(super) struct Machine {
    clock: Clock,
    host: host::Host,
    process: process::Process,
    memory: memory::Memory,
    disk: Option<disk::Disk>,
    connections: Option<connections::Connections>,
    descriptors: descriptors::Descriptors,
    processor: processor::Processor,
    upstream: Option<upstream::Upstream>,
}

impl Machine {
    /// Sizes and neighbours by chance.
    pub(super) fn new(clock: Clock, movers: &[Mover], bins: usize, rng: &mut Rng) -> Self {
        let of = |kind: Kind| movers.iter().find(|mover| mover.kind == kind);
        let curve = |kind: Kind| of(kind).and_then(Curve::of);
        let requests = |kind: Kind| match of(kind).map(|mover| &mover.track) {
            Some(Track::Service(requests)) => Some(&**requests),
            Some(Track::Stock(_)) | None => None,
        };
        let (bytes, inodes) = (curve(Kind::Disk), curve(Kind::Inodes));
        let has_disk = bytes.is_some() || inodes.is_some();
        Self {
            clock,
            host: host::Host::new(rng, bins),
            process: process::Process::new(rng, bins, clock.bin_s),
            memory: memory::Memory::new(rng, curve(Kind::Memory), bins),
            disk: has_disk.then(|| disk::Disk::new(rng, bytes, inodes)),
            connections: curve(Kind::Connections)
                .map(|used| connections::Connections::new(rng, used)),
            descriptors: descriptors::Descriptors::new(rng, curve(Kind::Fd)),
            processor: processor::Processor::new(rng, requests(Kind::Cpu), bins, clock.bin_s),
            upstream: requests(Kind::Dependency).map(upstream::Upstream::new),
        }
    }

    /// The limit of what can run out.
    pub(super) fn limit(&self, kind: Kind) -> Option<Limit> {
        match kind {
            Kind::Memory => Some(self.memory.capacity()),
            Kind::Disk => self.disk.as_ref().map(disk::Disk::bytes_limit),
            Kind::Inodes => self.disk.as_ref().map(disk::Disk::inodes_limit),
            Kind::Connections => self.connections.as_ref().map(|used| used.limit()),
            Kind::Fd => Some(self.descriptors.capacity()),
            Kind::Cpu => Some(self.processor.capacity()),
            Kind::Dependency => Some(upstream::LIMIT),
        }
    }

    /// The jobs that there are.
    pub(super) fn jobs(&self) -> impl Iterator<Item = Job> {
        let has_database = self.connections.is_some();
        Job::ALL
            .into_iter()
            .filter(move |job| *job != Job::Postgres || has_database)
    }

    /// Writes what a job shows at an instant, in bins; whether it answers.
    pub(super) fn show(&self, job: Job, at: f64, sheet: &mut Sheet<'_>) -> bool {
        let clock = &self.clock;
        match job {
            Job::App => {
                if !clock.is_up(at) {
                    return false;
                }
                let open = self.connections.as_ref().map_or(0.0, |used| used.used(at));
                self.process.show(clock, at, sheet);
                self.memory.show_process(at, sheet);
                self.descriptors.show(clock, at, open, sheet);
                if let Some(connections) = &self.connections {
                    connections.show_app(clock, at, sheet);
                }
                if let Some(disk) = &self.disk {
                    disk.show_app(clock, at, sheet);
                }
                self.processor.show_app(clock, at, sheet);
                if let Some(upstream) = &self.upstream {
                    upstream.show(clock, at, sheet);
                }
            }
            Job::Container => {
                self.memory.show_container(clock, at, sheet);
                self.processor.show_container(clock, at, sheet);
                self.process.show_container(clock, at, sheet);
            }
            Job::Node => {
                self.host.show(at, sheet);
                if let Some(disk) = &self.disk {
                    disk.show_node(at, sheet);
                }
                let up = f64::from(u8::from(clock.is_up(at)));
                sheet.put("process_up", "", up);
            }
            Job::Postgres => {
                if let Some(connections) = &self.connections {
                    connections.show_database(at, sheet);
                }
            }
        }
        true
    }
}
