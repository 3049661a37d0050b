//! How fast one core scores 100,000 warm series, and what they take: a shard called directly, no thread, no network.
//!
//! All series have their next sample, then all again: between two samples of one series lie all the others, so its
//! state comes from memory, not from a cache.

use std::error::Error;

use benches::{
    Driver, Figure, Fleet, Options, Order, Spent, engine_config, profile_name, rss_bytes,
};
use clap::Parser;
use hotpath::Profile;
use testkit::{Counting, allocations};

#[global_allocator]
static COUNTING: Counting = Counting;

const RUNS: usize = 5;
/// Samples of each series in one run.
const TICKS_PER_RUN: u32 = 4;
/// Samples of each series before the first run: enough to fill what detectors keep of the past (96 values at most).
const WARM_UP_TICKS: u32 = 104;

/// Prints a JSON object per figure on standard output, and what it is doing on standard error.
#[derive(Debug, Parser)]
struct Cli {
    #[command(flatten)]
    options: Options,
    /// With the detector that forecasts by a trained model.
    #[arg(long, requires = "profile")]
    lstm: bool,
}

fn main() -> Result<(), Box<dyn Error>> {
    let Cli { options, lstm } = Cli::parse();
    match options.only() {
        Some(profile) => measure(profile, lstm, options.quick),
        None => {
            for profile in options.profiles() {
                options.in_own_process(profile, &[])?;
            }
            options.in_own_process(Profile::Default, &["--lstm".to_owned()])
        }
    }
}

fn measure(profile: Profile, lstm: bool, quick: bool) -> Result<(), Box<dyn Error>> {
    let (fleet, warm_up) = if quick {
        (Fleet::new(5_000), 20)
    } else {
        (Fleet::new(100_000), WARM_UP_TICKS)
    };
    let suffix = if lstm { "_with_lstm" } else { "" };
    let (name, n) = (format!("{}{suffix}", profile_name(profile)), fleet.n_series);
    let (speed, size) = match (profile, lstm) {
        (Profile::Default, true) => ("at least 200,000", "4,096"),
        (Profile::Default, false) => ("at least 250,000", "4,096"),
        (Profile::Lean, _) => ("at least 1,000,000", "1,024"),
    };
    eprintln!("{name}: {n} series, {warm_up} samples of each to warm up");
    let before = rss_bytes();
    let mut driver = Driver::new(&engine_config(profile, lstm)?, fleet)?;
    driver.advance(warm_up, Order::Steady);
    let rss = rss_bytes().saturating_sub(before) as f64 / f64::from(n);

    let before = allocations();
    // Room for the runs is taken now, or it would count.
    let mut runs: Vec<Spent> = Vec::with_capacity(RUNS);
    let counted = allocations() - before;
    for _ in 0..RUNS {
        runs.push(driver.advance(TICKS_PER_RUN, Order::Steady));
    }
    let allocated = (allocations() - before - counted) as f64;
    let shuffled: Vec<Spent> = (0..RUNS)
        .map(|_| driver.advance(1, Order::Shuffled))
        .collect();
    if driver.n_refused() > 0 {
        return Err(format!("{} samples were refused", driver.n_refused()).into());
    }
    let samples: u64 = runs.iter().map(|run| run.samples).sum();
    let wall: f64 = runs.iter().map(|run| run.wall_s).sum();
    let by_the_clock = samples as f64 / wall;
    let of = |runs: &[Spent], what: fn(&Spent) -> f64| runs.iter().map(what).collect::<Vec<_>>();
    let figure = |what: &str, unit, runs: &[f64], note: String| {
        Figure::new(format!("replay/{name}/{what}"), unit, runs, note).print();
    };
    figure(
        "throughput",
        "samples/s",
        &of(&runs, Spent::samples_per_s),
        format!(
            "{n} series, one core, by its processor time ({by_the_clock:.0} by the clock); target {speed}"
        ),
    );
    figure(
        "cost",
        "ns/sample",
        &of(&runs, Spent::ns_per_sample),
        format!("{n} series, one core"),
    );
    figure(
        "cost_in_random_order",
        "ns/sample",
        &of(&shuffled, Spent::ns_per_sample),
        "the same, but the series come in another order each tick".to_owned(),
    );
    figure(
        "state",
        "bytes/series",
        &[driver.bytes_per_series() as f64],
        format!("as the shard counts; target at most {size}"),
    );
    figure(
        "resident",
        "bytes/series",
        &[rss],
        format!("growth of the process over {n} series, its buffers included"),
    );
    figure(
        "allocations",
        "1/sample",
        &[allocated / samples as f64],
        format!("{allocated} in {samples} samples; target 0"),
    );
    Ok(())
}
