//! Rarity: how much of the remembered past lies near the value, whatever the distribution.
//!
//! A sorted sample of the past, replaced at random so that it forgets exponentially (after Vitter's reservoir,
//! ACM TOMS 11 (1985), with the biased acceptance of Aggarwal, VLDB 2006). The score is the mean distance to the nearest few, as a
//! share of the running range: the streaming kin of a k-nearest-neighbour detector, and in one dimension of a
//! random cut forest, at a hundredth of its cost.

use bytemuck::{Pod, Zeroable};
use catalog::{BuildError, Context, Entry, Params};
use features::Row;
use serde::Deserialize;

use super::dice::Dice;
use super::range::Range;
use crate::anomaly::{Detector, PerSeries, Table};

/// Values remembered.
const KEPT: usize = 96;

/// See the module.
pub(super) const ENTRY: Entry<dyn Detector> = Entry {
    name: "rarity",
    about: "distance to the nearest of a random sample of the past",
    example: "neighbours = 6\naccept = 0.1",
    build,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rarity {
    /// How many of the nearest count.
    neighbours: u8,
    /// Chance of each sample to be remembered: the smaller, the longer the memory.
    accept: f32,
    #[serde(skip)]
    seed: u64,
}

fn build(params: &Params, context: &Context) -> Result<Box<dyn Detector>, BuildError> {
    let mut rule: Rarity = params.read(ENTRY.name)?;
    super::within(
        ENTRY.name,
        "neighbours",
        f32::from(rule.neighbours),
        1.0,
        KEPT as f32 / 2.0,
    )?;
    super::within(ENTRY.name, "accept", rule.accept, 0.0, 1.0)?;
    rule.seed = context.seed;
    Ok(Box::new(Table::new(rule)))
}

/// What is remembered of one series: sorted values.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Memory {
    sorted: [f32; KEPT],
    range: Range,
    n: u32,
    filled: u32,
}

impl PerSeries for Rarity {
    type State = Memory;

    fn step(&self, memory: &mut Memory, row: &Row) -> f32 {
        let x = row.x;
        if memory.n == 0 {
            memory.range = Range::of(x);
        }
        memory.range.learn(x);
        let scale = memory.range.width().max(row.least_range);
        let at = memory.values().partition_point(|&kept| kept < x);
        let score = match memory.values().len() {
            0 => 0.0,
            _ => (memory.distance(x, at, usize::from(self.neighbours)) / scale).min(1.0),
        };
        // A hash of the count in place of a generator's state: the same series gives the same bits.
        let mut dice = Dice::new(self.seed ^ (u64::from(memory.n) << 17));
        memory.n = memory.n.wrapping_add(1).max(1);
        if (memory.filled as usize) < KEPT {
            memory
                .sorted
                .copy_within(at..memory.filled as usize, at + 1);
            memory.sorted[at] = x;
            memory.filled += 1;
        } else if dice.unit() < self.accept {
            memory.replace(dice.below(KEPT), x, at);
        }
        score
    }
}

impl Memory {
    fn values(&self) -> &[f32] {
        &self.sorted[..(self.filled as usize).min(KEPT)]
    }

    /// Mean distance from `x`, which belongs at `at`, to the nearest `k`.
    fn distance(&self, x: f32, at: usize, k: usize) -> f32 {
        let values = self.values();
        let k = k.min(values.len());
        let (mut left, mut right, mut sum) = (at, at, 0.0);
        for _ in 0..k {
            let below = if left > 0 {
                x - values[left - 1]
            } else {
                f32::INFINITY
            };
            let above = if right < values.len() {
                values[right] - x
            } else {
                f32::INFINITY
            };
            if below <= above {
                left -= 1;
                sum += below;
            } else {
                right += 1;
                sum += above;
            }
        }
        sum / k as f32
    }

    /// Puts `x`, which belongs at `at`, in for the value at `out`.
    fn replace(&mut self, out: usize, x: f32, at: usize) {
        if out < at {
            self.sorted.copy_within(out + 1..at, out);
            self.sorted[at - 1] = x;
        } else {
            self.sorted.copy_within(at..out, at + 1);
            self.sorted[at] = x;
        }
    }
}
