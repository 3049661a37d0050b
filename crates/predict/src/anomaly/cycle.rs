//! Cycle: the residual of a period that is found from the data, whatever the clock says.
//!
//! Block means of doubling length are kept until one octave shows a peak in their autocorrelation; the peak, refined by
//! a parabola through its neighbours (as in pitch tracking), is the period in samples. A profile of the period is then
//! learned, and the distance from it scored in units of its usual size. A profile that explains little is dropped, and
//! the search begins again. `season` knows the day and the week; this one finds the backup every six hours.

use bytemuck::{Pod, Zeroable};
use catalog::{BuildError, Context, Entry, Params};
use features::Row;
use serde::Deserialize;

use crate::anomaly::{Detector, PerSeries, Table};

/// See the module.
pub(super) const ENTRY: Entry<dyn Detector> = Entry {
    name: "cycle",
    about: "distance from a cycle whose period is found from the data",
    example: "correlation = 0.6\nhalf_sigma = 6.0",
    build,
};

/// Block means that a period is looked for in.
const BLOCKS: usize = 24;
/// Lags that are looked at, in blocks: one octave, and at least two cycles in view.
const LAGS: std::ops::RangeInclusive<usize> = 6..=12;
/// Blocks are at most two to this many samples long: periods up to about 50,000 samples.
const MOST_LEVELS: u8 = 12;
/// Phases of the profile.
const PHASES: usize = 20;
/// Cycles after which a profile must have proved itself, and then again.
const TRIAL_CYCLES: u16 = 4;
/// What a profile must leave at most of the plain deviation.
const EXPLAINS: f32 = 0.7;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cycle {
    /// The least autocorrelation at the period.
    correlation: f32,
    /// Usual distances at which the raw score is one half.
    half_sigma: f32,
}

fn build(params: &Params, _: &Context) -> Result<Box<dyn Detector>, BuildError> {
    let rule: Cycle = params.read(ENTRY.name)?;
    super::within(ENTRY.name, "correlation", rule.correlation, 0.0, 1.0)?;
    super::within(ENTRY.name, "half_sigma", rule.half_sigma, 0.0, 1e6)?;
    Ok(Box::new(Table::new(rule)))
}

/// The search, and the cycle that was found. All zeroes is a search not begun.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct State {
    blocks: [f32; BLOCKS],
    profile: [f32; PHASES],
    /// Sum and length of the block under way.
    sum: f32,
    count: u32,
    /// Samples per cycle; 0 while it is looked for.
    period: f32,
    /// Where in the cycle the next sample is, 0..1.
    phase: f32,
    /// Usual distance from the profile, and from the mean.
    distance: f32,
    plain: f32,
    mean: f32,
    /// Which phases were seen, a bit each.
    seen: u32,
    cycles: u16,
    /// Blocks are two to this samples long.
    level: u8,
    filled: u8,
}

impl PerSeries for Cycle {
    type State = State;

    fn step(&self, state: &mut State, row: &Row) -> f32 {
        if row.n == 0 {
            state.mean = row.x;
        }
        let rate = (1.0 / (row.n as f32 + 1.0)).max(1.0 / 512.0);
        state.mean += rate * (row.x - state.mean);
        state.plain += rate * ((row.x - state.mean).abs() - state.plain);
        if state.period > 0.0 {
            return self.follow(state, row);
        }
        state.search(row.x, self.correlation);
        0.0
    }
}

impl Cycle {
    /// Scores `x` against the profile, and learns it.
    fn follow(&self, state: &mut State, row: &Row) -> f32 {
        let bin = State::bin(state.phase);
        let is_new = state.seen & (1 << bin) == 0;
        state.seen |= 1 << bin;
        let off = row.x - state.profile[bin];
        let mut score = 0.0;
        if is_new {
            state.profile[bin] = row.x;
        } else {
            let usual = (1.25 * state.distance).max(row.floor);
            let z = off.abs() / usual;
            if state.cycles >= TRIAL_CYCLES && off.abs() > row.floor {
                score = z / (z + self.half_sigma);
            }
            let size = off.abs().min(4.0 * state.distance.max(row.floor));
            state.distance += (size - state.distance) / 32.0;
            let reach = 8.0 * state.plain.max(row.floor);
            state.profile[bin] += 0.2 * off.max(-reach).min(reach);
        }
        state.advance();
        score
    }
}

impl State {
    fn bin(phase: f32) -> usize {
        #[expect(clippy::cast_sign_loss, reason = "saturates at 0")]
        let bin = (phase * PHASES as f32) as usize;
        bin.min(PHASES - 1)
    }

    fn advance(&mut self) {
        self.phase += 1.0 / self.period.max(1.0);
        if self.phase < 1.0 {
            return;
        }
        self.phase -= 1.0;
        self.cycles = self.cycles.saturating_add(1);
        if self.cycles.is_multiple_of(TRIAL_CYCLES) && self.distance > EXPLAINS * self.plain {
            let (mean, plain) = (self.mean, self.plain);
            *self = Self {
                mean,
                plain,
                ..Self::zeroed()
            };
        }
    }

    /// Adds a sample to the block under way; a full set of blocks is looked through.
    fn search(&mut self, x: f32, least: f32) {
        self.sum += x;
        self.count += 1;
        if self.count < 1 << self.level.min(MOST_LEVELS) {
            return;
        }
        let filled = usize::from(self.filled).min(BLOCKS - 1);
        self.blocks[filled] = self.sum / self.count as f32;
        self.filled = filled as u8 + 1;
        (self.sum, self.count) = (0.0, 0);
        if usize::from(self.filled) < BLOCKS {
            return;
        }
        if let Some(lag) = self.peak(least) {
            self.period = lag * f32::from(1u16 << self.level.min(MOST_LEVELS));
            (self.phase, self.cycles, self.seen) = (0.0, 0, 0);
            self.distance = self.plain;
        } else if self.level >= MOST_LEVELS {
            (self.level, self.filled) = (0, 0);
        } else {
            for i in 0..BLOCKS / 2 {
                self.blocks[i] = 0.5 * (self.blocks[2 * i] + self.blocks[2 * i + 1]);
            }
            self.filled = (BLOCKS / 2) as u8;
            self.level += 1;
        }
    }

    /// The lag, in blocks, of the highest local peak of the autocorrelation that reaches `least`.
    fn peak(&self, least: f32) -> Option<f32> {
        let mean = self.blocks.iter().sum::<f32>() / BLOCKS as f32;
        let power = self
            .blocks
            .iter()
            .map(|x| (x - mean) * (x - mean))
            .sum::<f32>()
            / BLOCKS as f32;
        if power <= 0.0 || !power.is_finite() {
            return None;
        }
        let correlation = |lag: usize| {
            let pairs = self.blocks.iter().zip(&self.blocks[lag..]);
            pairs.map(|(a, b)| (a - mean) * (b - mean)).sum::<f32>() / (BLOCKS - lag) as f32 / power
        };
        let mut best: Option<(f32, f32)> = None;
        for lag in LAGS {
            let [before, here, after] =
                [correlation(lag - 1), correlation(lag), correlation(lag + 1)];
            let is_peak = here >= least && here > before && here >= after;
            if is_peak && best.is_none_or(|(height, _)| here > height) {
                let bend = before - 2.0 * here + after;
                let shift = if bend < 0.0 {
                    0.5 * (before - after) / bend
                } else {
                    0.0
                };
                best = Some((here, lag as f32 + shift.clamp(-0.5, 0.5)));
            }
        }
        best.map(|(_, lag)| lag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Cycle = Cycle {
        correlation: 0.6,
        half_sigma: 6.0,
    };

    /// Feeds a wave of this period, with a bump at one place if asked; the state and the scores.
    fn wave(period: f32, n: u32, bump_at: Option<u32>) -> (State, Vec<f32>) {
        let mut state = State::zeroed();
        let scores = (0..n).map(|n| {
            let x = (n as f32 / period * std::f32::consts::TAU).sin();
            let x = if bump_at == Some(n) { x + 0.9 } else { x };
            RULE.step(
                &mut state,
                &Row {
                    x,
                    n,
                    floor: 1e-6,
                    ..Row::default()
                },
            )
        });
        let scores = scores.collect();
        (state, scores)
    }

    #[test]
    fn the_period_is_found_over_three_orders_of_magnitude() {
        for period in [9u16, 37, 200, 1440, 9000] {
            let (state, _) = wave(f32::from(period), 8 * u32::from(period), None);
            let error = (state.period / f32::from(period) - 1.0).abs();
            assert!(error < 0.05, "{period}: found {}", state.period);
        }
    }

    #[test]
    fn a_value_that_is_usual_elsewhere_in_the_cycle_is_odd_here() {
        let at = 200 * 30 + 10;
        let (_, scores) = wave(200.0, at + 50, Some(at));
        let before = scores[200 * 20..at as usize]
            .iter()
            .copied()
            .fold(0.0, f32::max);
        assert!(
            scores[at as usize] > 1.5 * before,
            "{} {before}",
            scores[at as usize]
        );
    }

    #[test]
    fn a_constant_has_no_period() {
        let mut state = State::zeroed();
        for n in 0..5000 {
            let score = RULE.step(
                &mut state,
                &Row {
                    x: 3.0,
                    n,
                    floor: 1e-3,
                    ..Row::default()
                },
            );
            assert!(score <= 0.0);
        }
        assert!(state.period <= 0.0);
    }
}
