//! A service whose requests are simulated one by one.

use std::collections::VecDeque;

use super::sight::{BOUNDS, OVER_BINS, Seen};
use crate::exhaustion::episode::Channels;
use crate::rng::Rng;

/// What happens to a service as its level rises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::exhaustion) enum Mechanism {
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

/// A service under way; all times are in bins.
pub(super) struct Simulated {
    mechanism: Mechanism,
    /// Requests a bin: what comes (or, for a queue, what it can take).
    rate: f64,
    /// The objective of a queue, the timeout of a call.
    pub(super) objective: f64,
    /// Latency without any wait.
    quick: f64,
    /// Spread of the logarithm of a latency or of work.
    spread: f64,
    /// When each worker is free; a processor, and a link, is one worker.
    pub(super) workers: Vec<f64>,
    /// When the link is free.
    link_free_at: f64,
    /// How many times what comes fits through the link at level 0, and at level 1.
    link: (f64, f64),
    /// Above 1: workers get lost more slowly when few are left.
    bend: f64,
    pub(super) shows_workers: bool,
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
    pub(super) bounds: f64,
    bins: VecDeque<Seen>,
    last: VecDeque<Seen>,
}

impl Simulated {
    pub(super) fn new(rng: &mut Rng, mechanism: Mechanism) -> Self {
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
    pub(super) fn over(&self, level: f64) -> bool {
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
    pub(super) fn bin(&mut self, rng: &mut Rng, level: f64) -> (Channels, bool) {
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
        let all = Seen::all(self.last.iter());
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
            self.bounds * all.quantile(0.95)
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

    /// What the last bin saw.
    pub(super) fn seen(&self) -> Option<&Seen> {
        self.last.back()
    }
}

/// Bins to the next request.
fn gap(rng: &mut Rng, rate: f64) -> f64 {
    -(1.0 - rng.uniform()).ln() / rate.max(1e-3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_are_all_there_at_first_and_all_lost_at_the_limit() {
        for i in 0..50 {
            let service = Simulated::new(&mut Rng::new(9, i), Mechanism::LostWorkers);
            let n = service.workers.len();
            assert_eq!((service.lost(0.0), service.lost(1.0)), (0, n));
            assert!(service.lost(0.5) > 0 && service.lost(0.5) < n);
        }
    }
}
