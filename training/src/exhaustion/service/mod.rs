//! The episode of a service: requests come, wait and are served, or are not, one by one.
//!
//! What is seen is what a scrape would see: how busy the service is, a latency read off a histogram or a mean, and the share
//! of requests that failed, over the last five bins.

mod sight;
mod simulated;

use super::course::Course;
use super::episode::{Blur, Channels, DAY_BINS, Episode, length, onset, unevenness};
use super::walker::Walker;
use crate::rng::Rng;

pub use sight::OVER_BINS;
pub(super) use sight::{BOUNDS, Seen};
pub(super) use simulated::Mechanism;
use simulated::Simulated;

/// An objective is missed for so many bins before the service counts as exhausted.
pub(super) const RUN_BINS: usize = 10;
/// So long after what is seen requests are simulated; later on the service fails when its level says so, as a day of requests
/// would take too long.
const TOLD_BINS: usize = 90;
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
    let mut service = Simulated::new(rng, mechanism);
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
        bins.extend(service.seen());
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
}
