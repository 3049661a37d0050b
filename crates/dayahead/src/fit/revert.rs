//! Does the level come back to its line?
//!
//! Exponential smoothing takes whatever lingers for a level that stays: a morning that is busier than most becomes a
//! busier tomorrow, with a band as wide as a random walk. What the level did over half a day and a whole one tells the
//! two apart: a random walk goes twice as far (in variance) in twice the time, and what comes back goes no further.

use super::ets::Smooth;
use crate::robust::{self, Straightened};

/// What stays of a deviation after one slot, slowest first; 1 is a random walk.
const STAYS: [f64; 9] = [1.0, 0.99, 0.98, 0.96, 0.93, 0.9, 0.85, 0.8, 0.7];

/// Days without which the variance over one is a guess.
const LEAST_DAYS: usize = 3;

/// Deviations from the line that are wider than this many times what a day's forecast may be off by do not come from
/// coming back late: the line is not one. A step, a bend, a walk.
const STRAIGHT: f64 = 1.5;

/// Where the level has been for the latest quarter of a day, in usual deviations from the line: further away, it has
/// moved for another reason, and nothing tells that it will be back.
const AWAY: f64 = 2.0;

/// Lets the forecast come back to the line, and its errors fade, as fast as the deviations from that line have been
/// seen to.
pub(super) fn revert(smooth: &mut Smooth, line: &Straightened, day: usize) {
    let deviations = &line.deviations;
    if deviations.len() < LEAST_DAYS * day {
        return;
    }
    let moved = |slots: usize| {
        let differences: Vec<f64> = deviations
            .iter()
            .zip(&deviations[slots..])
            .map(|(from, to)| to - from)
            .collect();
        robust::center(&differences).map_or(0.0, |(_, spread)| spread * spread)
    };
    let square = |values: &[f64]| robust::center(values).map_or(0.0, |(_, spread)| spread * spread);
    let (half, whole) = (moved(day / 2), moved(day));
    // With q the variance that a walk gains in a day and s that of what comes back: whole = 2s + q, half = 2s + q/2. A
    // forecast that knows today is off by s + q.
    let ahead = (whole + 2.0 * (whole - half)).clamp(whole, 2.0 * whole) / 2.0;
    let one = square(&smooth.errors);
    let latest = &deviations[deviations.len() - day / 4..];
    let away = robust::center(latest).map_or(0.0, |(median, _)| median);
    let spread = square(deviations);
    if one <= 0.0 || spread > STRAIGHT * ahead || away * away > AWAY * AWAY * spread {
        return;
    }
    let faded = |stays: f64| {
        let squares = smooth.carry.iter().take(day).scan(1.0, |left, carry| {
            *left *= stays;
            Some((carry * *left).powi(2))
        });
        1.0 + squares.sum::<f64>()
    };
    // The fastest that leaves the band wide enough.
    let stays = STAYS
        .into_iter()
        .rev()
        .find(|&stays| faded(stays) * one >= ahead)
        .unwrap_or(STAYS[0]);
    let (mut left, n) = (1.0, deviations.len());
    for (slot, level) in smooth.path.iter_mut().enumerate() {
        left *= stays;
        if let Some(carry) = smooth.carry.get_mut(slot) {
            *carry *= left;
        }
        let straight = line.start + line.slope * (n + slot) as f64;
        *level = straight + left * (*level - straight);
    }
}

#[cfg(test)]
mod tests {
    use testkit::Noise;

    use super::*;
    use crate::fit::ets;

    /// A week whose last value is 0.1 above its line, of which this stays from slot to slot; where it is forecast to be
    /// in 12 hours.
    fn in_half_a_day(stays: f64, seed: u64) -> (f64, f64) {
        let mut noise = Noise::new(seed);
        let mut off = 0.0;
        let mut values: Vec<f64> = (0..333)
            .map(|_| {
                off = stays * off + 0.01 * noise.normal();
                0.5 + off
            })
            .collect();
        for _ in 0..3 {
            off = stays * off + 0.01 * noise.normal();
            values.push(0.6 + 0.1 * off);
        }
        let mut smooth = ets::smooth(&values, 48, ets::Trends::GoOn).expect("a model");
        let line = robust::straighten(&values).expect("a line");
        revert(&mut smooth, &line, 48);
        let variance = 1.0 + smooth.carry.iter().map(|carry| carry * carry).sum::<f64>();
        (smooth.path[24], variance)
    }

    #[test]
    fn what_comes_back_is_let_back_and_a_walk_is_not() {
        for seed in 0..5 {
            let (level, variance) = in_half_a_day(0.8, seed);
            assert!(
                (0.45..0.54).contains(&level) && variance < 6.0,
                "{level} {variance}"
            );
            let (level, variance) = in_half_a_day(1.0, seed);
            assert!(level > 0.56 && variance > 15.0, "{level} {variance}");
        }
    }
}
