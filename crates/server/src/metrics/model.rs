//! What is counted of each model that is served.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::histogram::Histogram;
use super::text::{Kind, Text};

/// Why a request got no tensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Failed {
    /// The request made no sense.
    Invalid = 0,
    /// Too much was waiting.
    Full = 1,
    /// Its time was up before its turn.
    Late = 2,
    /// The model failed, or gave what cannot be sent.
    Model = 3,
}

/// All reasons, in the order of their discriminants, and what they are called.
const FAILED: [&str; 4] = ["invalid", "full", "late", "model"];

/// What one version of a model did.
#[derive(Debug)]
pub(crate) struct ModelMetrics {
    pub(crate) answered: AtomicU64,
    failed: [AtomicU64; FAILED.len()],
    /// Rows of the batches that ran.
    pub(crate) batch_rows: Histogram,
    /// From the arrival of a request until its batch begins.
    pub(crate) queue: Histogram,
    /// Of each batch.
    pub(crate) compute: Histogram,
    /// From the arrival of a request until its tensors are there.
    pub(crate) request: Histogram,
    /// Computing times of the batches of all requests, each counted for each of its requests, in nanoseconds.
    pub(crate) compute_of_requests_ns: AtomicU64,
}

impl ModelMetrics {
    pub(crate) fn new() -> Self {
        Self {
            answered: AtomicU64::new(0),
            failed: Default::default(),
            batch_rows: Histogram::of_sizes(),
            queue: Histogram::of_times(),
            compute: Histogram::of_times(),
            request: Histogram::of_times(),
            compute_of_requests_ns: AtomicU64::new(0),
        }
    }

    pub(crate) fn fail(&self, why: Failed) {
        self.failed[why as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn failures(&self) -> u64 {
        let counts = self
            .failed
            .iter()
            .map(|count| count.load(Ordering::Relaxed));
        counts.sum()
    }

    /// A request was answered `time` after it arrived.
    pub(crate) fn answer(&self, time: Duration) {
        self.answered.fetch_add(1, Ordering::Relaxed);
        self.request.add_time(time);
    }
}

/// One version of a model, as the page shows it.
#[derive(Debug)]
pub(crate) struct ModelRow<'a> {
    pub(crate) name: &'a str,
    pub(crate) version: &'a str,
    pub(crate) waiting: usize,
    pub(crate) metrics: &'a ModelMetrics,
}

/// The families of all models.
pub(crate) fn write(text: &mut Text, rows: &[ModelRow<'_>]) {
    let mut family = |name: &str, kind, help: &str, each: &dyn Fn(&mut Text, &ModelRow<'_>)| {
        text.family(name, kind, help);
        for row in rows {
            each(text, row);
        }
    };
    let name = "forestall_inference_requests_total";
    let help = "Requests to a model that were answered with tensors.";
    family(name, Kind::Counter, help, &|text, row| {
        let answered = row.metrics.answered.load(Ordering::Relaxed);
        text.sample(name, &labels(row), answered as f64);
    });
    let name = "forestall_inference_failures_total";
    let help = "Requests to a model that were not, by reason.";
    family(name, Kind::Counter, help, &|text, row| {
        for (reason, count) in FAILED.iter().zip(&row.metrics.failed) {
            let labels = [&labels(row)[..], &[("reason", reason)]].concat();
            text.sample(name, &labels, count.load(Ordering::Relaxed) as f64);
        }
    });
    let name = "forestall_inference_queue_requests";
    let help = "Requests that wait for their model.";
    family(name, Kind::Gauge, help, &|text, row| {
        text.sample(name, &labels(row), row.waiting as f64);
    });
    type Of = fn(&ModelMetrics) -> &Histogram;
    let histograms: [(&str, &str, Of); 4] = [
        (
            "forestall_inference_batch_rows",
            "Rows of the batches that ran.",
            |metrics| &metrics.batch_rows,
        ),
        (
            "forestall_inference_queue_seconds",
            "From the arrival of a request until its batch begins.",
            |metrics| &metrics.queue,
        ),
        (
            "forestall_inference_compute_seconds",
            "What a batch takes to run.",
            |metrics| &metrics.compute,
        ),
        (
            "forestall_inference_request_seconds",
            "From the arrival of a request until its tensors are there.",
            |metrics| &metrics.request,
        ),
    ];
    for (name, help, of) in histograms {
        family(name, Kind::Histogram, help, &|text, row| {
            of(row.metrics).write(text, name, &labels(row));
        });
    }
}

fn labels<'a>(row: &ModelRow<'a>) -> [(&'static str, &'a str); 2] {
    [("model", row.name), ("version", row.version)]
}
