//! A course under way, bin by bin.

use std::f64::consts::TAU;

use super::course::Course;
use crate::rng::Rng;

/// A course under way.
#[derive(Debug, Clone)]
pub struct Walker {
    course: Course,
    base: f64,
    /// Bins since it began.
    t: f64,
    /// The level without noise.
    level: f64,
    /// What has been kept of teeth and grown of waves.
    kept: f64,
    /// When the next jump, tooth or burst begins, and its size and stages.
    next: f64,
    size: f64,
    stage: [f64; 3],
    left: usize,
    phase: f64,
    /// Logarithm of the present rate, and how it lingers.
    log_rate: f64,
    sigma: f64,
    keep: f64,
}

impl Walker {
    /// `sigma`: how unevenly it grows; `linger`: for how many bins a rate holds.
    pub fn new(course: Course, base: f64, sigma: f64, linger: f64, rng: &mut Rng) -> Self {
        let mut walker = Self {
            course,
            base,
            t: 0.0,
            level: base,
            kept: 0.0,
            next: 0.0,
            size: 0.0,
            stage: [0.0; 3],
            left: 0,
            phase: 0.0,
            log_rate: sigma * rng.normal(),
            sigma,
            keep: (-1.0 / linger.max(0.2)).exp(),
        };
        if let Course::Stairs { every, .. } = walker.course {
            walker.next = every * rng.between(0.2, 1.5);
        }
        if let Course::Saw { period, reach, .. } = walker.course {
            (walker.next, walker.size) = (period, reach);
        }
        if let Course::Bursts { every, most, .. } = walker.course {
            (walker.left, walker.next) = (most, every * rng.uniform());
        }
        walker
    }

    /// Whether it has stopped growing although it could have gone on.
    pub fn stopped(&self) -> bool {
        matches!(self.course, Course::Stops { at, .. } if self.level >= at)
    }

    /// The level one bin later.
    pub fn step(&mut self, rng: &mut Rng) -> f64 {
        self.log_rate = self.keep * self.log_rate
            + self.sigma * (1.0 - self.keep * self.keep).sqrt() * rng.normal();
        // A factor of mean 1.
        let rate = (self.log_rate - 0.5 * self.sigma * self.sigma).exp();
        let before = self.t;
        self.t += 1.0;
        let whole = 1.0 - self.base;
        match self.course.clone() {
            Course::Flat => {}
            Course::Walk { pull, sigma } => {
                self.level += pull * (self.base - self.level) + sigma * rng.normal();
            }
            Course::Power { fill, power } => {
                self.level += rate * whole * power_step(before, self.t, fill, power);
            }
            Course::Exponential { fill, folds } => {
                let at = |t: f64| ((folds * t / fill).exp() - 1.0) / (folds.exp() - 1.0);
                self.level += rate * whole * (at(self.t) - at(before)).min(1.0);
            }
            Course::Pieces { pieces } => {
                let mut end = 0.0;
                let piece = pieces.iter().find(|(bins, _)| {
                    end += bins;
                    before < end
                });
                let per_bin = piece.or(pieces.last()).map_or(0.0, |piece| piece.1);
                self.level += rate * whole * per_bin;
            }
            Course::Stairs {
                every,
                size,
                drift,
                until,
            } => {
                self.level += rate * whole * drift;
                if self.t >= self.next && self.level < until {
                    self.level += whole * size * rng.ratio(0.4, 2.0);
                    self.next = self.t + every * rng.ratio(0.3, 2.0);
                }
            }
            Course::Wave {
                fill,
                period,
                reach,
                sharpness,
            } => {
                self.kept += rate * whole / fill;
                // The wave's own time runs evenly: days do not vary.
                self.phase += 1.0 / period;
                let height = (0.5 - 0.5 * (TAU * self.phase).cos()).powf(sharpness);
                self.level = self.base + self.kept + reach * height;
            }
            Course::Saw {
                period,
                reach,
                kept,
                jitter,
                at_mark,
            } => {
                self.level += rate * self.size / period;
                let height = self.level - self.base - self.kept;
                let ends = if at_mark {
                    height >= self.size
                } else {
                    self.t >= self.next
                };
                if ends {
                    self.kept += kept * self.size;
                    self.level = self.base + self.kept;
                    self.next = self.t + period * (jitter * rng.normal()).exp();
                    self.size = reach * (jitter * rng.normal()).exp();
                }
            }
            Course::Plateau {
                span,
                peak,
                slow_start,
            } => {
                let go = if slow_start {
                    (self.t / span).min(1.0)
                } else {
                    1.0
                };
                self.level += rate * go * (peak - self.level) / span;
            }
            Course::Bursts {
                every,
                reach,
                rise,
                hold,
                ..
            } => self.burst(every, reach, rise, hold, rng),
            Course::Stops { fill, power, at } => {
                if self.level < at {
                    self.level += rate * whole * power_step(before, self.t, fill, power);
                    self.level = self.level.min(at);
                }
            }
        }
        self.level
    }

    fn burst(
        &mut self,
        every: f64,
        reach: (f64, f64),
        rise: (f64, f64),
        hold: (f64, f64),
        rng: &mut Rng,
    ) {
        let [up, top, down] = self.stage;
        if self.t >= self.next && self.left > 0 && up + top + down <= 0.0 {
            self.size = rng.between(reach.0, reach.1);
            self.stage = [
                rng.between(rise.0, rise.1),
                rng.between(hold.0, hold.1),
                rng.between(rise.0, rise.1),
            ];
            self.phase = self.stage[0];
            self.left -= 1;
        }
        let [up, top, down] = self.stage;
        if up > 0.0 {
            self.level = (self.level + self.size / self.phase).min(self.base + self.size);
            self.stage[0] -= 1.0;
        } else if top > 0.0 {
            self.level = self.base + self.size;
            self.stage[1] -= 1.0;
        } else if down > 0.0 {
            self.level -= (self.level - self.base) / down.max(1.0);
            self.stage[2] -= 1.0;
            if self.stage[2] <= 0.0 {
                self.level = self.base;
                self.next = self.t + every * rng.ratio(0.3, 2.0);
            }
        } else {
            self.level = self.base;
        }
    }
}

/// What part of the way is made from one time to another.
fn power_step(from: f64, to: f64, fill: f64, power: f64) -> f64 {
    (to / fill).powf(power) - (from / fill).powf(power)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exhaustion::episode::DAY_BINS;

    /// How many of 200 courses reach the limit within so many bins.
    fn reach(bins: usize, course: impl Fn(&mut Rng) -> Course) -> usize {
        let crosses = |i| {
            let mut rng = Rng::new(11, i);
            let course = course(&mut rng);
            let mut walker = Walker::new(course, 0.2, 0.3, 2.0, &mut rng);
            (0..bins).any(|_| walker.step(&mut rng) >= 1.0)
        };
        (0..200).filter(|&i| crosses(i)).count()
    }

    #[test]
    fn events_reach_the_limit_and_calm_courses_do_not() {
        let events = reach(DAY_BINS, Course::event);
        assert!(events >= 190, "{events} of 200 events");
        let calm = reach(900, |rng| Course::calm(rng, 0.2));
        assert!(calm <= 15, "{calm} of 200 calm courses");
    }

    #[test]
    fn a_line_takes_as_long_as_it_says() {
        let course = Course::Power {
            fill: 100.0,
            power: 1.0,
        };
        let mut rng = Rng::new(1, 1);
        let mut walker = Walker::new(course, 0.2, 0.0, 1.0, &mut rng);
        let levels: Vec<f64> = (0..100).map(|_| walker.step(&mut rng)).collect();
        assert!((levels[49] - 0.6).abs() < 1e-9 && (levels[99] - 1.0).abs() < 1e-9);
    }

    #[test]
    fn what_stops_stays_where_it_stopped() {
        let course = Course::Stops {
            fill: 50.0,
            power: 1.0,
            at: 0.6,
        };
        let mut rng = Rng::new(1, 1);
        let mut walker = Walker::new(course, 0.2, 0.5, 2.0, &mut rng);
        let last = (0..300).map(|_| walker.step(&mut rng)).last();
        assert!(walker.stopped());
        assert!((last.unwrap() - 0.6).abs() < 1e-9);
    }
}
