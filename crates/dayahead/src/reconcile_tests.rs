use proptest::prelude::*;

use super::*;
use crate::{Knot, Method};

const NOW: Timestamp = Timestamp::from_millis(1_000_000_000);

/// Half-hourly knots for 30 hours, after each of which this share lasts.
fn long(survival: impl Fn(f64) -> f64) -> DayAhead {
    let knots = (1..=60).map(|i| {
        let ahead_s = 1_800.0 * f64::from(i);
        Knot {
            ahead_s,
            low: 0.4,
            median: 0.5,
            high: 0.6,
            peak: 0.65,
            survival: survival(ahead_s) as f32,
        }
    });
    DayAhead {
        at: NOW,
        method: Method::Mstl,
        explained: 1.0,
        knots: knots.collect(),
    }
}

/// The same rate in every hour.
fn even(rate_per_h: f64) -> Survival {
    Survival(KNOT_S.map(|s| (-rate_per_h * s / 3_600.0).exp() as f32))
}

fn meeting(fraction: f64) -> Meeting {
    Meeting {
        now: NOW,
        fraction,
        trust_s: TRUST_S,
    }
}

/// Of what has lasted until the first, the share that is lost by the second.
fn lost_between(survival: &Survival, from_s: f64, to_s: f64) -> f64 {
    1.0 - (1.0 - survival.within(to_s)) / (1.0 - survival.within(from_s))
}

#[test]
fn a_leak_that_the_season_explains_ends_with_the_morning() {
    let short = even(0.4);
    let met = reconcile(&short, &long(|s| 1.0 - 0.01 * s / 108_000.0), &meeting(0.5));
    assert_eq!(met.0[..16], short.0[..16]);
    assert!(short.within(86_400.0) > 0.999);
    assert!(lost_between(&met, 7_200.0, 86_400.0) < 0.015);
    assert!(met.within(86_400.0) < 0.4, "{}", met.within(86_400.0));
}

#[test]
fn a_leak_that_nothing_explains_goes_on() {
    let (short, calm) = (even(0.2), long(|_| 0.999));
    // Far above the band of that time: it began after the forecast was made.
    let met = reconcile(&short, &calm, &meeting(0.9));
    assert!((met.within(86_400.0) - short.within(86_400.0)).abs() < 1e-4);
    // Within it, but the latest hours had no precedent.
    let unseen = DayAhead {
        explained: 0.0,
        ..calm.clone()
    };
    let met = reconcile(&short, &unseen, &meeting(0.5));
    assert!((met.within(86_400.0) - short.within(86_400.0)).abs() < 1e-4);
    // So does one that has run out.
    let later = Meeting {
        now: NOW.plus_micros(200_000_000_000),
        ..meeting(0.5)
    };
    let met = reconcile(&short, &calm, &later);
    assert!((met.within(86_400.0) - short.within(86_400.0)).abs() < 1e-4);
}

#[test]
fn what_only_the_day_knows_is_said() {
    let evening = long(|s| if s < 40_000.0 { 1.0 } else { 0.05 });
    let met = reconcile(&Survival::CERTAIN, &evening, &meeting(0.5));
    assert!(met.within(32_000.0) < 1e-6);
    assert!((met.within(86_400.0) - 0.95).abs() < 1e-3);
    // Five hours later the same evening is five hours nearer.
    let later = Meeting {
        now: NOW.plus_micros(18_000_000_000),
        ..meeting(0.5)
    };
    let met = reconcile(&Survival::CERTAIN, &evening, &later);
    assert!((met.within(32_400.0) - 0.95).abs() < 1e-3);
}

#[test]
fn an_alarm_stands_while_the_level_is_where_it_was_expected() {
    let mut evening = long(|s| if s < 40_000.0 { 1.0 } else { 0.05 });
    // No precedent is no reason to be calmer than days of history are.
    evening.explained = 0.0;
    for (fraction, expected) in [(0.9, 0.95), (0.5, 0.95), (0.35, 0.95), (0.1, 0.0)] {
        let met = reconcile(&Survival::CERTAIN, &evening, &meeting(fraction));
        let p = met.within(86_400.0);
        assert!((p - expected).abs() < 1e-3, "{fraction}: {p}");
    }
}

#[test]
fn the_rate_moves_without_a_jump() {
    let met = reconcile(
        &even(1.0),
        &long(|s| (-0.01 * s / 3_600.0).exp()),
        &meeting(0.5),
    );
    let rates: Vec<f64> = KNOT_S
        .windows(2)
        .map(|pair| {
            -(1.0 - lost_between(&met, pair[0], pair[1])).ln() / (pair[1] - pair[0]) * 3_600.0
        })
        .collect();
    assert!(
        (rates[14] - 1.0).abs() < 0.01 && (rates[21] - 0.01).abs() < 0.001,
        "{rates:?}"
    );
    // One to a hundredth, over four knots.
    assert!(
        rates
            .windows(2)
            .all(|pair| pair[1] <= 1.001 * pair[0] && pair[1] > 0.1 * pair[0]),
        "{rates:?}"
    );
}

#[test]
fn numbers_that_are_none() {
    let mut short = even(0.5);
    short.0[3] = f32::NAN;
    short.0[5] = 7.0;
    short.0[9] = -1.0;
    short.0[20] = f32::INFINITY;
    for fraction in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        for trust_s in [f64::NAN, 0.0, -1.0, f64::INFINITY] {
            let met = reconcile(
                &short,
                &long(|_| 0.5),
                &Meeting {
                    trust_s,
                    ..meeting(fraction)
                },
            );
            assert!(
                met.0.iter().all(|share| (0.0..=1.0).contains(share)),
                "{met:?}"
            );
        }
    }
}

/// Any curve that falls from 1.
fn falling(n: usize) -> impl Strategy<Value = Vec<f32>> {
    let step = prop_oneof![Just(1.0_f32), Just(0.0_f32), 0.0_f32..=1.0, 0.99_f32..=1.0,];
    prop::collection::vec(step, n).prop_map(|steps| {
        let mut left = 1.0;
        let fall = |step| {
            left *= step;
            left
        };
        steps.into_iter().map(fall).collect()
    })
}

proptest! {
    #[test]
    fn one_curve_that_falls(
        short in falling(KNOTS),
        day in falling(60),
        explained in 0.0_f32..=1.0,
        fraction in 0.0_f64..1.5,
        age_s in 0_i64..150_000,
    ) {
        let short = Survival(std::array::from_fn(|place| short[place]));
        let mut long = long(|_| 1.0);
        for (knot, &share) in long.knots.iter_mut().zip(&day) {
            knot.survival = share;
        }
        long.explained = explained;
        let now = NOW.plus_micros(1_000_000 * age_s);
        let met = reconcile(&short, &long, &Meeting { now, fraction, trust_s: TRUST_S });
        prop_assert!(met.0.iter().all(|share| (0.0..=1.0).contains(share)));
        prop_assert!(met.0.windows(2).all(|pair| pair[1] <= pair[0]));
        prop_assert_eq!(&met.0[..16], &short.0[..16]);
        prop_assert!(met.within(86_400.0) >= met.within(1_800.0));
    }
}

#[test]
fn the_long_one_alone_at_the_times_of_the_short_one() {
    let long = long(|s| (-0.05 * s / 3_600.0).exp());
    for age_s in [0_i64, 10_000] {
        let alone = long.survival(NOW.plus_micros(1_000_000 * age_s));
        for (&s, &lasts) in KNOT_S.iter().zip(&alone.0) {
            let expected = (-0.05 * s / 3_600.0).exp();
            assert!((f64::from(lasts) - expected).abs() < 1e-5, "{s}: {lasts}");
        }
    }
    assert!((long.within(7_200.0) - (1.0 - (-0.1_f64).exp())).abs() < 1e-6);
    let half_life_s = 3_600.0 * 2.0_f64.ln() / 0.05;
    assert!((long.within(half_life_s) - 0.5).abs() < 1e-5);
}
