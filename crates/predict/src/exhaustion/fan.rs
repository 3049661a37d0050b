//! Where a level may go.

use features::headroom::{BIN_S, Columns, place};

use super::{FAN_POINTS, Fan};

/// Where the level may go. Each line reaches the limit at its quantile of the time to exhaustion, so fan and times cannot
/// contradict each other; where none is foreseen the lines part by what the level did so far.
pub(super) fn fan(limit: f64, levels: &[f32], ttf_s: [f64; 3], columns: &Columns) -> Fan {
    let mut fan = Fan::default();
    let now = levels.last().copied().unwrap_or(0.0);
    let mut squares = 0.0f32;
    for pair in levels.windows(2) {
        squares += (pair[1] - pair[0]).powi(2);
    }
    let step = (squares / levels.len().max(2) as f32).sqrt();
    // The trend of the last quarter of an hour fades, as trends do.
    let soft = columns[const { place("trend_48") }];
    let slope = soft.signum() * (soft.abs().exp() - 1.0) * (1.0 - now).max(0.02) / 90.0;
    let unit = limit as f32;
    // Beyond the median time by more than half, at least ten minutes, at most a day; half an hour where none is foreseen.
    let far = if ttf_s[1].is_finite() {
        ttf_s[1] * 1.6
    } else {
        1_800.0
    };
    let far = far.clamp(600.0, 86_400.0) as f32;
    for i in 0..FAN_POINTS {
        let s = far * (i + 1) as f32 / FAN_POINTS as f32;
        let bins = s / BIN_S as f32;
        let calm = now + slope * 30.0 * (1.0 - (-bins / 30.0).exp());
        let spread = 1.645 * step * bins.sqrt();
        fan.ahead_s[i] = s;
        let lines = [calm + spread, calm, calm - spread];
        let lines = [0, 1, 2].map(|k| unit * line(now, s, ttf_s[k], lines[k]));
        [fan.high[i], fan.median[i], fan.low[i]] = lines;
    }
    fan
}

/// The level `s` seconds on: on its way to the limit, or at `calm` where the limit is not foreseen.
pub(super) fn line(now: f32, s: f32, ttf_s: f64, calm: f32) -> f32 {
    if ttf_s.is_finite() {
        now + (1.0 - now) * (s / ttf_s.max(1.0) as f32).min(1.0)
    } else {
        calm.clamp(0.0, 1.0)
    }
}
