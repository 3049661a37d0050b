//! What is counted of the lookout.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Counts since the start.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    refreshed: AtomicU64,
    refresh_ns: AtomicU64,
    panics: AtomicU64,
}

impl Tally {
    pub(super) fn refreshed(&self, n: usize, took: Duration) {
        self.refreshed.fetch_add(n as u64, Ordering::Relaxed);
        let ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.refresh_ns.fetch_add(ns, Ordering::Relaxed);
    }

    pub(super) fn panicked(&self) {
        self.panics.fetch_add(1, Ordering::Relaxed);
    }

    /// Outlooks that were made.
    pub(crate) fn n_refreshed(&self) -> u64 {
        self.refreshed.load(Ordering::Relaxed)
    }

    /// What making them took, in seconds.
    pub(crate) fn refresh_s(&self) -> f64 {
        self.refresh_ns.load(Ordering::Relaxed) as f64 / 1e9
    }

    /// Panics of the lookout's thread; it began again after each.
    pub(crate) fn n_panics(&self) -> u64 {
        self.panics.load(Ordering::Relaxed)
    }
}
