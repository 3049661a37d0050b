//! The past played again: paths made of blocks of past increments, and how many of them reach the limit.

use super::super::exam::HORIZONS_S;
use super::{Baseline, Past, Prediction, passage::exhausted};
use crate::rng::SplitMix;

pub(super) const BASELINE: Baseline = Baseline {
    name: "bootstrap",
    about: "200 paths of resampled blocks of the increments of the last 30 minutes, two hours ahead",
    foresee,
};

const WINDOW_S: f64 = 1_800.0;
/// Increments that stay together, so that a sawtooth or a step stays one.
const BLOCK: usize = 4;
const PATHS: usize = 200;
const AHEAD_S: f64 = 7_200.0;
/// Steps of a path at most, however close the samples are.
const MAX_STEPS: usize = 720;
const SEED: u64 = 0xB007;

fn foresee(past: Past<'_>) -> Option<Prediction> {
    let points = past.last(WINDOW_S).points();
    let (&(first_s, _), &(last_s, newest)) = (points.first()?, points.last()?);
    if newest >= 1.0 {
        return exhausted();
    }
    let rises: Vec<f64> = points
        .windows(2)
        .map(|pair| pair[1].1 - pair[0].1)
        .collect();
    if rises.len() < 2 * BLOCK {
        return None;
    }
    let step_s = ((last_s - first_s) / rises.len() as f64).max(AHEAD_S / MAX_STEPS as f64);
    #[expect(
        clippy::cast_sign_loss,
        reason = "a positive time over a positive step"
    )]
    let steps = (AHEAD_S / step_s) as usize;
    let mut random = SplitMix::new(SEED);
    let mut reached: Vec<usize> = (0..PATHS)
        .map(|_| path(newest, &rises, steps, &mut random))
        .collect();
    reached.sort_unstable();
    let time = |step: usize| {
        if step > steps {
            f64::INFINITY
        } else {
            step as f64 * step_s
        }
    };
    let p = HORIZONS_S.map(|horizon_s| {
        reached.partition_point(|step| time(*step) <= horizon_s) as f64 / PATHS as f64
    });
    let ttf_s = [PATHS / 20, PATHS / 2, PATHS - PATHS / 20].map(|place| time(reached[place - 1]));
    Prediction::new(p, ttf_s)
}

/// The step at which one path is at the limit; one more than `steps` if it never is.
fn path(mut level: f64, rises: &[f64], steps: usize, random: &mut SplitMix) -> usize {
    let mut step = 0;
    while step < steps {
        let from = random.below(rises.len() - BLOCK + 1);
        for rise in &rises[from..from + BLOCK] {
            step += 1;
            // Nothing is used less than not at all.
            level = (level + rise).max(0.0);
            if level >= 1.0 {
                return step.min(steps + 1);
            }
        }
    }
    steps + 1
}
