//! What is learned, as one flat array.

use std::ops::Range;

use crate::rng::Rng;

/// Least scale that the head forecasts.
pub(super) const LEAST_SCALE: f32 = 0.001;
/// Least degrees of freedom that the head forecasts: below 2 a Student t distribution has no variance.
pub(super) const LEAST_TAIL: f32 = 2.0;

/// The dimensions of a step model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Inputs per step, F.
    pub inputs: usize,
    /// Numbers in each of the two states, H.
    pub hidden: usize,
    /// Forecasts per step, K; each has location, scale and tail.
    pub horizons: usize,
}

impl Shape {
    /// How many numbers are learned.
    #[must_use]
    pub const fn n_parameters(&self) -> usize {
        self.head_b().end
    }

    /// Input weights, shape `(4H, F)`, gate blocks i, o, f, c.
    #[must_use]
    pub const fn w(&self) -> Range<usize> {
        0..4 * self.hidden * self.inputs
    }

    /// Recurrent weights, shape `(4H, H)`, gate blocks i, o, f, c.
    #[must_use]
    pub const fn r(&self) -> Range<usize> {
        let start = self.w().end;
        start..start + 4 * self.hidden * self.hidden
    }

    /// Gate biases, shape `(4H,)`.
    #[must_use]
    pub const fn b(&self) -> Range<usize> {
        let start = self.r().end;
        start..start + 4 * self.hidden
    }

    /// Head weights, shape `(3K, H)`: all locations, all scales, all tails.
    #[must_use]
    pub const fn head_w(&self) -> Range<usize> {
        let start = self.b().end;
        start..start + 3 * self.horizons * self.hidden
    }

    /// Head biases, shape `(3K,)`.
    #[must_use]
    pub const fn head_b(&self) -> Range<usize> {
        let start = self.head_w().end;
        start..start + 3 * self.horizons
    }
}

/// A model's numbers, or their gradient, or anything else of one number each.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameters {
    shape: Shape,
    /// In the order of [`Shape`]'s ranges.
    pub values: Vec<f32>,
}

impl Parameters {
    /// All zero.
    #[must_use]
    pub fn zero(shape: Shape) -> Self {
        Self {
            shape,
            values: vec![0.0; shape.n_parameters()],
        }
    }

    /// A start from which training goes well: weights even within 1/sqrt(H), forget gates open (Jozefowicz, Zaremba &
    /// Sutskever, ICML 2015), forecasts near a Student t of location 0, scale 1 and 5 degrees of freedom.
    #[must_use]
    pub fn start(shape: Shape, rng: &mut Rng) -> Self {
        let mut start = Self::zero(shape);
        let bound = 1.0 / (shape.hidden as f32).sqrt();
        for range in [shape.w(), shape.r()] {
            for value in &mut start.values[range] {
                *value = bound * (2.0 * rng.uniform() as f32 - 1.0);
            }
        }
        for value in &mut start.values[shape.head_w()] {
            *value = 0.1 * bound * (2.0 * rng.uniform() as f32 - 1.0);
        }
        let forget = shape.b().start + 2 * shape.hidden;
        start.values[forget..forget + shape.hidden].fill(1.0);
        let inverse_softplus = |y: f32| y.exp_m1().ln();
        let head_b = shape.head_b().start + shape.horizons;
        let (scales, tails) = start.values[head_b..].split_at_mut(shape.horizons);
        scales.fill(inverse_softplus(1.0 - LEAST_SCALE));
        tails.fill(inverse_softplus(5.0 - LEAST_TAIL));
        start
    }

    /// The dimensions.
    #[must_use]
    pub const fn shape(&self) -> Shape {
        self.shape
    }

    /// Euclidean length of all of them, summed in double precision.
    #[must_use]
    pub fn norm(&self) -> f64 {
        let squares = self.values.iter().map(|&v| f64::from(v) * f64::from(v));
        squares.sum::<f64>().sqrt()
    }

    /// As the writer of ONNX files takes them.
    #[must_use]
    pub fn to_graph(&self) -> graph::Lstm {
        let part = |range: Range<usize>| self.values[range].to_vec();
        let shape = self.shape;
        graph::Lstm {
            inputs: shape.inputs,
            hidden: shape.hidden,
            horizons: shape.horizons,
            w: part(shape.w()),
            r: part(shape.r()),
            b: part(shape.b()),
            head_w: part(shape.head_w()),
            head_b: part(shape.head_b()),
        }
    }
}
