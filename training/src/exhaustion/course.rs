//! The course of one level: how the use of a resource moves from bin to bin, harmlessly or to its end.

use serde::Serialize;

use crate::rng::Rng;

/// What a level does once its fault, or its harmless load, has begun.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Course {
    /// Nothing.
    Flat,
    /// Wanders about and comes back.
    Walk {
        /// Part of the way back per bin.
        pull: f64,
        /// Of a step.
        sigma: f64,
    },
    /// Grows to the limit: the share of the way that is gone is `(t / fill)^power`.
    Power {
        /// Bins from start to limit, without chance.
        fill: f64,
        /// 1 for a line, more for one that bends upwards.
        power: f64,
    },
    /// Grows by a fixed share of itself.
    Exponential {
        /// Bins from start to limit.
        fill: f64,
        /// e-foldings on the way.
        folds: f64,
    },
    /// Grows at rates that change at once: pauses, and slow then fast, among them.
    Pieces {
        /// Bins, and rate per bin, of each; the last goes on.
        pieces: Vec<(f64, f64)>,
    },
    /// Jumps up at times.
    Stairs {
        /// Mean bins between jumps.
        every: f64,
        /// Mean size.
        size: f64,
        /// Rate between them, per bin.
        drift: f64,
        /// Where it stops jumping.
        until: f64,
    },
    /// Grows under a wave.
    Wave {
        /// Bins from start to limit for the mean; infinite for a wave alone.
        fill: f64,
        /// Of the wave.
        period: f64,
        /// From trough to peak.
        reach: f64,
        /// Above 1 for narrow peaks.
        sharpness: f64,
    },
    /// Grows, and gives back: at even times, as a job that cleans up, or at a mark, as a collector and a rotation do.
    Saw {
        /// Bins of a tooth.
        period: f64,
        /// Height of a tooth.
        reach: f64,
        /// What stays of each tooth; 0 for a saw that comes back to where it began.
        kept: f64,
        /// How much periods and heights vary.
        jitter: f64,
        /// Whether a tooth ends when it is high enough, whatever time that takes.
        at_mark: bool,
    },
    /// Grows more and more slowly towards a level of its own.
    Plateau {
        /// Bins to two thirds of it.
        span: f64,
        /// That level.
        peak: f64,
        /// Whether it begins slowly too.
        slow_start: bool,
    },
    /// Rises for a while, and comes back: once, or time and again.
    Bursts {
        /// Mean bins between them.
        every: f64,
        /// How often at most.
        most: usize,
        /// Heights they reach, above the base.
        reach: (f64, f64),
        /// Bins of a rise.
        rise: (f64, f64),
        /// Bins at the top.
        hold: (f64, f64),
    },
    /// Grows as a line does, and stops at a level below the limit.
    Stops {
        /// Bins from start to limit, had it gone on.
        fill: f64,
        /// 1 for a line.
        power: f64,
        /// Where it stops.
        at: f64,
    },
}

impl Course {
    /// One that will reach the limit, by and large.
    pub fn event(rng: &mut Rng) -> Self {
        let fill = fill(rng);
        match rng.below(20) {
            0..=4 => Self::Power { fill, power: 1.0 },
            5..=7 => Self::Power {
                fill,
                power: rng.ratio(1.2, 4.0),
            },
            8 => Self::Power {
                fill,
                power: rng.between(0.55, 0.95),
            },
            9 => Self::Exponential {
                fill,
                folds: rng.between(1.5, 5.0),
            },
            10..=12 => Self::pieces(rng, fill),
            13 | 14 => {
                let jumps = rng.between(1.0, 8.0);
                Self::Stairs {
                    every: fill / jumps,
                    size: 0.9 / jumps,
                    drift: rng.between(0.0, 0.25) / fill,
                    until: f64::INFINITY,
                }
            }
            15 | 16 => Self::Wave {
                fill,
                period: (fill * rng.ratio(0.15, 1.5)).max(8.0),
                reach: rng.between(0.04, 0.35),
                sharpness: rng.ratio(0.6, 2.0),
            },
            17 | 18 => Self::Saw {
                period: (fill / rng.ratio(2.0, 20.0)).max(4.0),
                reach: rng.between(0.05, 0.45),
                kept: rng.between(0.15, 0.9),
                jitter: rng.between(0.0, 0.3),
                at_mark: rng.chance(0.5),
            },
            _ => Self::Power {
                fill: rng.ratio(8.0, 60.0),
                power: rng.ratio(0.7, 1.5),
            },
        }
    }

    /// One that will not.
    pub fn calm(rng: &mut Rng, base: f64) -> Self {
        let room = 0.97 - base;
        // Most of what is watched hardly moves, and still grows a little, saws and jumps.
        let reach = if rng.chance(0.2) {
            room * rng.ratio(2e-4, 0.15)
        } else {
            room * rng.between(0.15, 1.0)
        };
        match rng.below(20) {
            0 => Self::Flat,
            1 => Self::Walk {
                pull: rng.ratio(0.002, 0.2),
                sigma: rng.ratio(0.001, 0.03),
            },
            2..=5 => Self::Stops {
                fill: fill(rng),
                power: if rng.chance(0.7) {
                    1.0
                } else {
                    rng.ratio(0.7, 2.5)
                },
                at: base + reach,
            },
            6..=8 => Self::Plateau {
                span: rng.ratio(6.0, 250.0),
                peak: base + reach,
                slow_start: rng.chance(0.3),
            },
            9..=11 => Self::Wave {
                fill: f64::INFINITY,
                period: rng.ratio(16.0, 900.0),
                reach,
                sharpness: rng.ratio(0.5, 3.0),
            },
            12 | 13 => Self::Saw {
                period: rng.ratio(6.0, 60.0),
                reach,
                kept: 0.0,
                jitter: if rng.chance(0.7) {
                    0.02
                } else {
                    rng.between(0.0, 0.3)
                },
                at_mark: rng.chance(0.8),
            },
            14 | 15 => Self::Saw {
                period: rng.ratio(50.0, 400.0),
                reach,
                kept: 0.0,
                jitter: rng.between(0.0, 0.2),
                at_mark: rng.chance(0.5),
            },
            16..=18 => Self::Bursts {
                every: rng.ratio(30.0, 500.0),
                most: 1 + rng.below(6),
                reach: (0.3 * reach, room),
                rise: (1.0, rng.ratio(2.0, 20.0)),
                hold: (0.0, rng.ratio(2.0, 40.0)),
            },
            _ => Self::Stairs {
                every: rng.ratio(10.0, 200.0),
                size: reach * rng.between(0.2, 0.8),
                drift: 0.0,
                until: base + 0.8 * reach,
            },
        }
    }

    fn pieces(rng: &mut Rng, fill: f64) -> Self {
        let n = 2 + rng.below(5);
        let spread = rng.between(0.3, 1.4);
        let mut pieces: Vec<(f64, f64)> = (0..n)
            .map(|_| {
                let pause = rng.chance(0.2);
                let rate = if pause {
                    rng.between(0.0, 0.05)
                } else {
                    (spread * rng.normal()).exp()
                };
                (fill / n as f64 * rng.ratio(0.5, 2.0), rate)
            })
            .collect();
        // What goes on for ever must not be a pause.
        if let Some(last) = pieces.last_mut() {
            last.1 = (spread * rng.normal()).exp();
        }
        let way: f64 = pieces.iter().map(|(bins, rate)| bins * rate).sum();
        for piece in &mut pieces {
            piece.1 *= 0.8 / way.max(1e-9);
        }
        Self::Pieces { pieces }
    }
}

/// Bins from onset to the limit: mostly half an hour to two hours, and now and then minutes or days.
fn fill(rng: &mut Rng) -> f64 {
    if rng.chance(0.8) {
        rng.ratio(60.0, 400.0)
    } else {
        rng.ratio(12.0, 5_000.0)
    }
}
