//! How many samples a second go through gRPC, end to end: encoded by a client, decoded, checked, scored, recorded for
//! readers and acknowledged.
//!
//! Client and server share the cores of this machine, so by the clock they are slower than apart. What counts is the
//! processor time of the server's side: the threads that serve and those that score.

use std::error::Error;
use std::time::Instant;

use benches::{CpuByThread, Figure, Fleet, Options, Serving, profile_name};
use clap::Parser;
use hotpath::Profile;
use proto::v1;
use tokio::runtime::Handle;

const RUNS: usize = 5;
/// Samples of each series in one run.
const TICKS_PER_RUN: u32 = 50;
/// Samples of each series before the first run.
const WARM_UP_TICKS: u32 = 48;
/// Samples in one request.
const BATCH: u32 = 5_000;

/// Prints a JSON object per figure on standard output, and what it is doing on standard error.
#[derive(Debug, Parser)]
struct Cli {
    #[command(flatten)]
    options: Options,
}

fn main() -> Result<(), Box<dyn Error>> {
    let Cli { options } = Cli::parse();
    benches::run(|server| async move {
        for profile in options.profiles() {
            measure(&server, profile, options.quick).await?;
        }
        Ok(())
    })
}

/// What one run cost.
struct Run {
    samples: f64,
    wall_s: f64,
    cpu: CpuByThread,
}

async fn measure(server: &Handle, profile: Profile, quick: bool) -> Result<(), Box<dyn Error>> {
    let fleet = Fleet::new(if quick { 5_000 } else { 20_000 });
    let (name, n) = (profile_name(profile), fleet.n_series);
    eprintln!("{name}: {n} series");
    let mut serving = Serving::start(server, profile, fleet).await?;
    let warm_up = if quick { 10 } else { WARM_UP_TICKS };
    serving.push(requests(fleet, 0..warm_up)).await?;
    let mut runs = Vec::new();
    for from in (warm_up..).step_by(TICKS_PER_RUN as usize).take(RUNS) {
        let requests = requests(fleet, from..from + TICKS_PER_RUN);
        let (wall, cpu) = (Instant::now(), CpuByThread::now());
        serving.push(requests).await?;
        runs.push(Run {
            samples: f64::from(n) * f64::from(TICKS_PER_RUN),
            wall_s: wall.elapsed().as_secs_f64(),
            cpu: CpuByThread::now().since(&cpu),
        });
    }
    serving.stop().await?;

    let of = |what: fn(&Run) -> f64| runs.iter().map(what).collect::<Vec<_>>();
    let figure = |what: &str, unit, runs: &[f64], note: String| {
        Figure::new(format!("push/{name}/{what}"), unit, runs, note).print();
    };
    figure(
        "per_core",
        "samples/s",
        &of(|run| run.samples / (run.cpu.server + run.cpu.shards)),
        format!(
            "{n} series, {BATCH} samples a request; serving and scoring; target at least 500,000"
        ),
    );
    figure(
        "per_core_without_scoring",
        "samples/s",
        &of(|run| run.samples / run.cpu.server),
        "the threads that serve alone: read, decode, check, acknowledge; target at least 500,000"
            .to_owned(),
    );
    figure(
        "throughput",
        "samples/s",
        &of(|run| run.samples / run.wall_s),
        "by the clock, the client on the same cores".to_owned(),
    );
    for (what, cost) in [
        (
            "cost_of_serving",
            of(|run| run.cpu.server * 1e9 / run.samples),
        ),
        (
            "cost_of_scoring",
            of(|run| run.cpu.shards * 1e9 / run.samples),
        ),
        (
            "cost_of_client",
            of(|run| run.cpu.client * 1e9 / run.samples),
        ),
    ] {
        figure(what, "ns/sample", &cost, "processor time".to_owned());
    }
    Ok(())
}

/// The samples of some ticks, in requests.
fn requests(fleet: Fleet, ticks: std::ops::Range<u32>) -> Vec<v1::PushRequest> {
    let mut requests = Vec::new();
    for tick in ticks {
        for first in (0..fleet.n_series).step_by(BATCH as usize) {
            let some = first..(first + BATCH).min(fleet.n_series);
            requests.push(v1::PushRequest {
                batch: Some(v1::SampleBatch {
                    series_ref: some.clone().collect(),
                    time_us: some.clone().map(|_| fleet.at(tick).micros()).collect(),
                    value: some.map(|i| fleet.value(i, tick)).collect(),
                }),
                ..Default::default()
            });
        }
    }
    requests
}
