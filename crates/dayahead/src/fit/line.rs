//! A robust line with a variance that grows.

use super::Fit;
use crate::history::Past;
use crate::{Method, robust};

/// The line is that of the latest hours: asked for with more history than it is meant for, what came before would bend
/// it.
const HOURS: usize = 8;

/// What stays of an error for good: all. A few hours do not show whether a level comes back from a surprise, so none is
/// expected to.
const STAYS: f64 = 1.0;

/// `None` if fewer than two slots are known.
pub(super) fn fit(past: &Past, slots: usize) -> Option<Fit> {
    let n = past.means.len();
    let from = n.saturating_sub(HOURS * past.day() / 24);
    let known: Vec<usize> = (from..n).filter(|&place| past.is_known(place)).collect();
    let points: Vec<(f64, f64)> = known
        .iter()
        .map(|&place| (place as f64, past.means[place]))
        .collect();
    let (start, slope) = robust::line(&points)?;
    let off: Vec<f64> = points
        .iter()
        .map(|&(x, y)| y - (start + slope * x))
        .collect();
    // Spreads of so few values are themselves uncertain, and two degrees of freedom went into the line: wider by a
    // little more than the 95 % point of Student's t, with k / 2 degrees of freedom because neighbours are alike, is
    // beyond the normal one.
    let k = off.len() as f64;
    let wider = ((k + 4.0) / (k - 2.0).max(1.0)).sqrt();
    let slope_deviation = wider * robust::slope_deviation(&off);
    // A slope no larger than its own error is none: shrunk towards 0 as by James & Stein (1961).
    let kept = (1.0 - (slope_deviation / slope.abs().max(f64::MIN_POSITIVE)).powi(2)).max(0.0);
    let end = start + slope * (n as f64 - 1.0);
    let at = |ahead: usize| end + kept * slope * (ahead + 1) as f64;
    // From slot to slot: what is off the line itself adds up to 0 by construction, and so would never lead away from
    // it.
    let mut errors = vec![f64::NAN; n];
    for (pair, off) in known.windows(2).zip(off.windows(2)) {
        if pair[1] == pair[0] + 1 {
            errors[pair[1]] = wider * (off[1] - off[0]);
        }
    }
    Some(Fit {
        method: Method::Trend,
        path: (0..slots).map(at).collect(),
        errors,
        carry: vec![STAYS; slots],
        slope_deviation,
        seasonal: false,
        lasted: Some((n - from) as f64),
        explained: 0.5,
    })
}
