//! From seconds and shares of the limit to places on the page.

use proto::v1::{LevelPoint, Outlook};

use super::super::lanes::{Lane, WIDTH};

pub(super) const LEFT: f64 = 78.0;
pub(super) const RIGHT: f64 = WIDTH - 8.0;
pub(super) const LANE: Lane = Lane {
    top: 24.0,
    bottom: 274.0,
};
pub(super) const HEIGHT: f64 = 294.0;
/// The past takes at most this many times the room of what is ahead.
const MOST_PAST: f64 = 2.0;
/// The drawing goes on to the end of the interval of the time that is left, unless that is so many times as far as the fan.
const MOST_AHEAD: f64 = 3.0;
/// What may rise above the limit is drawn up to here.
const MOST_RATIO: f64 = 1.3;
/// There is room for the limit's name above it.
const LEAST_RATIO: f64 = 1.08;
/// The look ahead of an outlook without a fan, in seconds.
const USUAL_AHEAD_S: f64 = 1_800.0;

/// Seconds from now, and shares of the limit, to places.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub(super) past_s: f64,
    pub(super) ahead_s: f64,
    pub(super) top_ratio: f64,
}

impl Frame {
    pub(super) fn of(outlook: &Outlook) -> Self {
        let fan_s = outlook
            .fan
            .last()
            .map_or(USUAL_AHEAD_S, |last| last.ahead_s);
        let times = outlook.time_to_exhaustion.unwrap_or_default();
        let reach = |s: Option<f64>, room: f64| {
            s.map(|s| s * room)
                .filter(|s| s.is_finite() && *s <= fan_s * MOST_AHEAD)
        };
        let end = reach(times.p95_s, 1.1).or_else(|| reach(times.p50_s, 1.3));
        let ahead_s = end.unwrap_or(0.0).max(fan_s).max(1.0);
        let first = outlook
            .history
            .first()
            .map(|point| before_s(outlook, point));
        let past_s = first
            .unwrap_or(0.0)
            .clamp(ahead_s * 0.1, ahead_s * MOST_PAST);
        let limit = outlook.limit;
        let fan = outlook.fan.iter().map(|point| point.high / limit);
        let past = outlook.history.iter().map(|point| point.level_ratio);
        let highest = fan.chain(past).chain([outlook.level_ratio]);
        let highest = highest.filter(|x| x.is_finite()).fold(1.0, f64::max);
        Self {
            past_s,
            ahead_s,
            top_ratio: highest.clamp(LEAST_RATIO, MOST_RATIO),
        }
    }

    /// `s`: seconds from now, negative before.
    pub(super) fn x(self, s: f64) -> f64 {
        let share = (s + self.past_s) / (self.past_s + self.ahead_s);
        LEFT + share.clamp(0.0, 1.0) * (RIGHT - LEFT)
    }

    /// What lies beyond the lane is cut off by the clip of the page; here it only has to be a number.
    pub(super) fn y(self, ratio: f64) -> f64 {
        let share = (ratio / self.top_ratio).clamp(0.0, 20.0);
        LANE.bottom - share * (LANE.bottom - LANE.top)
    }
}

/// How long before now a point of the past was, in seconds of the time that is ahead.
pub(super) fn before_s(outlook: &Outlook, point: &LevelPoint) -> f64 {
    (outlook.time_us - point.time_us) as f64 / 1e6 * tempo(outlook)
}

/// How much faster than the clock of the samples the time ahead goes; above 0.
pub(super) fn tempo(outlook: &Outlook) -> f64 {
    if outlook.tempo > 0.0 {
        outlook.tempo
    } else {
        1.0
    }
}
