//! When a gauge reaches its threshold, as far as its last half hour tells.
//!
//! The level is taken for a Brownian motion with drift that is seen through noise. Three things are told apart, because
//! only two of them lead anywhere: the *drift* (the median slope between points half a window apart), the *diffusion* (how
//! much faster the spread of differences grows with their lag than noise alone would make it), and the *noise* (what is
//! there at the smallest lag already). All by medians, so that an outlier counts as one point. The time until the level
//! reaches the threshold is then inverse Gaussian.
//!
//! A drift of half an hour is itself uncertain: it is shrunk by its standard error (James and Stein, positive part), and
//! what is left of the error widens the spread. Noise without a trend so foretells nothing.
//!
//! Least squares were rejected: one slow request in the window turns a flat line into a slope. So was the variance of single
//! steps: of a level that only shakes it makes a motion that gets anywhere within a day.

use series::Timestamp;

use super::{ENTER, LEAVE, normal};

/// Points that are kept.
const POINTS: usize = 120;
/// Samples closer than this are one point, their mean. Half an hour in 120 points.
const STEP_S: f64 = 15.0;
/// Older points say nothing.
const WINDOW_S: f64 = 1_800.0;
/// Fewer points say nothing.
const LEAST_POINTS: usize = 20;
/// Nor does less time.
const LEAST_S: f64 = 300.0;
/// Half an hour and a day.
pub(super) const SOON_S: f64 = 1_800.0;
pub(super) const DAY_S: f64 = 86_400.0;
/// A time is told where an end within a day is at least so likely, as of resources.
const FORESEEN: f64 = 0.2;
/// How many times its squared error a squared drift is lowered by: below 2 errors it counts as none, at 5 most of it is
/// kept. Once (James and Stein) was rejected: of walks with small drifts it foretold 0.70 where 0.51 came.
const DOUBT: f64 = 4.0;
/// Of the spread of a step: Broadie, Glasserman and Kou, Mathematical Finance 7 (1997).
const OVERSHOOT: f64 = 0.5826;
/// Of the squared error of a drift, so much stays where none is believed: there may be one.
const UNSEEN: f64 = 0.2;
/// Of the spread at the largest lag, so much is diffusion at least. A window holds seven such lags, so that by chance there
/// seems to be none; who believes that is sure of drifts that are not there.
const LEAST_SHARE: f64 = 0.5;
/// Lags, in points, over which the spread is compared with that of neighbours.
const LAGS: [usize; 3] = [4, 8, 16];

/// The last half hour of a level: 120 points at most.
#[derive(Debug, Clone)]
pub(super) struct Passage {
    /// Seconds since `origin`, and values, as a ring.
    points: Box<[(f32, f32); POINTS]>,
    n: u8,
    next: u8,
    origin: Timestamp,
    /// What is not a point yet: the sum, the number, and when it began.
    open: (f64, u32, f64),
}

/// What is foretold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Foretold {
    /// P(the threshold is reached within 30 minutes).
    pub(super) soon: f64,
    /// P(within a day), at least `soon`.
    pub(super) day: f64,
    /// 5, 50 and 95 % quantiles of the time in seconds, if there is an end within a day.
    pub(super) ttf_s: Option<[f64; 3]>,
    /// The drift over its standard error: above 4 it is there beyond doubt.
    pub(super) trend: f64,
    /// Seconds that it rests on.
    pub(super) seen_s: f64,
}

/// Level, drift and spread at the newest point.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Motion {
    level: f64,
    drift: f64,
    /// Of the drift that is left after shrinking, squared.
    drift_error: f64,
    diffusion: f64,
    level_error: f64,
    /// A level that is looked at now and then is so much beyond the threshold when it is first seen there.
    overshoot: f64,
    trend: f64,
    seen_s: f64,
}

impl Passage {
    pub(super) fn new(origin: Timestamp) -> Self {
        Self {
            points: Box::new([(0.0, 0.0); POINTS]),
            n: 0,
            next: 0,
            origin,
            open: (0.0, 0, 0.0),
        }
    }

    /// Takes in a level; times do not fall. Whether a point was completed.
    pub(super) fn add(&mut self, at: Timestamp, level: f64) -> bool {
        let t = at.seconds_since(self.origin);
        let (sum, n, since) = self.open;
        if n == 0 || t - since < STEP_S {
            self.open = (sum + level, n + 1, if n == 0 { t } else { since });
            return false;
        }
        self.points[usize::from(self.next)] =
            ((0.5 * (since + t)) as f32, (sum / f64::from(n)) as f32);
        self.next = (self.next + 1) % POINTS as u8;
        self.n = (self.n + 1).min(POINTS as u8);
        self.open = (level, 1, t);
        // So that seconds stay exact in 32 bits.
        if t > 1e6 {
            self.move_origin(at, t);
        }
        true
    }

    fn move_origin(&mut self, at: Timestamp, t: f64) {
        self.origin = at;
        for point in &mut *self.points {
            point.0 = (f64::from(point.0) - t) as f32;
        }
        self.open.2 -= t;
    }

    /// The points of the window, oldest first, with what is not a whole point yet at the end: seconds before the newest, at
    /// most 0, and values.
    fn window(&self, into: &mut [(f64, f64); POINTS + 1]) -> usize {
        let (n, next) = (usize::from(self.n), usize::from(self.next));
        let (sum, open, since) = self.open;
        let ring = (1..=n)
            .rev()
            .map(|back| self.points[(next + POINTS - back) % POINTS]);
        let open = (open > 0).then(|| (since as f32, (sum / f64::from(open)) as f32));
        let Some(newest) = open.map(|(t, _)| f64::from(t)) else {
            return 0;
        };
        let mut kept = 0;
        for (t, value) in ring.chain(open) {
            let t = f64::from(t) - newest;
            if (-WINDOW_S..=0.0).contains(&t) && value.is_finite() {
                into[kept] = (t, f64::from(value));
                kept += 1;
            }
        }
        kept
    }

    /// Whether a level may reach a threshold at all: within three times the range of the window, stretched to half an hour. A
    /// hundredth of the work of [`Passage::foretell`].
    pub(super) fn is_near(&self, threshold: f64) -> bool {
        let points = &self.points[..usize::from(self.n)];
        if points.len() + 1 < LEAST_POINTS {
            return false;
        }
        // Four lanes, because each comparison waits for the one before.
        let (mut lows, mut highs) = ([f32::MAX; 4], [f32::MIN; 4]);
        for four in points.chunks(4) {
            for ((low, high), &(_, value)) in lows.iter_mut().zip(&mut highs).zip(four) {
                *low = if value < *low { value } else { *low };
                *high = if value > *high { value } else { *high };
            }
        }
        let low = lows.into_iter().fold(f32::MAX, f32::min);
        let high = highs.into_iter().fold(f32::MIN, f32::max);
        let stretch = POINTS as f64 / f64::from(self.n.max(1));
        let far = f64::from(high) + 3.0 * stretch * f64::from(high - low);
        // Also where something overflows.
        far.is_nan() || far >= threshold
    }

    /// What the window says of a threshold, with a time where it is likely enough to be told; `None` when there are too few points, or too little time between them.
    pub(super) fn foretell(&self, threshold: f64) -> Option<Foretold> {
        let mut window = [(0.0, 0.0); POINTS + 1];
        let n = self.window(&mut window);
        let motion = Motion::of(&window[..n])?;
        let within = |h_s: f64| motion.within(threshold, h_s);
        let soon = within(SOON_S);
        let day = within(DAY_S).max(soon);
        let is_told = soon >= LEAVE || day >= ENTER;
        Some(Foretold {
            soon,
            day,
            ttf_s: (day >= FORESEEN && is_told).then(|| normal::quantiles_s(DAY_S, within)),
            trend: motion.trend,
            seen_s: motion.seen_s,
        })
    }
}

/// The median of what is not empty, in any order.
fn median(values: &mut [f64]) -> f64 {
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}

impl Motion {
    fn of(points: &[(f64, f64)]) -> Option<Self> {
        let n = points.len();
        let (first, last) = (points.first()?, points.last()?);
        let seen_s = last.0 - first.0;
        if n < LEAST_POINTS || seen_s < LEAST_S {
            return None;
        }
        let step_s = seen_s / (n - 1) as f64;
        let mut scratch = [0.0; POINTS + 1];
        let half = n / 2;
        for (i, slope) in scratch[..n - half].iter_mut().enumerate() {
            let (from, to) = (points[i], points[i + half]);
            *slope = (to.1 - from.1) / (to.0 - from.0).max(1.0);
        }
        let slope = median(&mut scratch[..n - half]);

        // How far points some lag apart are spread, beyond the drift.
        let mut spread = |lag: usize| {
            let pairs = points.iter().zip(&points[lag..]);
            let away = pairs.map(|(a, b)| (b.1 - a.1 - slope * (b.0 - a.0)).abs());
            let (mut len, mut sum) = (0, 0.0);
            for (to, away) in scratch.iter_mut().zip(away) {
                *to = away;
                len += 1;
                sum += away;
            }
            let middle = 1.4826 * median(&mut scratch[..len]);
            // Most points alike: the median sees no spread at all.
            if middle > 0.0 {
                middle * middle
            } else {
                (1.2533 * sum / len as f64).powi(2)
            }
        };
        let near = spread(1);
        let lags = LAGS.iter().copied().filter(|lag| lag * 3 <= n);
        let (mut sum, mut used, mut all) = (0.0, 0.0, 0.0);
        for lag in lags {
            let far = spread(lag);
            sum += (far - near) / ((lag - 1) as f64 * step_s);
            all = far / (lag as f64 * step_s);
            used += 1.0;
        }
        let diffusion = f64::max(sum / used, LEAST_SHARE * all);
        let noise = (0.5 * (near - diffusion * step_s)).max(0.0);

        let half_s = half as f64 * step_s;
        let error =
            (2.0 / 3.0) * diffusion / half_s + 2.0 * noise / (half as f64 * half_s * half_s);
        let kept = if slope == 0.0 {
            0.0
        } else {
            (1.0 - DOUBT * error / (slope * slope)).max(0.0)
        };
        let trend = if error > 0.0 {
            slope / error.sqrt()
        } else {
            slope.signum() * 100.0
        };

        // The steady filter of a level that diffuses under noise.
        let ratio = diffusion * step_s / noise.max(f64::MIN_POSITIVE);
        let gain = if noise == 0.0 {
            1.0
        } else {
            0.5 * ((ratio * ratio + 4.0 * ratio).sqrt() - ratio)
        };
        let gain = gain.clamp(2.0 / (n + 1) as f64, 1.0);
        for (to, point) in scratch.iter_mut().zip(points) {
            *to = point.1 - slope * point.0;
        }
        // From the line through the middle of all, as it was at the first point.
        let mut level = median(&mut scratch[..n]) + slope * first.0;
        let mut before = first.0;
        for (i, point) in points.iter().enumerate() {
            level += slope * (point.0 - before);
            // The middle of the last three, so that a single outlier is not where the level is now.
            let [a, b, c] = [0, 1, 2].map(|back| {
                let near = points[i.saturating_sub(back)];
                near.1 + slope * (point.0 - near.0)
            });
            level += gain * (a.min(b).max(a.max(b).min(c)) - level);
            before = point.0;
        }
        Some(Self {
            level,
            drift: slope * kept,
            drift_error: (UNSEEN + (1.0 - UNSEEN) * kept) * error,
            diffusion,
            // The middle of three steps lags behind by half a step.
            level_error: gain * noise + 0.5 * diffusion * step_s,
            overshoot: OVERSHOOT * (diffusion * step_s).sqrt(),
            trend,
            seen_s,
        })
    }

    fn within(&self, threshold: f64, h_s: f64) -> f64 {
        let variance = self.diffusion + self.drift_error * h_s + self.level_error / h_s;
        normal::passage(
            threshold - self.level + self.overshoot,
            self.drift,
            variance,
            h_s,
        )
    }
}

#[cfg(test)]
#[path = "passage_tests.rs"]
mod tests;
