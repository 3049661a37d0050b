//! What is said about one resource.

use series::Timestamp;

use super::fan::line;
use super::judge::actions;
use super::{Action, Conformal, Family, Survival};
use crate::risk::{Factor, MAX_FACTORS};

/// Why a resource runs out, or moves without doing so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Cause {
    /// It does not move towards its limit.
    Steady,
    /// It grows and never gives back what it took.
    Leak,
    /// It grows with what is asked of it.
    Growth,
    /// It jumped up a moment ago.
    Burst,
    /// It goes up and down, as by day and night, or as a collector or a rotation gives back.
    Cycle,
    /// It grows more and more slowly towards a level of its own.
    WarmUp,
    /// What it waits for is slow or fails.
    Dependency,
}

impl Cause {
    /// The name on the wire and for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Steady => "steady",
            Self::Leak => "leak",
            Self::Growth => "growth",
            Self::Burst => "burst",
            Self::Cycle => "cycle",
            Self::WarmUp => "warm-up",
            Self::Dependency => "dependency",
        }
    }
}

/// Names of what contributes to an outlook; [`Factor::index`] is a place in it.
pub const FACTORS: [&str; 10] = [
    "level",
    "short_trend",
    "long_trend",
    "acceleration",
    "troughs",
    "volatility",
    "cycle",
    "latency",
    "errors",
    "waiting",
];

/// Points of a [`Fan`].
pub const FAN_POINTS: usize = 16;

/// Where the level may go: 5, 50 and 95 % at each of some times ahead.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Fan {
    /// Seconds ahead, rising.
    pub ahead_s: [f32; FAN_POINTS],
    /// The level that is exceeded with 95 % probability, in the unit of the resource.
    pub low: [f32; FAN_POINTS],
    /// The median.
    pub median: [f32; FAN_POINTS],
    /// The level that is exceeded with 5 % probability.
    pub high: [f32; FAN_POINTS],
}

/// When one resource runs out, as far as can be told at one instant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outlook {
    /// Which resource: its place in `Lookout::resources`.
    pub resource: u32,
    /// What it is.
    pub family: Family,
    /// The time of the newest sample that was used.
    pub at: Timestamp,
    /// How much is used, in [`Family::unit`]. For a service: the largest of load, latency and errors, each as a share of its
    /// limit or objective; then [`Outlook::limit`] is 1, and the factors say which it is.
    pub level: f64,
    /// How much there is, in the same unit; above 0.
    pub limit: f64,
    /// The whole distribution of the time that is left.
    pub survival: Survival,
    /// P(exhausted within each of [`super::HORIZONS_S`]); never falls from one to the next.
    pub within: [f32; 5],
    /// 5, 50 and 95 % quantiles of the time to exhaustion in seconds, if there is an end within a day: all infinite when that is
    /// less likely than 0.2.
    pub ttf_s: [f64; 3],
    /// How far back the window goes that this rests on, in seconds.
    pub seen_s: f32,
    /// How far the forecast can be relied on: 0 at the first sample, 1 with a full window, and less after a reset.
    pub confidence: f32,
    /// Why.
    pub cause: Cause,
    /// What contributes most, largest first; `index` is a place in [`FACTORS`].
    pub factors: [Factor; MAX_FACTORS],
    /// What could be done, best first.
    pub actions: &'static [Action],
    /// Where the level may go: beyond the median time to exhaustion, or over half an hour when no end is foreseen.
    pub fan: Fan,
}

impl Outlook {
    /// Tells the same on the grounds of another distribution: that of both time scales, or one that is calibrated anew. All
    /// that follows from it follows anew, so that nothing contradicts anything.
    pub fn retell(&mut self, survival: Survival) {
        self.survival = survival;
        self.within = survival.within_horizons();
        self.set_ttf(survival.ttf_s());
    }

    /// Stretches the interval of the time to exhaustion by what was learned of its like.
    pub fn calibrate(&mut self, conformal: &Conformal) {
        self.set_ttf(conformal.apply(self.family, self.ttf_s));
    }

    fn set_ttf(&mut self, ttf_s: [f64; 3]) {
        self.ttf_s = ttf_s;
        self.actions = actions(self.family, ttf_s);
        let (now, limit) = ((self.level / self.limit) as f32, self.limit as f32);
        let fan = &mut self.fan;
        // Where no end is foreseen any more, lines that led there say nothing: the level stays where it is.
        let led_there = fan.median[FAN_POINTS - 1] >= 0.999 * limit;
        for i in 0..FAN_POINTS {
            let lines = [&mut fan.high[i], &mut fan.median[i], &mut fan.low[i]];
            for (to, ttf_s) in lines.into_iter().zip(ttf_s) {
                let calm = if led_there { now } else { *to / limit };
                *to = limit * line(now, fan.ahead_s[i], ttf_s, calm);
            }
        }
    }
}
