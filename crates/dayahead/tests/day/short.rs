//! Little history, odd history.

use dayahead::{DayAhead, History, Method, Options};
use series::Timestamp;

use super::levels::{Level, at, history, middle_s, n_samples};

const LEAK: Level = Level {
    base: 0.3,
    height: 0.0,
    per_day: 1.0,
    wander: 0.0,
    noise: 0.004,
};

/// The level of a sample.
type Draw = fn(usize) -> f64;

fn forecast(samples: &[f64]) -> Option<DayAhead> {
    let (history, now) = history(samples);
    DayAhead::of(&history, now, &Options::default())
}

#[test]
fn the_method_goes_with_what_is_known() {
    for (hours, expected) in [
        (1.0, None),
        (1.7, None),
        (2.5, Some(Method::Trend)),
        (7.0, Some(Method::Trend)),
        (9.0, Some(Method::Ets)),
        (47.0, Some(Method::Ets)),
        (49.0, Some(Method::Mstl)),
        (400.0, Some(Method::Mstl)),
    ] {
        let level = Level {
            per_day: 0.0,
            ..LEAK
        };
        let said = forecast(&level.samples(hours, 1));
        assert_eq!(said.map(|said| said.method), expected, "{hours} hours");
    }
    // What is asked for is done if there is enough for it.
    let (history, now) = history(&LEAK.samples(60.0, 1));
    for method in [Method::Ets, Method::Trend] {
        let options = Options {
            method,
            ..Options::default()
        };
        let said = DayAhead::of(&history, now, &options).expect("enough history");
        assert_eq!(said.method, method);
    }
}

#[test]
fn a_line_is_believed_for_as_long_as_it_has_lasted() {
    // 0.3 + 6/24 is used after 6 hours; 10.8 hours are left. A line that has lasted for 6 lasts for 10.8 with 36 %.
    let said = forecast(&LEAK.samples(6.0, 2)).expect("6 hours");
    let p = said.within(86_400.0);
    assert!((0.25..0.5).contains(&p), "{p}");
    // After 14 hours, 2.8 are left.
    let said = forecast(&LEAK.samples(14.0, 2)).expect("14 hours");
    let left_s = middle_s(&said);
    assert!((left_s - 10_080.0).abs() < 2_520.0, "{left_s}");
}

#[test]
fn other_steps_see_the_same_day() {
    let level = Level {
        height: 0.1,
        per_day: 0.0,
        wander: 0.01,
        ..LEAK
    };
    let samples = level.samples(24.0 * 9.0, 8);
    for step_s in [900, 3_600, 7_200] {
        let mut history = History::new(step_s).expect("a step that divides a day");
        for (i, &fraction) in samples.iter().enumerate() {
            history.push(at(i), fraction);
        }
        let now = at(samples.len() - 1);
        let said = DayAhead::of(&history, now, &Options::default()).expect("days of history");
        let top = said
            .knots
            .iter()
            .max_by(|a, b| a.median.total_cmp(&b.median));
        let top = top.expect("knots");
        // It ends at midnight, and the top is at 16.
        assert_eq!(said.method, Method::Mstl);
        assert!(
            (top.ahead_s / 3_600.0 - 16.0).abs() < 3.0 && (top.median - 0.4).abs() < 0.05,
            "{step_s} s: {top:?}"
        );
    }
}

#[test]
fn the_same_again() {
    let samples = LEAK.samples(300.0, 3);
    assert_eq!(forecast(&samples), forecast(&samples));
}

#[test]
fn odd_histories_have_a_defined_answer() {
    let weeks = n_samples(24.0 * 20.0);
    let odd: [(&str, Draw); 7] = [
        ("constant", |_| 0.5),
        ("nothing", |_| 0.0),
        ("beyond the limit", |_| 3.0),
        ("alternating", |i| if i % 2 == 0 { 0.0 } else { 100.0 }),
        ("one spike", |i| if i == 3_000 { 100.0 } else { 0.1 }),
        ("a step", |i| if i < 5_000 { 0.1 } else { 0.9 }),
        ("tiny", |i| 1e-30 * (i % 3) as f64),
    ];
    for (name, level) in odd {
        let samples: Vec<f64> = (0..weeks).map(level).collect();
        let said = forecast(&samples).expect(name);
        let mut last = 1.0;
        for knot in &said.knots {
            let bands = [knot.low, knot.median, knot.high, knot.peak];
            assert!(bands.iter().all(|x| x.is_finite()), "{name}: {knot:?}");
            assert!(
                knot.low <= knot.median && knot.median <= knot.high,
                "{name}: {knot:?}"
            );
            assert!(
                knot.survival > 0.0 && knot.survival < 1.0 && knot.survival <= last,
                "{name}: {knot:?}"
            );
            last = knot.survival;
        }
        let p = said.within(86_400.0);
        match name {
            "beyond the limit" | "alternating" => assert!(p > 0.99, "{name}: {p}"),
            "constant" | "nothing" | "tiny" => assert!(p < 0.01, "{name}: {p}"),
            _ => assert!(p < 0.5, "{name}: {p}"),
        }
    }
}

#[test]
fn gaps_are_borne() {
    let level = Level {
        height: 0.1,
        per_day: 0.0,
        wander: 0.01,
        ..LEAK
    };
    let samples = level.samples(24.0 * 18.0, 4);
    let mut history = History::new(1_800).expect("a usual step");
    for (i, &fraction) in samples.iter().enumerate() {
        // Every third night, and one whole day.
        let hour = i * 300 / 3_600;
        if !(hour % 72 < 7 || (240..264).contains(&hour)) {
            history.push(at(i), fraction);
        }
    }
    let said = DayAhead::of(&history, at(samples.len() - 1), &Options::default())
        .expect("weeks of history");
    assert_eq!(said.method, Method::Mstl);
    let day = level.samples(24.0 * 19.0, 4);
    for knot in said.knots.iter().take(48) {
        let sample = samples.len() + (knot.ahead_s / 300.0) as usize - 4;
        let off = f64::from(knot.median) - day[sample];
        assert!(off.abs() < 0.06, "{knot:?}: off by {off}");
    }
}

#[test]
fn what_has_ended_says_nothing() {
    let (history, now) = history(&LEAK.samples(30.0, 5));
    let later = |s: i64| {
        DayAhead::of(
            &history,
            now.plus_micros(1_000_000 * s),
            &Options::default(),
        )
    };
    let said = later(7_200).expect("two hours are bridged");
    assert!(said.knots[0].ahead_s > 0.0 && said.knots[0].ahead_s <= 1_800.0);
    assert!(later(14_400).is_none());
    for now in [i64::MIN, 0, i64::MAX] {
        assert!(DayAhead::of(&history, Timestamp::from_micros(now), &Options::default()).is_none());
    }
}

#[test]
fn a_reset_forgets() {
    let (mut history, now) = history(&LEAK.samples(200.0, 6));
    history.reset();
    assert!(DayAhead::of(&history, now, &Options::default()).is_none());
}
