//! A detector whose state is one fixed-size record per series: all but those that look across series.

use bytemuck::{Pod, Zeroable};
use features::{Row, touch};

use crate::anomaly::{Block, Detector};

/// The rule of a detector that looks at one series at a time.
pub trait PerSeries: Send + std::fmt::Debug {
    /// What it remembers of one series. All zeroes is a series never seen.
    type State: Pod + Send;

    /// How odd the row is against the state; then learns it.
    fn step(&self, state: &mut Self::State, row: &Row) -> f32;
}

/// A rule and its table of states, one row per series.
pub struct Table<R: PerSeries> {
    rule: R,
    states: Vec<R::State>,
}

impl<R: PerSeries> Table<R> {
    /// An empty table.
    pub const fn new(rule: R) -> Self {
        Self {
            rule,
            states: Vec::new(),
        }
    }
}

impl<R: PerSeries> std::fmt::Debug for Table<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table")
            .field("rule", &self.rule)
            .field("series", &self.states.len())
            .finish()
    }
}

impl<R: PerSeries> Detector for Table<R> {
    fn add_series(&mut self, _: u32) {
        self.states.push(R::State::zeroed());
    }

    fn score(&mut self, block: &Block<'_>, out: &mut [f32]) {
        let records = block
            .series
            .iter()
            .map(|&i| bytemuck::bytes_of(&self.states[i as usize]));
        touch(records);
        for ((&series, row), score) in block.series.iter().zip(block.rows).zip(out) {
            *score = self.rule.step(&mut self.states[series as usize], row);
        }
    }

    fn state_bytes(&self) -> usize {
        size_of::<R::State>()
    }

    fn save(&self, series: usize, out: &mut Vec<u8>) {
        out.extend_from_slice(bytemuck::bytes_of(&self.states[series]));
    }

    fn load(&mut self, series: usize, bytes: &[u8]) {
        self.states[series] = bytemuck::pod_read_unaligned(bytes);
    }
}
