use super::*;
use features::schema_hash;

fn kernel(hidden: usize) -> (Kernel, Weights) {
    let inputs = ["level", "difference", "gap"];
    let signature = Signature::new(schema_hash(), &inputs, hidden, vec![1, 4], 4.0).unwrap();
    let weights = Weights::seeded(&signature, 1);
    (Kernel::new(signature, "1", &weights).unwrap(), weights)
}

/// Anything between -4 and 4.
fn inputs(n: usize) -> Vec<f32> {
    (0..n)
        .map(|i| ((i * 7919 % 1009) as f32 / 1009.0 - 0.5) * 8.0)
        .collect()
}

/// The textbook, in double precision.
fn textbook(weights: &Weights, hidden: usize, x: &[f32], h: &mut [f64], c: &mut [f64]) -> Vec<f64> {
    let f = x.len();
    let gate: Vec<f64> = (0..4 * hidden)
        .map(|g| {
            let from_x: f64 = (0..f)
                .map(|i| f64::from(weights.w[g * f + i]) * f64::from(x[i]))
                .sum();
            let from_h: f64 = (0..hidden)
                .map(|i| f64::from(weights.r[g * hidden + i]) * h[i])
                .sum();
            from_x + from_h + f64::from(weights.b[g])
        })
        .collect();
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    for j in 0..hidden {
        let [i, o, f, g] = [0, 1, 2, 3].map(|block| gate[block * hidden + j]);
        c[j] = sigmoid(f) * c[j] + sigmoid(i) * g.tanh();
        h[j] = sigmoid(o) * c[j].tanh();
    }
    let softplus = |x: f64| x.exp().ln_1p();
    (0..6)
        .map(|out| {
            let sum: f64 = (0..hidden)
                .map(|i| f64::from(weights.head_w[out * hidden + i]) * h[i])
                .sum();
            let raw = sum + f64::from(weights.head_b[out]);
            match out / 2 {
                0 => raw,
                1 => softplus(raw) + f64::from(LEAST_SCALE),
                _ => softplus(raw) + f64::from(LEAST_TAIL),
            }
        })
        .collect()
}

/// 1,000 carried steps of a batch whose size is no multiple of anything, at every level there is.
#[test]
fn agrees_with_the_textbook_over_a_thousand_steps_at_every_level() {
    for (hidden, level) in [
        (24, Level::of_this_machine()),
        (24, Level::Portable),
        (7, Level::of_this_machine()),
        (1, Level::Portable),
    ] {
        let (kernel, weights) = kernel(hidden);
        let rows = 7;
        let mut session = Session {
            level,
            gates: vec![0.0; ROWS * 4 * kernel.packed.padded],
            head: vec![0.0; ROWS * kernel.packed.head_columns],
            soft: vec![0.0; ROWS * kernel.packed.head_columns],
            packed: Arc::clone(&kernel.packed),
        };
        let mut batch = Batch::default();
        batch.resize(rows, kernel.signature());
        let mut states = vec![(vec![0.0; hidden], vec![0.0; hidden]); rows];
        let inputs = inputs(1000 * rows * 3);
        let mut worst: f64 = 0.0;
        for x in inputs.chunks_exact(rows * 3) {
            batch.x.copy_from_slice(x);
            session.step(&mut batch).unwrap();
            for (row, (h, c)) in states.iter_mut().enumerate() {
                let expected = textbook(&weights, hidden, &batch.x[row * 3..][..3], h, c);
                let got = [&batch.location, &batch.scale, &batch.tail]
                    .map(|out| &out[row * 2..][..2])
                    .concat();
                for (got, expected) in got.iter().zip(expected) {
                    worst = worst.max((f64::from(*got) - expected).abs());
                }
            }
        }
        assert!(worst < 5e-6, "hidden {hidden}, {level:?}: {worst:e}");
    }
}

#[test]
fn a_row_depends_on_itself_alone() {
    let (kernel, _) = kernel(24);
    let run = |rows: usize| {
        let mut batch = Batch::default();
        batch.resize(rows, kernel.signature());
        batch.x.copy_from_slice(&inputs(rows * 3));
        kernel.session().unwrap().step(&mut batch).unwrap();
        batch.location[..2].to_vec()
    };
    assert_eq!(run(1), run(9), "the same bits alone and in a batch");
}

#[test]
fn weights_that_do_not_fit_are_named() {
    let (kernel, weights) = kernel(4);
    let refused = |change: &dyn Fn(&mut Weights)| {
        let mut weights = weights.clone();
        change(&mut weights);
        Kernel::new(kernel.signature.clone(), "1", &weights)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        refused(&|w| w.b.truncate(3)),
        "b has 3 numbers, expected 16"
    );
    assert_eq!(refused(&|w| w.r[5] = f32::NAN), "r[5] is not finite");
}

#[test]
fn a_forecast_that_is_not_finite_is_an_error() {
    let (kernel, _) = kernel(4);
    let mut batch = Batch::default();
    batch.resize(1, kernel.signature());
    batch.x[0] = f32::NAN;
    assert!(kernel.session().unwrap().step(&mut batch).is_err());
}
