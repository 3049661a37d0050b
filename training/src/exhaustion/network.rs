//! A small network that says in which stretch of time a resource runs out: trained here, run by `predict`.
//!
//! Layers of rectified sums, and a softmax over the stretches between `predict::exhaustion::KNOT_S` and the time beyond.

use ndarray::{Array1, Array2, ArrayView2, Axis};

use crate::adam::Adam;
use crate::rng::Rng;

/// Examples: rows of numbers, and the class of each.
#[derive(Debug, Clone, Default)]
pub struct Examples {
    /// Row by row; shape `(n, width)`.
    pub rows: Vec<f32>,
    /// One for each row.
    pub classes: Vec<u8>,
}

/// How it is trained.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// Widths of the hidden layers.
    pub hidden: Vec<usize>,
    /// Rows to an update.
    pub batch: usize,
    /// Updates.
    pub steps: usize,
    /// Highest rate.
    pub rate: f32,
    /// Decay of weights per rate.
    pub decay: f32,
    /// Where all chance comes from.
    pub seed: u64,
}

/// A trained network.
#[derive(Debug, Clone, PartialEq)]
pub struct Mlp {
    /// Weights of shape `(inputs, outputs)` and biases of each layer.
    pub layers: Vec<(Array2<f32>, Array1<f32>)>,
}

impl Mlp {
    fn new(widths: &[usize], rng: &mut Rng) -> Self {
        let layer = |pair: &[usize]| {
            // He et al., ICCV 2015.
            let scale = (2.0 / pair[0] as f64).sqrt();
            let weights =
                Array2::from_shape_simple_fn((pair[0], pair[1]), || (scale * rng.normal()) as f32);
            (weights, Array1::zeros(pair[1]))
        };
        Self {
            layers: widths.windows(2).map(layer).collect(),
        }
    }

    /// The probability of each class; shape `(rows, classes)`.
    #[must_use]
    pub fn run(&self, rows: ArrayView2<'_, f32>) -> Array2<f32> {
        let mut last = self.activations(rows);
        last.pop().unwrap_or_else(|| rows.to_owned())
    }

    /// What each layer gives, the softmax of the last included.
    fn activations(&self, rows: ArrayView2<'_, f32>) -> Vec<Array2<f32>> {
        let mut all: Vec<Array2<f32>> = Vec::with_capacity(self.layers.len());
        for (i, (weights, bias)) in self.layers.iter().enumerate() {
            let mut out = match all.last() {
                Some(before) => before.dot(weights),
                None => rows.dot(weights),
            };
            out += bias;
            if i + 1 < self.layers.len() {
                out.mapv_inplace(|x| x.max(0.0));
            } else {
                softmax(&mut out);
            }
            all.push(out);
        }
        all
    }

    /// The gradient of the mean loss (the logarithm of 1 / P(its class)) by the weights and biases of each layer; adds the losses
    /// to `loss`.
    fn gradient(
        &self,
        rows: ArrayView2<'_, f32>,
        classes: &[u8],
        loss: &mut f64,
    ) -> Vec<(Array2<f32>, Array1<f32>)> {
        let mut all = self.activations(rows);
        let mut back = all.pop().unwrap_or_else(|| rows.to_owned());
        for (mut row, &class) in back.rows_mut().into_iter().zip(classes) {
            *loss -= f64::from(row[class as usize].max(1e-12).ln());
            row[class as usize] -= 1.0;
        }
        back /= classes.len() as f32;
        let mut gradient = Vec::with_capacity(self.layers.len());
        for (weights, _) in self.layers.iter().rev() {
            let input = all.pop();
            let by_weight = match &input {
                Some(input) => input.t().dot(&back),
                None => rows.t().dot(&back),
            };
            gradient.push((
                by_weight.as_standard_layout().into_owned(),
                back.sum_axis(Axis(0)),
            ));
            if let Some(input) = input {
                let mut before = back.dot(&weights.t());
                before.zip_mut_with(&input, |g, &a| *g *= f32::from(u8::from(a > 0.0)));
                back = before;
            }
        }
        gradient.reverse();
        gradient
    }

    /// Trains one. `tell` is asked after each hundred steps, with the loss of the last hundred.
    pub fn train(
        examples: &Examples,
        width: usize,
        classes: usize,
        schedule: &Schedule,
        mut tell: impl FnMut(usize, f64),
    ) -> Self {
        let mut rng = Rng::new(schedule.seed, 77);
        let n = examples.classes.len();
        let (mean, deviation) = moments(&examples.rows, width);
        let widths: Vec<usize> = [width]
            .iter()
            .chain(&schedule.hidden)
            .chain(&[classes])
            .copied()
            .collect();
        let mut mlp = Self::new(&widths, &mut rng);
        let mut moves: Vec<(Adam, Adam)> = mlp
            .layers
            .iter()
            .map(|(w, b)| (Adam::new(w.len()), Adam::new(b.len())))
            .collect();
        // The mean of the weights over the last fifth of the way (Polyak & Juditsky, 1992).
        let mut mean_of: Option<Self> = None;
        let averaged_from = schedule.steps * 4 / 5;
        let mut order: Vec<u32> = (0..n as u32).collect();
        let mut next = n;
        let (mut loss, mut seen) = (0.0, 0.0);
        let mut batch = Array2::<f32>::zeros((schedule.batch, width));
        let mut wanted = vec![0u8; schedule.batch];
        for step in 0..schedule.steps {
            for (mut to_row, to_class) in batch.rows_mut().into_iter().zip(&mut wanted) {
                if next >= n {
                    rng.shuffle(&mut order);
                    next = 0;
                }
                let i = order[next] as usize;
                next += 1;
                let row = &examples.rows[i * width..(i + 1) * width];
                let scales = mean.iter().zip(&deviation);
                for ((to, x), (m, d)) in to_row.iter_mut().zip(row).zip(scales) {
                    *to = (x - m) / d;
                }
                *to_class = examples.classes[i];
            }
            let gradient = mlp.gradient(batch.view(), &wanted, &mut loss);
            seen += schedule.batch as f64;
            let progress = step as f32 / schedule.steps as f32;
            let warm = ((step + 1) as f32 / 200.0).min(1.0);
            let rate = schedule.rate
                * warm
                * (0.02 + 0.98 * 0.5 * (1.0 + (std::f32::consts::PI * progress).cos()));
            let of_layers = mlp.layers.iter_mut().zip(&gradient).zip(&mut moves);
            for (((weights, bias), (by_weight, by_bias)), (of_weights, of_bias)) in of_layers {
                if let (Some(w), Some(g)) = (weights.as_slice_mut(), by_weight.as_slice()) {
                    of_weights.step(w, g, 1.0, rate, schedule.decay);
                }
                if let (Some(b), Some(g)) = (bias.as_slice_mut(), by_bias.as_slice()) {
                    of_bias.step(b, g, 1.0, rate, 0.0);
                }
            }
            if step >= averaged_from {
                match &mut mean_of {
                    None => mean_of = Some(mlp.clone()),
                    Some(mean_of) => {
                        let share = 1.0 / (step - averaged_from + 1) as f32;
                        for ((w, b), (to_w, to_b)) in mlp.layers.iter().zip(&mut mean_of.layers) {
                            to_w.zip_mut_with(w, |to, x| *to += share * (x - *to));
                            to_b.zip_mut_with(b, |to, x| *to += share * (x - *to));
                        }
                    }
                }
            }
            if (step + 1) % 100 == 0 {
                tell(step + 1, loss / seen);
                (loss, seen) = (0.0, 0.0);
            }
        }
        let mut mlp = mean_of.unwrap_or(mlp);
        // Rows come as they are: what brings them to one scale becomes part of the first layer.
        let (weights, bias) = &mut mlp.layers[0];
        for (mut of_input, (m, d)) in weights
            .rows_mut()
            .into_iter()
            .zip(mean.iter().zip(&deviation))
        {
            of_input /= *d;
            bias.scaled_add(-*m, &of_input);
        }
        mlp
    }
}

fn softmax(rows: &mut Array2<f32>) {
    for mut row in rows.rows_mut() {
        let top = row.fold(f32::MIN, |a, &b| a.max(b));
        row.mapv_inplace(|x| (x - top).exp());
        let sum = row.sum();
        row /= sum;
    }
}

/// Mean and standard deviation of each column; the deviation of a constant column is 1.
fn moments(rows: &[f32], width: usize) -> (Vec<f32>, Vec<f32>) {
    let (mut sum, mut squares) = (vec![0.0f64; width], vec![0.0f64; width]);
    for row in rows.chunks_exact(width) {
        for (x, (s, q)) in row.iter().zip(sum.iter_mut().zip(&mut squares)) {
            *s += f64::from(*x);
            *q += f64::from(*x) * f64::from(*x);
        }
    }
    let n = (rows.len() / width).max(1) as f64;
    let mean: Vec<f64> = sum.iter().map(|s| s / n).collect();
    let deviation = squares.iter().zip(&mean).map(|(q, m)| {
        let d = (q / n - m * m).max(0.0).sqrt();
        if d > 1e-4 { d as f32 } else { 1.0 }
    });
    (
        mean.iter().map(|&m| m as f32).collect(),
        deviation.collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gradient_is_what_a_small_step_shows() {
        let mut rng = Rng::new(1, 2);
        let mlp = Mlp::new(&[3, 8, 6, 3], &mut rng);
        let rows = Array2::from_shape_simple_fn((6, 3), || rng.normal() as f32);
        let classes = [0, 1, 2, 2, 1, 0];
        let gradient = mlp.gradient(rows.view(), &classes, &mut 0.0);
        let step = 1e-3f32;
        let (mut compared, mut off) = (0, 0);
        let mut check = |layer: usize, place: usize, of_bias: bool| {
            let loss_at = |by: f32| {
                let mut moved = mlp.clone();
                let (weights, bias) = &mut moved.layers[layer];
                if of_bias {
                    bias[place] += by;
                } else {
                    weights.as_slice_mut().unwrap()[place] += by;
                }
                let mut loss = 0.0;
                moved.gradient(rows.view(), &classes, &mut loss);
                loss / 6.0
            };
            let shown = (loss_at(step) - loss_at(-step)) / f64::from(2.0 * step);
            let (weights, bias) = &gradient[layer];
            let said = f64::from(if of_bias {
                bias[place]
            } else {
                weights.as_slice().unwrap()[place]
            });
            compared += usize::from(said.abs() > 0.02);
            off += usize::from((shown - said).abs() > 2e-3);
        };
        for (layer, (weights, bias)) in gradient.iter().enumerate() {
            (0..weights.len()).for_each(|place| check(layer, place, false));
            (0..bias.len()).for_each(|place| check(layer, place, true));
        }
        // A step may cross the bend of a rectified sum, where there is no gradient; most do not.
        assert!(
            compared > 30 && off <= 2,
            "{off} are off, {compared} are not nearly 0"
        );
    }

    /// Two numbers of any scale; the class is that of a ring about their middle.
    fn rings(seed: u64, n: usize) -> Examples {
        let mut rng = Rng::new(seed, 0);
        let mut examples = Examples::default();
        for _ in 0..n {
            let (x, y) = (rng.normal(), rng.normal());
            examples
                .rows
                .extend([(1_000.0 + 10.0 * x) as f32, (0.01 * y) as f32]);
            let radius = x.hypot(y);
            examples
                .classes
                .push(u8::from(radius > 0.8) + u8::from(radius > 1.6));
        }
        examples
    }

    #[test]
    fn rings_are_learned_whatever_the_scale_and_the_same_from_the_same_seed() {
        let schedule = Schedule {
            hidden: vec![16, 16],
            batch: 64,
            steps: 1_500,
            rate: 1e-2,
            decay: 0.0,
            seed: 5,
        };
        let examples = rings(1, 3_000);
        let mlp = Mlp::train(&examples, 2, 3, &schedule, |_, _| {});
        assert_eq!(mlp, Mlp::train(&examples, 2, 3, &schedule, |_, _| {}));
        let fresh = rings(2, 500);
        let rows = ArrayView2::from_shape((500, 2), &fresh.rows).unwrap();
        let mut right = 0;
        for (p, class) in mlp.run(rows).rows().into_iter().zip(&fresh.classes) {
            assert!((p.sum() - 1.0).abs() < 1e-5);
            right += usize::from(p.iter().all(|q| *q <= p[*class as usize]));
        }
        assert!(right > 450, "{right} of 500");
    }
}
