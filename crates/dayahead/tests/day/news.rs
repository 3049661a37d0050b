//! What the past has no word for: a leak that began today, a level that moved for good.

use dayahead::{DayAhead, Meeting, Options, TRUST_S, reconcile};
use predict::exhaustion::{KNOT_S, Survival};

use super::levels::{Level, history, n_samples};

const BUSY: Level = Level {
    base: 0.40,
    height: 0.15,
    per_day: 0.0,
    wander: 0.01,
    noise: 0.004,
};

/// What the short scale says of a leak that has 5 hours left, give or take.
fn leak() -> Survival {
    Survival(KNOT_S.map(|s| (-(s / 20_000.0).powi(4)).exp() as f32))
}

/// Until 10 on a Thursday morning, with so much of a leak an hour since 5; and what is said about the next 12 hours.
fn within_half_a_day(per_hour: f64, seed: u64) -> (f32, f64) {
    let hours = 24.0 * 17.0 + 10.0;
    let mut samples = BUSY.samples(hours, seed);
    let leaks = n_samples(hours - 5.0);
    for (i, level) in samples[leaks..].iter_mut().enumerate() {
        *level += per_hour * i as f64 / n_samples(1.0) as f64;
    }
    let (history, now) = history(&samples);
    let long = DayAhead::of(&history, now, &Options::default()).expect("weeks of history");
    let meeting = Meeting {
        now,
        fraction: samples[samples.len() - 1],
        trust_s: TRUST_S,
    };
    (
        long.explained,
        reconcile(&leak(), &long, &meeting).within(43_200.0),
    )
}

#[test]
fn a_morning_quiets_the_short_scale_and_a_new_leak_does_not() {
    for seed in 0..10 {
        let (explained, p) = within_half_a_day(0.0, seed);
        assert!(explained > 0.9 && p < 0.2, "seed {seed}: {explained} {p}");
        let (explained, p) = within_half_a_day(0.06, seed);
        assert!(explained < 0.1 && p > 0.8, "seed {seed}: {explained} {p}");
    }
}

#[test]
fn a_step_is_not_gone_back_on() {
    for seed in 0..10 {
        for since in [20.0, 40.0, 90.0] {
            let hours = 24.0 * 17.0;
            let mut all = BUSY.samples(hours + 30.0, seed);
            for level in &mut all[n_samples(hours - since)..] {
                *level += 0.2;
            }
            let known = n_samples(hours);
            let (history, now) = history(&all[..known]);
            let said = DayAhead::of(&history, now, &Options::default()).expect("weeks of history");
            let off = |ahead: usize| {
                let slot = &all[known + 6 * ahead..known + 6 * (ahead + 1)];
                f64::from(said.knots[ahead].median) - slot.iter().sum::<f64>() / 6.0
            };
            let mean = (0..48).map(off).sum::<f64>() / 48.0;
            assert!(
                mean.abs() < 0.08,
                "seed {seed}, {since} hours ago: off by {mean}"
            );
        }
    }
}
