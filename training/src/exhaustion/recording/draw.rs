//! Movers by chance: drawn again until what is wanted comes about.

use super::super::course::Course;
use super::super::episode::{DAY_BINS, Episode, SEEN_BINS, follow_for};
use super::super::service::{Given, Served, cpu_served, dependency_served};
use super::mover::{Mover, Requests, Track};
use super::{Kind, PlanError};
use crate::rng::Rng;

/// How often an episode is drawn before it is given up.
const TRIES: usize = 3_000;
/// What runs out earlier than this teaches nobody anything.
const LEAST_BINS: usize = 40;
/// As long as an episode is that the models learn from, in bins.
const USUAL_BINS: usize = 900;

/// What is wanted of a mover.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish {
    pub(super) kind: Kind,
    /// Whether it runs out.
    pub(super) event: bool,
    /// For how many bins it is told; by chance otherwise.
    pub(super) bins: Option<usize>,
    /// The most bins.
    pub(super) longest: usize,
}

/// A mover as it is wished for.
///
/// # Errors
/// [`PlanError::Unlikely`]: it did not come about.
pub(super) fn draw(rng: &mut Rng, wish: &Wish) -> Result<Mover, PlanError> {
    for _ in 0..TRIES {
        if let Some(mover) = attempt(rng, wish) {
            return Ok(mover);
        }
    }
    Err(PlanError::Unlikely {
        kind: wish.kind.name(),
        outcome: if wish.event {
            "runs to failure"
        } else {
            "does not run to failure"
        },
        hours: wish.longest as f64 / 180.0,
        tries: TRIES,
    })
}

/// A stock whose process starts anew in bin `at`: what was used until then is gone, and all begins again.
///
/// `at` is given when others start anew with it.
///
/// # Errors
/// [`PlanError::Unlikely`]: it did not come about.
pub(super) fn draw_restarted(
    rng: &mut Rng,
    wish: &Wish,
    at: Option<usize>,
) -> Result<(Mover, usize), PlanError> {
    // A process that has leaked until it was started anew is as likely as one that was well.
    let leaked = at.is_none() && rng.chance(0.5);
    let first = Wish {
        event: leaked,
        bins: at,
        longest: at.unwrap_or(wish.longest / 2),
        ..*wish
    };
    let mut before = draw(rng, &first)?;
    let lived = before.event.map_or(before.bins as f64, f64::floor);
    #[expect(clippy::cast_sign_loss, reason = "a share of a positive number")]
    let at = at.unwrap_or_else(|| (rng.between(0.4, 0.95) * lived) as usize);
    let second = Wish {
        bins: wish.bins.map(|bins| bins.saturating_sub(at).max(1)),
        longest: wish.longest - at,
        ..*wish
    };
    let mut mover = draw(rng, &second)?;
    mover.bins += at;
    mover.event = mover.event.map(|event| event + at as f64);
    mover.stop = mover.stop.map(|stop| stop + at);
    if mover.event.is_some() || before.onset >= at {
        mover.onset += at;
    } else {
        mover.onset = before.onset;
        let stopped = if leaked { Some(at) } else { before.stop };
        mover.stop = mover.stop.or(stopped.filter(|stop| *stop <= at));
    }
    if let (Track::Stock(levels), Track::Stock(earlier)) = (&mut mover.track, &mut before.track) {
        earlier.resize(at, before.base);
        earlier.append(levels);
        std::mem::swap(levels, earlier);
    }
    Ok((mover, at))
}

fn attempt(rng: &mut Rng, wish: &Wish) -> Option<Mover> {
    let base = if wish.kind.is_service() {
        rng.between(0.05, 0.4)
    } else if rng.chance(0.85) {
        rng.between(0.04, 0.4)
    } else {
        rng.between(0.4, 0.8)
    };
    let (course, bins) = course(rng, wish, base);
    let (episode, track) = if wish.kind.is_service() {
        let given = Given {
            course: Some((base, course.clone())),
            length: bins,
        };
        let served = if wish.kind == Kind::Cpu {
            cpu_served(rng, &given)
        } else {
            dependency_served(rng, &given)
        };
        requests(served)
    } else {
        let episode = follow_for(rng, base, course.clone(), bins);
        let levels = episode.seen.iter().map(|seen| f64::from(seen[0])).collect();
        (episode, Track::Stock(levels))
    };
    let told = episode.seen.len().min(wish.longest);
    let event = Some(episode.event).filter(|event| event.is_finite());
    let is_wanted = match event {
        Some(event) => {
            wish.event
                && event > (episode.onset + 2) as f64
                && (LEAST_BINS as f64..told as f64).contains(&event)
        }
        None => !wish.event && (episode.onset < told || wish.bins.is_some()),
    };
    if !is_wanted {
        return None;
    }
    let mut track = track;
    let stops = matches!(course, Course::Stops { .. }) && event.is_none();
    // A leak that stops is unknowable until that has been seen.
    let known = Some(episode.unknowable.end).filter(|end| stops && *end < usize::MAX);
    let stop = known.map(|end| end.saturating_sub(SEEN_BINS));
    Some(Mover {
        kind: wish.kind,
        course,
        base,
        onset: episode.onset,
        stop: stop.filter(|stop| *stop < told),
        growing: stops && stop.is_none_or(|stop| stop >= told),
        event,
        bins: track.cut(event.map_or(told, |_| usize::MAX)),
        track,
    })
}

fn requests(served: Served) -> (Episode, Track) {
    let requests = Requests {
        bins: served.bins,
        mechanism: served.mechanism,
        objective: served.objective,
        bounds: served.bounds,
        workers: served.workers,
        shows_workers: served.shows_workers,
    };
    (served.episode, Track::Service(Box::new(requests)))
}

/// A course, and how long it is told. Where there is time for days, load has a daily period as often as not.
fn course(rng: &mut Rng, wish: &Wish, base: f64) -> (Course, Option<usize>) {
    if wish.longest >= DAY_BINS && rng.chance(0.5) {
        let room = 0.97 - base;
        let wave = Course::Wave {
            fill: if wish.event {
                rng.ratio(0.2, 0.8) * wish.longest as f64
            } else {
                f64::INFINITY
            },
            period: DAY_BINS as f64,
            reach: room * rng.between(0.15, if wish.event { 0.5 } else { 1.0 }),
            sharpness: rng.ratio(0.5, 3.0),
        };
        return (wave, Some(wish.bins.unwrap_or(wish.longest)));
    }
    let bins = match wish.bins {
        None if wish.longest > USUAL_BINS && rng.chance(0.5) => {
            #[expect(clippy::cast_sign_loss, reason = "a positive number of bins")]
            let bins = rng.ratio(USUAL_BINS as f64, wish.longest as f64) as usize;
            Some(bins)
        }
        bins => bins,
    };
    let course = if wish.event {
        Course::event(rng)
    } else {
        Course::calm(rng, base)
    };
    (course, bins)
}
