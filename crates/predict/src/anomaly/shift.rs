//! Level shift and variance shift: small deviations that add up (Page's cumulative sum, Biometrika 41 (1954)).
//!
//! Three sums: upwards and downwards of the level in slow robust standard deviations, and of the squared change over
//! its usual size. Each drifts back by a slack per sample, so that noise alone does not climb.

use bytemuck::{Pod, Zeroable};
use catalog::{BuildError, Context, Entry, Params};
use features::{Row, column};
use serde::Deserialize;

use crate::anomaly::{Detector, PerSeries, Table};

/// See the module.
pub(super) const ENTRY: Entry<dyn Detector> = Entry {
    name: "shift",
    about: "cumulative sums of level and variance: slow or small lasting shifts",
    example: "slack = 0.5\nhalf_sum = 20.0",
    build,
};

/// No single sample adds more than this: a spike is not a shift.
const MOST_PER_SAMPLE: f32 = 4.0;
/// The sums end here, so that a shift that stays is forgotten within this many samples over the slack.
const MOST: f32 = 200.0;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shift {
    /// Standard deviations forgiven per sample.
    slack: f32,
    /// The sum at which the raw score is one half.
    half_sum: f32,
}

fn build(params: &Params, _: &Context) -> Result<Box<dyn Detector>, BuildError> {
    let rule: Shift = params.read(ENTRY.name)?;
    super::within(ENTRY.name, "slack", rule.slack, 0.0, MOST_PER_SAMPLE)?;
    super::within(ENTRY.name, "half_sum", rule.half_sum, 0.0, MOST)?;
    Ok(Box::new(Table::new(rule)))
}

/// The sums of one series.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Sums {
    up: f32,
    down: f32,
    wild: f32,
}

impl PerSeries for Shift {
    type State = Sums;

    fn step(&self, sums: &mut Sums, row: &Row) -> f32 {
        let level = row.columns[column::LEVEL].clamp(-MOST_PER_SAMPLE, MOST_PER_SAMPLE);
        let change = row.columns[column::DIFFERENCE].abs().min(MOST_PER_SAMPLE);
        let climb = |sum: &mut f32, by: f32| *sum = (*sum + by - self.slack).clamp(0.0, MOST);
        climb(&mut sums.up, level);
        climb(&mut sums.down, -level);
        // A squared standard normal has mean 1: what is above it adds up, at half weight.
        climb(&mut sums.wild, 0.5 * (change * change - 1.0));
        let most = sums.up.max(sums.down).max(sums.wild);
        most / (most + self.half_sum)
    }
}
