//! Every baseline on shapes whose end is known.

use super::*;
use crate::rng::SplitMix;

/// An hour of samples every 20 s, with a little noise.
fn hour(shape: impl Fn(f64) -> f64) -> (Vec<f64>, Vec<f64>) {
    let mut random = SplitMix::new(3);
    let times: Vec<f64> = (0..180).map(|i| f64::from(i) * 20.0).collect();
    let noise = |random: &mut SplitMix| (f64::from(random.unit()) - 0.5) * 0.004;
    let levels = times
        .iter()
        .map(|t| shape(*t) + noise(&mut random))
        .collect();
    (times, levels)
}

fn named(name: &str) -> Baseline {
    *BASELINES.iter().find(|b| b.name == name).unwrap()
}

const WITH_TIMES: [&str; 7] = [
    "predict_linear_5m",
    "predict_linear_15m",
    "predict_linear_30m",
    "holt",
    "theil_sen",
    "bootstrap",
    "ets",
];

#[test]
fn a_straight_leak_is_foreseen_by_all_that_look_at_the_trend() {
    // From 30 % at 0.02 % a second; after 50 minutes it is at 90 %, with 500 s left.
    let (times, levels) = hour(|t| 0.3 + 0.0002 * t);
    let past = Past {
        times_s: &times[..151],
        levels: &levels[..151],
    };
    for name in WITH_TIMES {
        let found = named(name).one(past);
        let [p5, p15, p30] = found.p();
        let [low, middle, high] = found.ttf_s();
        assert!(p5 < 0.5 && p15 > 0.5 && p30 >= p15, "{name}: {found:?}");
        // A damped trend is late by design.
        let off_s = if name == "ets" { 300.0 } else { 120.0 };
        assert!((middle - 500.0).abs() < off_s, "{name}: {found:?}");
        assert!(low <= middle && (high >= middle), "{name}: {found:?}");
    }
}

#[test]
fn a_flat_level_is_no_alarm_and_a_level_at_the_limit_is_one() {
    let (times, levels) = hour(|_| 0.4);
    let past = Past {
        times_s: &times,
        levels: &levels,
    };
    for baseline in BASELINES {
        assert!(
            baseline.one(past).p()[1] < 0.1,
            "{}: {:?}",
            baseline.name,
            baseline.one(past)
        );
    }
    let (times, levels) = hour(|_| 1.1);
    let past = Past {
        times_s: &times,
        levels: &levels,
    };
    for baseline in BASELINES {
        assert_eq!(
            baseline.one(past),
            Prediction::new([1.0; 3], [0.0; 3]).unwrap()
        );
    }
}

#[test]
fn nothing_is_said_of_nothing_and_nothing_breaks() {
    let times: Vec<f64> = (0..40).map(|i| f64::from(i) * 20.0).collect();
    let odd: Vec<f64> = (0..40)
        .map(|i| [f64::NAN, 0.5, f64::INFINITY, -1e300][i % 4])
        .collect();
    let standing = [5.0; 40];
    let level = [0.5; 40];
    for baseline in BASELINES {
        assert_eq!(baseline.any(&[]), Prediction::NONE);
        for n in [0, 1, 2, 40] {
            for (times_s, levels) in [
                (&times[..n], &odd[..n]),
                (&standing[..n], &level[..n]),
                (&times[..n], &level[..n]),
            ] {
                // What is no prediction cannot be built.
                let found = baseline.one(Past { times_s, levels });
                assert!(found.p()[0] <= found.p()[2], "{}", baseline.name);
            }
        }
        assert_eq!(
            baseline.one(Past {
                times_s: &times[..1],
                levels: &level[..1]
            }),
            Prediction::NONE
        );
    }
}

#[test]
fn the_resource_that_is_likeliest_gives_the_time() {
    let (times, calm) = hour(|_| 0.4);
    let (_, leak) = hour(|t| 0.2 + 0.0002 * t);
    let past = |levels| Past {
        times_s: &times,
        levels,
    };
    let linear = named("predict_linear_30m");
    let alone = linear.one(past(&leak));
    assert_eq!(linear.any(&[past(&calm), past(&leak)]), alone);
    assert_eq!(linear.any(&[past(&leak), past(&calm)]), alone);
}

#[test]
fn only_the_threshold_takes_a_calm_high_level_for_trouble() {
    let (times, levels) = hour(|_| 0.95);
    let past = Past {
        times_s: &times,
        levels: &levels,
    };
    let found = named("threshold").one(past);
    assert!(
        found.p()[2] > 0.8 && found.ttf_s()[1].is_infinite(),
        "{found:?}"
    );
    assert!(named("theil_sen").one(past).p()[0] < 0.1);
}
