//! What single steps tell, and where troughs and peaks go.

use super::line::slope;
use super::soft;
use crate::headroom::TRACE_BINS;
use crate::headroom::schema::{Columns, place};

/// Bins of a block whose extremes make up the envelope.
const BLOCK: usize = 16;

/// What single steps from bin to bin tell.
pub(super) fn steps(levels: &[f32], per_left: f32, row: &mut Columns) {
    let n = levels.len();
    for (k, span) in [24, 96].into_iter().enumerate() {
        let last = &levels[n - (span + 1).min(n)..];
        let (mut ups, mut gained, mut lost) = (0.0, 0.0, 0.0);
        for pair in last.windows(2) {
            let step = pair[1] - pair[0];
            ups += f32::from(u8::from(step > 0.0)) - f32::from(u8::from(step < 0.0));
            gained += step.max(0.0);
            lost += (-step).max(0.0);
        }
        row[const { place("climbs_24") } + k] = ups / (last.len() - 1) as f32;
        row[const { place("gained_24") } + 2 * k] = soft(4.0 * gained * per_left);
        row[const { place("given_back_24") } + 2 * k] = lost / (gained + lost + 1e-6);
    }
    // Falls and jumps within 3 bins, so that one that is spread over two scrapes counts as one.
    let (mut fall, mut fall_age, mut jump, mut jump_age) = (0.0f32, n, 0.0f32, n);
    let (mut sum, mut largest_share, mut falls) = (0.0f32, 0.0f32, 0.0f32);
    for (i, &level) in levels.iter().enumerate().skip(1) {
        let step = level - levels[i.saturating_sub(2)];
        if -step > fall {
            (fall, fall_age) = (-step, n - 1 - i);
        }
        if step > jump {
            (jump, jump_age) = (step, n - 1 - i);
        }
        let single = level - levels[i - 1];
        sum += single.max(0.0);
        largest_share = largest_share.max(single);
        falls += f32::from(u8::from(single < -0.08));
    }
    row[const { place("largest_fall") }] = soft(4.0 * fall * per_left);
    row[const { place("largest_fall_age") }] = soft(fall_age as f32 / 16.0);
    row[const { place("largest_jump") }] = soft(4.0 * jump * per_left);
    row[const { place("largest_jump_age") }] = soft(jump_age as f32 / 16.0);
    row[const { place("falls") }] = soft(falls);
    // What part of the way up was made in the largest step: near 1 for a staircase, near 0 for a ramp.
    row[const { place("step_share") }] = largest_share / (sum + 1e-6);
    row[const { place("last_step") }] = soft(4.0 * (levels[n - 1] - levels[n - 2]) * per_left);
    // How alike neighbouring steps are: near 1 for a smooth curve, -0.5 for noise about one.
    let (mut same, mut all, mut before) = (0.0, 1e-9, 0.0);
    for pair in levels[n - 64.min(n)..].windows(2) {
        let step = pair[1] - pair[0];
        same += step * before;
        all += step * step;
        before = step;
    }
    row[const { place("smooth") }] = same / all;
}

/// Where the troughs and the peaks go: what a sawtooth leaves behind.
pub(super) fn envelope(levels: &[f32], per_half_hour: f32, row: &mut Columns) {
    let n = levels.len();
    let blocks = n / BLOCK;
    let (mut lows, mut highs) = ([0.0; TRACE_BINS / BLOCK], [0.0; TRACE_BINS / BLOCK]);
    for (i, block) in levels[n - blocks * BLOCK..].chunks_exact(BLOCK).enumerate() {
        lows[i] = block.iter().copied().fold(f32::MAX, f32::min);
        highs[i] = block.iter().copied().fold(f32::MIN, f32::max);
    }
    let short = blocks.saturating_sub(6);
    row[const { place("trough_trend") }] =
        soft(slope(&lows[short..blocks], BLOCK as f32) * per_half_hour);
    row[const { place("peak_trend") }] =
        soft(slope(&highs[short..blocks], BLOCK as f32) * per_half_hour);
    row[const { place("trough_trend_long") }] =
        soft(slope(&lows[..blocks], BLOCK as f32) * per_half_hour);
    row[const { place("peak_trend_long") }] =
        soft(slope(&highs[..blocks], BLOCK as f32) * per_half_hour);
}
