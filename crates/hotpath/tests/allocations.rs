//! Nothing is allocated between a sample and its risk once a shard is warm.

#![expect(
    unsafe_code,
    reason = "a global allocator is an unsafe trait; this one counts and passes on"
)]
#![expect(
    clippy::unwrap_used,
    reason = "a test may panic, and knows its numbers"
)]

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use hotpath::{EngineConfig, SeriesSpec, Shard};
use predict::anomaly::DETECTORS;
use series::Kind;
use support::stream;

thread_local! {
    /// By thread, so that the test runner's own threads do not count.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promises are the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are the same.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promises are the same.
        unsafe { System.realloc(block, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

const N_SERIES: u32 = 40;
/// Seconds per push.
const TICK_S: i64 = 10;

#[test]
fn a_warm_shard_allocates_nothing() {
    let mut config = EngineConfig::default();
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
        let before = ALLOCATIONS.get();
        shard.push(&samples, &mut risks, &mut refused);
        assert_eq!(refused.is_empty(), !broken);
        ALLOCATIONS.get() - before
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
