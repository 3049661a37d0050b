//! Novelty of short delay vectors: is this *shape* new, though each of its values may be old?
//!
//! A small book of shapes stands for the past. A vector within [`Delay::radius`] of one in the book refreshes it;
//! else it takes the place of the one unused for longest (leader clustering with a least-recently-used bound).

use bytemuck::{Pod, Zeroable};
use catalog::{BuildError, Context, Entry, Params};
use features::Row;
use serde::Deserialize;

use super::range::Range;
use crate::anomaly::{Detector, PerSeries, Table};

/// Shapes in the book: what 4 KiB per series for the whole ensemble leave room for.
const SHAPES: usize = 40;

/// See the module.
pub(super) const ENTRY: Entry<dyn Detector> = Entry {
    name: "delay",
    about: "novelty of the shape of the last 3 samples",
    example: "radius = 0.01",
    build,
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Delay {
    /// Distance, as a share of the range, under which two shapes are one.
    radius: f32,
}

fn build(params: &Params, _: &Context) -> Result<Box<dyn Detector>, BuildError> {
    let rule: Delay = params.read(ENTRY.name)?;
    super::within(ENTRY.name, "radius", rule.radius, 0.0, 1.0)?;
    Ok(Box::new(Table::new(rule)))
}

/// The shapes of one series, by coordinate so that all are compared at once.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Book {
    x: [[f32; SHAPES]; 3],
    /// When each was last met, in units of 16 samples, counted from the start and wrapping.
    met: [u16; SHAPES],
    range: Range,
    n: u32,
    filled: u32,
}

impl PerSeries for Delay {
    type State = Book;

    fn step(&self, book: &mut Book, row: &Row) -> f32 {
        let shape = [row.x, row.windows.lags[0], row.windows.lags[1]];
        if book.n == 0 {
            book.range = Range::of(row.x);
        }
        book.range.learn(row.x);
        let now = (book.n / 16) as u16;
        book.n = book.n.wrapping_add(1).max(1);
        let (nearest, distance) = book.nearest(shape);
        let scale = book.range.width().max(row.least_range);
        let novelty = if book.filled == 0 {
            0.0
        } else {
            (distance / scale).min(1.0)
        };
        let place = if book.filled > 0 && novelty <= self.radius {
            book.met[nearest] = now;
            return novelty;
        } else if (book.filled as usize) < SHAPES {
            book.filled += 1;
            book.filled as usize - 1
        } else {
            book.stalest(now)
        };
        for (coordinate, value) in book.x.iter_mut().zip(shape) {
            coordinate[place] = value;
        }
        book.met[place] = now;
        novelty
    }
}

impl Book {
    /// The nearest shape by the largest difference in any coordinate.
    fn nearest(&self, shape: [f32; 3]) -> (usize, f32) {
        let mut distance = [f32::MAX; SHAPES];
        for (i, d) in distance.iter_mut().enumerate() {
            *d = (self.x[0][i] - shape[0])
                .abs()
                .max((self.x[1][i] - shape[1]).abs())
                .max((self.x[2][i] - shape[2]).abs());
        }
        let filled = (self.filled as usize).min(SHAPES);
        let mut best = (0, f32::MAX);
        for (i, &d) in distance[..filled].iter().enumerate() {
            if d < best.1 {
                best = (i, d);
            }
        }
        best
    }

    fn stalest(&self, now: u16) -> usize {
        let mut oldest = (0, 0);
        for (i, &met) in self.met.iter().enumerate() {
            let age = now.wrapping_sub(met);
            if age > oldest.1 {
                oldest = (i, age);
            }
        }
        oldest.0
    }
}
