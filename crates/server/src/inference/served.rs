//! One version of a model that can be asked: its queue, its sessions, its counters.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use parking_lot::Mutex;

use super::batch;
use super::edition::Edition;
use super::queue::{Failure, Job, Queue};
use super::runner::{Description, Rows, RunError, Runner, Session};
use super::tensor::Tensor;
use crate::metrics::{Failed, ModelMetrics, nanos};

/// A loaded model. Whoever asks it holds an [`Arc`]: a model that is replaced ends when its last request has.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) name: String,
    /// As clients write it.
    pub(crate) version: String,
    pub(crate) metrics: Arc<ModelMetrics>,
    pub(super) queue: Mutex<Queue>,
    runner: Arc<dyn Runner>,
    sessions: Sessions,
    max_tensor_bytes: usize,
}

/// Sessions that nobody uses right now: as many as ever ran at once.
#[derive(Default)]
struct Sessions(Mutex<Vec<Box<dyn Session>>>);

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sessions({})", self.0.lock().len())
    }
}

impl Served {
    pub(crate) fn new(
        name: &str,
        version: Edition,
        runner: Arc<dyn Runner>,
        metrics: Arc<ModelMetrics>,
        max_tensor_bytes: usize,
    ) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_string(),
            metrics,
            queue: Mutex::default(),
            runner,
            sessions: Sessions::default(),
            max_tensor_bytes,
        }
    }

    pub(crate) fn description(&self) -> &Description {
        self.runner.description()
    }

    /// Requests that wait.
    pub(crate) fn waiting(&self) -> usize {
        self.queue.lock().len()
    }

    /// As messages call it.
    pub(crate) fn title(&self) -> String {
        format!("model {:?} version {}", self.name, self.version)
    }

    /// Runs requests that fit together as one batch, and answers each. One that the model fails on does not spoil the
    /// others: then each runs alone. Callers that are gone or whose time is up are left out.
    pub(super) fn run(&self, jobs: &mut Vec<Job>) {
        let started = Instant::now();
        for job in jobs.extract_if(.., |job| job.deadline.is_some_and(|at| at <= started)) {
            self.metrics.fail(Failed::Late);
            // Here and below: a caller that is gone needs no answer.
            let _ = job.answer.send(Err(Failure::Late(self.title())));
        }
        jobs.retain(|job| !job.answer.is_closed());
        for job in jobs.iter() {
            self.metrics.queue.add_time(started - job.arrived);
        }
        if jobs.len() > 1
            && let Ok(outputs) = self.attempt(jobs)
        {
            let total = jobs.iter().map(|job| job.rows).sum();
            let mut from = 0;
            for job in jobs.drain(..) {
                let own = batch::cut(&outputs, total, from, job.rows);
                from += job.rows;
                self.answer(job, own);
            }
            return;
        }
        for job in jobs.drain(..) {
            let outputs = self.attempt(std::slice::from_ref(&job));
            self.answer(job, outputs);
        }
    }

    fn attempt(&self, jobs: &[Job]) -> Result<Vec<Tensor>, RunError> {
        let inputs = batch::join(jobs);
        let rows: usize = jobs.iter().map(|job| job.rows).sum();
        let started = Instant::now();
        let outputs = self.compute(&inputs)?;
        batch::check(self.description(), &outputs)?;
        let took = started.elapsed();
        let metrics = &self.metrics;
        metrics.batch_rows.add(rows as u64);
        metrics.compute.add_time(took);
        let of_requests = nanos(took).saturating_mul(jobs.len() as u64);
        metrics
            .compute_of_requests_ns
            .fetch_add(of_requests, Ordering::Relaxed);
        if self.description().rows == Rows::Independent {
            // Also a request that ran alone gets only as many rows as it has.
            return batch::cut(&outputs, rows, 0, rows);
        }
        Ok(outputs)
    }

    /// Runs the model on a session that nobody else uses.
    fn compute(&self, inputs: &[Tensor]) -> Result<Vec<Tensor>, RunError> {
        let idle = self.sessions.0.lock().pop();
        // A panic in a model must not take the thread, nor the requests that wait. Its session may be in any state
        // then, and is not used again.
        let ran = catch_unwind(AssertUnwindSafe(|| {
            let mut session = match idle {
                Some(session) => session,
                None => self.runner.session()?,
            };
            let outputs = session.run(inputs);
            Ok((session, outputs))
        }));
        let (session, outputs) = ran.map_err(|_| RunError("it panicked".to_owned()))??;
        self.sessions.0.lock().push(session);
        outputs
    }

    fn answer(&self, job: Job, outputs: Result<Vec<Tensor>, RunError>) {
        let answer = outputs
            .map_err(|error| Failure::Model {
                model: self.title(),
                what: error.to_string(),
            })
            .and_then(|outputs| self.small_enough(outputs));
        match &answer {
            Ok(_) => self.metrics.answer(job.arrived.elapsed()),
            Err(error) => {
                self.metrics.fail(Failed::Model);
                tracing::warn!(%error, "an inference failed");
            }
        }
        let _ = job.answer.send(answer);
    }

    fn small_enough(&self, outputs: Vec<Tensor>) -> Result<Vec<Tensor>, Failure> {
        let bytes = outputs.iter().map(|tensor| tensor.data.len()).sum();
        if bytes > self.max_tensor_bytes {
            return Err(Failure::Large {
                model: self.title(),
                bytes,
                allowed: self.max_tensor_bytes,
            });
        }
        Ok(outputs)
    }
}
