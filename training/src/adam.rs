//! How parameters move: Adam with decoupled weight decay (Kingma & Ba, ICLR 2015; Loshchilov & Hutter, ICLR 2019).

/// Shares of the past in the running means of gradients and of their squares.
const BETA: (f32, f32) = (0.9, 0.999);
/// Keeps the division away from 0.
const EPSILON: f32 = 1e-8;

/// Running means of the gradient and of its square.
#[derive(Debug, Clone, PartialEq)]
pub struct Adam {
    /// Mean of the gradients.
    pub mean: Vec<f32>,
    /// Mean of their squares.
    pub square: Vec<f32>,
    /// Steps made.
    pub steps: u64,
}

impl Adam {
    /// For `n` parameters, before the first step.
    #[must_use]
    pub fn new(n: usize) -> Self {
        Self {
            mean: vec![0.0; n],
            square: vec![0.0; n],
            steps: 0,
        }
    }

    /// Moves `parameters` against `gradient * scale` at the given rate, and by `rate * decay` towards 0.
    pub fn step(
        &mut self,
        parameters: &mut [f32],
        gradient: &[f32],
        scale: f32,
        rate: f32,
        decay: f32,
    ) {
        self.steps += 1;
        let unbias = |beta: f32| 1.0 / (1.0 - f64::from(beta).powf(self.steps as f64)) as f32;
        let (unbias_mean, unbias_square) = (unbias(BETA.0), unbias(BETA.1));
        let keep = 1.0 - rate * decay;
        let moments = self.mean.iter_mut().zip(&mut self.square);
        for ((p, &g), (mean, square)) in parameters.iter_mut().zip(gradient).zip(moments) {
            let g = g * scale;
            *mean += (1.0 - BETA.0) * (g - *mean);
            *square += (1.0 - BETA.1) * (g * g - *square);
            let step = *mean * unbias_mean / ((*square * unbias_square).sqrt() + EPSILON);
            *p = *p * keep - rate * step;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_step_has_the_length_of_the_rate_whatever_the_gradient() {
        let mut parameters = [1.0, 1.0, 1.0];
        Adam::new(3).step(&mut parameters, &[1e-3, -1e3, 0.0], 1.0, 0.01, 0.0);
        for (found, expected) in parameters.iter().zip([0.99, 1.01, 1.0]) {
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
    }

    #[test]
    fn it_finds_the_bottom_of_a_narrow_valley() {
        let mut p = [3.0f32, -2.0];
        let mut adam = Adam::new(2);
        for i in 0..4_000 {
            let gradient = [2.0 * (p[0] - 1.0), 200.0 * (p[1] - 0.5)];
            adam.step(&mut p, &gradient, 0.5, 0.05 * 0.998f32.powi(i), 0.0);
        }
        assert!(
            (p[0] - 1.0).abs() < 1e-3 && (p[1] - 0.5).abs() < 1e-3,
            "{p:?}"
        );
    }
}
