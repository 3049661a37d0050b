//! What metrics do when nothing is wrong, as far as chance can imitate it.

use std::f64::consts::TAU;

use super::Grid;
use crate::rng::Rng;

/// A kind of series.
#[derive(Debug, Clone, Copy)]
pub(super) struct Behaviour {
    pub(super) name: &'static str,
    /// Values on the grid, in any unit.
    pub(super) draw: fn(&mut Rng, &Grid) -> Vec<f64>,
    /// Values of at least 0 that may be collected as the increments of a running total.
    pub(super) countable: bool,
}

macro_rules! behaviours {
    ($($name:ident: $countable:literal)*) => {
        &[$(Behaviour { name: stringify!($name), draw: $name, countable: $countable }),*]
    };
}

/// Every kind there is; those that a machine has many of come more than once.
pub(super) const ALL: &[Behaviour] = behaviours! {
    load: true  traffic: true  latency: false  memory: false  sawtooth: false  utilisation: false  errors: true
    batch: true  bursts: true  steps: false  coloured: false  heavy: false  constant: false  levels: false
    walk: false  queue: true  load: true  utilisation: false
};

/// A day and a week as people live them: a smooth curve between 0 and about 1, lower at weekends.
struct Season {
    harmonics: Vec<(f64, f64, f64)>,
    weekend: f64,
}

impl Season {
    fn new(rng: &mut Rng) -> Self {
        let harmonics = (1..=1 + rng.below(4))
            .map(|k| {
                let size = rng.uniform() / k as f64;
                (k as f64 * TAU / 86_400.0, size, TAU * rng.uniform())
            })
            .collect();
        let weekend = if rng.chance(0.6) {
            rng.between(0.2, 1.0)
        } else {
            1.0
        };
        Self { harmonics, weekend }
    }

    fn at(&self, s: f64) -> f64 {
        let wave = |(rate, size, phase): &(f64, f64, f64)| size * (rate * s + phase).sin();
        let sum: f64 = self.harmonics.iter().map(wave).sum();
        #[expect(
            clippy::cast_sign_loss,
            reason = "series begin after the epoch of the grid"
        )]
        let day = (s / 86_400.0) as u64 % 7;
        (0.5 + 0.35 * sum).max(0.0) * if day >= 5 { self.weekend } else { 1.0 }
    }
}

/// Noise with a memory of about `span` samples and a standard deviation of 1 (autoregressive, order 1).
struct Lingering {
    keep: f64,
    x: f64,
}

impl Lingering {
    fn new(rng: &mut Rng, span: f64) -> Self {
        let keep = (-1.0 / span).exp();
        Self {
            keep,
            x: rng.normal(),
        }
    }

    fn next(&mut self, rng: &mut Rng) -> f64 {
        self.x = self.keep * self.x + (1.0 - self.keep * self.keep).sqrt() * rng.normal();
        self.x
    }
}

/// Poisson of any mean of at least 0; normal where it hardly differs.
fn poisson(rng: &mut Rng, mean: f64) -> f64 {
    if mean > 50.0 {
        return (mean + mean.sqrt() * rng.normal()).round().max(0.0);
    }
    let (limit, mut product, mut count) = ((-mean).exp(), rng.uniform(), 0.0);
    while product > limit {
        product *= rng.uniform();
        count += 1.0;
    }
    count
}

/// Student t with 3 degrees of freedom: noise that spikes.
fn spiky(rng: &mut Rng) -> f64 {
    let square = (0..3).map(|_| rng.normal().powi(2)).sum::<f64>() / 3.0;
    rng.normal() / square.sqrt().max(0.02)
}

fn load(rng: &mut Rng, grid: &Grid) -> Vec<f64> {
    let (season, base) = (Season::new(rng), rng.ratio(0.1, 1e9));
    let (floor, size) = (rng.between(0.02, 0.5), rng.ratio(0.01, 0.3));
    let span = rng.ratio(1.0, 60.0);
    let (mut slow, white) = (Lingering::new(rng, span), rng.ratio(0.1, 1.0));
    (0..grid.n)
        .map(|i| {
            let noise = size * (slow.next(rng) + white * rng.normal());
            base * (floor + season.at(grid.at(i))) * (1.0 + noise).max(0.0)
        })
        .collect()
}

fn traffic(rng: &mut Rng, grid: &Grid) -> Vec<f64> {
    let (season, per_step) = (Season::new(rng), rng.ratio(2.0, 1e5));
    (0..grid.n)
        .map(|i| {
            let mean = per_step * (0.05 + season.at(grid.at(i)));
            poisson(rng, mean)
        })
        .collect()
}

fn latency(rng: &mut Rng, grid: &Grid) -> Vec<f64> {
    let (base, size) = (rng.ratio(1e-4, 10.0), rng.ratio(0.05, 0.8));
    let span = rng.ratio(5.0, 500.0);
    let (mut mood, season) = (Lingering::new(rng, span), Season::new(rng));
    let busy = if rng.chance(0.5) {
        rng.between(0.0, 1.0)
    } else {
        0.0
    };
    (0..grid.n)
        .map(|i| {
            let log = size * rng.normal() + 0.3 * mood.next(rng) + busy * season.at(grid.at(i));
            base * log.exp()
        })
        .collect()
}

fn memory(rng: &mut Rng, grid: &Grid) -> Vec<f64> {
    let total = rng.ratio(1e8, 1e12);
    let (mut level, pull, size) = (rng.uniform(), rng.ratio(1e-4, 0.05), rng.ratio(1e-4, 0.02));
    let centre = rng.between(0.2, 0.9);
    let page = 4_096.0;
    (0..grid.n)
        .map(|_| {
            level = (level + pull * (centre - level) + size * rng.normal()).clamp(0.01, 1.0);
            (total * level / page).round() * page
        })
        .collect()
}

fn sawtooth(rng: &mut Rng, grid: &Grid) -> Vec<f64> {
    let (base, height) = (rng.ratio(1.0, 1e9), rng.ratio(0.1, 5.0));
    let (period, wobble) = (rng.ratio(5.0, 800.0), rng.between(0.0, 0.3));
    let noise = rng.ratio(1e-3, 0.05);
    let (mut phase, mut length) = (rng.uniform(), period);
    (0..grid.n)
        .map(|_| {
            phase += 1.0 / length;
            if phase >= 1.0 {
                phase = wobble * rng.uniform();
                length = period * (1.0 + wobble * rng.normal()).max(0.3);
            }
            base * (1.0 + height * (phase + noise * rng.normal()))
        })
        .collect()
}

fn utilisation(rng: &mut Rng, grid: &Grid) -> Vec<f64> {
    let (season, centre) = (Season::new(rng), rng.between(-3.0, 3.0));
    let (by_day, size) = (rng.between(0.0, 3.0), rng.ratio(0.05, 1.0));
    let span = rng.ratio(1.0, 100.0);
    let mut slow = Lingering::new(rng, span);
    (0..grid.n)
        .map(|i| {
            let x = centre + by_day * (season.at(grid.at(i)) - 0.5) + size * slow.next(rng);
            1.0 / (1.0 + (-x - 0.3 * size * rng.normal()).exp())
        })
        .collect()
}

fn errors(rng: &mut Rng, grid: &Grid) -> Vec<f64> {
    let (mean, span) = (rng.ratio(0.01, 5.0), rng.ratio(5.0, 200.0));
    let (mut mood, size) = (Lingering::new(rng, span), rng.between(0.0, 1.0));
    (0..grid.n)
        .map(|_| {
            let mean = mean * (size * mood.next(rng)).exp();
            poisson(rng, mean)
        })
        .collect()
}

/// Jobs at fixed or random times, which run for a while.
fn batch(rng: &mut Rng, grid: &Grid) -> Vec<f64> {
    let (idle, busy) = (rng.ratio(1e-3, 1.0), rng.ratio(1.0, 1e4));
    let (every, long) = (rng.ratio(10.0, 400.0), rng.between(0.05, 0.6));
    let (scheduled, noise) = (rng.chance(0.6), rng.ratio(0.005, 0.2));
    let (mut left, mut running) = (every * rng.uniform(), false);
    (0..grid.n)
        .map(|_| {
            left -= 1.0;
            if left <= 0.0 {
                running = !running;
                let mean = every * if running { long } else { 1.0 - long };
                let chance = if scheduled {
                    1.0
                } else {
                    -(1.0 - rng.uniform()).ln()
                };
                left += (mean * chance).max(1.0);
            }
            let level = if running { busy } else { idle };
            (level * (1.0 + noise * rng.normal())).max(0.0)
        })
        .collect()
}

/// Bursts of random size that die away.
fn bursts(rng: &mut Rng, grid: &Grid) -> Vec<f64> {
    let (base, chance) = (rng.ratio(1.0, 1e6), rng.ratio(0.005, 0.3));
    let (keep, noise) = (rng.between(0.3, 0.97), rng.ratio(0.01, 0.3));
    let mut level = 0.0;
    (0..grid.n)
        .map(|_| {
            level *= keep;
            if rng.chance(chance) {
                // Pareto with exponent 2: most bursts are small.
                level += 1.0 / (1.0 - rng.uniform()).sqrt().max(0.03);
            }
            base * (0.2 + level + noise * rng.normal()).max(0.0)
        })
        .collect()
}

/// A level that moves when somebody deploys.
fn steps(rng: &mut Rng, grid: &Grid) -> Vec<f64> {
    let (base, every) = (rng.ratio(1.0, 1e9), rng.ratio(100.0, 3_000.0));
    let (size, noise) = (rng.ratio(0.02, 1.0), rng.ratio(1e-3, 0.1));
    let mut level: f64 = 1.0;
    (0..grid.n)
        .map(|_| {
            if rng.chance(1.0 / every) {
                level = (level + size * rng.normal()).clamp(0.1, 10.0);
            }
            base * level * (1.0 + noise * rng.normal())
        })
        .collect()
}

/// Noise whose spectrum falls with the frequency: the sum of memories of several lengths.
fn coloured(rng: &mut Rng, grid: &Grid) -> Vec<f64> {
    let (base, size) = (rng.ratio(0.1, 1e6), rng.ratio(0.01, 0.3));
    let mut parts: Vec<(Lingering, f64)> = [1.0, 8.0, 64.0, 512.0]
        .into_iter()
        .map(|span| (Lingering::new(rng, span), rng.uniform()))
        .collect();
    (0..grid.n)
        .map(|_| {
            let sum: f64 = parts.iter_mut().map(|(part, w)| *w * part.next(rng)).sum();
            base * (1.0 + size * sum)
        })
        .collect()
}

fn heavy(rng: &mut Rng, grid: &Grid) -> Vec<f64> {
    let (base, size) = (rng.ratio(0.1, 1e6), rng.ratio(0.01, 0.3));
    let keep = rng.between(0.0, 0.9);
    let mut x = 0.0;
    (0..grid.n)
        .map(|_| {
            x = keep * x + spiky(rng);
            base * (1.0 + size * x)
        })
        .collect()
}

fn constant(rng: &mut Rng, grid: &Grid) -> Vec<f64> {
    let level = if rng.chance(0.3) {
        0.0
    } else {
        rng.ratio(1.0, 1e9).round()
    };
    let chance = if rng.chance(0.5) {
        0.0
    } else {
        rng.ratio(1e-3, 0.02)
    };
    (0..grid.n)
        .map(|_| {
            if rng.chance(chance) {
                level + 1.0
            } else {
                level
            }
        })
        .collect()
}

/// Few distinct values: threads, replicas, open files of a small service.
fn levels(rng: &mut Rng, grid: &Grid) -> Vec<f64> {
    let (centre, stay) = (rng.ratio(1.0, 300.0).round(), rng.between(0.5, 0.99));
    let reach = rng.ratio(1.0, 12.0);
    let mut level = centre;
    (0..grid.n)
        .map(|_| {
            if !rng.chance(stay) {
                let home = (centre - level) * 0.3;
                level = (level + home + reach * 0.5 * rng.normal()).round().max(0.0);
            }
            level
        })
        .collect()
}

fn walk(rng: &mut Rng, grid: &Grid) -> Vec<f64> {
    let (base, size) = (rng.ratio(1.0, 1e9), rng.ratio(1e-4, 0.01));
    let drift = if rng.chance(0.3) {
        size * rng.between(-0.2, 0.2)
    } else {
        0.0
    };
    let mut level = 1.0;
    (0..grid.n)
        .map(|_| {
            level += drift + size * rng.normal();
            base * level
        })
        .collect()
}

/// Work that waits: empty mostly, long when more comes in than goes out.
fn queue(rng: &mut Rng, grid: &Grid) -> Vec<f64> {
    let (served, busy) = (rng.ratio(2.0, 200.0), rng.between(0.4, 0.97));
    let (season, mut waiting) = (Season::new(rng), 0.0f64);
    (0..grid.n)
        .map(|i| {
            let mean = served * busy * (0.6 + 0.5 * season.at(grid.at(i)));
            waiting = (waiting + poisson(rng, mean) - served).max(0.0);
            waiting.round()
        })
        .collect()
}
