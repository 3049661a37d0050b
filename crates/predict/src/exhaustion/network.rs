//! The network that says in which stretch of time a resource runs out, on a kernel of our own.

use super::{KNOTS, Survival};

/// How many stretches of time there are: one before each of [`super::KNOT_S`], and what comes after.
pub const CLASSES: usize = KNOTS + 1;
/// The widest layer that is run.
const WIDEST: usize = 256;

/// Why numbers make no network.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NetworkError {
    /// There is no layer.
    #[error("a network without layers")]
    Empty,
    /// A layer does not fit the one before.
    #[error("layer {layer} has {found} numbers, expected {expected}")]
    Shape {
        /// Which, from 0.
        layer: usize,
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// A layer is wider than the kernel runs.
    #[error("layer {layer} is {width} wide, at most {WIDEST}")]
    Wide {
        /// Which.
        layer: usize,
        /// Its width.
        width: usize,
    },
    /// The last layer gives something else.
    #[error("the network gives {found} numbers, expected {CLASSES}")]
    Classes {
        /// How many.
        found: usize,
    },
    /// A weight is no number.
    #[error("layer {layer} holds {value}")]
    Value {
        /// Which.
        layer: usize,
        /// What.
        value: f32,
    },
}

/// A layer: `outputs` sums over `inputs`.
#[derive(Debug, Clone, PartialEq)]
struct Layer {
    /// Shape `(inputs, outputs)`, row by row.
    weights: Vec<f32>,
    bias: Vec<f32>,
}

/// Layers of rectified sums, and a softmax over [`CLASSES`] stretches of time.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    inputs: usize,
    layers: Vec<Layer>,
}

impl Network {
    /// From the weights, shape `(inputs, outputs)` row by row, and the biases of each layer.
    ///
    /// # Errors
    /// [`NetworkError`] names the layer that does not fit.
    pub fn new(inputs: usize, layers: Vec<(Vec<f32>, Vec<f32>)>) -> Result<Self, NetworkError> {
        let mut width = inputs;
        for (layer, (weights, bias)) in layers.iter().enumerate() {
            let expected = width * bias.len();
            if weights.len() != expected || expected == 0 {
                return Err(NetworkError::Shape {
                    layer,
                    found: weights.len(),
                    expected,
                });
            }
            width = bias.len();
            if width > WIDEST {
                return Err(NetworkError::Wide { layer, width });
            }
            if let Some(&value) = weights.iter().chain(bias).find(|value| !value.is_finite()) {
                return Err(NetworkError::Value { layer, value });
            }
        }
        if layers.is_empty() {
            return Err(NetworkError::Empty);
        }
        if width != CLASSES {
            return Err(NetworkError::Classes { found: width });
        }
        let layer = |(weights, bias)| Layer { weights, bias };
        Ok(Self {
            inputs,
            layers: layers.into_iter().map(layer).collect(),
        })
    }

    /// How many numbers go in.
    #[must_use]
    pub const fn inputs(&self) -> usize {
        self.inputs
    }

    /// The probability of each stretch of time; they add up to 1. `row` has [`Network::inputs`] numbers: what is missing
    /// counts as 0. Allocates nothing.
    #[must_use]
    pub fn run(&self, row: &[f32]) -> [f32; CLASSES] {
        let (mut now, mut next) = ([0.0f32; WIDEST], [0.0f32; WIDEST]);
        let mut width = 0;
        for (i, layer) in self.layers.iter().enumerate() {
            let n = layer.bias.len();
            let out = &mut next[..n];
            out.copy_from_slice(&layer.bias);
            let input = if i == 0 { row } else { &now[..width] };
            for (&x, weights) in input.iter().zip(layer.weights.chunks_exact(n)) {
                // After a rectifier half of the numbers are 0.
                if x.abs() > 0.0 {
                    for (to, w) in out.iter_mut().zip(weights) {
                        *to += x * w;
                    }
                }
            }
            if i + 1 < self.layers.len() {
                for x in out.iter_mut() {
                    *x = x.max(0.0);
                }
            }
            width = n;
            std::mem::swap(&mut now, &mut next);
        }
        let mut classes = [0.0; CLASSES];
        let top = now[..CLASSES].iter().copied().fold(f32::MIN, f32::max);
        let mut sum = 0.0;
        for (to, x) in classes.iter_mut().zip(&now) {
            *to = (x - top).exp();
            sum += *to;
        }
        for x in &mut classes {
            *x /= sum;
        }
        classes
    }
}

/// Survival from the probabilities of stretches.
pub(super) fn survival(classes: &[f32; CLASSES]) -> Survival {
    let mut gone = 0.0;
    let mut survival = Survival::CERTAIN;
    for (s, p) in survival.0.iter_mut().zip(classes) {
        gone += p;
        *s = (1.0 - gone).max(0.0);
    }
    survival
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(inputs: usize, outputs: usize) -> (Vec<f32>, Vec<f32>) {
        (vec![0.5; inputs * outputs], vec![0.25; outputs])
    }

    #[test]
    fn a_network_that_does_not_fit_is_refused_with_its_layer() {
        let refused = |layers| Network::new(2, layers).unwrap_err().to_string();
        assert_eq!(refused(vec![]), "a network without layers");
        assert!(refused(vec![layer(3, CLASSES)]).starts_with("layer 0 has 81 numbers"));
        assert!(refused(vec![layer(2, 4), layer(5, CLASSES)]).starts_with("layer 1"));
        assert!(refused(vec![layer(2, 5)]).contains("gives 5 numbers"));
        assert!(refused(vec![layer(2, 300)]).contains("300 wide"));
        let mut nan = layer(2, CLASSES);
        nan.0[3] = f32::NAN;
        assert_eq!(refused(vec![nan]), "layer 0 holds NaN");
    }

    #[test]
    fn what_is_run_is_what_was_written_down() {
        let mut first = layer(2, 2);
        // x0 - x1, and its rectified opposite.
        first.0 = vec![1.0, -1.0, -1.0, 1.0];
        first.1 = vec![0.0, 0.0];
        let mut last = (vec![0.0; 2 * CLASSES], vec![0.0; CLASSES]);
        last.0[3] = 1.0;
        last.0[CLASSES + 7] = 2.0;
        let network = Network::new(2, vec![first, last]).unwrap();
        let classes = network.run(&[3.0, 1.0]);
        let sum: f32 = classes.iter().sum();
        assert!((sum - 1.0).abs() < 1e-6);
        assert!((classes[3] / classes[0] - 2.0_f32.exp()).abs() < 1e-3);
        assert!((classes[7] / classes[0] - 1.0).abs() < 1e-6);
        let classes = network.run(&[1.0, 3.0]);
        assert!((classes[7] / classes[0] - 4.0_f32.exp()).abs() < 1e-2);
        // Large sums do not overflow.
        let far = network.run(&[-1e30, 1e30]);
        assert!((far[7] - 1.0).abs() < 1e-6 && survival(&far).0[7] < 1e-6);
    }
}
