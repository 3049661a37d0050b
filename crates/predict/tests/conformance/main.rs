//! What every detector promises, held against each entry of `DETECTORS`: a new detector is tested by being named there.
//!
//! Its rows come from the one extractor there is, over the synthetic series of `testkit`.

#![expect(
    clippy::unwrap_used,
    reason = "a test may panic, and knows its options"
)]

mod causal;
mod options;
mod rig;
mod scores;
mod state;

/// For `state`: nothing allocates after warm-up. It counts by thread, so the other tests may run beside it.
#[global_allocator]
static COUNTING: testkit::Counting = testkit::Counting;
