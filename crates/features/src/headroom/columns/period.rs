//! A period, and what it lets expect.

use super::line::Sums;
use super::{HALF_HOUR, soft};
use crate::headroom::schema::{Columns, place};

/// The sum of products, in eight lanes: one running sum would make each addition wait for the one before.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0f32; 8];
    let (mut of_a, mut of_b) = (a.chunks_exact(8), b.chunks_exact(8));
    for (a, b) in of_a.by_ref().zip(of_b.by_ref()) {
        for (lane, (x, y)) in lanes.iter_mut().zip(a.iter().zip(b)) {
            *lane += x * y;
        }
    }
    let rest = of_a.remainder().iter().zip(of_b.remainder());
    lanes.iter().sum::<f32>() + rest.map(|(x, y)| x * y).sum::<f32>()
}

/// A period, if there is one: every other bin of the last 192, without their line.
pub(super) fn period(levels: &[f32], sums: &Sums, per_left: f32, row: &mut Columns) {
    const HALF: usize = 96;
    let n = levels.len();
    let m = (n / 2).min(HALF);
    if m < 16 {
        return;
    }
    let line = sums.line(0, 2 * m);
    let mut rest = [0.0f32; HALF];
    let mut power = 1e-9;
    for (i, x) in rest[..m].iter_mut().enumerate() {
        // Age of the pair of bins, oldest first.
        let age = 2 * (m - 1 - i);
        let level = 0.5 * (levels[n - 1 - age] + levels[n - 2 - age]);
        *x = level - (line.end - line.slope * (age as f32 + 0.5));
        power += *x * *x;
    }
    let rest = &rest[..m];
    // The highest peak of the autocorrelation after it first fell below 0.
    let (mut best, mut best_lag, mut fell) = (0.0f32, 0, false);
    for lag in 3..m / 2 {
        let sum = dot(&rest[lag..], &rest[..m - lag]);
        let correlation = sum / power * m as f32 / (m - lag) as f32;
        fell |= correlation < 0.0;
        if fell && correlation > best {
            (best, best_lag) = (correlation, lag);
        }
    }
    if best_lag == 0 {
        return;
    }
    let lag = 2 * best_lag;
    row[const { place("period_strength") }] = best;
    row[const { place("period_length") }] = soft(lag as f32 / 16.0);
    // What the top of the coming period would be, if it repeats the last and goes on drifting as since the one before.
    let last = &levels[n - lag..];
    let high = last.iter().copied().fold(f32::MIN, f32::max);
    let drift = if n >= 2 * lag {
        sums.mean(0, lag) - sums.mean(lag, 2 * lag)
    } else {
        0.0
    };
    row[const { place("period_top") }] = soft(4.0 * (high + drift - levels[n - 1]) * per_left);
    row[const { place("period_drift") }] = soft(4.0 * drift * per_left * HALF_HOUR / lag as f32);
}
