//! Memory that is held on to: until the kernel kills for the control group, or, without one, until no more is given.

use std::fs;
use std::io;

use rustix::process::{Resource, getrlimit, setrlimit};

use super::{DriverError, Evidence, Fault};
use crate::metrics::Metrics;

/// Of what is held, so much at a time: fine enough for a curve, coarse enough to be quick.
const CHUNK_BYTES: usize = 256 << 10;
/// Of each chunk, for the allocator: without it a chunk would take a page more.
const HEAD_BYTES: usize = 64;
/// Given back when no more is to be had, so that the process can go on to say so.
const SPARE: usize = 8;
/// Requests of each step: the application does what applications do.
const REQUESTS: f64 = 3.0;

pub(super) struct Memory {
    limit: f64,
    /// What is used of the limit before anything is held.
    own: f64,
    bounded_at: Option<f64>,
    chunks: Vec<Vec<u8>>,
    metrics: Metrics,
}

impl Memory {
    pub(super) fn start(limit: f64, grouped: bool, metrics: &Metrics) -> Result<Self, DriverError> {
        let size = space_bytes()?;
        let mut bounded_at = None;
        if !grouped {
            // Address space is what a process may be bounded in without any right. What the program maps of itself is
            // no part of the limit that was asked for.
            let bytes = size + limit;
            #[expect(clippy::cast_sign_loss, reason = "a sum of sizes")]
            let soft = bytes as u64;
            let mut bound = getrlimit(Resource::As);
            bound.current = Some(soft);
            setrlimit(Resource::As, bound).map_err(|errno| DriverError::Io {
                doing: "bounding the address space",
                source: errno.into(),
            })?;
            bounded_at = Some(bytes);
        }
        Ok(Self {
            limit,
            own: 0.0,
            bounded_at,
            chunks: Vec::new(),
            metrics: metrics.clone(),
        })
    }
}

/// Bytes of address space now.
fn space_bytes() -> Result<f64, DriverError> {
    let path = "/proc/self/statm";
    let text = fs::read_to_string(path).map_err(DriverError::io("reading /proc/self/statm"))?;
    let pages = text
        .split_ascii_whitespace()
        .next()
        .and_then(|column| column.parse::<f64>().ok());
    let nonsense = DriverError::io("reading /proc/self/statm");
    let pages = pages.ok_or_else(|| nonsense(io::ErrorKind::InvalidData.into()))?;
    Ok(pages * rustix::param::page_size() as f64)
}

/// A chunk that is really there; `None` if it is not to be had.
fn chunk() -> Option<Vec<u8>> {
    let mut chunk = Vec::new();
    chunk.try_reserve_exact(CHUNK_BYTES - HEAD_BYTES).ok()?;
    chunk.resize(CHUNK_BYTES - HEAD_BYTES, 1);
    Some(chunk)
}

impl Fault for Memory {
    fn begin(&mut self, used_bytes: f64) {
        self.own = used_bytes;
    }

    fn step(&mut self, level: f64) -> Result<Option<Evidence>, DriverError> {
        let bytes = (level * self.limit - self.own).max(0.0);
        #[expect(clippy::cast_sign_loss, reason = "at least 0")]
        let wanted = (bytes / CHUNK_BYTES as f64) as usize;
        self.chunks.truncate(wanted);
        let mut evidence = None;
        while self.chunks.len() < wanted {
            if let Some(chunk) = chunk() {
                self.chunks.push(chunk);
            } else {
                let room = self.chunks.len().saturating_sub(SPARE);
                self.chunks.truncate(room);
                let text = "ENOMEM: the system gives no more memory to the process";
                evidence = Some(Evidence::now(text.to_owned()));
                break;
            }
        }
        self.metrics
            .set("app_heap_chunks", self.chunks.len() as f64);
        self.metrics.add("app_requests_total", "", REQUESTS);
        Ok(evidence)
    }

    fn limit(&self) -> Option<f64> {
        self.bounded_at
    }
}
