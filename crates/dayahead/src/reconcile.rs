//! One answer out of two time scales.
//!
//! The short one sees minutes and knows nothing of seasons; the long one sees half hours and knows nothing of what
//! began just now. So the first half hour is the short one's alone, and from two hours on the long one speaks, each
//! time for the *hazard*: the chance to be exhausted in an interval, given that it was reached. Their product over the
//! intervals is one survival curve, so that no horizon can contradict another. Blending survival curves was rejected:
//! where the long one is above the short one, the blend would rise with time, and a resource that is gone would come
//! back.

use predict::exhaustion::{KNOT_S, KNOTS, Survival};
use series::Timestamp;

use crate::DayAhead;

/// How far the short time scale is trusted, in seconds, unless there is a reason for another: an hour, twice the half
/// hour that it is made for.
pub const TRUST_S: f64 = 3_600.0;

/// Hazards are blended as logarithms, because they differ by orders of magnitude. This much per hour is added before:
/// neither scale can tell less from nothing, and "nothing" must not win over everything.
const FLOOR_PER_H: f64 = 0.02;

/// Where the two meet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Meeting {
    /// The instant of the short answer.
    pub now: Timestamp,
    /// What share of its limit the resource uses by then.
    pub fraction: f64,
    /// How far the short time scale is trusted, in seconds; [`TRUST_S`] in general, and where this is not above 0. Up
    /// to half of it, it answers alone; from twice that time on, the long one does.
    pub trust_s: f64,
}

/// The survival as seen at the meeting: that of `short` up to half of `trust_s`; the hazards of `long` from twice
/// `trust_s` on; in between a blend whose weight moves evenly with the logarithm of time.
///
/// Where the long one is the calmer, it speaks as far as it explains the level ([`DayAhead::explains`]): of a leak that
/// began within its half hours or has no precedent in its days it knows nothing, and the short one goes on. Where it is
/// the more alarmed, it speaks as far as the level is still where it was expected ([`DayAhead::stands`]).
#[must_use]
pub fn reconcile(short: &Survival, long: &DayAhead, meeting: &Meeting) -> Survival {
    let calm = f64::from(long.explains(meeting.now, meeting.fraction));
    let alarm = f64::from(long.stands(meeting.now, meeting.fraction));
    let trusted = meeting.trust_s > 0.0;
    let alone_s = 0.5 * if trusted { meeting.trust_s } else { TRUST_S };
    let age_s = meeting.now.seconds_since(long.at).max(0.0);
    let mut met = [1.0_f32; KNOTS];
    let (mut from_s, mut left) = (0.0, 1.0_f32);
    // Up to the knot before, as far as the blend has use for it.
    let mut before = None;
    for (place, &to_s) in KNOT_S.iter().enumerate() {
        left = if to_s <= alone_s {
            // As it is, to the bit; but no curve may rise, whatever was handed in.
            left.min(lasting(short.0[place], left))
        } else {
            let (short_from, long_from) =
                before.unwrap_or_else(|| (lost(left, 0.0), long.hazard(age_s + from_s)));
            let (short_to, long_to) = (lost(short.0[place], short_from), long.hazard(age_s + to_s));
            before = Some((short_to, long_to));
            let hours = (to_s - from_s) / 3_600.0;
            let middle_s = (from_s.max(1.0) * to_s).sqrt();
            let (short_rate, long_rate) = (
                (short_to - short_from) / hours,
                (long_to - long_from) / hours,
            );
            let believed = if long_rate < short_rate { calm } else { alarm };
            let rate = blend(short_rate, long_rate, believed * weight(middle_s / alone_s));
            (f64::from(left) * (-rate * hours).exp()) as f32
        };
        met[place] = left;
        from_s = to_s;
    }
    Survival(met)
}

/// A share that lasts, 0 to 1; `before` if it is no number.
fn lasting(share: f32, before: f32) -> f32 {
    if share.is_nan() {
        before
    } else {
        share.clamp(0.0, 1.0)
    }
}

/// −ln of a share that lasts; never under `before`.
fn lost(share: f32, before: f64) -> f64 {
    if share.is_nan() {
        return before;
    }
    (-f64::from(share).clamp(1e-9, 1.0).ln()).max(before)
}

/// The say of the long time scale at so many times the span that belongs to the short one: 0 up to 1, all from 4 on.
fn weight(times: f64) -> f64 {
    let share = (times.ln() / 4.0_f64.ln()).clamp(0.0, 1.0);
    // Without corners: 3x² − 2x³.
    share * share * (3.0 - 2.0 * share)
}

/// Between two rates per hour, `weight` of the way from the first to the second.
fn blend(short: f64, long: f64, weight: f64) -> f64 {
    let log = |rate: f64| (rate + FLOOR_PER_H).ln();
    let rate = ((1.0 - weight) * log(short) + weight * log(long)).exp() - FLOOR_PER_H;
    rate.max(0.0)
}

#[cfg(test)]
#[path = "reconcile_tests.rs"]
mod tests;
