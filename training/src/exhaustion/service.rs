//! The episode of a service: requests come, wait and are served, or are not, one by one.
//!
//! What is seen is what a scrape would see: how busy the service is, a latency read off a histogram or a mean, and the share
//! of requests that failed, over the last five bins.

use std::collections::VecDeque;

use super::course::{Course, Walker};
use super::episode::{Channels, DAY_BINS, Episode, length, onset};
use crate::rng::Rng;

/// Bins over which latency and errors are taken.
pub const OVER_BINS: usize = 5;
/// An objective is missed for so many bins before the service counts as exhausted.
const RUN_BINS: usize = 10;
/// Upper bounds of the histogram of latencies, in parts of the objective: those of most client libraries, for one second.
const BOUNDS: [f64; 10] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

/// What happens to a service as its level rises.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Mechanism {
    /// Load grows; requests wait in line for the processor.
    Queue,
    /// What it calls takes longer and longer, until half of the calls run into the timeout.
    Slowness,
    /// Calls fail.
    Errors,
    /// Workers are lost, until none is left.
    LostWorkers,
    /// The way there narrows.
    Link,
}

/// What one bin saw.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    count: f64,
    failed: f64,
    sum: f64,
    busy: f64,
    le: [f64; BOUNDS.len() + 1],
}

/// The episode of a processor under load.
#[must_use]
pub fn cpu(rng: &mut Rng) -> Episode {
    run(rng, Mechanism::Queue)
}

/// The episode of something that is called.
#[must_use]
pub fn dependency(rng: &mut Rng) -> Episode {
    let mechanism = match rng.below(10) {
        0..=3 => Mechanism::Slowness,
        4 | 5 => Mechanism::Errors,
        6 | 7 => Mechanism::LostWorkers,
        _ => Mechanism::Link,
    };
    run(rng, mechanism)
}

fn run(rng: &mut Rng, mechanism: Mechanism) -> Episode {
    let base = rng.between(0.05, 0.4);
    let course = if rng.chance(0.55) {
        Course::event(rng)
    } else {
        Course::calm(rng, base)
    };
    let (onset, length) = (onset(rng), length(rng, &course));
    let stops = matches!(course, Course::Stops { .. });
    let (sigma, linger) = (rng.between(0.02, 0.8), rng.ratio(0.5, 25.0));
    let mut walker = Walker::new(course, base, sigma, linger, rng);
    let mut service = Service::new(rng, mechanism);
    let (mut seen, mut event, mut stopped): (Vec<Channels>, _, _) =
        (Vec::new(), f64::INFINITY, None);
    let mut missed = 0;
    // A leak of a day's length would take a million requests: what is further off than that counts as never.
    let end = length + DAY_BINS / 8;
    for t in 0..end {
        let level = if t < onset { base } else { walker.step(rng) };
        if stopped.is_none() && walker.stopped() {
            stopped = Some(t);
        }
        let (channels, misses) = service.bin(rng, level.clamp(0.0, 1.4));
        missed = if misses { missed + 1 } else { 0 };
        if missed == RUN_BINS {
            event = (t + 1 - RUN_BINS) as f64 + rng.uniform();
        }
        if t < length {
            seen.push(channels);
        }
        if event.is_finite() || (stops && t > length && stopped.is_some()) {
            break;
        }
    }
    let mut unknowable = Vec::new();
    if stops && event.is_infinite() {
        unknowable.push(onset..stopped.map_or(usize::MAX, |t| t + 10));
    }
    if event.is_finite() {
        unknowable.push(onset..onset + 4);
    }
    Episode {
        seen,
        event,
        unknowable,
        onset,
    }
}

/// A service under way; all times are in bins.
struct Service {
    mechanism: Mechanism,
    /// Requests a bin: what comes (or, for a queue, what it can take).
    rate: f64,
    /// The objective.
    objective: f64,
    /// Latency without any wait.
    quick: f64,
    /// Spread of the logarithm of a latency or of work.
    spread: f64,
    workers: f64,
    shows_workers: bool,
    /// What the level does at 1.
    at_limit: f64,
    /// When the line is empty.
    free_at: f64,
    now: f64,
    /// The processor gives now more, now less.
    log_speed: f64,
    uneven: f64,
    keep: f64,
    share: f64,
    bounds: f64,
    bins: VecDeque<Seen>,
    last: VecDeque<Seen>,
}

impl Service {
    fn new(rng: &mut Rng, mechanism: Mechanism) -> Self {
        let queue = mechanism == Mechanism::Queue;
        let rate = rng.ratio(4.0, 120.0);
        let objective = if rng.chance(0.6) {
            1.0
        } else {
            rng.ratio(0.05, 1.5)
        };
        Self {
            mechanism,
            rate,
            objective,
            quick: objective
                * if queue {
                    rng.ratio(0.002, 0.1)
                } else {
                    rng.ratio(0.01, 0.35)
                },
            spread: rng.between(0.1, 1.0),
            workers: f64::from(4 + rng.below(60) as u32),
            shows_workers: rng.chance(0.7),
            at_limit: if queue {
                rng.between(0.7, 1.15)
            } else {
                rng.between(0.95, 1.05)
            },
            free_at: 0.0,
            now: 0.0,
            log_speed: 0.0,
            uneven: rng.ratio(0.02, 0.5),
            keep: (-1.0 / rng.ratio(1.0, 30.0)).exp(),
            share: if rng.chance(0.5) {
                1.0
            } else {
                rng.between(0.6, 1.0)
            },
            bounds: if rng.chance(0.5) {
                1.0
            } else {
                rng.ratio(0.3, 3.0)
            },
            bins: VecDeque::new(),
            last: VecDeque::new(),
        }
    }

    /// One bin at this level: what is seen, and whether the objective is missed.
    fn bin(&mut self, rng: &mut Rng, level: f64) -> (Channels, bool) {
        let level = level * self.at_limit;
        let fresh = (1.0 - self.keep * self.keep).sqrt();
        self.log_speed = self.keep * self.log_speed + fresh * self.uneven * rng.normal();
        // Neighbours take from what the quota allows; nobody gives more.
        let speed = self.share * (-self.log_speed.abs()).exp();
        let (from, to) = (self.now, self.now + 1.0);
        let offered = if self.mechanism == Mechanism::Queue {
            self.rate * level
        } else {
            self.rate
        };
        let mut at = from + gap(rng, offered);
        let mut requests = 0.0;
        while at < to {
            self.request(rng, at, level, speed);
            requests += 1.0;
            at += gap(rng, offered);
        }
        self.now = to;
        let mut seen = self.bins.pop_front().unwrap_or_default();
        seen.busy = match self.mechanism {
            Mechanism::Queue if self.free_at >= to => speed,
            Mechanism::Queue => (requests / self.rate).min(speed),
            Mechanism::LostWorkers => (level + requests * self.quick / self.workers).min(1.0),
            Mechanism::Slowness | Mechanism::Errors | Mechanism::Link => {
                (seen.sum / self.workers).min(1.0)
            }
        };
        self.last.push_back(seen);
        if self.last.len() > OVER_BINS {
            self.last.pop_front();
        }
        self.look()
    }

    fn request(&mut self, rng: &mut Rng, at: f64, level: f64, speed: f64) {
        let varied = (self.spread * rng.normal() - 0.5 * self.spread * self.spread).exp();
        let (mut latency, mut failed) = match self.mechanism {
            Mechanism::Queue => {
                let work = varied / self.rate / speed;
                self.free_at = self.free_at.max(at) + work;
                (self.free_at - at + self.quick, false)
            }
            Mechanism::Slowness => ((self.quick + self.objective * level) * varied, false),
            Mechanism::Errors => (self.quick * varied, rng.chance(0.5 * level)),
            Mechanism::LostWorkers => {
                let none_left = (level * self.workers).floor() >= self.workers;
                (
                    if none_left {
                        2.0 * self.objective
                    } else {
                        self.quick * varied
                    },
                    none_left,
                )
            }
            Mechanism::Link => {
                // Waits grow as the inverse of what is left, and the line without end is cut off by the timeout.
                let left = (1.0 - level).max(0.02);
                (
                    (self.quick * 0.3 * level / left + self.quick) * varied,
                    level > 1.0 && rng.chance(0.9),
                )
            }
        };
        if self.mechanism != Mechanism::Queue {
            // The caller gives up after a timeout, which is the objective.
            failed |= latency >= self.objective;
            latency = latency.min(self.objective * 1.01);
        } else if latency > 12.0 * self.objective {
            // The line is full.
            failed = true;
            latency = self.quick;
            self.free_at = self.free_at.min(at + 12.0 * self.objective);
        }
        let relative = latency / self.objective;
        // A request is counted when it ends.
        #[expect(clippy::cast_sign_loss, reason = "ends come after begins")]
        let place = (at + latency - self.now).max(0.0) as usize;
        if place > 400 {
            return;
        }
        while self.bins.len() <= place {
            self.bins.push_back(Seen::default());
        }
        let seen = &mut self.bins[place];
        seen.count += 1.0;
        seen.failed += f64::from(u8::from(failed));
        seen.sum += latency;
        let bound = BOUNDS
            .iter()
            .position(|bound| relative <= bound * self.bounds);
        seen.le[bound.unwrap_or(BOUNDS.len())] += 1.0;
    }

    /// The channels over the last bins, and whether the objective is missed.
    fn look(&self) -> (Channels, bool) {
        let (mut all, n) = (Seen::default(), self.last.len() as f64);
        for seen in &self.last {
            all.count += seen.count;
            all.failed += seen.failed;
            all.sum += seen.sum;
            all.busy += seen.busy / n;
            for (to, from) in all.le.iter_mut().zip(&seen.le) {
                *to += from;
            }
        }
        let share = if all.count > 0.0 {
            all.failed / all.count
        } else {
            0.0
        };
        let queue = self.mechanism == Mechanism::Queue;
        let busy = if queue || self.shows_workers {
            all.busy
        } else {
            0.0
        };
        let slow = if queue {
            quantile(&all.le, 0.95, self.bounds)
        } else if all.count > 0.0 {
            all.sum / all.count / self.objective
        } else {
            0.0
        };
        let most_failed = if queue { 0.2 } else { 0.5 };
        let errors = share / most_failed;
        let misses = (queue && slow >= 0.99) || errors >= 1.0;
        (
            [busy as f32, slow.min(3.0) as f32, errors.min(3.0) as f32],
            misses,
        )
    }
}

/// Bins to the next request.
fn gap(rng: &mut Rng, rate: f64) -> f64 {
    -(1.0 - rng.uniform()).ln() / rate.max(1e-3)
}

/// As Prometheus reads a quantile off a histogram: linear within the bucket it falls into.
fn quantile(le: &[f64; BOUNDS.len() + 1], q: f64, bounds: f64) -> f64 {
    let all: f64 = le.iter().sum();
    if all <= 0.0 {
        return 0.0;
    }
    let (mut below, wanted) = (0.0, q * all);
    for (i, count) in le.iter().enumerate() {
        if below + count >= wanted && *count > 0.0 {
            let from = if i == 0 { 0.0 } else { BOUNDS[i - 1] };
            let to = BOUNDS.get(i).copied().unwrap_or(from);
            return bounds * (from + (to - from) * (wanted - below) / count);
        }
        below += count;
    }
    bounds * BOUNDS[BOUNDS.len() - 1]
}
