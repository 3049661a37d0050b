//! What a sample and a series cost, from 1,000 to 1,000,000 series: it should hardly depend on how many there are.
//!
//! Every size gets the same samples of each series, so that detectors are equally warm. A size that would not fit into
//! the machine's memory is left out, and said so.

use std::error::Error;

use benches::{
    Driver, Figure, Fleet, Options, Order, Spent, available_bytes, engine_config, profile_name,
    rss_bytes,
};
use clap::Parser;
use hotpath::Profile;

const SIZES: [u32; 4] = [1_000, 10_000, 100_000, 1_000_000];
const RUNS: usize = 5;
/// Samples of each series before the first run. Fewer than `replay` takes, for the sake of the million: costs are
/// compared between sizes here, not stated.
const WARM_UP_TICKS: u32 = 12;
/// A table of states doubles when it grows: the old and the new one are there at once.
const ROOM_TO_GROW: u64 = 3;

/// Prints a JSON object per figure on standard output, and what it is doing on standard error.
#[derive(Debug, Parser)]
struct Cli {
    #[command(flatten)]
    options: Options,
    /// Only this many series.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    series: Option<u32>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let Cli { options, series } = Cli::parse();
    if let (Some(profile), Some(series)) = (options.only(), series) {
        return measure(profile, series);
    }
    let sizes: Vec<u32> = match series {
        Some(series) => vec![series],
        None if options.quick => SIZES[..2].to_vec(),
        None => SIZES.to_vec(),
    };
    for profile in options.profiles() {
        for size in &sizes {
            options.in_own_process(profile, &["--series".to_owned(), size.to_string()])?;
        }
    }
    Ok(())
}

fn measure(profile: Profile, n_series: u32) -> Result<(), Box<dyn Error>> {
    let name = profile_name(profile);
    let bytes = Driver::new(&engine_config(profile, false)?, Fleet::new(0))?.bytes_per_series();
    let needed = bytes as u64 * u64::from(n_series) * ROOM_TO_GROW;
    if needed > available_bytes() {
        eprintln!("{name}: {n_series} series left out, they may need {needed} bytes of memory");
        return Ok(());
    }
    eprintln!("{name}: {n_series} series");
    let before = rss_bytes();
    let mut driver = Driver::new(&engine_config(profile, false)?, Fleet::new(n_series))?;
    driver.advance(WARM_UP_TICKS, Order::Steady);
    let rss = rss_bytes().saturating_sub(before) as f64 / f64::from(n_series);
    // A tick of the smallest sizes is too short to time.
    let ticks = (20_000 / n_series).max(1);
    let runs: Vec<f64> = (0..RUNS)
        .map(|_| Spent::ns_per_sample(&driver.advance(ticks, Order::Steady)))
        .collect();
    let label = format!("scale/{name}/{n_series}");
    Figure::new(
        format!("{label}/cost"),
        "ns/sample",
        &runs,
        "one core, by its processor time; target: as with fewer series",
    )
    .print();
    Figure::new(
        format!("{label}/resident"),
        "bytes/series",
        &[rss],
        format!("growth of the process, fixed buffers included; state alone is {bytes}"),
    )
    .print();
    Ok(())
}
