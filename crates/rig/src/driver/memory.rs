//! Memory that is held on to: until the kernel kills for the control group, or, without one, until no more is given.

use std::fs;
use std::io;

use rustix::process::{Resource, getrlimit, setrlimit};

use super::{DriverError, Evidence, Fault};
use crate::metrics::Metrics;

/// Of what is held, at most so much at a time: fine enough for a curve, coarse enough to be quick.
const CHUNK_BYTES: usize = 256 << 10;
/// Given back when no more is to be had, so that the process can go on to say so.
const SPARE: usize = 8;
/// Requests of each step: the application does what applications do.
const REQUESTS: f64 = 3.0;

pub(super) struct Memory {
    limit: f64,
    /// What the process itself takes of the limit.
    own: f64,
    bounded_at: Option<f64>,
    chunks: Vec<Vec<u8>>,
    metrics: Metrics,
}

impl Memory {
    pub(super) fn start(limit: f64, grouped: bool, metrics: &Metrics) -> Result<Self, DriverError> {
        let [size, resident] = pages()?;
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
            own: if grouped {
                resident.min(0.1 * limit)
            } else {
                0.0
            },
            bounded_at,
            chunks: Vec::new(),
            metrics: metrics.clone(),
        })
    }
}

/// Bytes of address space, and of memory that is this process' alone.
fn pages() -> Result<[f64; 2], DriverError> {
    let text = fs::read_to_string("/proc/self/statm")
        .map_err(DriverError::io("reading /proc/self/statm"))?;
    let mut columns = text
        .split_ascii_whitespace()
        .map_while(|column| column.parse::<f64>().ok());
    let (Some(size), Some(resident), Some(shared)) =
        (columns.next(), columns.next(), columns.next())
    else {
        return Err(DriverError::Io {
            doing: "reading /proc/self/statm",
            source: io::ErrorKind::InvalidData.into(),
        });
    };
    let page = rustix::param::page_size() as f64;
    Ok([size * page, (resident - shared) * page])
}

/// A chunk that is really there; `None` if it is not to be had.
fn chunk() -> Option<Vec<u8>> {
    let mut chunk = Vec::new();
    chunk.try_reserve_exact(CHUNK_BYTES).ok()?;
    chunk.resize(CHUNK_BYTES, 1);
    Some(chunk)
}

impl Fault for Memory {
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
