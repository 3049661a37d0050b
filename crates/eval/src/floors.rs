//! Scores that know nothing of the data. A measure on which one of them does well measures something else.

use crate::column::Column;
use crate::datasets::Series;
use crate::rng::SplitMix;

/// Samples between two blind alerts.
const EVERY: usize = 500;

/// A constant score, a seeded random score, and an alert every 500 samples, one column each.
#[must_use]
pub fn floors(series: &[Series]) -> Vec<Column> {
    let column = |name: &str, score: &mut dyn FnMut(usize) -> f64| {
        let scores = series
            .iter()
            .map(|s| (0..s.times.len()).map(&mut *score).collect())
            .collect();
        Column {
            name: format!("floor: {name}"),
            scores,
            threshold: None,
        }
    };
    let mut random = SplitMix::new(1);
    vec![
        column("constant", &mut |_| 0.5),
        column("random", &mut |_| f64::from(random.unit())),
        column("every 500", &mut |row| {
            if row % EVERY == 0 { 1.0 } else { 0.0 }
        }),
    ]
}
