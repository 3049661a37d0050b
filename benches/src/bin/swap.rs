//! What a swap of the forecasting model costs the samples under way: the time from handing a batch to the engine to its
//! outcome, with a new model every 10 ms and without, turn by turn.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use benches::{Figure, Fleet, engine_config, forecaster, quantile};
use clap::Parser;
use hotpath::{Engine, Profile, Scored, Sink};
use series::{Sample, SeriesKey};

const RUNS: usize = 5;
const SERIES: u32 = 10_000;
const BATCH: usize = 100;
/// Samples of each series in one run.
const TICKS_PER_RUN: u32 = 60;
const BETWEEN_SWAPS: Duration = Duration::from_millis(10);

/// Prints a JSON object per figure on standard output, and what it is doing on standard error.
#[derive(Debug, Parser)]
struct Cli {
    /// Fewer samples: shows in seconds that it works, and figures that mean little.
    #[arg(long)]
    quick: bool,
}

/// Takes every risk and keeps none.
struct Nobody;

impl Sink for Nobody {
    fn risks(&self, scored: &Scored<'_>) {
        std::hint::black_box(scored);
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let cli = Cli::parse();
    let ticks = if cli.quick { 4 } else { TICKS_PER_RUN };
    let fleet = Fleet::new(SERIES);
    let config = engine_config(Profile::Default, true)?;
    let engine = Engine::start(config, 1, 64, Arc::new(Nobody))?;
    for i in 0..SERIES {
        let key: SeriesKey = format!("wave{{job=\"{i}\"}}").parse()?;
        engine
            .register(&key)
            .map_err(|refusal| format!("series {i}: {refusal:?}"))?;
    }
    let models = [forecaster(2)?, forecaster(3)?];
    let (mut tick, mut calm, mut swapped) = (0, Vec::new(), Vec::new());
    run(&engine, fleet, &mut tick, ticks);
    let swaps = AtomicU64::new(0);
    for _ in 0..RUNS {
        calm.push(run(&engine, fleet, &mut tick, ticks));
        let done = AtomicBool::new(false);
        swapped.push(thread::scope(|scope| {
            scope.spawn(|| {
                for model in models.iter().cycle() {
                    if done.load(Ordering::Relaxed) {
                        break;
                    }
                    if engine.adopt(model).is_ok() {
                        swaps.fetch_add(1, Ordering::Relaxed);
                    }
                    thread::sleep(BETWEEN_SWAPS);
                }
            });
            let latencies = run(&engine, fleet, &mut tick, ticks);
            done.store(true, Ordering::Relaxed);
            latencies
        }));
    }
    let counters = engine.counters();
    if counters.model_failures > 0 || counters.shard_panics > 0 {
        return Err(format!("something failed: {counters:?}").into());
    }
    let p99 = |runs: &[Vec<f64>]| runs.iter().map(|us| quantile(us, 0.99)).collect::<Vec<_>>();
    let (calm, swapped) = (p99(&calm), p99(&swapped));
    let ratios: Vec<f64> = swapped.iter().zip(&calm).map(|(s, c)| s / c).collect();
    let note = format!("{BATCH} samples a batch, {SERIES} series, one shard");
    let many = format!("{} swaps, one each 10 ms", swaps.load(Ordering::Relaxed));
    Figure::new("swap/p99_without".to_owned(), "us", &calm, note).print();
    Figure::new("swap/p99_with".to_owned(), "us", &swapped, many).print();
    let target = "p99 with over p99 without; target at most 2".to_owned();
    Figure::new("swap/p99_ratio".to_owned(), "x", &ratios, target).print();
    Ok(())
}

/// Sends `ticks` samples of every series, batch after batch; how long each took, in microseconds.
fn run(engine: &Engine, fleet: Fleet, tick: &mut u32, ticks: u32) -> Vec<f64> {
    let (mut samples, mut latencies) = (Vec::new(), Vec::new());
    for _ in 0..ticks {
        fleet.fill(*tick, &mut samples);
        *tick += 1;
        for batch in samples.chunks(BATCH) {
            let mut buffer: Vec<Sample> = engine.buffer();
            buffer.extend_from_slice(batch);
            let (sender, outcome) = channel();
            let begin = Instant::now();
            // The receiver waits below.
            engine.submit(buffer, move |outcome| drop(sender.send(outcome)));
            let taken = outcome.recv().map_or(0, |outcome| outcome.taken);
            latencies.push(begin.elapsed().as_secs_f64() * 1e6);
            assert_eq!(taken as usize, batch.len(), "a sample was lost");
        }
    }
    latencies
}
