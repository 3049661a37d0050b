//! What is said about the next day of one resource.

use predict::exhaustion::{KNOT_S, Survival};
use series::Timestamp;

use crate::history::Past;
use crate::{History, Method, fit, paths};

/// After that long without a sample, the past has no bearing on the next day: 3 hours.
const STALE_S: f64 = 10_800.0;

/// No forecast goes further, in seconds: two days.
const MAX_HORIZON_S: u32 = 172_800;

/// Movements and bands under this share of the limit are noise of the reading.
const NO_BAND: f32 = 0.005;

/// How a forecast is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The way to go about it.
    pub method: Method,
    /// How far it goes, in seconds: at most two days. 30 hours by default, so that one that is 6 hours old still covers
    /// a day.
    pub horizon_s: u32,
    /// The same seed and the same history give the same forecast, but for Prophet, which moves by less than 1 % of the
    /// limit.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            method: Method::Auto,
            horizon_s: 108_000,
            seed: 0,
        }
    }
}

/// The end of a slot to come. Levels are shares of the limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Knot {
    /// Seconds after the instant of the forecast, above 0.
    pub ahead_s: f64,
    /// The mean of the slot is above that with 95 % probability.
    pub low: f32,
    /// Its median.
    pub median: f32,
    /// It is above that with 5 % probability.
    pub high: f32,
    /// The maximum of the slot is above that with 5 % probability.
    pub peak: f32,
    /// P(the maximum level stays under the limit until then): above 0, under 1; never rises.
    pub survival: f32,
}

impl Knot {
    /// From the middle of the band to the top of it.
    fn reach(&self) -> f32 {
        (self.peak - self.median).max(NO_BAND)
    }
}

/// Where a resource goes over the next day, and how likely it is to last.
#[derive(Debug, Clone, PartialEq)]
pub struct DayAhead {
    /// The instant at which it was made.
    pub at: Timestamp,
    /// What it was made by: never [`Method::Auto`].
    pub method: Method,
    /// How well the latest hours fit into what was known: 1 if season and trend account for them, 0 if they have no
    /// precedent, and at most 0.5 if no season is known.
    pub explained: f32,
    /// The ends of the slots to come, one after the other; never empty.
    pub knots: Vec<Knot>,
}

impl DayAhead {
    /// What a history lets expect at `now`; samples of later slots are not used. `None` if fewer than 2 hours or 3 slots are known
    /// or the newest sample is more than 3 hours old: then only the short time scale has an answer.
    #[must_use]
    pub fn of(history: &History, now: Timestamp, options: &Options) -> Option<Self> {
        let past = Past::of(history, now)?;
        let step_s = f64::from(past.step_s);
        // Seconds from now to the end of the newest slot that is known; below 0 if that is over.
        let end = Timestamp::from_micros(past.end().saturating_mul(history_step_us(past.step_s)));
        let known_s = end.seconds_since(now);
        if known_s < -STALE_S {
            return None;
        }
        let horizon_s = f64::from(options.horizon_s.clamp(past.step_s, MAX_HORIZON_S));
        #[expect(clippy::cast_sign_loss, reason = "at least 1")]
        let slots = ((horizon_s - known_s) / step_s).ceil().max(1.0) as usize;
        // Slots that end at or before now.
        #[expect(clippy::cast_sign_loss, reason = "at least 0")]
        let over = (-known_s / step_s).floor().max(0.0) as usize;
        let fit = fit::fit(&past, options.method, slots)?;
        let spreads = paths::draw(&past, &fit, over, options.seed);
        let knots = spreads
            .iter()
            .enumerate()
            .skip(over)
            .map(|(slot, spread)| Knot {
                ahead_s: known_s + (slot + 1) as f64 * step_s,
                low: spread.low as f32,
                median: spread.median as f32,
                high: spread.high as f32,
                peak: spread.peak as f32,
                survival: spread.survival as f32,
            });
        Some(Self {
            at: now,
            method: fit.method,
            explained: fit.explained,
            knots: knots.collect(),
        })
    }

    /// P(exhausted within `s` seconds of [`DayAhead::at`]), 0 to just under 1. Between knots the hazard is even; beyond
    /// the last, nothing more is foreseen.
    #[must_use]
    pub fn within(&self, s: f64) -> f64 {
        1.0 - (-self.hazard(s)).exp()
    }

    /// P(it lasts) until the times that the short scale knows, as seen at `now`, given that it has lasted until then.
    #[must_use]
    pub fn survival(&self, now: Timestamp) -> Survival {
        let age_s = now.seconds_since(self.at).max(0.0);
        let so_far = self.hazard(age_s);
        Survival(KNOT_S.map(|s| (so_far - self.hazard(age_s + s)).min(0.0).exp() as f32))
    }

    /// How far a calm forecast may be believed at `now`, when the resource uses `fraction` of its limit: at most
    /// [`DayAhead::explained`], less if that is above what was expected for that time, 0 far above it and when the
    /// forecast has run out.
    #[must_use]
    pub fn explains(&self, now: Timestamp, fraction: f64) -> f32 {
        self.knot_at(now).map_or(0.0, |knot| {
            let above = (fraction as f32 - knot.peak) / knot.reach();
            self.explained.min(fits(above))
        })
    }

    /// How far an alarm may be believed at `now`, when the resource uses `fraction` of its limit: 1 unless that is
    /// below what was expected for that time, 0 far below it and when the forecast has run out.
    #[must_use]
    pub fn stands(&self, now: Timestamp, fraction: f64) -> f32 {
        self.knot_at(now).map_or(0.0, |knot| {
            // Minima reach as far under the mean as maxima above it, as far as is known.
            let lowest = knot.low - (knot.peak - knot.high);
            fits((lowest - fraction as f32) / knot.reach())
        })
    }

    /// The end of the slot that `now` is in.
    fn knot_at(&self, now: Timestamp) -> Option<&Knot> {
        let age_s = now.seconds_since(self.at).max(0.0);
        self.knots
            .get(self.knots.partition_point(|knot| knot.ahead_s < age_s))
    }

    /// −ln P(it lasts `s` seconds), at least 0.
    pub(crate) fn hazard(&self, s: f64) -> f64 {
        let place = self.knots.partition_point(|knot| knot.ahead_s < s);
        let (from_s, from) = match place.checked_sub(1) {
            Some(before) => (self.knots[before].ahead_s, knot_hazard(&self.knots[before])),
            None => (0.0, 0.0),
        };
        let Some(knot) = self.knots.get(place) else {
            return from;
        };
        let share = ((s - from_s) / (knot.ahead_s - from_s)).clamp(0.0, 1.0);
        from + share * (knot_hazard(knot) - from)
    }
}

/// 1 within the band, 0 at a band or more outside. A level that is no number says nothing, for or against.
fn fits(outside: f32) -> f32 {
    if outside.is_nan() {
        1.0
    } else {
        (1.0 - outside).clamp(0.0, 1.0)
    }
}

fn knot_hazard(knot: &Knot) -> f64 {
    -f64::from(knot.survival).clamp(1e-9, 1.0).ln()
}

const fn history_step_us(step_s: u32) -> i64 {
    step_s as i64 * 1_000_000
}
