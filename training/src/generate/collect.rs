//! What collecting does to a metric: jitter, lost samples, outages, rounding, running totals that begin again.

use series::{Kind, Timestamp};

use super::behaviour::Behaviour;
use super::{Drawn, Grid, START_US};
use crate::rng::Rng;

/// From values on a grid to a series as it is stored.
pub(super) fn collect(
    rng: &mut Rng,
    grid: &Grid,
    behaviour: &Behaviour,
    values: &[f64],
    anomalous: &[bool],
) -> Drawn {
    let jitter = if rng.chance(0.5) {
        0.0
    } else {
        rng.ratio(1e-3, 0.3)
    };
    let loss = if rng.chance(0.6) {
        0.0
    } else {
        rng.ratio(1e-4, 0.05)
    };
    let outage = if rng.chance(0.8) {
        0.0
    } else {
        rng.ratio(1e-4, 2e-3)
    };
    let digits = rng.chance(0.2).then(|| 10 + rng.below(90));
    let counter = behaviour.countable && rng.chance(0.5);
    let restart = if rng.chance(0.7) {
        0.0
    } else {
        rng.ratio(1e-4, 2e-3)
    };
    // Totals of whole things, or of seconds and the like.
    let whole = rng.chance(0.7);
    let (mut total, mut skip) = (0.0, 0usize);
    let mut points = Vec::with_capacity(values.len());
    let mut marks = Vec::with_capacity(values.len());
    let coarse = digits.map(|digits| spread_unit(values, digits));
    for (i, (&value, &odd)) in values.iter().zip(anomalous).enumerate() {
        let mut value = value;
        if counter {
            // A gauge may be negative after an anomaly; a total never falls but to 0.
            let step = value.max(0.0);
            total += if whole { step.round() } else { step };
            if rng.chance(restart) {
                total = 0.0;
            }
            value = total;
        } else if let Some(unit) = coarse {
            value = (value / unit).round() * unit;
        }
        if rng.chance(outage) {
            skip = 2 + rng.below(200);
        }
        if skip > 0 {
            skip -= 1;
            continue;
        }
        if rng.chance(loss) {
            continue;
        }
        // Less than half a step either way, so that the order holds.
        let late = jitter * rng.normal().clamp(-1.5, 1.5) * grid.step_s;
        let at = START_US + ((grid.at(i) + late) * 1e6) as i64;
        points.push((Timestamp::from_micros(at), value));
        marks.push(odd);
    }
    Drawn {
        behaviour: behaviour.name,
        kind: if counter { Kind::Counter } else { Kind::Gauge },
        points,
        anomalous: marks,
    }
}

/// The unit in which the range of the values has about so many steps.
fn spread_unit(values: &[f64], steps: usize) -> f64 {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    ((most - least) / steps as f64).max(f64::MIN_POSITIVE)
}
