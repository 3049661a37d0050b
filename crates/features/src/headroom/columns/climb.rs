//! The climb that is under way.

use super::line::Sums;
use super::{HALF_HOUR, soft};
use crate::headroom::schema::{Columns, place};

/// The climb that is under way: since when, how far, how straight; and how long it rested at the top.
pub(super) fn climb(levels: &[f32], sums: &Sums, left: f32, row: &mut Columns) {
    let n = levels.len();
    let now = levels[n - 1];
    let low = levels.iter().copied().fold(f32::MAX, f32::min);
    let high = levels.iter().copied().fold(f32::MIN, f32::max);
    let reach = (high - low).max(1e-4);
    // It began when the level was last within a tenth of the way from the lowest.
    let base = low + 0.1 * reach;
    let age = levels
        .iter()
        .rev()
        .position(|&level| level <= base)
        .unwrap_or(n - 1);
    row[const { place("climb_age") }] = soft(age as f32 / 16.0);
    if age >= 2 {
        let rise = now - levels[n - 1 - age];
        let rate = rise / age as f32;
        let line = sums.line(0, age + 1);
        row[const { place("climb_rate") }] = soft(rate * HALF_HOUR / left);
        row[const { place("climb_straight") }] = line.noise / (rise.abs() + 1e-3);
        row[const { place("climb_rise") }] = soft(4.0 * rise / left);
        // Whether it slows down, as what settles does, or speeds up.
        if age >= 5 {
            let half = age.div_ceil(2);
            let bend = sums.line(0, half).slope - sums.line(half, age + 1).slope;
            row[const { place("climb_bend") }] = soft(bend * HALF_HOUR / left);
            row[const { place("climb_late") }] =
                soft(sums.line(0, age.div_ceil(4).max(2)).slope * HALF_HOUR / left);
        }
    }
    let deep = levels
        .windows(3)
        .filter(|w| w[0] - w[2] > 0.4 * reach && w[1] > w[2]);
    row[const { place("deep_falls") }] = soft(deep.count() as f32);
    // How long it has been within a tenth of its reach of where it is now.
    let near = 0.1 * reach;
    let rest = levels
        .iter()
        .rev()
        .position(|&level| (level - now).abs() > near)
        .unwrap_or(n - 1);
    row[const { place("rest_age") }] = soft(rest as f32 / 16.0);
    row[const { place("rest_before") }] = (now - low) / reach;
}
