//! Trains a model of exhaustion on simulated episodes, says how well it does on others, and predicts for recorded levels.
//!
//! ```text
//! exhaustion stock|service EPISODES STEPS WIDTHS DECAY THETA LEVELS OUT.csv
//! exhaustion show stock|cpu|dependency
//! ```
//!
//! WIDTHS: of the hidden layers, as `192,96`. THETA: quantiles are told where exhaustion within a day is at least so likely. LEVELS: a
//! line for each episode of `id kind times channel;channel;channel queries`, numbers parted by commas, times in seconds. OUT: a row
//! for each query, as the scorer of the data set wants them. `show` prints 40 episodes, to be looked at.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line, for experiments"
)]

use std::error::Error;
use std::io::Write;
use std::time::Instant;

use features::headroom::{N_HEADROOM, TRACE_BINS, columns};
use ndarray::ArrayView2;
use predict::exhaustion::{KNOT_S, KNOTS, Survival};
use training::Rng;
use training::exhaustion::episode::{self, Channels, Episode};
use training::exhaustion::network::{Examples, Mlp, Schedule};
use training::exhaustion::service;

const USAGE: &str = "exhaustion stock|service EPISODES STEPS WIDTHS DECAY THETA LEVELS OUT.csv";
/// Minutes of a bin.
const BIN_MIN: f64 = 1.0 / 3.0;
/// The first bin that is asked about.
const FIRST_BIN: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["show", what] => show(what),
        [what, episodes, steps, widths, decay, theta, levels, out] => {
            let service = what == "service";
            let hidden: Result<Vec<usize>, _> = widths.split(',').map(str::parse).collect();
            let schedule = Schedule {
                hidden: hidden?,
                batch: 256,
                steps: steps.parse()?,
                rate: 2e-3,
                decay: decay.parse()?,
                seed: 1,
            };
            let mlp = train(service, episodes.parse()?, &schedule);
            judge(&mlp, service);
            foretell(&mlp, service, theta.parse()?, levels, out)?;
        }
        _ => return Err(USAGE.into()),
    }
    Ok(())
}

fn simulated(service: bool, i: usize, rng: &mut Rng) -> (Episode, bool) {
    let cpu = service && i.is_multiple_of(2);
    let episode = match (service, cpu) {
        (false, _) => episode::stock(rng),
        (true, true) => service::cpu(rng),
        (true, false) => service::dependency(rng),
    };
    (episode, cpu)
}

fn show(what: &str) {
    for i in 0..40 {
        let mut rng = Rng::new(9, i);
        let episode = match what {
            "cpu" => service::cpu(&mut rng),
            "dependency" => service::dependency(&mut rng),
            _ => episode::stock(&mut rng),
        };
        let channel = |c: usize| {
            let levels = episode.seen.iter().map(|seen| format!("{:.4}", seen[c]));
            levels.collect::<Vec<_>>().join(",")
        };
        let channels = [0, 1, 2].map(channel).join(";");
        println!("{} {} {channels}", episode.event, episode.onset);
    }
}

fn width(service: bool) -> usize {
    if service {
        3 * N_HEADROOM + 1
    } else {
        N_HEADROOM
    }
}

/// Appends the row of what was seen up to now.
fn row(seen: &[Channels], service: bool, cpu: bool, out: &mut Vec<f32>) {
    let last = &seen[seen.len().saturating_sub(TRACE_BINS)..];
    for channel in 0..if service { 3 } else { 1 } {
        let levels: Vec<f32> = last.iter().map(|channels| channels[channel]).collect();
        out.extend(columns(&levels));
    }
    if service {
        out.push(f32::from(u8::from(cpu)));
    }
}

/// Examples of so many episodes, and the bins that were left in each.
fn examples(service: bool, seed: u64, episodes: usize, of_each: usize) -> (Examples, Vec<f64>) {
    let (mut examples, mut left) = (Examples::default(), Vec::new());
    for i in 0..episodes {
        let mut rng = Rng::new(seed, i as u64);
        let (episode, cpu) = simulated(service, i, &mut rng);
        let asked = episode.asked();
        if asked <= FIRST_BIN {
            continue;
        }
        for _ in 0..of_each {
            let t = FIRST_BIN + rng.below(asked - FIRST_BIN);
            let Some(remaining) = episode.remaining(t) else {
                continue;
            };
            row(&episode.seen[..=t], service, cpu, &mut examples.rows);
            let seconds = remaining * 60.0 * BIN_MIN;
            let class = KNOT_S.partition_point(|&knot| knot < seconds);
            examples
                .classes
                .push(u8::try_from(class).unwrap_or(u8::MAX));
            left.push(remaining);
        }
    }
    (examples, left)
}

fn train(service: bool, episodes: usize, schedule: &Schedule) -> Mlp {
    let since = Instant::now();
    let (examples, _) = examples(service, 1, episodes, 12);
    eprintln!("{} rows in {:.1?}", examples.classes.len(), since.elapsed());
    let since = Instant::now();
    let tell = |step: usize, loss: f64| {
        if step.is_multiple_of(2_000) {
            eprintln!("step {step}: loss {loss:.4} after {:.1?}", since.elapsed());
        }
    };
    Mlp::train(&examples, width(service), KNOTS + 1, schedule, tell)
}

/// Says how well it foresees episodes that it was not trained on.
fn judge(mlp: &Mlp, service: bool) {
    let (held_back, left) = examples(service, 2, 3_000, 6);
    let shape = (left.len(), width(service));
    let Ok(rows) = ArrayView2::from_shape(shape, &held_back.rows) else {
        return;
    };
    let (mut loss, mut brier) = (0.0, 0.0);
    let (mut errors, mut widths, mut inside) = (Vec::new(), Vec::new(), 0.0);
    let of_rows = mlp.run(rows);
    for ((p, class), left) in of_rows
        .rows()
        .into_iter()
        .zip(&held_back.classes)
        .zip(&left)
    {
        loss -= f64::from(p[usize::from(*class)].max(1e-9)).ln();
        let (all, foreseen) = survivals(p.iter().copied());
        let minutes = left * BIN_MIN;
        brier += (all.within(1_800.0) - f64::from(u8::from(minutes <= 30.0))).powi(2);
        let quantile = |q: f64| foreseen.quantile_s(q) / 60.0;
        if minutes > 5.0 && minutes <= 30.0 {
            errors.push((quantile(0.5) - minutes).abs() / minutes);
        }
        if minutes > 1.0 && minutes <= 60.0 {
            let (low, high) = (quantile(0.05), quantile(0.95));
            widths.push((high - low) / minutes);
            inside += f64::from(u8::from(
                low - BIN_MIN <= minutes && minutes <= high + BIN_MIN,
            ));
        }
    }
    let n = left.len() as f64;
    errors.sort_by(f64::total_cmp);
    widths.sort_by(f64::total_cmp);
    eprintln!(
        "held back: loss {:.4}, brier at 30 min {:.4}, time left off by {:.3} (median; 9 in 10 under {:.3}), interval covers {:.3} at \
         width {:.2}",
        loss / n,
        brier / n,
        errors[errors.len() / 2],
        errors[errors.len() * 9 / 10],
        inside / widths.len() as f64,
        widths[widths.len() / 2]
    );
}

/// Predicts for recorded levels.
fn foretell(
    mlp: &Mlp,
    service: bool,
    theta: f64,
    levels: &str,
    out: &str,
) -> Result<(), Box<dyn Error>> {
    let text = std::fs::read_to_string(levels)?;
    let mut out = std::io::BufWriter::new(std::fs::File::create(out)?);
    writeln!(out, "episode,ts,p5,p15,p30,ttf_q05,ttf_q50,ttf_q95")?;
    for line in text.lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        let [id, kind, times, channels, queries] = fields[..] else {
            return Err(format!("{levels}: five fields expected in {line:.40}").into());
        };
        if (kind != "stock") != service {
            continue;
        }
        let numbers = |list: &str| {
            list.split(',')
                .map(str::parse)
                .collect::<Result<Vec<f64>, _>>()
        };
        let times = numbers(times)?;
        let channels: Vec<Vec<f64>> = channels.split(';').map(numbers).collect::<Result<_, _>>()?;
        let seen: Vec<Channels> = (0..times.len())
            .map(|t| [0, 1, 2].map(|c| channels.get(c).map_or(0.0, |levels| levels[t] as f32)))
            .collect();
        for query in queries.split(',') {
            let ts: f64 = query.parse()?;
            let n = times.partition_point(|time| *time <= ts + 1e-6);
            if n < 2 {
                continue;
            }
            let mut numbers = Vec::new();
            row(&seen[..n], service, kind == "cpu", &mut numbers);
            let p = mlp.run(ArrayView2::from_shape((1, numbers.len()), &numbers)?);
            let (all, foreseen) = survivals(p.iter().copied());
            let [p5, p15, p30] = [300.0, 900.0, 1_800.0].map(|s| all.within(s));
            let [low, middle, high] = if all.within(86_400.0) >= theta {
                [0.05, 0.5, 0.95].map(|q| foreseen.quantile_s(q))
            } else {
                [f64::INFINITY; 3]
            };
            writeln!(out, "{id},{query},{p5},{p15},{p30},{low},{middle},{high}")?;
        }
    }
    Ok(())
}

/// What the classes say: as it is, and given that it runs out within a day.
fn survivals(p: impl Iterator<Item = f32>) -> (Survival, Survival) {
    let mut all = [1.0f32; KNOTS];
    let mut left = 1.0;
    for (at, p) in all.iter_mut().zip(p) {
        left -= p;
        *at = left.max(0.0);
    }
    let never = all[KNOTS - 1];
    let foreseen = all.map(|at| (at - never) / (1.0 - never).max(1e-6));
    (Survival(all), Survival(foreseen))
}
