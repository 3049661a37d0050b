//! Nothing is allocated between a sample and its risk once a shard is warm.

#![expect(
    clippy::unwrap_used,
    reason = "a test may panic, and knows its numbers"
)]

mod support;

use hotpath::{EngineConfig, SeriesSpec, Shard};
use predict::anomaly::DETECTORS;
use series::Kind;
use support::{stream, untrained};
use testkit::{Counting, allocations};

#[global_allocator]
static COUNTING: Counting = Counting;

const N_SERIES: u32 = 40;
/// Seconds per push.
const TICK_S: i64 = 10;

#[test]
fn a_warm_shard_allocates_nothing() {
    let mut config = EngineConfig {
        models: untrained(),
        ..EngineConfig::default()
    };
    for entry in DETECTORS {
        let options = [("enabled".to_owned(), toml::Value::Boolean(true))];
        config
            .detectors
            .insert(entry.name.to_owned(), options.into_iter().collect());
    }
    let mut shard = Shard::new(&config).unwrap();
    for i in 0..N_SERIES {
        let kind = if i % 5 == 4 {
            Kind::Counter
        } else {
            Kind::Gauge
        };
        shard.add_series(SeriesSpec {
            kind,
            unit: series::Unit::None,
            group: (i % 2 == 0).then_some(i % 3),
        });
    }
    let room = 2 * (N_SERIES as usize) * TICK_S as usize;
    let (mut risks, mut refused) = (Vec::with_capacity(room), Vec::with_capacity(room));
    let mut tick = |from: i64, broken: bool| {
        let mut samples = stream(N_SERIES, from..from + TICK_S, 5);
        if broken {
            // Refusals are part of the steady state.
            samples[3].value = f64::NAN;
            samples.swap(0, N_SERIES as usize);
        }
        risks.clear();
        refused.clear();
        let before = allocations();
        shard.push(&samples, &mut risks, &mut refused);
        assert_eq!(refused.is_empty(), !broken);
        allocations() - before
    };
    let warm_up: u64 = (0..10).map(|i| tick(i * TICK_S, false)).sum();
    assert!(warm_up > 0, "the counter does not count");
    // Long enough for what happens rarely: relearning, a new day, a full history.
    for i in 10..300 {
        let from = if i > 200 {
            i * TICK_S * 400
        } else {
            i * TICK_S
        };
        assert_eq!(
            tick(from, i % 7 == 0),
            0,
            "allocations in the tick from second {from}"
        );
    }
}
