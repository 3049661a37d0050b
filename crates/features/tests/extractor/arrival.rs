//! Which samples give a row, which are held back and which are refused.

use features::{Extracted, Extractor};
use proptest::prelude::*;
use series::{Kind, Refusal, Timestamp};
use testkit::ROUNDING;

use crate::{extractor, rows, second};

/// What comes of samples at these seconds: `+` a row, `?` pending, `=` a duplicate, `<` out of order, `x` not finite.
fn fates(kind: Kind, samples: impl IntoIterator<Item = (i64, f64)>) -> String {
    let mut extractor = extractor(kind);
    samples
        .into_iter()
        .map(|(s, value)| fate(extractor.extract(0, second(s), value)))
        .collect()
}

fn fate(extracted: Extracted) -> char {
    match extracted {
        Extracted::Row(..) => '+',
        Extracted::Pending => '?',
        Extracted::Refused(Refusal::Duplicate) => '=',
        Extracted::Refused(Refusal::OutOfOrder) => '<',
        Extracted::Refused(Refusal::NotFinite) => 'x',
        Extracted::Refused(other) => panic!("an extractor cannot know {other:?}"),
    }
}

fn gauge(seconds: impl IntoIterator<Item = i64>) -> String {
    fates(Kind::Gauge, seconds.into_iter().map(|s| (s, 1.0)))
}

#[test]
fn repeated_and_late_samples_are_refused() {
    assert_eq!(gauge([10, 11, 11, 11, 12, 10, 12, 13]), "++==+<=+");
}

#[test]
fn what_is_no_number_is_refused_and_leaves_no_trace() {
    let samples = [
        (1, 1.0),
        (2, f64::NAN),
        (2, 1.0),
        (9, f64::INFINITY),
        (3, 1.0),
        (4, f64::NEG_INFINITY),
    ];
    assert_eq!(fates(Kind::Gauge, samples), "+x+x+x");
}

/// Seven might be stragglers; an eighth that moves on with them shows that the clock was wrong before.
#[test]
fn a_clock_that_was_set_back_is_believed_at_the_eighth_sample() {
    assert_eq!(gauge((1_000..1_003).chain(500..512)), "+++<<<<<<<+++++");
}

#[test]
fn stragglers_that_do_not_move_on_are_never_believed() {
    assert_eq!(
        gauge([1_000].into_iter().chain(std::iter::repeat_n(500, 20))),
        format!("+{}", "<".repeat(20))
    );
    assert_eq!(
        gauge([1_000].into_iter().chain((500..520).rev())),
        format!("+{}", "<".repeat(20))
    );
}

#[test]
fn a_sample_in_order_ends_a_run_of_stragglers() {
    let seconds = (0..6).flat_map(|i| (500 + 4 * i..504 + 4 * i).chain([1_001 + i]));
    assert_eq!(
        gauge([1_000].into_iter().chain(seconds)),
        format!("+{}", "<<<<+".repeat(6))
    );
}

#[test]
fn a_counter_gives_no_rate_at_its_first_sample_and_at_a_reset() {
    let totals = [100.0, 110.0, 110.0, 5.0, 15.0, 0.0, 0.0, 7.0];
    assert_eq!(fates(Kind::Counter, (0..).zip(totals)), "?++?+?++");
}

/// How much time went by across a step of the clock is unknown, so no rate is claimed.
#[test]
fn a_counter_gives_no_rate_when_the_clock_was_set_back() {
    let samples = (1_000..1_003).chain(500..510).zip((0..).map(f64::from));
    assert_eq!(fates(Kind::Counter, samples), "?++<<<<<<<?++");
}

#[test]
fn a_regular_step_is_known_exactly() {
    for (row, _) in rows(&testkit::gaussian(500, 1)).iter().skip(1) {
        ROUNDING.assert(f64::from(row.step_s), testkit::STEP_S as f64);
        ROUNDING.assert(f64::from(row.gap), 1.0);
    }
}

/// One gap of a week among steps of a minute: told at once, and the usual step hardly moves.
#[test]
fn a_gap_is_counted_in_usual_steps() {
    let mut extractor = extractor(Kind::Gauge);
    let mut gap_and_step = |s| match extractor.extract(0, second(s), 1.0) {
        Extracted::Row(row, _) => (f64::from(row.gap), f64::from(row.step_s)),
        Extracted::Pending | Extracted::Refused(_) => panic!("no row at {s}"),
    };
    for minute in 0..200 {
        gap_and_step(60 * minute);
    }
    let (gap, step_s) = gap_and_step(60 * 199 + 604_800);
    // The step has taken in the gap already: a fiftieth of one usual step.
    assert!(
        (9_000.0..10_100.0).contains(&gap) && (60.0..62.0).contains(&step_s),
        "{gap} {step_s}"
    );
}

proptest! {
    /// Samples of a stream that comes in order, thinned, jittered and with repeats, against the plain rule.
    #[test]
    fn in_order_everything_is_taken_once(steps_us in prop::collection::vec(prop_oneof![Just(0i64), 1i64..10, 1i64..10_000_000_000], 1..300)) {
        let mut extractor = extractor(Kind::Gauge);
        let (mut at, mut n) = (testkit::START, 0);
        for (i, &step) in steps_us.iter().enumerate() {
            at = at.plus_micros(step);
            match extractor.extract(0, at, 1.0) {
                Extracted::Row(row, _) => {
                    prop_assert!(step > 0 || i == 0);
                    prop_assert_eq!(row.n, n);
                    prop_assert!(row.gap >= 0.0 && row.step_s >= 0.0);
                    n += 1;
                }
                other @ (Extracted::Pending | Extracted::Refused(_)) => prop_assert_eq!((other, step, i > 0), (Extracted::Refused(Refusal::Duplicate), 0, true)),
            }
        }
    }

    /// Late samples here and there (never eight on end) leave the rows of the others as they would be alone.
    #[test]
    fn refused_samples_change_nothing(late in prop::collection::vec((0usize..200, 1i64..100_000), 0..40), seed: u64) {
        let trace = testkit::irregular(200, seed);
        let (mut clean, mut disturbed) = (extractor(Kind::Gauge), extractor(Kind::Gauge));
        for (i, &(at, value)) in trace.points.iter().enumerate() {
            prop_assert_eq!(bits(clean.extract(0, at, value)), bits(disturbed.extract(0, at, value)));
            for &(_, back_s) in late.iter().filter(|&&(place, _)| place == i).take(7) {
                let old = Timestamp::from_micros(at.micros() - 1_000_000 * back_s);
                prop_assert_eq!(disturbed.extract(0, old, -value), Extracted::Refused(Refusal::OutOfOrder));
                prop_assert_eq!(disturbed.extract(0, at, -value), Extracted::Refused(Refusal::Duplicate));
            }
        }
    }

    #[test]
    fn a_rate_is_what_was_counted_over_the_time(totals in prop::collection::vec(0.0f64..1e12, 2..100), step_ms in 1i64..1_000_000) {
        let mut extractor = extractor(Kind::Counter);
        let at = |i: usize| Timestamp::from_millis(i as i64 * step_ms);
        prop_assert_eq!(extractor.extract(0, at(0), totals[0]), Extracted::Pending);
        for (i, pair) in totals.windows(2).enumerate() {
            match extractor.extract(0, at(i + 1), pair[1]) {
                Extracted::Row(_, rate) => {
                    prop_assert!(pair[1] >= pair[0]);
                    prop_assert!(ROUNDING.allows(rate, (pair[1] - pair[0]) / (step_ms as f64 / 1e3)));
                }
                Extracted::Pending => prop_assert!(pair[1] < pair[0]),
                Extracted::Refused(why) => prop_assert!(false, "{why:?}"),
            }
        }
    }

    /// A series is described by its own past, whatever comes of the others.
    #[test]
    fn series_do_not_touch_each_other(seed: u64) {
        let (trace, other) = (testkit::irregular(150, seed), testkit::extremes(150, seed));
        let (mut alone, mut together) = (extractor(Kind::Gauge), Extractor::new(true));
        for kind in [Kind::Counter, Kind::Gauge, Kind::Gauge] {
            together.add_series(kind, series::Unit::None);
        }
        for (&(at, value), &(other_at, other_value)) in trace.points.iter().zip(&other.points) {
            together.extract(0, other_at, other_value);
            together.extract(2, other_at, -other_value);
            prop_assert_eq!(bits(together.extract(1, at, value)), bits(alone.extract(0, at, value)));
        }
    }

    /// Saved at any moment and loaded elsewhere, a series goes on with the same bits.
    #[test]
    fn a_round_trip_goes_on(seed: u64, cut in 0usize..150) {
        let trace = testkit::counter(150, seed);
        let mut first = extractor(Kind::Counter);
        for &(at, value) in &trace.points[..cut] {
            first.extract(0, at, value);
        }
        let mut saved = Vec::new();
        first.save(0, &mut saved);
        prop_assert_eq!(saved.len(), first.state_bytes());
        let mut second = extractor(Kind::Counter);
        second.load(0, &saved);
        for &(at, value) in &trace.points[cut..] {
            prop_assert_eq!(bits(first.extract(0, at, value)), bits(second.extract(0, at, value)));
        }
    }
}

/// With every number by its bits: an unknown `usual` is a NaN, which equals nothing.
fn bits(extracted: Extracted) -> String {
    format!("{extracted:?}")
}
