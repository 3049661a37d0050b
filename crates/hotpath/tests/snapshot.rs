//! Learned state survives a restart to the bit; anything else is refused by name.

#![expect(
    clippy::unwrap_used,
    clippy::cast_sign_loss,
    reason = "a test may panic, and knows its numbers"
)]

mod support;

use std::ops::Range;

use hotpath::{Engine, EngineConfig};
use predict::{EventId, Phase};
use proptest::prelude::*;
use series::SeriesId;
use support::{engine, key, push, stream};

const N_SERIES: u32 = 600;

/// More series than a slice holds, in groups and alone.
fn trained(shards: usize, n_series: u32, seconds: i64) -> Engine {
    let (engine, _) = engine(shards, EngineConfig::default());
    for i in 0..n_series {
        let text = if i % 3 == 0 {
            format!("alone{i}_total")
        } else {
            format!("load{}{{instance=\"{i}\"}}", i % 7)
        };
        assert_eq!(engine.register(&key(&text)), Ok(SeriesId(i)));
    }
    push(&engine, stream(n_series, 0..seconds, 3));
    engine
}

fn saved(engine: &Engine) -> Vec<u8> {
    let mut bytes = Vec::new();
    engine.snapshot(&mut bytes).unwrap();
    bytes
}

fn restored(config: EngineConfig, shards: usize, bytes: &[u8]) -> Result<usize, String> {
    let (engine, _) = engine(shards, config);
    let result = engine.restore(&mut &*bytes).map_err(|e| e.to_string());
    // Taken in whole or not at all, and usable either way.
    assert_eq!(engine.len(), result.clone().unwrap_or(0));
    let id = engine.register(&key("one_more")).unwrap();
    assert_eq!(
        push(&engine, vec![support::sample(id.0, 1 << 30, 1.0)]).taken,
        1
    );
    assert_eq!(engine.counters().shard_panics, 0);
    result
}

#[test]
fn an_engine_that_was_stopped_scores_as_one_that_never_was() {
    let never_stopped = trained(1, N_SERIES, 60);
    let bytes = saved(&never_stopped);
    let (one_shard, one_kept) = engine(1, EngineConfig::default());
    let (three_shards, three_kept) = engine(3, EngineConfig::default());
    let (whole, whole_kept) = engine(1, EngineConfig::default());
    for (id, key) in never_stopped.series() {
        assert_eq!(whole.register(&key), Ok(id));
    }
    push(&whole, stream(N_SERIES, 0..60, 3));
    whole_kept.bits();
    for engine in [&one_shard, &three_shards] {
        assert_eq!(engine.restore(&mut &*bytes).unwrap(), N_SERIES as usize);
        assert_eq!(engine.series(), never_stopped.series());
        assert!(saved(engine) == bytes);
    }
    for engine in [&whole, &one_shard, &three_shards] {
        push(engine, stream(N_SERIES, 60..90, 3));
    }
    let expected = whole_kept.bits();
    assert!(expected.len() > 10_000);
    assert!(one_kept.bits() == expected);
    assert!(three_kept.bits() == expected);
}

#[test]
fn events_keep_their_numbers_and_none_is_given_twice() {
    let mut config = EngineConfig::default();
    config.ensemble.event_threshold = 1e-6;
    let (before, kept_before) = engine(2, config.clone());
    for i in 0..8 {
        before.register(&key(&format!("calm{i}"))).unwrap();
    }
    let spikes = |seconds: Range<i64>| {
        let mut samples = stream(8, seconds, 5);
        for sample in &mut samples {
            let second = sample.at.micros() / 1_000_000;
            let spike = (second + 13 * i64::from(sample.series.0)) % 150 == 140;
            sample.value = if spike { 1e4 } else { sample.value.min(112.0) };
        }
        samples
    };
    push(&before, spikes(0..3_000));
    let bytes = saved(&before);
    let (after, kept_after) = engine(3, config);
    after.restore(&mut &*bytes).unwrap();
    push(&after, spikes(3_000..6_000));
    let (old, new) = (kept_before.events(), kept_after.events());
    let opened = |events: &[(EventId, Phase)]| -> Vec<EventId> {
        events
            .iter()
            .filter(|(_, phase)| *phase == Phase::Opened)
            .map(|(id, _)| *id)
            .collect()
    };
    assert!(!opened(&old).is_empty() && !opened(&new).is_empty());
    let mut all = [opened(&old), opened(&new)].concat();
    let n_events = all.len();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), n_events, "a number was given twice");
    // What was open goes on under its number.
    assert!(new.iter().all(|(id, _)| all.binary_search(id).is_ok()));
    assert_eq!(before.counters().events_opened, opened(&old).len() as u64);
}

#[test]
fn the_stream_goes_on_while_it_is_saved() {
    let engine = trained(2, N_SERIES, 5);
    let bytes = std::thread::scope(|scope| {
        let pushing = scope.spawn(|| {
            (5..25)
                .map(|second| push(&engine, stream(N_SERIES, second..second + 1, 3)).taken)
                .sum::<u32>()
        });
        let bytes = saved(&engine);
        assert_eq!(pushing.join().unwrap(), 20 * N_SERIES);
        bytes
    });
    assert_eq!(
        restored(EngineConfig::default(), 2, &bytes),
        Ok(N_SERIES as usize)
    );
}

#[test]
fn what_does_not_match_is_named() {
    let bytes = saved(&trained(1, 3, 2));
    let edited = |at: usize, edit: &dyn Fn(u8) -> u8| {
        let mut copy = bytes.clone();
        copy[at] = edit(copy[at]);
        copy
    };
    let check = |bytes: &[u8], expected: &str| {
        let message = restored(EngineConfig::default(), 1, bytes).unwrap_err();
        assert!(message.contains(expected), "{message}");
    };
    check(b"", "ends at byte 0, within the first bytes");
    check(b"nonsense", "not a snapshot");
    check(
        &edited(8, &|_| 99),
        "the snapshot has format 99, this engine reads 1",
    );
    check(&edited(12, &|b| b ^ 1), "feature schema");
    check(&edited(20, &|b| b ^ 1), "profile, seed or detector options");
    check(&edited(28, &|b| b ^ 1), "bytes of state per series");
    check(&edited(35, &|b| b ^ 1), "the snapshot has the detectors");
    let first = bytes
        .windows(12)
        .position(|w| w == b"alone0_total")
        .unwrap();
    check(
        &edited(first - 5, &|_| 0),
        "alone0_total has kind 0 in the snapshot, this engine takes it for a Counter",
    );
    check(&edited(first - 1, &|_| 0xff), "a key of 4278190092 bytes");
    check(&edited(first, &|_| b'"'), "a malformed key");
    check(&edited(first, &|_| 0xff), "not UTF-8");
    check(
        &edited(first - 6, &|_| 0xff),
        "series, this engine watches at most 1000000",
    );
    check(&edited(first - 9, &|_| 2), "does not end at byte");
    check(&edited(bytes.len() - 1, &|b| b ^ 1), "does not end at byte");
    check(&[&bytes[..], b"x"].concat(), "does not end at byte");
    let mut twice = bytes.clone();
    let second = twice
        .windows(20)
        .position(|w| w == b"load1{instance=\"1\"}\0")
        .unwrap();
    let third = twice
        .windows(19)
        .position(|w| w == b"load2{instance=\"2\"}")
        .unwrap();
    twice.copy_within(second..second + 19, third);
    check(&twice, "load1{instance=\"1\"} is in the snapshot twice");
}

#[test]
fn another_configuration_is_refused_and_a_harmless_one_is_not() {
    let bytes = saved(&trained(1, 3, 2));
    let message = restored(
        EngineConfig {
            seed: 99,
            ..EngineConfig::default()
        },
        1,
        &bytes,
    )
    .unwrap_err();
    assert!(
        message.contains("profile, seed or detector options"),
        "{message}"
    );
    let message = restored(
        EngineConfig {
            max_series: 2,
            ..EngineConfig::default()
        },
        1,
        &bytes,
    )
    .unwrap_err();
    assert_eq!(
        message,
        "the snapshot holds 3 series, this engine watches at most 2"
    );
    assert_eq!(
        restored(
            EngineConfig {
                max_series: 4,
                ..EngineConfig::default()
            },
            2,
            &bytes
        ),
        Ok(3)
    );
}

#[test]
fn an_engine_with_series_takes_none_in() {
    let engine = trained(1, 3, 2);
    let bytes = saved(&engine);
    let refused = engine.restore(&mut &*bytes).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the engine already watches 3 series; a snapshot is only restored into an empty engine"
    );
    assert_eq!(engine.len(), 3);
}

#[test]
fn a_writer_that_fails_is_reported() {
    let engine = trained(1, 3, 2);
    let mut short = [0; 50];
    assert_eq!(
        engine.snapshot(&mut &mut short[..]).unwrap_err().kind(),
        std::io::ErrorKind::WriteZero
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(restored(EngineConfig::default(), 1, &bytes).is_err());
    }

    /// Every cut is noticed.
    #[test]
    fn no_cut_goes_unnoticed(at in 0.0..1.0f64) {
        let bytes = saved(&trained(1, 3, 2));
        let cut = &bytes[..(bytes.len() as f64 * at) as usize];
        prop_assert!(restored(EngineConfig::default(), 2, cut).unwrap_err().contains("ends at byte"));
    }

    /// A flip before the states is refused or renames a series; it never makes the engine unusable.
    #[test]
    fn no_flip_makes_it_panic(bit in 0usize..8 * 130) {
        let mut bytes = saved(&trained(1, 3, 2));
        bytes[bit / 8] ^= 1 << (bit % 8);
        let _ = restored(EngineConfig::default(), 1, &bytes);
    }

    /// Bytes that only a checksum could tell from learned state: whatever they do to the scores of their series, every
    /// batch is answered and the others are served.
    #[test]
    fn no_state_stops_the_engine(seed in 1u64.., number in prop::sample::select(vec![f32::NAN, f32::INFINITY, -1.0, 1e30])) {
        let donor = trained(1, 3, 2);
        let mut bytes = saved(&donor);
        let states = bytes.windows(19).position(|w| w == b"load2{instance=\"2\"}").unwrap() + 19;
        let end = bytes.len() - 8;
        let mut noise = support::Noise(seed);
        let noisy = noise.next() < 0.5;
        for four in bytes[states..end].chunks_exact_mut(4) {
            let bits = if noisy { (noise.next() * 4e9) as u32 } else { number.to_bits() };
            four.copy_from_slice(&bits.to_le_bytes());
        }
        let (engine, _) = engine(1, EngineConfig::default());
        prop_assert_eq!(engine.restore(&mut &*bytes).unwrap(), 3);
        let id = engine.register(&key("untouched")).unwrap();
        for second in 0..60 {
            let mut batch = stream(3, second..second + 1, 3);
            for sample in &mut batch {
                sample.at = sample.at.plus_micros(i64::MAX / 2);
            }
            push(&engine, batch);
            prop_assert_eq!(push(&engine, vec![support::sample(id.0, second, 1.0)]).taken, 1);
        }
    }
}
