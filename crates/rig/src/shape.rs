//! How a level moves over time: the shapes of faults, and of what only looks like one.
//!
//! A level is a share of the limit: at 1 the resource is exhausted. The rate of growth wanders and the level carries
//! noise, both drawn from the seed, so that no two runs are alike and each can be made again.

use serde::{Deserialize, Serialize};

use crate::random::Random;

/// The points at which a level is worked out, in seconds; between them it is a line.
const STEP_S: f64 = 0.1;
/// No level goes beyond: a fault that is past its limit need not grow for ever.
const HIGHEST: f64 = 1.5;

/// A shape of a fault, or of a non-event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// Grows at a wandering rate until the limit.
    Linear,
    /// Grows in steps until the limit.
    Step,
    /// Grows faster and faster until the limit.
    Accelerating,
    /// Rises and falls back, as a heap between collections does; no exhaustion.
    Saw,
    /// The same over a leak, until the limit.
    SawLeak,
    /// Goes with the time of day; no exhaustion.
    Diurnal,
    /// The same over a leak, until the limit.
    DiurnalLeak,
    /// Rises ever slower towards a plateau; no exhaustion.
    WarmUp,
    /// A leak that stops before the limit.
    Stop,
    /// Rises at once, stays for a while and goes; no exhaustion.
    Burst,
    /// Stays where it is.
    Flat,
    /// A leak that is cleaned up in time, again and again.
    CleanUp,
}

impl Shape {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Linear,
        Self::Step,
        Self::Accelerating,
        Self::Saw,
        Self::SawLeak,
        Self::Diurnal,
        Self::DiurnalLeak,
        Self::WarmUp,
        Self::Stop,
        Self::Burst,
        Self::Flat,
        Self::CleanUp,
    ];

    /// As it is written on the command line and in plans.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Step => "step",
            Self::Accelerating => "accelerating",
            Self::Saw => "saw",
            Self::SawLeak => "saw-leak",
            Self::Diurnal => "diurnal",
            Self::DiurnalLeak => "diurnal-leak",
            Self::WarmUp => "warm-up",
            Self::Stop => "stop",
            Self::Burst => "burst",
            Self::Flat => "flat",
            Self::CleanUp => "clean-up",
        }
    }

    /// As a truth file writes it.
    pub(crate) const fn truth_name(self) -> &'static str {
        match self {
            Self::Accelerating => "accel",
            Self::SawLeak => "saw_leak",
            Self::DiurnalLeak => "diurnal_leak",
            Self::WarmUp => "plateau",
            Self::CleanUp => "cleanup",
            Self::Linear
            | Self::Step
            | Self::Saw
            | Self::Diurnal
            | Self::Stop
            | Self::Burst
            | Self::Flat => self.name(),
        }
    }

    /// Whether it is meant to exhaust its resource. What happens is what counts.
    #[must_use]
    pub const fn is_event(self) -> bool {
        matches!(
            self,
            Self::Linear | Self::Step | Self::Accelerating | Self::SawLeak | Self::DiurnalLeak
        )
    }
}

/// What is drawn from the seed for one run. The names are those of the recordings that there are already.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Params {
    pub(crate) shape: String,
    /// The level before the fault.
    pub(crate) base: f64,
    /// Seconds from the onset to the limit, or for a non-event to its peak or its first few rounds.
    #[serde(rename = "T")]
    pub(crate) growth_s: f64,
    /// Standard deviation of the noise on the level.
    pub(crate) noise_level: f64,
    /// Standard deviation of the logarithm of the rate.
    pub(crate) rate_sigma: f64,
    /// Seconds of one tooth or one clean-up, and its height.
    #[serde(rename = "period")]
    pub(crate) period_s: f64,
    pub(crate) amp: f64,
    /// The highest level of a non-event.
    pub(crate) peak: f64,
    pub(crate) power: f64,
    /// Seconds of one day.
    #[serde(rename = "dperiod")]
    pub(crate) day_s: f64,
}

impl Params {
    /// Draws them for a fault that grows for `growth_s`.
    pub(crate) fn draw(shape: Shape, growth_s: f64, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let mut between = |low, high| (random.between(low, high) * 1e3_f64).round() / 1e3;
        Self {
            shape: shape.truth_name().to_owned(),
            base: between(0.15, 0.32),
            growth_s: (growth_s * 10.0).round() / 10.0,
            period_s: growth_s * between(0.1, 0.22),
            amp: between(0.08, 0.2),
            peak: between(0.58, 0.88),
            power: between(1.8, 3.0),
            day_s: growth_s * between(0.35, 0.75),
            noise_level: random.of(&[0.002, 0.006, 0.012, 0.02]),
            rate_sigma: random.of(&[0.1, 0.25, 0.5, 0.8]),
        }
    }
}

/// A level for each moment since the onset.
#[derive(Debug, Clone)]
pub(crate) struct Curve {
    levels: Vec<f64>,
    base: f64,
    stops_at_s: Option<f64>,
}

impl Curve {
    /// For `length_s` seconds from the onset on.
    pub(crate) fn new(shape: Shape, params: &Params, seed: u64, length_s: f64) -> Self {
        let work = work(params, seed, length_s);
        let mut random = Random::new(seed ^ 0x6e6f_6973);
        let mut noise = 0.0;
        let mut levels = Vec::with_capacity(work.len());
        let mut s = 0.0;
        for done_s in &work {
            // First-order, with a memory of about a second: a level does not jump to and fro at each look.
            noise = 0.9_f64.mul_add(noise, (1.0_f64 - 0.81).sqrt() * random.normal());
            let level = level(shape, params, s, *done_s) + params.noise_level * noise;
            levels.push(level.clamp(0.02, HIGHEST));
            s += STEP_S;
        }
        let stops = work
            .iter()
            .position(|done_s| *done_s >= STOPS_AT * params.growth_s);
        Self {
            levels,
            base: params.base,
            stops_at_s: stops
                .filter(|_| shape == Shape::Stop)
                .map(|i| i as f64 * STEP_S),
        }
    }

    /// The level `s` seconds after the onset; before it, that of the beginning.
    pub(crate) fn level(&self, s: f64) -> f64 {
        if s < 0.0 || self.levels.is_empty() {
            return self.base;
        }
        let place = (s / STEP_S).min((self.levels.len() - 1) as f64);
        #[expect(
            clippy::cast_sign_loss,
            reason = "a place is between 0 and the number of levels"
        )]
        let i = place.floor() as usize;
        let next = self.levels.get(i + 1).unwrap_or(&self.levels[i]);
        (next - self.levels[i]).mul_add(place.fract(), self.levels[i])
    }

    /// When a leak that stops has stopped, in seconds after the onset.
    pub(crate) const fn stops_at_s(&self) -> Option<f64> {
        self.stops_at_s
    }
}

/// The share of the growth after which a leak that stops has stopped.
const STOPS_AT: f64 = 0.6;

/// Time as the fault feels it: it runs at a rate that wanders about 1, and at the growth's end is what it should be.
fn work(params: &Params, seed: u64, length_s: f64) -> Vec<f64> {
    let mut random = Random::new(seed ^ 0x7261_7465);
    // Ornstein-Uhlenbeck with a memory of a tenth of the growth.
    let keep = (-STEP_S / (0.1 * params.growth_s).max(STEP_S)).exp();
    let mut wander = random.normal();
    let mut done = vec![0.0];
    let mut s = 0.0;
    while s < length_s {
        s += STEP_S;
        wander = keep.mul_add(wander, (1.0 - keep * keep).sqrt() * random.normal());
        let rate = (params.rate_sigma * wander - params.rate_sigma.powi(2) / 2.0).exp();
        done.push(rate.mul_add(STEP_S, done[done.len() - 1]));
    }
    let at_growth = done
        .iter()
        .enumerate()
        .find(|(i, _)| *i as f64 * STEP_S >= params.growth_s)
        .map_or_else(
            || done[done.len() - 1] * params.growth_s / s,
            |(_, done)| *done,
        );
    done.iter()
        .map(|d| d * params.growth_s / at_growth)
        .collect()
}

/// `s`: seconds since the onset; `done_s`: the same as the fault feels it.
fn level(shape: Shape, p: &Params, s: f64, done_s: f64) -> f64 {
    let share = done_s / p.growth_s;
    let (to_limit, to_peak) = (1.0 - p.base, p.peak - p.base);
    let tooth = (s / p.period_s).fract();
    let day = 0.5 - 0.5 * (std::f64::consts::TAU * s / p.day_s).cos();
    match shape {
        Shape::Linear => to_limit.mul_add(share, p.base),
        Shape::Step => {
            let steps = 4.0 + (10.0 * p.amp).round();
            to_limit.mul_add((share * steps).floor() / steps, p.base)
        }
        Shape::Accelerating => to_limit.mul_add(share.powf(p.power), p.base),
        Shape::Saw => to_peak.mul_add(tooth, p.base),
        Shape::SawLeak => to_limit.mul_add(share, p.base) + p.amp * (tooth - 0.5),
        Shape::Diurnal => to_peak.mul_add(day, p.base),
        Shape::DiurnalLeak => to_limit.mul_add(share, p.base) + p.amp * (day - 0.5),
        Shape::WarmUp => to_peak.mul_add(1.0 - (-3.0 * share).exp(), p.base),
        Shape::Stop => to_peak.mul_add(share.min(STOPS_AT) / STOPS_AT, p.base),
        Shape::Burst => {
            // Up within a fifteenth of the growth, from a third of it on, and down as fast at two thirds.
            let edge = |at: f64| ((s / p.growth_s - at) * 15.0).clamp(0.0, 1.0);
            to_peak.mul_add(edge(0.33) - edge(0.66), p.base)
        }
        Shape::Flat => p.base,
        Shape::CleanUp => {
            let round = 2.0 * p.period_s;
            to_peak.mul_add((done_s / round).fract(), p.base)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(shape: Shape, seed: u64) -> (Curve, Params) {
        let params = Params::draw(shape, 60.0, seed);
        (Curve::new(shape, &params, seed, 100.0), params)
    }

    /// Levels for every tenth of a second.
    fn levels(curve: &Curve) -> Vec<f64> {
        (0..1000)
            .map(|i| curve.level(f64::from(i) * STEP_S))
            .collect()
    }

    #[test]
    fn events_reach_the_limit_about_when_they_should_and_others_never() {
        for shape in Shape::ALL {
            for seed in 0..20 {
                let (curve, params) = curve(shape, seed);
                let reached = levels(&curve).iter().position(|level| *level >= 1.0);
                let reached_s = reached.map(|i| i as f64 * STEP_S);
                if shape.is_event() {
                    let s = reached_s.unwrap();
                    assert!(
                        (0.6 * params.growth_s..1.35 * params.growth_s).contains(&s),
                        "{shape:?} {seed}: {s}"
                    );
                } else {
                    assert_eq!(reached_s, None, "{shape:?} {seed}");
                }
            }
        }
    }

    #[test]
    fn a_seed_gives_the_same_curve_again_and_another_gives_another() {
        let of = |seed| levels(&curve(Shape::Linear, seed).0);
        assert_eq!(of(7), of(7));
        assert_ne!(of(7), of(8));
    }

    #[test]
    fn a_leak_that_stops_stays_where_it_stopped() {
        let (curve, params) = curve(Shape::Stop, 3);
        let stop_s = curve.stops_at_s().unwrap();
        for s in [stop_s + 0.2, stop_s + 10.0, 99.0] {
            assert!(
                (curve.level(s) - params.peak).abs() < 5.0 * params.noise_level,
                "at {s}"
            );
        }
        assert!(curve.level(stop_s / 2.0) < params.peak - 0.05);
    }

    #[test]
    fn before_the_onset_and_after_the_end_there_is_a_level() {
        let (curve, params) = curve(Shape::Linear, 1);
        assert!((curve.level(-5.0) - params.base).abs() < 1e-12);
        assert!((curve.level(1e9) - curve.level(99.99)).abs() < 0.2);
    }
}
