//! The episode of a service: requests come, wait and are served, or are not, one by one.
//!
//! What is seen is what a scrape would see: how busy the service is, a latency read off a histogram or a mean, and the share
//! of requests that failed, over the last five bins.

use std::collections::VecDeque;

use super::course::{Course, Walker};
use super::episode::{Blur, Channels, DAY_BINS, Episode, length, onset, unevenness};
use crate::rng::Rng;

/// Bins over which latency and errors are taken.
pub const OVER_BINS: usize = 5;
/// An objective is missed for so many bins before the service counts as exhausted.
pub(super) const RUN_BINS: usize = 10;
/// So long after what is seen requests are simulated; later on the service fails when its level says so, as a day of requests
/// would take too long.
const TOLD_BINS: usize = 90;
/// Upper bounds of the histogram of latencies, in parts of the objective: those of most client libraries, for one second.
pub(super) const BOUNDS: [f64; 10] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

/// What happens to a service as its level rises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mechanism {
    /// Load grows; requests wait in line for the processor.
    Queue,
    /// What it calls takes longer and longer, until half of the calls run into the timeout.
    Slowness,
    /// Calls fail.
    Errors,
    /// Workers are lost, until none is left.
    LostWorkers,
    /// The way there narrows until calls no longer fit through.
    Link,
}

/// What one bin saw.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Seen {
    /// Requests that ended.
    pub(super) count: f64,
    /// Those of them that failed.
    pub(super) failed: f64,
    /// How long they took, in bins.
    pub(super) sum: f64,
    /// The share of the processor, or of the workers, that was busy.
    pub(super) busy: f64,
    /// Requests per bucket of [`BOUNDS`], not added up.
    pub(super) le: [f64; BOUNDS.len() + 1],
}

/// An episode of a service, with what each bin of it saw and what made it so: what a recording is rendered from.
#[derive(Debug, Clone)]
pub(super) struct Served {
    pub(super) episode: Episode,
    /// Up to the last bin in which requests were simulated, which may be beyond the end of the episode.
    pub(super) bins: Vec<Seen>,
    pub(super) mechanism: Mechanism,
    /// Objective or timeout, in bins.
    pub(super) objective: f64,
    /// The bounds of its histogram are [`BOUNDS`] times this, in parts of the objective.
    pub(super) bounds: f64,
    pub(super) workers: usize,
    pub(super) shows_workers: bool,
}

/// What is not left to chance about an episode of a service.
#[derive(Debug, Clone, Default)]
pub(super) struct Given {
    /// With the level that it begins at.
    pub(super) course: Option<(f64, Course)>,
    /// How long it goes on if nothing ends it.
    pub(super) length: Option<usize>,
}

/// The episode of a processor under load.
#[must_use]
pub fn cpu(rng: &mut Rng) -> Episode {
    cpu_served(rng, &Given::default()).episode
}

pub(super) fn cpu_served(rng: &mut Rng, given: &Given) -> Served {
    sound(rng, given, |_| Mechanism::Queue)
}

/// The episode of something that is called.
#[must_use]
pub fn dependency(rng: &mut Rng) -> Episode {
    dependency_served(rng, &Given::default()).episode
}

pub(super) fn dependency_served(rng: &mut Rng, given: &Given) -> Served {
    sound(rng, given, |rng| match rng.below(10) {
        0..=3 => Mechanism::Slowness,
        4 | 5 => Mechanism::Errors,
        6 | 7 => Mechanism::LostWorkers,
        _ => Mechanism::Link,
    })
}

/// An episode of a service that keeps its objective until something happens to it: others are drawn again.
fn sound(rng: &mut Rng, given: &Given, mechanism: impl Fn(&mut Rng) -> Mechanism) -> Served {
    loop {
        let which = mechanism(rng);
        let served = run(rng, given, which);
        if served.episode.event > served.episode.onset as f64 {
            return served;
        }
    }
}

fn run(rng: &mut Rng, given: &Given, mechanism: Mechanism) -> Served {
    let (base, course) = given.course.clone().unwrap_or_else(|| {
        let base = rng.between(0.05, 0.4);
        let course = if rng.chance(0.55) {
            Course::event(rng)
        } else {
            Course::calm(rng, base)
        };
        (base, course)
    });
    let (onset, length) = (onset(rng), length(rng, &course));
    let length = given.length.unwrap_or(length);
    let stops = matches!(course, Course::Stops { .. });
    let (sigma, linger) = unevenness(rng);
    let mut walker = Walker::new(course, base, sigma, linger, rng);
    // What comes, and what is lost, is uneven too.
    let mut blur = Blur::new(rng);
    let mut service = Service::new(rng, mechanism);
    let (mut seen, mut event, mut stopped): (Vec<Channels>, _, _) =
        (Vec::new(), f64::INFINITY, None);
    let (mut missed, mut bins) = (0, Vec::new());
    let begins_empty = rng.chance(0.4);
    for t in 0..length + DAY_BINS {
        let level = if t < onset { base } else { walker.step(rng) };
        if stopped.is_none() && walker.stopped() {
            stopped = Some(t);
        }
        if t >= length + TOLD_BINS {
            if service.over(level + blur.next(rng)) {
                event = t as f64 + rng.uniform();
            }
            if event.is_finite() || (stops && stopped.is_some()) {
                break;
            }
            continue;
        }
        let level = (level + blur.next(rng)).clamp(0.0, 1.4);
        let (channels, misses) = service.bin(rng, level);
        bins.extend(service.last.back());
        missed = if misses { missed + 1 } else { 0 };
        if missed == RUN_BINS {
            event = (t + 1 - RUN_BINS) as f64 + rng.uniform();
        }
        if t < length {
            // Some exporters begin with nothing to take a difference from.
            let nothing = t == 0 && begins_empty;
            seen.push(if nothing { [0.0; 3] } else { channels });
        }
        if event.is_finite() || (stops && t > length && stopped.is_some()) {
            break;
        }
    }
    Served {
        episode: Episode::new(seen, event, onset, stops.then_some(stopped)),
        bins,
        mechanism,
        objective: service.objective,
        bounds: service.bounds,
        workers: service.workers.len(),
        shows_workers: service.shows_workers,
    }
}

/// A service under way; all times are in bins.
struct Service {
    mechanism: Mechanism,
    /// Requests a bin: what comes (or, for a queue, what it can take).
    rate: f64,
    /// The objective of a queue, the timeout of a call.
    objective: f64,
    /// Latency without any wait.
    quick: f64,
    /// Spread of the logarithm of a latency or of work.
    spread: f64,
    /// When each worker is free; a processor, and a link, is one worker.
    workers: Vec<f64>,
    /// When the link is free.
    link_free_at: f64,
    /// How many times what comes fits through the link at level 0, and at level 1.
    link: (f64, f64),
    /// Above 1: workers get lost more slowly when few are left.
    bend: f64,
    shows_workers: bool,
    /// What the level does at 1.
    at_limit: f64,
    now: f64,
    /// The processor gives now more, now less.
    log_speed: f64,
    uneven: f64,
    keep: f64,
    share: f64,
    /// Part of the requests that fail at all times.
    flaws: f64,
    /// Use that no request explains.
    overhead: f64,
    /// Mean bins between standstills, and how long they last; infinite for none.
    stalls: (f64, f64),
    bounds: f64,
    bins: VecDeque<Seen>,
    last: VecDeque<Seen>,
}

impl Service {
    fn new(rng: &mut Rng, mechanism: Mechanism) -> Self {
        let queue = mechanism == Mechanism::Queue;
        let mut rate = rng.ratio(6.0, 90.0);
        // A queue is asked to answer within so many times what a request takes: less could never be kept.
        let objective = if rng.chance(0.6) {
            1.0
        } else if queue {
            rng.ratio(8.0, 80.0) / rate
        } else {
            rng.ratio(0.05, 1.5)
        };
        if queue {
            rate = rate.max(8.0 / objective);
        }
        let quick = objective
            * if queue {
                rng.ratio(0.002, 0.1)
            } else {
                rng.ratio(0.01, 0.3)
            };
        #[expect(clippy::cast_sign_loss, reason = "a positive number")]
        let workers = if queue {
            1
        } else {
            rng.ratio(4.0, 40.0) as usize
        };
        if mechanism == Mechanism::Slowness {
            rate = rate.min(0.8 * workers as f64 / (quick + 0.4 * objective));
        } else if !queue {
            rate = rate.min(0.6 * workers as f64 / quick);
        }
        Self {
            mechanism,
            rate,
            objective,
            quick,
            spread: rng.between(0.05, if queue { 0.8 } else { 0.6 }),
            workers: vec![0.0; workers],
            link_free_at: 0.0,
            link: (rng.ratio(3.0, 40.0), rng.between(0.4, 0.9)),
            bend: rng.ratio(0.8, 2.0),
            shows_workers: rng.chance(0.7),
            at_limit: if queue {
                rng.between(0.75, 1.15)
            } else {
                rng.between(0.95, 1.05)
            },
            now: 0.0,
            log_speed: 0.0,
            uneven: rng.ratio(0.005, 0.2),
            keep: (-1.0 / rng.ratio(1.0, 30.0)).exp(),
            share: if rng.chance(0.8) {
                1.0
            } else {
                rng.between(0.7, 1.0)
            },
            flaws: if rng.chance(if queue { 0.2 } else { 0.6 }) {
                rng.ratio(1e-4, 0.03)
            } else {
                0.0
            },
            overhead: rng.ratio(0.001, 0.08),
            stalls: if rng.chance(if queue { 0.7 } else { 0.3 }) {
                (rng.ratio(15.0, 500.0), rng.ratio(0.05, 1.0))
            } else {
                (f64::INFINITY, 0.0)
            },
            bounds: if rng.chance(0.6) {
                1.0
            } else {
                rng.ratio(0.3, 3.0)
            },
            bins: VecDeque::new(),
            last: VecDeque::new(),
        }
    }

    /// Whether it cannot bear this level.
    fn over(&self, level: f64) -> bool {
        let level = level * self.at_limit;
        match self.mechanism {
            Mechanism::Queue => level >= self.share,
            // Where what comes no longer fits through.
            Mechanism::Link => level >= (self.link.0 - 1.0) / (self.link.0 - self.link.1),
            Mechanism::Slowness | Mechanism::Errors | Mechanism::LostWorkers => level >= 1.0,
        }
    }

    /// How many workers are lost at this level.
    fn lost(&self, level: f64) -> usize {
        if self.mechanism != Mechanism::LostWorkers {
            return 0;
        }
        // The fewer are left, the fewer get lost.
        let share = 1.0 - (1.0 - level.min(1.0)).powf(self.bend);
        #[expect(clippy::cast_sign_loss, reason = "levels are not negative")]
        let lost = (share * self.workers.len() as f64) as usize;
        lost
    }

    /// One bin at this level: what is seen, and whether the objective is missed.
    fn bin(&mut self, rng: &mut Rng, level: f64) -> (Channels, bool) {
        let level = level * self.at_limit;
        let fresh = (1.0 - self.keep * self.keep).sqrt();
        self.log_speed = self.keep * self.log_speed + fresh * self.uneven * rng.normal();
        // Neighbours take from what the quota allows; nobody gives more.
        let speed = self.share * (-self.log_speed.abs()).exp();
        let (from, to) = (self.now, self.now + 1.0);
        let mut stalled = 0.0;
        if rng.chance(1.0 / self.stalls.0) {
            stalled = self.stalls.1 * rng.ratio(0.3, 1.5);
            let begin = from + rng.uniform();
            for free_at in &mut self.workers {
                *free_at = free_at.max(begin) + stalled;
            }
        }
        let queue = self.mechanism == Mechanism::Queue;
        let offered = if queue { self.rate * level } else { self.rate };
        let (mut at, mut idle) = (from + gap(rng, offered), 0.0);
        while at < to {
            idle += (at - self.workers[0].max(from)).max(0.0);
            self.request(rng, at, level, speed);
            at += gap(rng, offered);
        }
        idle += (to - self.workers[0].max(from)).max(0.0);
        self.now = to;
        let mut seen = self.bins.pop_front().unwrap_or_default();
        let workers = self.workers.len() as f64;
        let at_work = self.workers.iter().filter(|free_at| **free_at > to).count() as f64;
        seen.busy = match self.mechanism {
            Mechanism::Queue => (1.0 - idle - stalled).max(0.0) * speed + self.overhead,
            // Those that hang are not among those that work.
            Mechanism::LostWorkers => (self.lost(level) as f64 + at_work).min(workers) / workers,
            Mechanism::Slowness | Mechanism::Errors | Mechanism::Link => at_work / workers,
        };
        self.last.push_back(seen);
        if self.last.len() > OVER_BINS {
            self.last.pop_front();
        }
        self.look()
    }

    fn request(&mut self, rng: &mut Rng, at: f64, level: f64, speed: f64) {
        let varied = (self.spread * rng.normal() - 0.5 * self.spread * self.spread).exp();
        // The longest that anybody waits in line.
        let patience = if self.mechanism == Mechanism::Queue {
            12.0 * self.objective
        } else {
            self.objective
        };
        let (takes, mut failed) = match self.mechanism {
            Mechanism::Queue => (varied / self.rate / speed, false),
            Mechanism::Slowness => ((self.quick + self.objective * level) * varied, false),
            Mechanism::Errors => (self.quick * varied, rng.chance(0.5 * level)),
            Mechanism::LostWorkers | Mechanism::Link => (self.quick * varied, false),
        };
        let lost = self.lost(level);
        failed |= rng.chance(self.flaws);
        let next = self.workers.iter_mut().skip(lost);
        let mut latency = f64::INFINITY;
        if let Some(free_at) = next.min_by(|a, b| a.total_cmp(b)) {
            let begin = free_at.max(at);
            if begin - at <= patience {
                *free_at = begin + takes;
                latency = begin + takes - at;
            }
        }
        if self.mechanism == Mechanism::Queue {
            latency += self.quick;
        }
        if self.mechanism == Mechanism::Link {
            let fits = self.link.0 + (self.link.1 - self.link.0) * level.min(1.0);
            let begin = self.link_free_at.max(at);
            if begin - at <= 2.0 * patience {
                self.link_free_at = begin + varied / (self.rate * fits);
            }
            latency += self.link_free_at - at;
        }
        if latency > patience {
            failed = true;
            if self.mechanism == Mechanism::Queue {
                // The line is full.
                latency = self.quick;
            }
        }
        latency = latency.min(1.01 * patience);
        let relative = latency / self.objective;
        // A request is counted when it ends.
        #[expect(clippy::cast_sign_loss, reason = "ends come after begins")]
        let place = (at + latency - self.now).max(0.0) as usize;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_seed_makes_is_made_again() {
        for i in 0..5 {
            assert_eq!(cpu(&mut Rng::new(3, i)), cpu(&mut Rng::new(3, i)));
            assert_eq!(
                dependency(&mut Rng::new(3, i)),
                dependency(&mut Rng::new(3, i))
            );
        }
    }

    #[test]
    fn the_objective_is_missed_from_the_event_on_and_never_before_the_fault() {
        let mut events = 0;
        for i in 0..60 {
            let mut rng = Rng::new(7, i);
            let (episode, slow) = if i % 2 == 0 {
                (cpu(&mut rng), 0.99)
            } else {
                (dependency(&mut rng), f32::INFINITY)
            };
            assert!(episode.event > episode.onset as f64);
            let missed = |[_, latency, errors]: &Channels| *latency >= slow || *errors >= 1.0;
            if episode.event.is_finite() && episode.asked() + RUN_BINS <= episode.seen.len() {
                events += 1;
                let run = &episode.seen[episode.asked()..][..RUN_BINS];
                assert!(run.iter().all(missed), "{i}");
            }
            let runs = episode.seen[..episode.asked()].windows(RUN_BINS);
            assert!(runs.clone().all(|run| !run.iter().all(missed)), "{i}");
        }
        assert!(events > 10, "{events} of 60 within what is seen");
    }

    #[test]
    fn workers_are_all_there_at_first_and_all_lost_at_the_limit() {
        for i in 0..50 {
            let service = Service::new(&mut Rng::new(9, i), Mechanism::LostWorkers);
            let n = service.workers.len();
            assert_eq!((service.lost(0.0), service.lost(1.0)), (0, n));
            assert!(service.lost(0.5) > 0 && service.lost(0.5) < n);
        }
    }

    #[test]
    fn a_quantile_lies_within_its_bucket() {
        let mut le = [0.0; BOUNDS.len() + 1];
        assert!(quantile(&le, 0.95, 1.0).abs() < 1e-9, "of no request");
        le[6] = 100.0;
        assert!((quantile(&le, 0.5, 1.0) - 0.375).abs() < 1e-9);
        le[BOUNDS.len()] = 100.0;
        assert!(
            (quantile(&le, 0.95, 1.0) - 5.0).abs() < 1e-9,
            "beyond the last bound"
        );
    }
}
