//! Isolation forest over the feature row, relearned tree by tree from a sliding sample of all series.
//!
//! Liu, Ting & Zhou, "Isolation Forest", ICDM 2008: what few random cuts isolate is odd; the score is
//! 2^(-depth / c(n)). Every so many rows the oldest tree is grown anew from the rows kept, so the forest follows the
//! machine's behaviour. Trees are complete arrays: growing one moves numbers, and allocates nothing. The forest
//! belongs to the engine, not to a series; after a restart it grows again from what comes in.

use catalog::{BuildError, Context, Entry, Params};
use features::{Row, column};
use serde::Deserialize;

use super::dice::Dice;
use crate::anomaly::{Block, Detector};

/// See the module.
pub(super) const ENTRY: Entry<dyn Detector> = Entry {
    name: "forest",
    about: "isolation forest over the features of all series, relearned as it goes",
    example: "regrow_rows = 256",
    build,
};

const TREES: usize = 32;
/// Rows kept, and rows that a tree is grown from.
const SAMPLE: usize = 256;
/// Levels of cuts: log2 of the sample.
const DEPTH: usize = 8;
const NODES: usize = (1 << DEPTH) - 1;
/// The columns that are comparable between series.
const USED: [usize; 10] = [
    column::LEVEL,
    column::DIFFERENCE,
    column::TREND,
    column::SCALE,
    column::SHORT_RESIDUAL,
    column::LONG_RESIDUAL,
    column::SEASONAL_RESIDUAL,
    column::RANK,
    column::VARIANCE_RATIO,
    column::AUTOCORRELATION,
];
/// Rows that differ by less than this in a column, in sigmas, do not differ: cuts would tell rounding from rounding.
const LEAST_WIDTH: f32 = 0.05;
type Point = [f32; USED.len()];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    /// Rows between two regrown trees.
    regrow_rows: u32,
}

fn build(params: &Params, context: &Context) -> Result<Box<dyn Detector>, BuildError> {
    let options: Options = params.read(ENTRY.name)?;
    super::within(
        ENTRY.name,
        "regrow_rows",
        options.regrow_rows as f32,
        0.0,
        1e9,
    )?;
    Ok(Box::new(Forest {
        options,
        dice: Dice::new(context.seed),
        trees: vec![Tree::default(); TREES],
        grown: 0,
        kept: vec![[0.0; USED.len()]; SAMPLE],
        n_kept: 0,
        rows: 0,
        order: [0; SAMPLE],
    }))
}

struct Forest {
    options: Options,
    dice: Dice,
    trees: Vec<Tree>,
    /// Trees grown so far; the next takes place `grown % TREES`.
    grown: usize,
    kept: Vec<Point>,
    n_kept: usize,
    rows: u32,
    order: [u16; SAMPLE],
}

impl std::fmt::Debug for Forest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Forest")
            .field("options", &self.options)
            .field("grown", &self.grown)
            .finish_non_exhaustive()
    }
}

/// A complete binary tree: node i has children 2i + 1 and 2i + 2.
#[derive(Clone)]
struct Tree {
    column: [u8; NODES],
    /// Go left below it; NaN marks a leaf.
    cut: [f32; NODES],
    /// Expected depth of a point that ends at this node.
    depth: [f32; 2 * NODES + 1],
}

impl Default for Tree {
    fn default() -> Self {
        Self {
            column: [0; NODES],
            cut: [f32::NAN; NODES],
            depth: [0.0; 2 * NODES + 1],
        }
    }
}

impl Tree {
    fn depth_of(&self, point: &Point) -> f32 {
        let mut node = 0;
        while node < NODES && !self.cut[node].is_nan() {
            let right = point[usize::from(self.column[node])] >= self.cut[node];
            node = 2 * node + 1 + usize::from(right);
        }
        self.depth[node]
    }

    /// Grows the subtree of `node` over the rows in `order`.
    fn grow(
        &mut self,
        node: usize,
        level: usize,
        rows: &[Point],
        order: &mut [u16],
        dice: &mut Dice,
    ) {
        self.depth[node] = level as f32 + unsuccessful(order.len());
        if level == DEPTH || order.len() < 2 {
            if node < NODES {
                self.cut[node] = f32::NAN;
            }
            return;
        }
        let column = dice.below(USED.len());
        let values = || order.iter().map(|&i| rows[usize::from(i)][column]);
        let (low, high) = values().fold((f32::MAX, f32::MIN), |(low, high), x| {
            (low.min(x), high.max(x))
        });
        if high - low <= LEAST_WIDTH {
            self.cut[node] = f32::NAN;
            return;
        }
        let cut = low + dice.unit() * (high - low);
        let mut left = 0;
        for i in 0..order.len() {
            if rows[usize::from(order[i])][column] < cut {
                order.swap(left, i);
                left += 1;
            }
        }
        (self.column[node], self.cut[node]) = (column as u8, cut);
        let (below, above) = order.split_at_mut(left);
        self.grow(2 * node + 1, level + 1, rows, below, dice);
        self.grow(2 * node + 2, level + 1, rows, above, dice);
    }
}

/// Mean depth of an unsuccessful search among `n` (c(n) of the paper).
fn unsuccessful(n: usize) -> f32 {
    match n {
        0 | 1 => 0.0,
        2 => 1.0,
        _ => 2.0 * (((n - 1) as f32).ln() + 0.577_215_7) - 2.0 * (n - 1) as f32 / n as f32,
    }
}

impl Forest {
    fn point(row: &Row) -> Point {
        // Heavy tails are drawn in, or random cuts would fall into empty space.
        USED.map(|column| {
            let x = row.columns[column];
            x / (1.0 + x.abs()).sqrt()
        })
    }

    fn learn(&mut self, point: Point) {
        if self.n_kept < SAMPLE {
            self.kept[self.n_kept] = point;
            self.n_kept += 1;
        } else if self.dice.below(8) == 0 {
            let place = self.dice.below(SAMPLE);
            self.kept[place] = point;
        }
        self.rows += 1;
        let due = if self.grown < TREES {
            SAMPLE as u32 / 8
        } else {
            self.options.regrow_rows
        };
        if self.n_kept == SAMPLE && self.rows >= due {
            self.rows = 0;
            for (i, place) in self.order.iter_mut().enumerate() {
                *place = i as u16;
            }
            let tree = &mut self.trees[self.grown % TREES];
            tree.grow(0, 0, &self.kept, &mut self.order, &mut self.dice);
            self.grown += 1;
        }
    }
}

impl Detector for Forest {
    fn add_series(&mut self, _: u32) {}

    fn score(&mut self, block: &Block<'_>, out: &mut [f32]) {
        for (row, score) in block.rows.iter().zip(out) {
            let point = Self::point(row);
            let grown = self.grown.min(TREES);
            *score = 0.0;
            if grown == TREES {
                let depth: f32 = self.trees.iter().map(|tree| tree.depth_of(&point)).sum();
                let isolation = (-depth / (TREES as f32 * unsuccessful(SAMPLE))).exp2();
                // One half is what an average point scores.
                *score = (2.0 * isolation - 1.0).clamp(0.0, 1.0);
            }
            self.learn(point);
        }
    }

    fn state_bytes(&self) -> usize {
        0
    }

    fn save(&self, _: usize, _: &mut Vec<u8>) {}

    fn load(&mut self, _: usize, _: &[u8]) {}
}
