//! Windows trained per second on one thread, beside PyTorch in the same run.
//!
//! `cargo bench -p training -- --python PATH` also runs `benches/python/torch_lstm.py` with that interpreter, and prints
//! the ratio. Two trainings: `plain` is the yardstick (8 inputs, 32 units, window 64, batch 64, a linear head on the last
//! state, squared error, Adam); `student` is what is really trained: a forecast of five Student t distributions at every
//! step. Best of the timed rounds of each: the machine may be shared.

use std::io::Write;
use std::process::Command;
use std::time::Instant;

use training::lstm::{Carry, Packed, Parameters, Shape, Tape};
use training::{Adam, Group, LANES, Learner, LearnerConfig, Rng, Wide};

const INPUTS: usize = 8;
const HIDDEN: usize = 32;
const STEPS: usize = 64;
const BATCH: usize = 64;
const HORIZONS: [usize; 5] = [1, 2, 4, 8, 16];
const ROUNDS: usize = 12;
const BATCHES_PER_ROUND: usize = 40;

/// Windows per second, best of the rounds.
fn best(mut batch: impl FnMut()) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for _ in 0..BATCHES_PER_ROUND {
            batch();
        }
        best = best.min(start.elapsed().as_secs_f64());
    }
    (BATCH * BATCHES_PER_ROUND) as f64 / best
}

fn groups(rng: &mut Rng) -> Vec<Group> {
    let mut wide = |n: usize| -> Vec<Wide> {
        (0..n)
            .map(|_| Wide(std::array::from_fn(|_| rng.normal() as f32)))
            .collect()
    };
    (0..BATCH / LANES)
        .map(|_| Group {
            inputs: wide(STEPS * INPUTS),
            values: wide(STEPS + HORIZONS[4]),
            weights: vec![Wide([1.0; LANES]); STEPS + HORIZONS[4]],
        })
        .collect()
}

fn plain(groups: &[Group]) -> f64 {
    let shape = Shape {
        inputs: INPUTS,
        hidden: HIDDEN,
        horizons: 1,
    };
    let mut parameters = Parameters::start(shape, &mut Rng::new(1, 0));
    let mut adam = Adam::new(parameters.values.len());
    let mut packed = Packed::new(&parameters);
    let mut tape = Tape::new(shape, STEPS);
    let mut gradient = Parameters::zero(shape);
    best(|| {
        gradient.values.fill(0.0);
        for group in groups {
            for (t, inputs) in group.inputs.chunks_exact(INPUTS).enumerate() {
                tape.inputs_mut(t).copy_from_slice(inputs);
            }
            tape.forward(&packed, &mut Carry::zero(shape));
            for t in 0..STEPS - 1 {
                tape.outputs_mut(t).fill(Wide::ZERO);
            }
            let out = tape.outputs_mut(STEPS - 1);
            for (found, came) in out[0].0.iter_mut().zip(group.values[STEPS].0) {
                *found = 2.0 * (*found - came);
            }
            out[1..].fill(Wide::ZERO);
            tape.backward(&packed, &Wide([1.0 / BATCH as f32; LANES]), &mut gradient);
        }
        adam.step(&mut parameters.values, &gradient.values, 1.0, 1e-3, 0.0);
        packed.refresh(&parameters);
    })
}

fn student(groups: &[Group], trim_share: f64) -> f64 {
    let shape = Shape {
        inputs: INPUTS,
        hidden: HIDDEN,
        horizons: HORIZONS.len(),
    };
    let config = LearnerConfig {
        shape,
        steps: STEPS,
        horizons: HORIZONS.to_vec(),
        horizon_weights: vec![1.0; HORIZONS.len()],
        clip_norm: 1.0,
        trim_share,
        weight_decay: 0.0,
    };
    let start = Parameters::start(shape, &mut Rng::new(1, 0));
    let adam = Adam::new(start.values.len());
    let mut learner = Learner::new(config, start, adam);
    best(|| {
        let mut carries = vec![Carry::zero(shape); groups.len()];
        let update = learner.update(groups, &mut carries, 1e-3);
        assert!(update.is_some(), "the loss of noise is finite");
    })
}

/// What PyTorch does: `name windows-per-second` a line.
fn torch(python: &str) -> Result<Vec<(String, f64)>, String> {
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../benches/python/torch_lstm.py"
    );
    let output = Command::new(python)
        .arg(script)
        .output()
        .map_err(|error| format!("starting {python}: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let lines = text.lines().filter_map(|line| line.split_once(' '));
    Ok(lines
        .filter_map(|(name, speed)| Some((name.to_owned(), speed.trim().parse().ok()?)))
        .collect())
}

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let python = arguments
        .iter()
        .position(|argument| argument == "--python")
        .and_then(|place| arguments.get(place + 1));
    let groups = groups(&mut Rng::new(2, 0));
    let ours = [
        ("plain", plain(&groups)),
        ("student", student(&groups, 0.0)),
        ("student-trimmed", student(&groups, 0.05)),
    ];
    let theirs = match python.map(|python| torch(python)) {
        Some(Ok(theirs)) => theirs,
        Some(Err(error)) => return Err(std::io::Error::other(error)),
        None => Vec::new(),
    };
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "LSTM {INPUTS} -> {HIDDEN}, window {STEPS}, batch {BATCH}, one thread, windows/s, best of {ROUNDS}"
    )?;
    for (name, speed) in ours {
        write!(out, "{name:<16} {speed:>9.0}")?;
        if let Some((_, torch)) = theirs.iter().find(|(other, _)| other == name) {
            write!(out, "   PyTorch {torch:>9.0}   ratio {:.2}", speed / torch)?;
        }
        writeln!(out, "   200,000 windows in {:.1} s", 2e5 / speed)?;
    }
    Ok(())
}
