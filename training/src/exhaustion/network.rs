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
            for place in 0..schedule.batch {
                if next >= n {
                    rng.shuffle(&mut order);
                    next = 0;
                }
                let i = order[next] as usize;
                next += 1;
                let row = &examples.rows[i * width..(i + 1) * width];
                for ((to, x), (m, d)) in batch
                    .row_mut(place)
                    .iter_mut()
                    .zip(row)
                    .zip(mean.iter().zip(&deviation))
                {
                    *to = (x - m) / d;
                }
                wanted[place] = examples.classes[i];
            }
            let all = mlp.activations(batch.view());
            let mut back = all[all.len() - 1].clone();
            for (mut row, &class) in back.rows_mut().into_iter().zip(&wanted) {
                loss -= f64::from(row[class as usize].max(1e-12).ln());
                seen += 1.0;
                row[class as usize] -= 1.0;
            }
            back /= schedule.batch as f32;
            let progress = step as f32 / schedule.steps as f32;
            let warm = ((step + 1) as f32 / 200.0).min(1.0);
            let rate = schedule.rate
                * warm
                * (0.02 + 0.98 * 0.5 * (1.0 + (std::f32::consts::PI * progress).cos()));
            for i in (0..mlp.layers.len()).rev() {
                let input = if i == 0 {
                    batch.view()
                } else {
                    all[i - 1].view()
                };
                let by_weight = input.t().dot(&back);
                let by_bias = back.sum_axis(Axis(0));
                let before = (i > 0).then(|| {
                    let mut before = back.dot(&mlp.layers[i].0.t());
                    before.zip_mut_with(&all[i - 1], |g, &a| *g *= f32::from(u8::from(a > 0.0)));
                    before
                });
                let (weights, bias) = &mut mlp.layers[i];
                let by_weight = by_weight.as_standard_layout().into_owned();
                if let (Some(w), Some(g)) = (weights.as_slice_mut(), by_weight.as_slice()) {
                    moves[i].0.step(w, g, 1.0, rate, schedule.decay);
                }
                if let (Some(b), Some(g)) = (bias.as_slice_mut(), by_bias.as_slice()) {
                    moves[i].1.step(b, g, 1.0, rate, 0.0);
                }
                if let Some(before) = before {
                    back = before;
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
