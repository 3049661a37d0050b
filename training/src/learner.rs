//! One update: a batch of windows forward, judged, back, and the parameters moved.

use crate::adam::Adam;
use crate::lstm::{Carry, Packed, Parameters, Shape, Tape, Targets};
use crate::simd::{LANES, Wide};

/// What stays the same from update to update.
#[derive(Debug, Clone, PartialEq)]
pub struct LearnerConfig {
    /// The model's dimensions.
    pub shape: Shape,
    /// Steps of a window, at least 1.
    pub steps: usize,
    /// Steps ahead of each forecast; as many as the shape has horizons.
    pub horizons: Vec<usize>,
    /// What each horizon counts for, above 0.
    pub horizon_weights: Vec<f32>,
    /// The gradient, averaged over samples, is cut to this length.
    pub clip_norm: f64,
    /// The share of windows of a batch, the worst ones, that are not learned from; 0 to below 1.
    pub trim_share: f64,
    /// How fast weights that nothing holds fall to 0, per unit of the learning rate.
    pub weight_decay: f32,
}

/// [`LANES`] windows side by side. All slabs are in order of time.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Shape `(steps, F)`.
    pub inputs: Vec<Wide>,
    /// Shape `(steps + furthest horizon,)`: what came, sample by sample.
    pub values: Vec<Wide>,
    /// As `values`: what each counts for.
    pub weights: Vec<Wide>,
}

/// What an update did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Update {
    /// Weighted sum of the losses of the windows learned from, nats.
    pub loss: f64,
    /// Sum of their weights.
    pub weight: f64,
    /// Length of the averaged gradient before it was cut.
    pub norm: f64,
}

/// A model that learns.
#[derive(Debug, Clone)]
pub struct Learner {
    config: LearnerConfig,
    parameters: Parameters,
    packed: Packed,
    gradient: Parameters,
    adam: Adam,
    tapes: Vec<Tape>,
}

impl Learner {
    /// Goes on from parameters and the optimiser's state.
    #[must_use]
    pub fn new(config: LearnerConfig, parameters: Parameters, adam: Adam) -> Self {
        Self {
            packed: Packed::new(&parameters),
            gradient: Parameters::zero(config.shape),
            tapes: vec![Tape::new(config.shape, config.steps)],
            config,
            parameters,
            adam,
        }
    }

    /// What was learned.
    #[must_use]
    pub const fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The optimiser's state.
    #[must_use]
    pub const fn adam(&self) -> &Adam {
        &self.adam
    }

    /// Learns from one batch at the given rate; `carries` has the state of each group and goes on to the next window.
    ///
    /// `None`, and nothing learned, when loss or gradient is not finite. A batch of no weight changes nothing.
    pub fn update(&mut self, groups: &[Group], carries: &mut [Carry], rate: f32) -> Option<Update> {
        self.gradient.values.fill(0.0);
        let mut sums = (0.0, 0.0);
        if self.config.trim_share > 0.0 {
            // The worst of the whole batch are known only once all of it went forward: a tape for each group.
            if self.tapes.len() < groups.len() {
                self.tapes.resize(groups.len(), self.tapes[0].clone());
            }
            let mut judged = Vec::with_capacity(groups.len());
            for ((group, carry), tape) in groups.iter().zip(carries).zip(&mut self.tapes) {
                judged.push(forward(tape, &self.packed, &self.config, group, carry));
            }
            let limit = trim_limit(&judged, self.config.trim_share);
            for (tape, (losses, weights)) in self.tapes.iter_mut().zip(&judged) {
                let keep = Wide(std::array::from_fn(|lane| {
                    let kept = losses.0[lane] <= limit * weights.0[lane];
                    if kept { 1.0 } else { 0.0 }
                }));
                tape.backward(&self.packed, &keep, &mut self.gradient);
                add(&mut sums, losses, weights, &keep);
            }
        } else {
            let keep = Wide([1.0; LANES]);
            let tape = &mut self.tapes[0];
            for (group, carry) in groups.iter().zip(carries) {
                let (losses, weights) = forward(tape, &self.packed, &self.config, group, carry);
                tape.backward(&self.packed, &keep, &mut self.gradient);
                add(&mut sums, &losses, &weights, &keep);
            }
        }
        let (loss, weight) = sums;
        if weight <= 0.0 {
            return loss.is_finite().then_some(Update {
                loss: 0.0,
                weight: 0.0,
                norm: 0.0,
            });
        }
        let norm = self.gradient.norm() / weight;
        if !(loss.is_finite() && norm.is_finite()) {
            return None;
        }
        let cut = (self.config.clip_norm / norm.max(f64::MIN_POSITIVE)).min(1.0);
        self.adam.step(
            &mut self.parameters.values,
            &self.gradient.values,
            (cut / weight) as f32,
            rate,
            self.config.weight_decay,
        );
        self.packed.refresh(&self.parameters);
        Some(Update { loss, weight, norm })
    }
}

fn forward(
    tape: &mut Tape,
    packed: &Packed,
    config: &LearnerConfig,
    group: &Group,
    carry: &mut Carry,
) -> (Wide, Wide) {
    tape.run(group, packed, carry);
    tape.loss(Targets {
        horizons: &config.horizons,
        horizon_weights: &config.horizon_weights,
        values: &group.values,
        weights: &group.weights,
    })
}

/// The mean loss of a window above which it is among the worst `share` of those that count.
fn trim_limit(judged: &[(Wide, Wide)], share: f64) -> f32 {
    let lanes = judged
        .iter()
        .flat_map(|(losses, weights)| losses.0.iter().zip(weights.0));
    let mut means: Vec<f32> = lanes
        .filter(|(_, weight)| *weight > 0.0)
        .map(|(loss, weight)| loss / weight)
        .collect();
    means.sort_by(f32::total_cmp);
    #[expect(clippy::cast_sign_loss, reason = "a share of a count")]
    let dropped = (means.len() as f64 * share) as usize;
    let last = means.len().checked_sub(dropped + 1);
    last.map_or(f32::INFINITY, |last| means[last])
}

fn add(sums: &mut (f64, f64), losses: &Wide, weights: &Wide, keep: &Wide) {
    for ((loss, weight), keep) in losses.0.iter().zip(weights.0).zip(keep.0) {
        if keep > 0.0 {
            sums.0 += f64::from(*loss);
            sums.1 += f64::from(weight);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    const SHAPE: Shape = Shape {
        inputs: 1,
        hidden: 8,
        horizons: 1,
    };
    const STEPS: usize = 16;

    fn config(trim_share: f64) -> LearnerConfig {
        LearnerConfig {
            shape: SHAPE,
            steps: STEPS,
            horizons: vec![1],
            horizon_weights: vec![1.0],
            clip_norm: 1.0,
            trim_share,
            weight_decay: 0.0,
        }
    }

    fn learner(trim_share: f64) -> Learner {
        let start = Parameters::start(SHAPE, &mut Rng::new(5, 0));
        let adam = Adam::new(start.values.len());
        Learner::new(config(trim_share), start, adam)
    }

    /// What follows is minus what is, and a little noise: persistence is as wrong as can be.
    fn alternating(rng: &mut Rng) -> Group {
        let phase: [f32; LANES] = std::array::from_fn(|_| if rng.chance(0.5) { 1.0 } else { -1.0 });
        let values: Vec<Wide> = (0..=STEPS)
            .map(|t| {
                let sign = if t % 2 == 0 { 1.0 } else { -1.0 };
                Wide(std::array::from_fn(|lane| {
                    phase[lane] * sign + 0.1 * rng.normal() as f32
                }))
            })
            .collect();
        Group {
            inputs: values[..STEPS].to_vec(),
            weights: vec![Wide([1.0; LANES]); STEPS + 1],
            values,
        }
    }

    #[test]
    fn it_learns_what_repeats() {
        let (mut learner, mut rng) = (learner(0.0), Rng::new(6, 0));
        let mut last = 0.0;
        for _ in 0..400 {
            let group = alternating(&mut rng);
            let update = learner
                .update(&[group], &mut [Carry::zero(SHAPE)], 0.01)
                .unwrap();
            last = update.loss / update.weight;
        }
        // A constant normal distribution cannot go below 1.42; the noise itself has -0.88.
        assert!(last < -0.5, "{last}");
    }

    /// A tenth of the windows is nonsense of sixty sigmas, and nobody says which.
    #[test]
    fn anomalies_among_the_training_data_do_little_harm() {
        let on_clean = |share: f64, trim_share: f64| {
            let (mut learner, mut rng) = (learner(trim_share), Rng::new(9, 0));
            for _ in 0..400 {
                let mut group = alternating(&mut rng);
                for lane in 0..LANES {
                    if rng.chance(share) {
                        for wide in &mut group.values[1..] {
                            wide.0[lane] = 60.0 * rng.normal() as f32;
                        }
                    }
                }
                let mut carry = [Carry::zero(SHAPE)];
                learner.update(&[group], &mut carry, 0.01).unwrap();
            }
            let group = alternating(&mut Rng::new(10, 0));
            let mut carry = [Carry::zero(SHAPE)];
            let update = learner.update(&[group], &mut carry, 0.0).unwrap();
            update.loss / update.weight
        };
        let (clean, odd) = (on_clean(0.0, 0.0), on_clean(0.1, 0.0));
        let trimmed = on_clean(0.1, 0.15);
        // A normal distribution that fits both would have a scale of 19: a loss of 4.
        assert!(odd < clean + 0.7, "{clean} {odd}");
        assert!(
            trimmed < clean + 0.15 && trimmed < odd,
            "{clean} {odd} {trimmed}"
        );
    }

    #[test]
    fn what_is_trimmed_or_weighs_nothing_leaves_no_trace() {
        let mut rng = Rng::new(7, 0);
        let clean = alternating(&mut rng);
        let mut odd = clean.clone();
        for wide in &mut odd.values {
            wide.0[3] = 50.0;
        }
        let mut masked = odd.clone();
        for wide in &mut masked.weights {
            wide.0[3] = 0.0;
        }
        let after = |group: &Group, trim_share| {
            let mut learner = learner(trim_share);
            let groups = [group.clone()];
            learner
                .update(&groups, &mut [Carry::zero(SHAPE)], 0.01)
                .unwrap();
            learner.parameters().clone()
        };
        // One of sixteen windows is odd.
        assert_eq!(after(&odd, 1.0 / 16.0), after(&masked, 0.0));
        assert_ne!(after(&odd, 0.0), after(&masked, 0.0));
    }

    #[test]
    fn what_is_not_finite_is_not_learned() {
        let mut learner = learner(0.0);
        let mut group = alternating(&mut Rng::new(8, 0));
        group.values[5].0[0] = f32::NAN;
        let before = learner.parameters().clone();
        let mut carry = [Carry::zero(SHAPE)];
        assert_eq!(learner.update(&[group.clone()], &mut carry, 0.01), None);
        for weight in &mut group.weights {
            *weight = Wide::ZERO;
        }
        group.values[5].0[0] = 0.0;
        let update = learner.update(&[group], &mut carry, 0.01).unwrap();
        assert!(update.weight <= 0.0);
        assert_eq!(learner.parameters(), &before);
    }
}
