//! What is seen of a service: bin by bin, and over the last bins.

use features::headroom::histogram_quantile;

/// Bins over which latency and errors are taken.
pub const OVER_BINS: usize = 5;
/// Upper bounds of the histogram of latencies, in parts of the objective: those of most client libraries, for one second.
pub(in crate::exhaustion) const BOUNDS: [f64; 10] =
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

/// What one bin saw.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::exhaustion) struct Seen {
    /// Requests that ended.
    pub(in crate::exhaustion) count: f64,
    /// Those of them that failed.
    pub(in crate::exhaustion) failed: f64,
    /// How long they took, in bins.
    pub(in crate::exhaustion) sum: f64,
    /// The share of the processor, or of the workers, that was busy.
    pub(in crate::exhaustion) busy: f64,
    /// Requests per bucket of [`BOUNDS`], not added up.
    pub(in crate::exhaustion) le: [f64; BOUNDS.len() + 1],
}

impl Seen {
    /// All of these bins as one; busy is their mean.
    pub(super) fn all<'a>(bins: impl ExactSizeIterator<Item = &'a Self>) -> Self {
        let (mut all, n) = (Self::default(), bins.len() as f64);
        for seen in bins {
            all.count += seen.count;
            all.failed += seen.failed;
            all.sum += seen.sum;
            all.busy += seen.busy / n;
            for (to, from) in all.le.iter_mut().zip(&seen.le) {
                *to += from;
            }
        }
        all
    }

    /// A quantile of the latencies in parts of the objective, were the bounds [`BOUNDS`]; 0 without requests.
    pub(super) fn quantile(&self, q: f64) -> f64 {
        let (mut bounds, mut below) = ([f64::INFINITY; BOUNDS.len() + 1], self.le);
        bounds[..BOUNDS.len()].copy_from_slice(&BOUNDS);
        for i in 1..below.len() {
            below[i] += below[i - 1];
        }
        histogram_quantile(&bounds, &below, q).unwrap_or(0.0)
    }
}
