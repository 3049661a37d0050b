//! One episode: what is seen of a resource bin by bin, and when it was exhausted.

use super::course::Course;
use super::walker::Walker;
use crate::rng::Rng;

/// Bins of a day: further ahead nothing is foreseen.
pub const DAY_BINS: usize = 4_320;

/// Nobody can know of a fault that began fewer bins ago,
const BEGUN_BINS: usize = 4;
/// nor that it stopped fewer bins ago. Longer would leave out what a leak looks like that has just stopped,
/// and the network would have no reason to let go of it.
pub(super) const SEEN_BINS: usize = 2;

/// What a service shows: load, latency and errors, each as a share of its limit.
pub type Channels = [f32; 3];

/// What is seen of a resource, and what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Episode {
    /// A bin each; a stock uses the first channel only.
    pub seen: Vec<Channels>,
    /// When it is exhausted, in bins from the start; infinite when it is not within a day of the end.
    pub event: f64,
    /// The bins in which the answer is not known to anybody: the fault has just begun, or a leak is yet to stop.
    pub unknowable: std::ops::Range<usize>,
    /// The bin in which the fault or the load began.
    pub onset: usize,
}

impl Episode {
    /// `stops`: for a course that stops by itself, when it did so, if it did.
    pub(super) fn new(
        seen: Vec<Channels>,
        event: f64,
        onset: usize,
        stops: Option<Option<usize>>,
    ) -> Self {
        let unknowable = match stops {
            // A leak that is yet to stop is still a leak, and it takes a while until it is seen that it did.
            Some(stopped) if event.is_infinite() => {
                onset..stopped.map_or(usize::MAX, |t| t + SEEN_BINS)
            }
            _ if event.is_finite() => onset..onset + BEGUN_BINS,
            _ => 0..0,
        };
        Self {
            seen,
            event,
            unknowable,
            onset,
        }
    }

    /// Bins from bin `t` to exhaustion; `None` where nobody could know.
    #[must_use]
    pub fn remaining(&self, t: usize) -> Option<f64> {
        if self.unknowable.contains(&t) {
            return None;
        }
        let left = self.event - t as f64;
        // Before the fault begins there is nothing to be foreseen.
        Some(if t < self.onset { f64::INFINITY } else { left })
    }

    /// How many bins can be asked about: up to exhaustion.
    #[must_use]
    pub fn asked(&self) -> usize {
        if self.event.is_finite() && self.event < self.seen.len() as f64 {
            #[expect(clippy::cast_sign_loss, reason = "events come after the start")]
            let at = self.event as usize;
            at.max(1)
        } else {
            self.seen.len()
        }
    }
}

/// What blurs a level on its way to the eye.
#[derive(Debug, Clone, Copy)]
pub(super) struct Blur {
    white: f64,
    lingering: f64,
    keep: f64,
    state: f64,
    /// Levels come in steps of this size; 0 for none.
    grain: f64,
}

impl Blur {
    pub(super) fn new(rng: &mut Rng) -> Self {
        let size = if rng.chance(0.35) {
            rng.ratio(1e-5, 2e-3)
        } else {
            rng.ratio(1e-3, 0.03)
        };
        let share = rng.uniform();
        Self {
            white: size * share,
            lingering: size * (1.0 - share),
            keep: (-1.0 / rng.ratio(1.0, 20.0)).exp(),
            state: 0.0,
            grain: if rng.chance(0.3) {
                1.0 / rng.ratio(15.0, 1_000.0)
            } else {
                0.0
            },
        }
    }

    /// How far the level is off.
    pub(super) fn next(&mut self, rng: &mut Rng) -> f64 {
        self.state = self.keep * self.state + (1.0 - self.keep * self.keep).sqrt() * rng.normal();
        self.lingering * self.state + self.white * rng.normal()
    }

    fn grained(&self, level: f64) -> f64 {
        if self.grain > 0.0 {
            (level / self.grain).round() * self.grain
        } else {
            level
        }
    }
}

/// The episode of a stock: memory, disk, inodes, connections, descriptors, threads.
#[must_use]
pub fn stock(rng: &mut Rng) -> Episode {
    // Of many a limit next to nothing is used.
    let base = match rng.below(20) {
        0..=2 => rng.between(0.4, 0.8),
        3 | 4 => rng.ratio(2e-4, 0.04),
        _ => rng.between(0.04, 0.4),
    };
    let course = if rng.chance(0.5) {
        Course::event(rng)
    } else {
        Course::calm(rng, base)
    };
    follow(rng, base, course)
}

/// The episode of a stock that takes this course.
#[must_use]
pub fn follow(rng: &mut Rng, base: f64, course: Course) -> Episode {
    follow_for(rng, base, course, None)
}

/// As [`follow`]; the recording goes on for `bins` bins if nothing ends it, and if they are given.
pub(super) fn follow_for(rng: &mut Rng, base: f64, course: Course, bins: Option<usize>) -> Episode {
    let mut blur = Blur::new(rng);
    let onset = onset(rng);
    let length = length(rng, &course);
    let length = bins.unwrap_or(length);
    let stops = matches!(course, Course::Stops { .. });
    let (sigma, linger) = unevenness(rng);
    let mut walker = Walker::new(course, base, sigma, linger, rng);
    let mut seen: Vec<Channels> = Vec::with_capacity(length);
    let (mut event, mut stopped) = (f64::INFINITY, None);
    // A gap in what is seen: the level is held meanwhile.
    let gap = if rng.chance(0.08) {
        let from = rng.below(length);
        from..from + 2 + rng.below(10)
    } else {
        0..0
    };
    for t in 0..length + DAY_BINS {
        let level = if t < onset { base } else { walker.step(rng) };
        if stopped.is_none() && walker.stopped() {
            stopped = Some(t);
        }
        let true_level = level + blur.next(rng);
        if true_level >= 1.0 {
            event = t as f64 + rng.uniform();
        }
        if t < length {
            let now = blur.grained(true_level).clamp(0.0, 1.0) as f32;
            let shown = match seen.last() {
                Some(&[before, ..]) if gap.contains(&t) => before,
                _ => now,
            };
            seen.push([shown, 0.0, 0.0]);
        }
        if event.is_finite() || (stops && t > length && stopped.is_some()) {
            break;
        }
    }
    Episode::new(seen, event, onset, stops.then_some(stopped))
}

/// How unevenly a level grows, and for how many bins a rate holds: what allocates does so at random, about a mean.
pub(super) fn unevenness(rng: &mut Rng) -> (f64, f64) {
    let linger = if rng.chance(0.8) {
        rng.ratio(0.3, 4.0)
    } else {
        rng.ratio(4.0, 25.0)
    };
    (rng.ratio(0.03, 1.0), linger)
}

/// When the fault begins: often some time after the recording does.
pub(super) fn onset(rng: &mut Rng) -> usize {
    let longest = if rng.chance(0.2) { 250 } else { 70 };
    if rng.chance(0.15) {
        0
    } else {
        4 + rng.below(longest)
    }
}

/// How long the recording goes on if nothing ends it.
pub(super) fn length(rng: &mut Rng, course: &Course) -> usize {
    let mut least = 100.0;
    // A course without pauses is seen for as long as it takes, if that is not too long.
    if let Course::Power { fill, .. } | Course::Exponential { fill, .. } = course {
        least = fill.clamp(100.0, 600.0);
    }
    #[expect(clippy::cast_sign_loss, reason = "a positive number of bins")]
    let bins = rng.ratio(least, 900.0) as usize;
    bins
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_seed_makes_is_made_again() {
        for i in 0..20 {
            assert_eq!(stock(&mut Rng::new(3, i)), stock(&mut Rng::new(3, i)));
        }
        assert_ne!(stock(&mut Rng::new(3, 0)), stock(&mut Rng::new(4, 0)));
    }

    #[test]
    fn a_stock_is_full_when_it_is_exhausted_and_not_before() {
        let (mut events, mut full) = (0, 0);
        for i in 0..300 {
            let episode = stock(&mut Rng::new(5, i));
            let mut levels = episode.seen.iter().map(|[level, ..]| *level);
            assert!(levels.clone().all(|level| (0.0..=1.0).contains(&level)));
            assert!(episode.asked() as f64 <= episode.event.max(1.0));
            if episode.event < episode.seen.len() as f64 {
                events += 1;
                // A grain, or a gap in what is seen, may hide the last step.
                full += i32::from(levels.next_back().unwrap() > 0.95);
            }
        }
        assert!(events > 60, "{events} of 300 within what is seen");
        assert!(full * 20 >= events * 19, "{full} of {events}");
    }

    #[test]
    fn nobody_is_asked_about_what_cannot_be_known() {
        let seen = vec![[0.5, 0.0, 0.0]; 100];
        let leak = Episode::new(seen.clone(), 80.5, 20, None);
        assert_eq!(leak.remaining(19), Some(f64::INFINITY));
        assert_eq!((leak.remaining(20), leak.remaining(23)), (None, None));
        assert_eq!((leak.remaining(24), leak.asked()), (Some(56.5), 80));
        let stops = Episode::new(seen, f64::INFINITY, 20, Some(Some(50)));
        let known = 50 + SEEN_BINS;
        assert_eq!(
            (stops.remaining(20), stops.remaining(known - 1)),
            (None, None)
        );
        assert_eq!(
            (stops.remaining(known), stops.asked()),
            (Some(f64::INFINITY), 100)
        );
    }
}
