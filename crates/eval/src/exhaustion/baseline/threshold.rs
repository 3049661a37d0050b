//! An alert on the level, as most dashboards have it.

use super::passage::exhausted;
use super::{Baseline, Past, Prediction};

pub(super) const BASELINE: Baseline = Baseline {
    name: "threshold",
    about: "the level alone: P rises from 0 at 70, 80, 90 % used to 1 at the limit, for 30, 15, 5 minutes",
    foresee,
};

/// Where the probability begins to rise, by horizon: the usual warning at 85 % is where that of 30 minutes is a half.
const FROM: [f64; 3] = [0.9, 0.8, 0.7];

/// A level says nothing about when.
fn foresee(past: Past<'_>) -> Option<Prediction> {
    let (_, level) = past.points().pop()?;
    if level >= 1.0 {
        return exhausted();
    }
    let p = FROM.map(|from| ((level - from) / (1.0 - from)).clamp(0.0, 1.0));
    Prediction::new(p, [f64::INFINITY; 3])
}
