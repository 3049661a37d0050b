//! Rows do not depend on the unit in which a metric is measured, and hardly on where its zero lies.

use features::{Row, column};
use proptest::prelude::*;
use series::Kind;
use testkit::{CALM, ROUNDING, SHIFTED, Trace};

use crate::rows;

/// Columns that measure distances within the series itself.
const RESIDUALS: [usize; 5] = [
    column::LEVEL,
    column::DIFFERENCE,
    column::SHORT_RESIDUAL,
    column::LONG_RESIDUAL,
    column::SEASONAL_RESIDUAL,
];
/// Rows until the scales have forgotten how they began.
const SETTLED: usize = 100;

/// With every number by its bits: an unknown `usual` is a NaN, which equals nothing.
fn bits(rows: &[(Row, f64)]) -> Vec<String> {
    rows.iter().map(|(row, _)| format!("{row:?}")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Bytes or gibibytes: a power of two moves the exponent alone, so not one bit of a row may differ.
    #[test]
    fn a_power_of_two_changes_nothing(seed: u64, k in -300i32..300) {
        for shape in CALM {
            let trace = (shape.draw)(400, seed);
            let scaled = trace.clone().bent(0..400, |x| x * 2f64.powi(k));
            prop_assert!(bits(&rows(&trace)) == bits(&rows(&scaled)), "{}", shape.name);
        }
    }

    #[test]
    fn a_power_of_two_changes_nothing_of_a_counter(seed: u64, k in -100i32..100) {
        let trace = testkit::counter(400, seed);
        let scaled = trace.clone().bent(0..400, |x| x * 2f64.powi(k));
        prop_assert!(bits(&rows(&trace)) == bits(&rows(&scaled)));
    }

    #[test]
    fn a_shift_hardly_moves_the_residuals(seed: u64, shift in -2_000.0f64..2_000.0) {
        let trace = testkit::gaussian(600, seed);
        let shifted = trace.clone().bent(0..600, |x| x + shift);
        for ((row, _), (moved, _)) in rows(&trace).iter().zip(&rows(&shifted)).skip(SETTLED) {
            for i in RESIDUALS {
                let (a, b) = (f64::from(row.columns[i]), f64::from(moved.columns[i]));
                prop_assert!(SHIFTED.allows(a, b), "{} {a} {b}", features::SCHEMA[i].name);
            }
        }
    }

    /// Upside down, all that has a sign has the other one.
    #[test]
    fn a_mirror_turns_the_signs(seed: u64) {
        let trace = testkit::autoregressive(400, seed);
        let mirrored = trace.clone().bent(0..400, |x| -x);
        for ((row, _), (turned, _)) in rows(&trace).iter().zip(&rows(&mirrored)) {
            for i in RESIDUALS.into_iter().chain([column::RANK, column::TREND]) {
                ROUNDING.assert(f64::from(turned.columns[i]), -f64::from(row.columns[i]));
            }
            ROUNDING.assert(f64::from(turned.sigma), f64::from(row.sigma));
        }
    }
}

#[test]
fn x_stands_for_the_level() {
    for level in [1e-300, -7.25, 3.0e9, 1e300] {
        let mut extractor = crate::extractor(Kind::Gauge);
        for (i, &(at, share)) in testkit::gaussian(50, 3).points.iter().enumerate() {
            let value = level * (1.0 + 0.01 * share);
            let features::Extracted::Row(row, got) = extractor.extract(0, at, value) else {
                panic!("sample {i}")
            };
            ROUNDING.assert(got, value);
            // Relative: the tolerance's absolute part would forgive the smallest level everything.
            ROUNDING.assert(extractor.to_level(0, row.x) / value, 1.0);
        }
    }
}

/// The scale that all residuals are measured in: right to a few percent on noise whose scale is known.
#[test]
fn sigma_is_the_standard_deviation_of_normal_noise() {
    let rows = rows(&testkit::gaussian(5_000, 4));
    let unit = 64.0; // The power of two below 100, about which it varies.
    let mean = rows[2_000..]
        .iter()
        .map(|(row, _)| f64::from(row.sigma) * unit)
        .sum::<f64>()
        / 3_000.0;
    assert!((4.5..5.5).contains(&mean), "{mean}, not 5");
}

/// A constant has no residual at all, with rounding on the way or not.
#[test]
fn a_constant_has_small_columns() {
    let mut noise = testkit::Noise::new(5);
    let jitter = Trace::gauge((0..500).map(|_| 42.0 * (1.0 + 1e-9 * noise.normal())));
    for (row, _) in rows(&jitter) {
        for i in RESIDUALS
            .into_iter()
            .chain([column::TREND, column::SCALE, column::VARIANCE_RATIO])
        {
            assert!(
                row.columns[i].abs() < 1e-2,
                "{} is {}",
                features::SCHEMA[i].name,
                row.columns[i]
            );
        }
    }
}
