//! What one forecast costs, in milliseconds, by days of history and method; and one reconciliation, in nanoseconds.
//!
//! Levels with a season of a day and a week and with noise that lingers: exponential smoothing converges at once on
//! smoother ones.

#![expect(clippy::expect_used, reason = "a benchmark may panic")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use dayahead::{DayAhead, History, Meeting, Method, Options, TRUST_S, reconcile};
use predict::exhaustion::Survival;
use series::Timestamp;
use testkit::Noise;

/// A history of so many hours, a sample every 5 minutes, and its end.
fn history(hours: u32) -> (History, Timestamp) {
    let mut history = History::new(1_800).expect("a usual step");
    let (mut noise, mut off, mut now) = (Noise::new(1), 0.0, Timestamp::default());
    for sample in 0..i64::from(hours) * 12 {
        now = Timestamp::from_millis(300_000 * sample);
        let day = sample as f64 / 288.0;
        off = 0.97 * off + 0.005 * noise.normal();
        let height = if day % 7.0 < 5.0 { 0.15 } else { 0.08 };
        let level = 0.5 + height * (day * std::f64::consts::TAU).sin() + 0.004 * day + off;
        history.push(now, level + 0.004 * noise.normal());
    }
    (history, now)
}

fn day(c: &mut Criterion) {
    for (name, hours, method) in [
        ("day/trend_6_hours", 6, Method::Trend),
        ("day/ets_1_day", 24, Method::Ets),
        ("day/mstl_2_days", 49, Method::Mstl),
        ("day/mstl_7_days", 168, Method::Mstl),
        ("day/mstl_21_days", 504, Method::Mstl),
        #[cfg(feature = "prophet")]
        ("day/prophet_21_days", 504, Method::Prophet),
    ] {
        let (history, now) = history(hours);
        let options = Options {
            method,
            ..Options::default()
        };
        c.bench_function(name, |b| {
            b.iter(|| {
                let said =
                    DayAhead::of(black_box(&history), now, &options).expect("enough history");
                assert_eq!(said.method, method);
                said
            });
        });
    }
    let (history, now) = history(504);
    let long = DayAhead::of(&history, now, &Options::default()).expect("enough history");
    let meeting = Meeting {
        now,
        fraction: 0.5,
        trust_s: TRUST_S,
    };
    c.bench_function("day/reconcile", |b| {
        b.iter(|| reconcile(black_box(&Survival::CERTAIN), &long, &meeting));
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .sample_size(20);
    targets = day
}
criterion_main!(benches);
