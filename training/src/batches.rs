//! Slices side by side: many series through the same windows of time, sixteen to a group.

use crate::learner::{Group, LearnerConfig};
use crate::simd::{LANES, Wide};
use crate::spool::{Slice, Spool, SpoolError};

/// Up to a batch of slices, loaded; hands out one window after the other.
#[derive(Debug)]
pub(crate) struct Batch {
    inputs: usize,
    steps: usize,
    furthest: usize,
    row_len: usize,
    slices: Vec<Slice>,
    rows: Vec<Vec<f32>>,
    pub(crate) groups: Vec<Group>,
}

impl Batch {
    /// Room for `batch` slices, rounded up to whole groups.
    pub(crate) fn new(config: &LearnerConfig, batch: usize) -> Self {
        let furthest = config.horizons.iter().copied().max().unwrap_or(1);
        let inputs = config.shape.inputs;
        let group = Group {
            inputs: vec![Wide::ZERO; config.steps * inputs],
            values: vec![Wide::ZERO; config.steps + furthest],
            weights: vec![Wide::ZERO; config.steps + furthest],
        };
        Self {
            inputs,
            steps: config.steps,
            furthest,
            row_len: inputs + 2,
            slices: Vec::new(),
            rows: Vec::new(),
            groups: vec![group; batch.div_ceil(LANES)],
        }
    }

    /// How many slices fit.
    pub(crate) fn lanes(&self) -> usize {
        self.groups.len() * LANES
    }

    /// Reads slices, at most as many as there are lanes; returns how many windows they have.
    pub(crate) fn load(&mut self, spool: &Spool, slices: &[Slice]) -> Result<usize, SpoolError> {
        self.slices = slices.to_vec();
        self.rows.resize(slices.len(), Vec::new());
        for (slice, rows) in slices.iter().zip(&mut self.rows) {
            spool.read(*slice, rows)?;
        }
        let steps = slices.iter().map(|slice| slice.steps as usize).max();
        Ok(steps.unwrap_or(0).div_ceil(self.steps))
    }

    /// The slices that were loaded; lane `i` of group `g` has slice `g * LANES + i`.
    pub(crate) fn slices(&self) -> &[Slice] {
        &self.slices
    }

    /// Lays window `window` of all slices into the groups. Where a slice has ended, everything is 0.
    pub(crate) fn fill(&mut self, window: usize) {
        let first = window * self.steps;
        for (g, group) in self.groups.iter_mut().enumerate() {
            for lane in 0..LANES {
                let place = g * LANES + lane;
                let slice = self.slices.get(place);
                let (rows, weighs_from) = slice.map_or((&[][..], 0), |slice| {
                    (&self.rows[place][..], slice.weighs_from as usize)
                });
                let ended = slice.is_none_or(|slice| first >= slice.steps as usize);
                for t in 0..self.steps + self.furthest {
                    let start = (first + t) * self.row_len;
                    let row = (!ended)
                        .then(|| rows.get(start..start + self.row_len))
                        .flatten();
                    let number = |i: usize| row.map_or(0.0, |row| row[i]);
                    if t < self.steps {
                        let inputs = &mut group.inputs[t * self.inputs..(t + 1) * self.inputs];
                        for (i, wide) in inputs.iter_mut().enumerate() {
                            wide.0[lane] = number(i);
                        }
                    }
                    group.values[t].0[lane] = number(self.inputs);
                    group.weights[t].0[lane] = if first + t < weighs_from {
                        0.0
                    } else {
                        number(self.inputs + 1)
                    };
                }
            }
        }
    }
}
