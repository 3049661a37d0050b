//! The row of numbers that is made of a window of levels.

mod climb;
mod line;
mod period;
mod steps;

use super::TRACE_BINS;
use super::schema::{Columns, N_HEADROOM, place};
use line::{Line, Sums};

/// Bins of half an hour: movements are told per half hour, in parts of what is left.
const HALF_HOUR: f32 = 90.0;
/// Bins over which lines are fitted.
const SPANS: [usize; 8] = [3, 6, 12, 24, 48, 96, 160, 256];
/// How far back means are taken: each of the last, and of twice as long before.
const LAGS: [usize; 7] = [1, 3, 7, 15, 31, 63, 127];
/// Bins over which extremes are taken.
const EXTREMES: [usize; 3] = [12, 48, 192];
/// Less than this is never left: movements stay finite at the limit.
const LEAST_LEFT: f32 = 0.02;

/// Draws in what is large: the sign and the order of magnitude stay.
fn soft(x: f32) -> f32 {
    // ln(1 + |x|) with the sign; finite for whatever is finite.
    let y = (1.0 + x.abs()).ln();
    if x < 0.0 { -y } else { y }
}

/// The row of a window of levels, oldest first; all zero when there are fewer than 2.
///
/// `levels`: shape `(n,)`, at most [`TRACE_BINS`], shares of a limit. Every column is finite, and of the order of 1.
/// O(n) but for the search of a period, which takes about 3,000 multiplications. Allocates nothing.
#[must_use]
pub fn columns(levels: &[f32]) -> Columns {
    let mut row = [0.0; N_HEADROOM];
    let n = levels.len().min(TRACE_BINS);
    let levels = &levels[levels.len() - n..];
    let Some(&now) = levels.last() else {
        return row;
    };
    if n < 2 {
        return row;
    }
    let sums = Sums::new(levels);
    let left = (1.0 - now).max(LEAST_LEFT);
    let per_left = 1.0 / left;
    let per_half_hour = HALF_HOUR * per_left;
    row[const { place("level") }] = now;
    row[const { place("left_log") }] = left.ln();
    row[const { place("seen_log") }] = (1.0 + n as f32).ln() / (1.0 + TRACE_BINS as f32).ln();
    let mut lines = [Line::default(); SPANS.len()];
    for (i, &span) in SPANS.iter().enumerate() {
        let line = sums.line(0, span.min(n));
        lines[i] = line;
        row[const { place("trend_3") } + i] = soft(line.slope * per_half_hour);
        row[const { place("noise_3") } + i] = soft(20.0 * line.noise * per_left);
    }
    for (i, line) in lines[2..6].iter().enumerate() {
        row[const { place("ahead_12") } + i] = soft(4.0 * (now - line.end) * per_left);
    }
    for (i, &lag) in LAGS.iter().enumerate() {
        let (from, to) = (lag.min(n), (2 * lag + 1).min(n));
        let before = if to > from {
            sums.mean(from, to)
        } else {
            levels[0]
        };
        row[const { place("rise_1") } + i] = soft(4.0 * (now - before) * per_left);
    }
    for (i, &span) in EXTREMES.iter().enumerate() {
        let last = &levels[n - span.min(n)..];
        let high = last.iter().copied().fold(f32::MIN, f32::max);
        let low = last.iter().copied().fold(f32::MAX, f32::min);
        row[const { place("above_12") } + i] = soft(4.0 * (high - now) * per_left);
        row[const { place("below_12") } + i] = soft(4.0 * (now - low) * per_left);
    }
    steps::steps(levels, per_left, &mut row);
    steps::envelope(levels, per_half_hour, &mut row);
    for (column, span) in [
        (const { place("bend_24") }, 24),
        (const { place("bend_48") }, 48),
        (const { place("bend_96") }, 96),
        (const { place("bend_192") }, 192),
    ] {
        let (half, whole) = ((span / 2).min(n), span.min(n));
        if whole > half {
            let bend = sums.line(0, half).slope - sums.line(half, whole).slope;
            row[column] = soft(bend * per_half_hour);
        }
    }
    climb::climb(levels, &sums, left, &mut row);
    period::period(levels, &sums, per_left, &mut row);
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_in_every_span() {
        let levels: Vec<f32> = (0..200u16).map(|i| 0.1 + 0.002 * f32::from(i)).collect();
        let row = columns(&levels);
        let left = 1.0 - levels[199];
        for name in ["trend_3", "trend_24", "trend_160"] {
            let expected = soft(0.002 * HALF_HOUR / left);
            assert!(
                (row[place(name)] - expected).abs() < 2e-3,
                "{name}: {} {expected}",
                row[place(name)]
            );
        }
        assert!(row[place("noise_48")] < 1e-2);
        assert!(row[place("climbs_96")] > 0.99);
        assert!(row[place("given_back_96")].abs() < 1e-6);
    }

    #[test]
    fn a_saw_has_a_period_and_no_trend_of_its_troughs() {
        let levels: Vec<f32> = (0..256u16)
            .map(|i| 0.2 + 0.02 * f32::from(i % 32))
            .collect();
        let row = columns(&levels);
        assert!(row[place("period_strength")] > 0.8);
        assert!((row[place("period_length")] - soft(2.0)).abs() < 0.1);
        assert!(row[place("trough_trend_long")].abs() < 0.2);
        assert!(row[place("falls")] > 1.5);
    }

    #[test]
    fn whatever_comes_in_finite_numbers_come_out() {
        for levels in [
            vec![],
            vec![0.5],
            vec![0.5, 0.5],
            vec![8.0; 256],
            vec![-1.0; 30],
            vec![1.0; 7],
        ] {
            assert!(columns(&levels).iter().all(|x| x.is_finite()), "{levels:?}");
        }
    }
}
