//! Models as a service: which there are, who waits for them, and what goes through them together.
//!
//! Nothing here knows the protocol: `grpc/inference` reads requests into tensors and writes tensors into answers.

mod batch;
pub(crate) mod check;
mod edition;
mod follow;
mod graph;
mod library;
mod pool;
mod queue;
mod repository;
mod runner;
mod served;
mod step;
pub(crate) mod tensor;
#[cfg(test)]
mod tests;

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::config::InferenceConfig;
use tensor::Tensor;

pub(crate) use follow::follow;
pub(crate) use library::Models;
pub(crate) use pool::{Batching, Pool};
pub(crate) use queue::{Failure, Job, Room};
pub(crate) use repository::{Found, Library, Limits, Repository, Unavailable};
pub(crate) use runner::Slot;
pub(crate) use served::Served;

/// The models and the threads that run them.
#[derive(Debug)]
pub(crate) struct Inference {
    pub(crate) repository: Repository,
    /// Requests for models or versions that there are not.
    pub(crate) unknown: AtomicU64,
    pool: Pool,
    max_tensor_bytes: usize,
}

impl Inference {
    /// Starts the threads; models are served after [`Repository::refresh`].
    ///
    /// # Errors
    /// When the system gives no more threads.
    pub(crate) fn start(library: Box<dyn Library>, config: &InferenceConfig) -> io::Result<Self> {
        let batching = Batching {
            max_rows: config.max_batch,
            max_delay: Duration::from_micros(config.max_delay_us),
            room: Room {
                requests: config.queue,
                bytes: config.queue_bytes,
            },
        };
        let threads = match config.threads {
            0 => std::thread::available_parallelism()
                .map_or(1, usize::from)
                .div_ceil(2),
            n => n,
        };
        let limits = Limits {
            max_models: config.max_models,
            max_tensor_bytes: config.max_tensor_bytes,
        };
        Ok(Self {
            repository: Repository::new(library, limits),
            unknown: AtomicU64::new(0),
            pool: Pool::start(threads, batching)?,
            max_tensor_bytes: config.max_tensor_bytes,
        })
    }

    /// The most bytes that the tensors of one request may have.
    pub(crate) const fn max_tensor_bytes(&self) -> usize {
        self.max_tensor_bytes
    }

    /// Runs a model on checked tensors. `None` when the server stops first.
    pub(crate) async fn run(
        &self,
        model: &Arc<Served>,
        (inputs, rows): (Vec<Tensor>, usize),
        arrived: Instant,
        patience: Option<Duration>,
    ) -> Option<Result<Vec<Tensor>, Failure>> {
        let (answer, answered) = oneshot::channel();
        let job = Job {
            inputs,
            rows,
            arrived,
            deadline: patience.and_then(|patience| arrived.checked_add(patience)),
            answer,
        };
        if let Err(failure) = self.pool.submit(model, job) {
            return Some(Err(failure));
        }
        answered.await.ok()
    }
}
