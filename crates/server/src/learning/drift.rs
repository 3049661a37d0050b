//! Whether samples look like those that the champion was made for.
//!
//! The population stability index compares two histograms: Σ (pᵢ − qᵢ) ln(pᵢ / qᵢ), the symmetric divergence of
//! Jeffreys (Proc. R. Soc. A 186, 1946), named and given its usual thresholds (0.1 a little, 0.25 a lot) by Siddiqi,
//! "Credit Risk Scorecards" (2006). Half a sample is added to each bin, so that an empty one is no infinity.

use features::{N_COLUMNS, SCHEMA};
use serde::{Deserialize, Serialize};

use crate::models::gate::{HeldOut, Mark, PIT_BINS};

/// Between the bins of a feature. Features are in robust standard deviations or shares, so that the same ones do for all.
const EDGES: [f32; 10] = [-3.0, -1.5, -0.75, -0.25, -0.05, 0.05, 0.25, 0.75, 1.5, 3.0];
const BINS: usize = EDGES.len() + 1;

/// How often values fell where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Histograms {
    /// By feature, in the order of [`SCHEMA`].
    features: Vec<[u64; BINS]>,
    /// Where samples fell within the champion's forecasts.
    pit: [u64; PIT_BINS],
}

/// How far two histograms are apart.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Drift {
    /// The largest index over features, and the name of that feature.
    pub(crate) features: f64,
    pub(crate) feature: &'static str,
    /// The index of calibration.
    pub(crate) calibration: f64,
}

impl Histograms {
    /// Of the normal samples.
    pub(crate) fn of(samples: &HeldOut, pit: [u64; PIT_BINS]) -> Self {
        let mut features = vec![[0; BINS]; N_COLUMNS];
        for sequence in samples.sequences() {
            let normal = sequence.columns.iter().zip(&sequence.marks);
            for (columns, _) in normal.filter(|(_, mark)| **mark == Mark::Normal) {
                for (bins, value) in features.iter_mut().zip(columns) {
                    if value.is_finite() {
                        bins[EDGES.partition_point(|edge| edge <= value)] += 1;
                    }
                }
            }
        }
        Self { features, pit }
    }

    /// Whether they have the shape that this version writes.
    pub(crate) fn is_whole(&self) -> bool {
        self.features.len() == N_COLUMNS
    }

    /// How far `now` is from these; only features at the places `inputs` count.
    pub(crate) fn drift(&self, now: &Self, inputs: &[usize]) -> Drift {
        let mut drift = Drift {
            calibration: stability_index(&self.pit, &now.pit),
            ..Drift::default()
        };
        for &place in inputs {
            let index = stability_index(&self.features[place], &now.features[place]);
            if index > drift.features {
                drift.features = index;
                drift.feature = SCHEMA[place].name;
            }
        }
        drift
    }
}

fn stability_index(reference: &[u64], now: &[u64]) -> f64 {
    let share = |bins: &[u64], count: u64| {
        let total: u64 = bins.iter().sum();
        (count as f64 + 0.5) / (total as f64 + 0.5 * bins.len() as f64)
    };
    reference
        .iter()
        .zip(now)
        .map(|(&p, &q)| {
            let (p, q) = (share(reference, p), share(now, q));
            (p - q) * (p / q).ln()
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use features::column;

    use super::*;

    fn samples(shift: f64, seed: u64) -> Histograms {
        let mut held_out = HeldOut::new(1_000_000);
        let mut noise = testkit::Noise::new(seed);
        for i in 0..20_000 {
            let mut columns = [0.0; N_COLUMNS];
            columns[column::LEVEL] = (noise.normal() + shift) as f32;
            let mark = if i % 100 == 0 {
                Mark::Fault
            } else {
                Mark::Normal
            };
            if mark == Mark::Fault {
                columns[column::LEVEL] = 1e6;
            }
            held_out.push(1, columns, mark);
        }
        Histograms::of(&held_out, [2_000; PIT_BINS])
    }

    #[test]
    fn the_index_is_that_of_the_formula() {
        // (0.5 - 0.25) ln 2 + (0.5 - 0.75) ln(2/3), with so many samples that the half does not matter.
        let index = stability_index(&[500_000, 500_000], &[250_000, 750_000]);
        let expected = 0.25 * 2.0_f64.ln() - 0.25 * (2.0_f64 / 3.0).ln();
        assert!((index - expected).abs() < 1e-5, "{index}");
        assert!(stability_index(&[10, 0], &[10, 0]).abs() < 1e-12);
        assert!(stability_index(&[10, 0], &[0, 10]).is_finite());
    }

    #[test]
    fn a_shift_is_seen_and_named_and_another_draw_is_not() {
        let reference = samples(0.0, 1);
        let inputs = [column::LEVEL, column::GAP];
        let same = reference.drift(&samples(0.0, 2), &inputs);
        assert!(same.features < 0.01 && same.calibration < 1e-9, "{same:?}");
        let shifted = reference.drift(&samples(0.6, 3), &inputs);
        assert!(
            shifted.features > 0.25 && shifted.feature == "level",
            "{shifted:?}"
        );
        // What the champion does not read does not matter to it.
        assert!(reference.drift(&samples(0.6, 3), &[column::GAP]).features < 0.01);
    }
}
