//! What a row may hold, whatever comes; and that memory does not grow.

use features::{Extracted, Row};
use proptest::prelude::*;
use series::{Kind, Timestamp};
use testkit::SHAPES;

use crate::{extractor, rows};

/// Every number of a row is finite and in its range; only `usual` may be unknown.
fn check(row: &Row) -> Result<(), String> {
    let ok = |what: &str, holds: bool| {
        if holds {
            Ok(())
        } else {
            Err(format!("{what}: {row:?}"))
        }
    };
    let w = &row.windows;
    let windows = [w.mean_6, w.mean_24, w.spread_12, w.spread_48];
    ok("columns", row.columns.iter().all(|value| value.is_finite()))?;
    ok(
        "windows",
        windows.iter().chain(&w.lags).all(|value| value.is_finite()),
    )?;
    ok("spreads", w.spread_12 >= 0.0 && w.spread_48 >= 0.0)?;
    ok("x", row.x.abs() <= 1e18)?;
    ok("expected", row.expected.is_finite())?;
    ok("sigma", row.sigma.is_finite() && row.sigma > 0.0)?;
    ok("floor", row.floor.is_finite() && row.floor > 0.0)?;
    ok(
        "least_range",
        row.least_range.is_finite() && row.least_range > 0.0,
    )?;
    ok("gap", row.gap.is_finite() && row.gap >= 0.0)?;
    ok("step_s", row.step_s.is_finite() && row.step_s >= 0.0)?;
    ok("week_s", row.week_s < 604_800)?;
    ok("usual", row.usual.is_nan() || row.usual.is_finite())
}

#[test]
fn rows_of_every_shape_are_in_range() {
    for shape in SHAPES {
        for (row, level) in rows(&(shape.draw)(5_000, 1)) {
            assert!(level.is_finite(), "{}", shape.name);
            check(&row).unwrap_or_else(|e| panic!("{}: {e}", shape.name));
        }
    }
}

#[test]
fn memory_does_not_grow() {
    assert!(testkit::allocations() > 0, "the counter does not count");
    for shape in SHAPES {
        let trace = (shape.draw)(5_000, 2);
        let mut extractor = extractor(trace.kind);
        let (bytes, before) = (extractor.state_bytes(), testkit::allocations());
        for &(at, value) in &trace.points {
            extractor.extract(0, at, value);
        }
        assert_eq!(
            (extractor.state_bytes(), testkit::allocations()),
            (bytes, before),
            "{}",
            shape.name
        );
    }
}

/// Monday, midnight UTC is 0; the second before it is the last of the week.
#[test]
fn the_week_begins_on_monday() {
    let week_s = |at: Timestamp| match extractor(Kind::Gauge).extract(0, at, 1.0) {
        Extracted::Row(row, _) => row.week_s,
        Extracted::Pending | Extracted::Refused(_) => panic!("no row at {at}"),
    };
    assert_eq!(week_s(testkit::START), 0);
    assert_eq!(week_s(testkit::START.plus_micros(-1)), 604_799);
    // The epoch was a Thursday; so was the day before it a Wednesday.
    assert_eq!(week_s(Timestamp::from_micros(0)), 3 * 86_400);
    assert_eq!(week_s(Timestamp::from_micros(-1)), 3 * 86_400 - 1);
}

/// Any bits, with ordinary values between so that not all of it is refused.
fn values() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<u64>().prop_map(f64::from_bits),
        -1e3f64..1e3,
        Just(0.0),
        Just(f64::MAX),
        Just(f64::MIN)
    ]
}

proptest! {
    #[test]
    fn any_bits_at_any_time_are_borne(
        samples in prop::collection::vec((any::<i64>(), values()), 1..200),
        in_order: bool,
        counter: bool,
    ) {
        let mut samples = samples;
        if in_order {
            samples.sort_by_key(|&(at, _)| at);
        }
        let mut extractor = extractor(if counter { Kind::Counter } else { Kind::Gauge });
        for (at, value) in samples {
            if let Extracted::Row(row, level) = extractor.extract(0, Timestamp::from_micros(at), value) {
                prop_assert!(level.is_finite());
                check(&row).map_err(TestCaseError::fail)?;
                prop_assert!(!extractor.to_level(0, row.x).is_nan());
                prop_assert!(extractor.unit(0) > 0.0 && extractor.unit(0).is_finite());
            }
        }
    }

    /// Long runs at one magnitude after a start at another: what adds up must not overflow.
    #[test]
    fn any_magnitude_may_follow_any(first in values(), then in values(), step_us in 1i64..1_000_000_000) {
        let mut extractor = extractor(Kind::Gauge);
        let mut at = testkit::START;
        for i in 0..400 {
            at = at.plus_micros(step_us);
            let value = if i < 20 { first } else if i % 2 == 0 { then } else { -then };
            if let Extracted::Row(row, _) = extractor.extract(0, at, value) {
                check(&row).map_err(TestCaseError::fail)?;
            }
        }
    }
}
