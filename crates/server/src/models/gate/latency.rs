//! How long a step takes.

use std::time::Instant;

use predict::forecast::{Batch, Model, StepError};

use super::replay::BATCH;

/// Calls that are timed, after a tenth of them to warm up.
const CALLS: usize = 200;

/// Microseconds per series and step in batches of 128: the least of many calls, since everything else that runs on the
/// machine only ever adds to it.
///
/// # Errors
/// [`StepError`] of the model.
pub fn step_us(model: &dyn Model) -> Result<f64, StepError> {
    let mut session = model.session()?;
    let mut batch = Batch::default();
    batch.resize(BATCH, model.signature());
    batch.x.fill(0.1);
    batch.h.fill(0.0);
    batch.c.fill(0.0);
    let mut least = f64::INFINITY;
    for call in 0..CALLS + CALLS / 10 {
        let begin = Instant::now();
        session.step(&mut batch)?;
        if call >= CALLS / 10 {
            least = least.min(begin.elapsed().as_secs_f64());
        }
    }
    Ok(least * 1e6 / BATCH as f64)
}
