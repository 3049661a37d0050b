//! Windows trained per second on one thread and, with `--python PATH`, beside PyTorch in the same run.
//!
//! Two trainings: `plain` is the yardstick (8 inputs, 32 units, window 64, batch 64, a linear head on the last state,
//! squared error, Adam); `student` is what is really trained: a forecast of five Student t distributions at every step.

use std::error::Error;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use benches::Figure;
use clap::Parser;
use training::lstm::{Carry, Packed, Parameters, Shape, Tape};
use training::{Adam, Group, LANES, Learner, LearnerConfig, Rng, Wide};

const INPUTS: usize = 8;
const HIDDEN: usize = 32;
const STEPS: usize = 64;
const BATCH: usize = 64;
const HORIZONS: [usize; 5] = [1, 2, 4, 8, 16];
const ROUNDS: usize = 12;
const BATCHES_PER_ROUND: usize = 40;

/// Prints a JSON object per figure on standard output, and what it is doing on standard error.
#[derive(Debug, Parser)]
struct Cli {
    /// One round: shows in a second that it works, and figures that mean little.
    #[arg(long)]
    quick: bool,
    /// A Python with torch, to run the same trainings in it.
    #[arg(long, value_name = "PATH")]
    python: Option<PathBuf>,
}

/// Windows per second in each round.
fn rounds(n: usize, mut batch: impl FnMut()) -> Vec<f64> {
    let round = |_| {
        let start = Instant::now();
        for _ in 0..BATCHES_PER_ROUND {
            batch();
        }
        (BATCH * BATCHES_PER_ROUND) as f64 / start.elapsed().as_secs_f64()
    };
    (0..n).map(round).collect()
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

fn plain(n: usize, groups: &[Group]) -> Vec<f64> {
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
    rounds(n, || {
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

fn student(n: usize, groups: &[Group], trim_share: f64) -> Vec<f64> {
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
    rounds(n, || {
        let mut carries = vec![Carry::zero(shape); groups.len()];
        let update = learner.update(groups, &mut carries, 1e-3);
        assert!(update.is_some(), "the loss of noise is finite");
    })
}

/// A training, and its windows per second in each round.
type Speeds = (String, Vec<f64>);

/// What PyTorch does: a line for each training.
fn torch(python: &PathBuf) -> Result<Vec<Speeds>, Box<dyn Error>> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/python/torch_lstm.py");
    let output = Command::new(python).arg(script).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let line = |line: &str| {
        let mut words = line.split_whitespace();
        let name = words.next().ok_or("an empty line")?.to_owned();
        let speeds: Result<Vec<f64>, _> = words.map(str::parse).collect();
        Ok((name, speeds?))
    };
    text.lines().map(line).collect()
}

fn best(runs: &[f64]) -> f64 {
    runs.iter().copied().fold(0.0, f64::max)
}

fn main() -> Result<(), Box<dyn Error>> {
    let Cli { quick, python } = Cli::parse();
    let n = if quick { 1 } else { ROUNDS };
    eprintln!("LSTM {INPUTS} -> {HIDDEN}, window {STEPS}, batch {BATCH}, one thread");
    let groups = groups(&mut Rng::new(2, 0));
    let ours = [
        ("plain", plain(n, &groups)),
        ("student", student(n, &groups, 0.0)),
        ("student-trimmed", student(n, &groups, 0.05)),
    ];
    let theirs = python.as_ref().map(torch).transpose()?.unwrap_or_default();
    for (name, runs) in &ours {
        let epoch = 200_000.0 / best(runs);
        let note = format!(
            "{INPUTS} -> {HIDDEN}, window {STEPS}, batch {BATCH}; an epoch of 200,000 in {epoch:.1} s"
        );
        Figure::new(format!("training/{name}"), "windows/s", runs, note).print();
    }
    for (name, runs) in &theirs {
        let note = "PyTorch, one thread, the same".to_owned();
        Figure::new(format!("training/{name}/pytorch"), "windows/s", runs, note).print();
        if let Some((_, own)) = ours.iter().find(|(own, _)| own == name) {
            let ratio = [best(own) / best(runs)];
            let note = "best of the rounds of both; target at least 0.6".to_owned();
            Figure::new(format!("training/{name}/ratio"), "x", &ratio, note).print();
        }
    }
    Ok(())
}
