//! Numbers: the runtime, our kernel and the formulas agree over a thousand carried steps.

use graph::{Lstm, Metadata, write_step};
use onnx::{Golden, Options, Prefer, Tensor, load, step_model};
use predict::forecast::{Batch, Model};

use super::{card, fixture};

const STEPS: usize = 1_000;
const ROWS: usize = 7;

/// Weights that all differ, within 0.4 of zero.
pub(crate) fn lstm(inputs: usize, hidden: usize, horizons: usize) -> Lstm {
    let mut place = 0_u32;
    let mut list = |n: usize| -> Vec<f32> {
        (0..n)
            .map(|_| {
                place += 1;
                ((f64::from(place) * 0.618_033_988_749_895).fract() * 0.8 - 0.4) as f32
            })
            .collect()
    };
    Lstm {
        inputs,
        hidden,
        horizons,
        w: list(4 * hidden * inputs),
        r: list(4 * hidden * hidden),
        b: list(4 * hidden),
        head_w: list(3 * horizons * hidden),
        head_b: list(3 * horizons),
    }
}

/// The notes of a model over the first features.
pub(crate) fn metadata(inputs: usize, horizons: usize) -> Metadata {
    let names: Vec<_> = features::SCHEMA[..inputs].iter().map(|c| c.name).collect();
    let ahead: Vec<_> = (0..horizons).map(|k| (1 << k).to_string()).collect();
    [
        ("signature", "lstm-step/1".to_owned()),
        ("schema_hash", format!("{:#018x}", features::schema_hash())),
        ("inputs", names.join(",")),
        ("horizons", ahead.join(",")),
        ("soft_limit", "4".to_owned()),
    ]
    .map(|(key, value)| (format!("forestall.{key}"), value))
    .into()
}

/// The formulas of [`Lstm`], in f64, one row.
struct Formulas<'a> {
    lstm: &'a Lstm,
    h: Vec<f64>,
    c: Vec<f64>,
}

impl Formulas<'_> {
    /// Location, scale and tail.
    fn step(&mut self, x: &[f32]) -> [Vec<f64>; 3] {
        let l = self.lstm;
        let (f, n) = (l.inputs, l.hidden);
        let dot = |row: &[f32], v: &[f64]| -> f64 {
            row.iter().zip(v).map(|(a, b)| f64::from(*a) * b).sum()
        };
        let x: Vec<f64> = x.iter().map(|x| f64::from(*x)).collect();
        let gate = |block: usize, j: usize| {
            let row = block * n + j;
            dot(&l.w[row * f..][..f], &x) + dot(&l.r[row * n..][..n], &self.h) + f64::from(l.b[row])
        };
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        let mut next = (Vec::new(), Vec::new());
        for j in 0..n {
            let [i, o, forget] = [0, 1, 2].map(|block| sigmoid(gate(block, j)));
            let c = forget * self.c[j] + i * gate(3, j).tanh();
            next.0.push(o * c.tanh());
            next.1.push(c);
        }
        (self.h, self.c) = next;
        let head = |third: usize, k: usize| {
            let row = third * l.horizons + k;
            dot(&l.head_w[row * n..][..n], &self.h) + f64::from(l.head_b[row])
        };
        let softplus = |x: f64| x.max(0.0) + (-x.abs()).exp().ln_1p();
        [0, 1, 2].map(|third| {
            let raw = (0..l.horizons).map(|k| head(third, k));
            match third {
                0 => raw.collect(),
                1 => raw.map(|raw| softplus(raw) + 0.001).collect(),
                _ => raw.map(|raw| softplus(raw) + 2.0).collect(),
            }
        })
    }
}

/// An input for a row at a step: within the limit, never the same twice.
fn input(step: usize, place: usize) -> f32 {
    let phase = (step * 31 + place * 7) as f64;
    (4.0 * (phase * 0.618_033_988_749_895).fract() * (phase * 0.01).sin()) as f32
}

fn close(found: f32, expected: f64, what: &str) {
    // Half of the promised 1e-5: any two that agree with the formulas agree with each other.
    let off = (f64::from(found) - expected).abs();
    assert!(
        off <= 5e-6 * (1.0 + expected.abs()),
        "{what}: {found} is not {expected}"
    );
}

fn follows_the_formulas(model: &dyn Model, lstm: &Lstm) {
    let (f, n, k) = (lstm.inputs, lstm.hidden, lstm.horizons);
    let mut session = model.session().unwrap();
    let mut batch = Batch::default();
    batch.resize(ROWS, model.signature());
    batch.h.fill(0.0);
    batch.c.fill(0.0);
    let state = || Formulas {
        lstm,
        h: vec![0.0; n],
        c: vec![0.0; n],
    };
    let mut rows: Vec<_> = (0..ROWS).map(|_| state()).collect();
    for step in 0..STEPS {
        for (place, x) in batch.x.iter_mut().enumerate() {
            *x = input(step, place);
        }
        session.step(&mut batch).unwrap();
        for (row, formulas) in rows.iter_mut().enumerate() {
            let expected = formulas.step(&batch.x[row * f..][..f]);
            let found = [&batch.location, &batch.scale, &batch.tail];
            for (found, expected) in found.into_iter().zip(&expected) {
                for (found, expected) in found[row * k..][..k].iter().zip(expected) {
                    close(*found, *expected, &format!("step {step}, row {row}"));
                }
            }
            let states = [(&batch.h, &formulas.h), (&batch.c, &formulas.c)];
            for (found, expected) in states {
                for (found, expected) in found[row * n..][..n].iter().zip(expected) {
                    close(
                        *found,
                        *expected,
                        &format!("state at step {step}, row {row}"),
                    );
                }
            }
        }
    }
}

pub(crate) fn a_thousand_carried_steps() {
    for (inputs, hidden, horizons) in [(8, 32, 4), (3, 5, 1)] {
        let lstm = lstm(inputs, hidden, horizons);
        let bytes = write_step(&lstm, &metadata(inputs, horizons));
        for prefer in [Prefer::Session, Prefer::Kernel] {
            let options = Options {
                prefer,
                ..Options::default()
            };
            let model = step_model(&bytes, None, "1", &options).unwrap();
            assert_eq!((model.version(), model.signature().hidden()), ("1", hidden));
            let text = format!("{model:?}");
            assert_eq!(
                text.starts_with("Kernel"),
                prefer == Prefer::Kernel,
                "{text:.40}"
            );
            follows_the_formulas(&*model, &lstm);
        }
    }
}

/// The fixtures hold the same weights, exported in three ways.
pub(crate) fn exports_of_pytorch_agree() {
    let exports = ["lstm", "lstm_torchscript", "lstm_cell"];
    let golden = {
        let graph = load(&fixture("lstm"), &Options::default()).unwrap();
        let tensor = |name: &str, width: usize| {
            let data = (0..4 * width).map(|place| input(width, place)).collect();
            Tensor::f32(name, &[4, width], data)
        };
        Golden::of(
            &graph,
            vec![vec![tensor("x", 3), tensor("h", 4), tensor("c", 4)]],
        )
        .unwrap()
    };
    let golden = Golden::parse(golden.to_json().unwrap().as_bytes()).unwrap();
    for export in exports {
        let bytes = fixture(export);
        golden
            .verify(&load(&bytes, &Options::default()).unwrap())
            .unwrap();
        let model = step_model(&bytes, Some(&card()), "7", &Options::default()).unwrap();
        golden.verify_step(&*model).unwrap();
        // The newer exporter's graph is recognised; the others are served by the runtime.
        let text = format!("{model:?}");
        assert_eq!(text.starts_with("Kernel"), export == "lstm", "{text:.40}");
        let error = step_model(&bytes, None, "7", &Options::default()).unwrap_err();
        assert!(error.to_string().contains("[signature]"), "{error}");
    }
    let mut off = golden;
    off.steps[0].outputs[0].shape.pop();
    let graph = load(&fixture("lstm"), &Options::default()).unwrap();
    assert!(
        off.verify(&graph)
            .unwrap_err()
            .to_string()
            .contains("shape")
    );
}
