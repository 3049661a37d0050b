//! The two passes against a plain model in double precision, written from the definition.

use super::*;
use crate::rng::Rng;
use crate::simd::{LANES, Wide};

const HORIZONS: [usize; 2] = [1, 3];
const HORIZON_WEIGHTS: [f32; 2] = [1.0, 0.5];
const STEPS: usize = 7;
/// Odd sizes reach the ends of every blocked loop: 6 units are one block of four and two alone.
const SHAPE: Shape = Shape {
    inputs: 3,
    hidden: 6,
    horizons: 2,
};

struct Data {
    inputs: Vec<Vec<Wide>>,
    values: Vec<Wide>,
    weights: Vec<Wide>,
}

fn data(shape: Shape, steps: usize, seed: u64) -> Data {
    let mut rng = Rng::new(seed, 0);
    let mut wide = |size: f64| Wide(std::array::from_fn(|_| (size * rng.normal()) as f32));
    let inputs = (0..steps).map(|_| (0..shape.inputs).map(|_| wide(1.5)).collect());
    let inputs = inputs.collect();
    let mut values: Vec<Wide> = (0..steps + 3).map(|_| wide(2.0)).collect();
    // Outliers, as in what is trained on.
    values[4].0[2] = 90.0;
    values[5].0[3] = -100.0;
    let weights = (0..steps + 3)
        .map(|_| {
            Wide(std::array::from_fn(
                |_| {
                    if rng.chance(0.8) { 1.0 } else { 0.0 }
                },
            ))
        })
        .collect();
    Data {
        inputs,
        values,
        weights,
    }
}

impl Data {
    fn targets(&self) -> Targets<'_> {
        Targets {
            horizons: &HORIZONS,
            horizon_weights: &HORIZON_WEIGHTS,
            values: &self.values,
            weights: &self.weights,
        }
    }

    fn fill(&self, tape: &mut Tape) {
        for (t, inputs) in self.inputs.iter().enumerate() {
            tape.inputs_mut(t).copy_from_slice(inputs);
        }
    }
}

/// ln Γ by its recurrence and Stirling's series at 20 and up.
fn ln_gamma(mut x: f64) -> f64 {
    let mut shift = 0.0;
    while x < 20.0 {
        shift += x.ln();
        x += 1.0;
    }
    let series = 1.0 / (12.0 * x) - 1.0 / (360.0 * x.powi(3)) + 1.0 / (1_260.0 * x.powi(5));
    (x - 0.5) * x.ln() - x + 0.5 * std::f64::consts::TAU.ln() + series - shift
}

fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// Loss of one lane and its last state, from the definitions.
fn reference(shape: Shape, p: &[f64], data: &Data, lane: usize) -> (f64, Vec<f64>) {
    let (f, n, k) = (shape.inputs, shape.hidden, shape.horizons);
    let (w, r, b) = (&p[shape.w()], &p[shape.r()], &p[shape.b()]);
    let (head_w, head_b) = (&p[shape.head_w()], &p[shape.head_b()]);
    let (mut h, mut c) = (vec![0.0; n], vec![0.0; n]);
    let mut loss = 0.0;
    for (t, x) in data.inputs.iter().enumerate() {
        let gate = |row: usize| {
            let from_x = (0..f).map(|i| w[row * f + i] * f64::from(x[i].0[lane]));
            let from_h = (0..n).map(|i| r[row * n + i] * h[i]);
            b[row] + from_x.sum::<f64>() + from_h.sum::<f64>()
        };
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        let next: Vec<(f64, f64)> = (0..n)
            .map(|j| {
                let (i, o) = (sigmoid(gate(j)), sigmoid(gate(n + j)));
                let (forget, new) = (sigmoid(gate(2 * n + j)), gate(3 * n + j).tanh());
                let cell = forget * c[j] + i * new;
                (o * cell.tanh(), cell)
            })
            .collect();
        (h, c) = next.into_iter().unzip();
        let out =
            |row: usize| head_b[row] + (0..n).map(|i| head_w[row * n + i] * h[i]).sum::<f64>();
        for (i, ahead) in HORIZONS.iter().map(|ahead| t + ahead).enumerate() {
            let (location, scale, tail) = (
                out(i),
                softplus(out(k + i)) + 0.001,
                softplus(out(2 * k + i)) + 2.0,
            );
            let z = (f64::from(data.values[ahead].0[lane]) - location) / scale;
            let log_density = ln_gamma((tail + 1.0) / 2.0)
                - ln_gamma(tail / 2.0)
                - 0.5 * (tail * std::f64::consts::PI).ln()
                - scale.ln()
                - (tail + 1.0) / 2.0 * (z * z / tail).ln_1p();
            let weight = data.weights[ahead].0[lane] * HORIZON_WEIGHTS[i];
            loss -= f64::from(weight) * log_density;
        }
    }
    (loss, h)
}

fn model(shape: Shape, seed: u64) -> Parameters {
    let mut rng = Rng::new(seed, 1);
    let mut parameters = Parameters::start(shape, &mut rng);
    for value in &mut parameters.values {
        *value += 0.3 * rng.normal() as f32;
    }
    parameters
}

/// Every parameter, one after the other, by central differences of the plain model.
#[test]
fn the_gradient_of_every_parameter_is_that_of_the_definition() {
    for (seed, shape) in [
        (1, SHAPE),
        (
            2,
            Shape {
                hidden: 21,
                ..SHAPE
            },
        ),
    ] {
        let parameters = model(shape, seed);
        let data = data(shape, STEPS, seed);
        let packed = Packed::new(&parameters);
        let mut tape = Tape::new(shape, STEPS);
        data.fill(&mut tape);
        tape.forward(&packed, &mut Carry::zero(shape));
        let (losses, _) = tape.loss(data.targets());
        let mut gradient = Parameters::zero(shape);
        // One lane is left out, another counts twice.
        let mut scale = Wide([1.0; LANES]);
        (scale.0[5], scale.0[6]) = (0.0, 2.0);
        tape.backward(&packed, &scale, &mut gradient);

        let exact: Vec<f64> = parameters.values.iter().map(|&v| f64::from(v)).collect();
        let total = |p: &[f64]| -> f64 {
            (0..LANES)
                .map(|lane| f64::from(scale.0[lane]) * reference(shape, p, &data, lane).0)
                .sum()
        };
        for (lane, loss) in losses.0.iter().enumerate() {
            let expected = reference(shape, &exact, &data, lane).0;
            assert!(
                (f64::from(*loss) - expected).abs() < 2e-6 * expected.abs().max(10.0),
                "lane {lane}: {loss} {expected}"
            );
        }
        for i in 0..exact.len() {
            let mut moved = exact.clone();
            moved[i] = exact[i] + 1e-5;
            let above = total(&moved);
            moved[i] = exact[i] - 1e-5;
            let slope = (above - total(&moved)) / 2e-5;
            let found = f64::from(gradient.values[i]);
            assert!(
                (found - slope).abs() < 2e-5 * slope.abs().max(10.0),
                "parameter {i}: {found} {slope}"
            );
        }
    }
}

/// A window cut in two, its state carried over, forecasts what the whole does, to the bit.
#[test]
fn windows_go_on_where_the_last_one_ended() {
    let parameters = model(SHAPE, 3);
    let packed = Packed::new(&parameters);
    let data = data(SHAPE, 1_000, 3);
    let mut whole = Tape::new(SHAPE, 1_000);
    data.fill(&mut whole);
    whole.forward(&packed, &mut Carry::zero(SHAPE));
    let (mut part, mut carry) = (Tape::new(SHAPE, 10), Carry::zero(SHAPE));
    for (block, inputs) in data.inputs.chunks(10).enumerate() {
        for (t, inputs) in inputs.iter().enumerate() {
            part.inputs_mut(t).copy_from_slice(inputs);
        }
        part.forward(&packed, &mut carry);
        assert_eq!(part.outputs(9), whole.outputs(10 * block + 9));
    }
    let exact: Vec<f64> = parameters.values.iter().map(|&v| f64::from(v)).collect();
    let state = whole.state(999);
    let plain = Data {
        values: vec![Wide::ZERO; 1_003],
        weights: vec![Wide::ZERO; 1_003],
        ..data
    };
    for lane in [0, LANES - 1] {
        let (_, h) = reference(SHAPE, &exact, &plain, lane);
        for (found, expected) in state.iter().zip(h) {
            assert!((f64::from(found.0[lane]) - expected).abs() < 2e-6);
        }
    }
}

#[test]
fn forecasts_are_positive_where_they_must_be() {
    let parameters = model(SHAPE, 4);
    let mut tape = Tape::new(SHAPE, STEPS);
    let mut data = data(SHAPE, STEPS, 4);
    data.inputs[0][0] = Wide([1e6; LANES]);
    data.fill(&mut tape);
    tape.forward(&Packed::new(&parameters), &mut Carry::zero(SHAPE));
    let mut out = vec![Wide::ZERO; 6];
    for t in 0..STEPS {
        tape.forecasts(t, &mut out);
        assert!(out.iter().flat_map(|wide| wide.0).all(f32::is_finite));
        assert!(out[2..4].iter().flat_map(|wide| wide.0).all(|s| s > 0.0));
        assert!(out[4..].iter().flat_map(|wide| wide.0).all(|s| s >= 2.0));
    }
}

/// What is trained is what is served: forecasts and state over 1,000 carried steps.
#[test]
fn the_kernel_that_serves_agrees_with_the_trainer() {
    use predict::forecast::{Batch, Kernel, Model, Signature, Weights};
    const N: usize = 1_000;
    let parameters = model(SHAPE, 5);
    let mut tape = Tape::new(SHAPE, N);
    let data = data(SHAPE, N, 5);
    data.fill(&mut tape);
    tape.forward(&Packed::new(&parameters), &mut Carry::zero(SHAPE));

    let part = |range: std::ops::Range<usize>| parameters.values[range].to_vec();
    let weights = Weights {
        w: part(SHAPE.w()),
        r: part(SHAPE.r()),
        b: part(SHAPE.b()),
        head_w: part(SHAPE.head_w()),
        head_b: part(SHAPE.head_b()),
    };
    let schema = features::schema_hash();
    let inputs = ["level", "difference", "gap"];
    let signature = Signature::new(schema, &inputs, SHAPE.hidden, vec![1, 3], 4.0).unwrap();
    let kernel = Kernel::new(signature.clone(), "1", &weights).unwrap();
    let (mut session, mut batch) = (kernel.session().unwrap(), Batch::default());
    batch.resize(1, &signature);
    let mut out = [Wide::ZERO; 6];
    for (t, inputs) in data.inputs.iter().enumerate() {
        for (place, wide) in batch.x.iter_mut().zip(inputs) {
            *place = wide.0[7];
        }
        session.step(&mut batch).unwrap();
        tape.forecasts(t, &mut out);
        let found = batch.location.iter().chain(&batch.scale).chain(&batch.tail);
        let found = found.chain(&batch.h).chain(&batch.c);
        let expected = out.iter().chain(tape.state(t)).chain(tape.cell(t));
        for (found, expected) in found.zip(expected) {
            let error = (found - expected.0[7]).abs() / found.abs().max(1.0);
            assert!(error < 1e-5, "step {t}: {found} {}", expected.0[7]);
        }
    }
}
