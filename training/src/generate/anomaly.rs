//! What goes wrong: planted in place, and marked for nobody but tests.

use std::ops::Range;

use crate::rng::Rng;

/// Plants anomalies about every `spacing` samples.
#[expect(
    clippy::cast_sign_loss,
    reason = "logarithms of shares are below 0, lengths above"
)]
pub(super) fn plant(rng: &mut Rng, spacing: f64, values: &mut [f64], marks: &mut [bool]) {
    let sigma = spread(values);
    let gap = |rng: &mut Rng| 1 + (-spacing * (1.0 - rng.uniform()).ln()) as usize;
    let mut at = gap(rng);
    while at < values.len() {
        let length = rng.ratio(1.0, 60.0) as usize;
        let range = at..(at + length).min(values.len());
        let touched = bend(rng, sigma, values, range);
        marks[touched.clone()].fill(true);
        at = touched.end + gap(rng);
    }
}

/// A robust size of the changes and the spread of a series, above 0.
#[expect(clippy::cast_sign_loss, reason = "a share of a count")]
fn spread(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let quantile = |q: f64| sorted[((sorted.len() - 1) as f64 * q) as usize];
    let spread = (quantile(0.9) - quantile(0.1)) / 2.56;
    spread.max(quantile(0.5).abs() * 1e-3).max(1e-6)
}

/// Changes the values in `range`, or some of them; returns which.
fn bend(rng: &mut Rng, sigma: f64, values: &mut [f64], range: Range<usize>) -> Range<usize> {
    let size = sigma * rng.ratio(3.0, 40.0) * if rng.chance(0.75) { 1.0 } else { -1.0 };
    let first = values[range.start];
    match rng.below(7) {
        // A spike of one or two samples.
        0 | 1 => {
            let end = (range.start + 1 + rng.below(2)).min(range.end);
            for value in &mut values[range.start..end] {
                *value += size;
            }
            return range.start..end;
        }
        // Another level for a while.
        2 => values[range.clone()]
            .iter_mut()
            .for_each(|value| *value += size),
        // Noise of another size.
        3 => {
            for value in &mut values[range.clone()] {
                *value += 0.3 * size * rng.normal();
            }
        }
        // A climb that ends at once.
        4 => {
            let n = range.len() as f64;
            for (i, value) in values[range.clone()].iter_mut().enumerate() {
                *value += size * (i + 1) as f64 / n;
            }
        }
        // Frozen.
        5 => values[range.clone()].fill(first),
        // Gone: a process that reports nothing but 0.
        _ => values[range.clone()].fill(0.0),
    }
    range
}
