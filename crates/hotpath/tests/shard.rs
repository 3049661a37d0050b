//! One shard with every detector there is: what it refuses, and that it never looks ahead.

#![expect(
    clippy::unwrap_used,
    clippy::cast_sign_loss,
    reason = "a test may panic, and knows its numbers"
)]

mod support;

use hotpath::{EngineConfig, SeriesSpec, Shard};
use predict::anomaly::DETECTORS;
use proptest::prelude::*;
use series::{Kind, Refusal, Sample, SeriesId};
use support::{Noise, bits, sample, stream, untrained};

/// A shard in which every detector takes part, with series 0, 1, 2 in one group, 3 alone and 4 a counter.
fn shard() -> Shard {
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
    assert_eq!(shard.member_names().len(), DETECTORS.len());
    for i in 0..5 {
        let kind = if i == 4 { Kind::Counter } else { Kind::Gauge };
        shard.add_series(SeriesSpec {
            kind,
            unit: series::Unit::None,
            group: (i < 3).then_some(0),
        });
    }
    shard
}

/// Pushes in batches of `size`; the risks as bits, and the refusals with places in the whole.
fn run(samples: &[Sample], size: usize) -> (Vec<Vec<u64>>, Vec<(u32, Refusal)>) {
    let mut shard = shard();
    let (mut all, mut all_refused) = (Vec::new(), Vec::new());
    for (i, batch) in samples.chunks(size).enumerate() {
        let (mut risks, mut refused) = (Vec::new(), Vec::new());
        shard.push(batch, &mut risks, &mut refused);
        let members = shard.members().chunks_exact(DETECTORS.len());
        assert_eq!(members.len(), risks.len());
        all.extend(
            risks
                .iter()
                .zip(members)
                .map(|(risk, members)| bits(risk, members)),
        );
        all_refused.extend(
            refused
                .iter()
                .map(|&(place, why)| ((i * size) as u32 + place, why)),
        );
    }
    (all, all_refused)
}

#[test]
fn late_and_repeated_samples_are_refused() {
    let times = [10, 11, 11, 9, 12, 12, 10, 13];
    let samples: Vec<_> = times.iter().map(|&second| sample(3, second, 1.0)).collect();
    let (risks, refused) = run(&samples, 3);
    let expected = [
        (2, Refusal::Duplicate),
        (3, Refusal::OutOfOrder),
        (5, Refusal::Duplicate),
        (6, Refusal::OutOfOrder),
    ];
    assert_eq!((risks.len(), refused), (4, expected.to_vec()));
}

#[test]
fn a_clock_that_was_set_back_is_believed_after_a_while() {
    let before = (1_000..1_050).map(|second| sample(3, second, 1.0));
    let after = (500..600).map(|second| sample(3, second, 1.0));
    let (risks, refused) = run(&before.chain(after).collect::<Vec<_>>(), 16);
    assert_eq!(risks.len() + refused.len(), 150);
    assert!(
        (1..20).contains(&refused.len()),
        "{} refused",
        refused.len()
    );
    assert!(refused.iter().all(|&(_, why)| why == Refusal::OutOfOrder));
}

#[test]
fn a_counter_that_begins_again_gives_no_rate_for_that_step() {
    let totals = [100.0, 110.0, 120.0, 5.0, 15.0, 25.0];
    let samples: Vec<_> = (0..)
        .zip(totals)
        .map(|(second, total)| sample(4, second, total))
        .collect();
    let mut shard = shard();
    let (mut risks, mut refused) = (Vec::new(), Vec::new());
    shard.push(&samples, &mut risks, &mut refused);
    assert_eq!(refused, []);
    let rates: Vec<_> = risks
        .iter()
        .map(|risk| (risk.at.micros() / 1_000_000, risk.level))
        .collect();
    assert_eq!(rates, [(1, 10.0), (2, 10.0), (4, 10.0), (5, 10.0)]);
}

#[test]
fn values_from_everywhere_give_finite_risks() {
    let values = [
        0.0,
        -0.0,
        f64::MIN_POSITIVE,
        f64::MAX,
        f64::MIN,
        1e-300,
        1e300,
        5e-324,
        1.0,
        -1.0,
    ];
    let mut noise = Noise(11);
    let mut shard = shard();
    let (mut risks, mut refused) = (Vec::new(), Vec::new());
    for second in 0..2_000 {
        let series = second % 5;
        let value = values[(noise.next() * values.len() as f64).floor() as usize % values.len()];
        shard.push(
            &[sample(series, i64::from(second), value)],
            &mut risks,
            &mut refused,
        );
        assert!(
            shard
                .members()
                .iter()
                .all(|score| score.is_finite() && (0.0..=1.0).contains(score))
        );
    }
    assert_eq!(refused, []);
    for risk in &risks {
        assert!((0.0..=1.0).contains(&risk.score.get()), "{risk:?}");
        assert!((0.0..=1.0).contains(&risk.alert_score), "{risk:?}");
        assert!((0.0..=1.0).contains(&risk.confidence), "{risk:?}");
    }
}

#[test]
fn an_unknown_series_is_refused_alone() {
    let (risks, refused) = run(
        &[
            sample(0, 1, 1.0),
            sample(5, 1, 1.0),
            sample(u32::MAX, 1, 1.0),
            sample(1, 1, 1.0),
        ],
        4,
    );
    assert_eq!(
        (risks.len(), refused),
        (
            2,
            vec![(1, Refusal::UnknownSeries), (2, Refusal::UnknownSeries)]
        )
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// What is said of the past does not change with the future, be it there, absent or noise; nor with how the
    /// stream is cut into batches.
    #[test]
    fn the_future_changes_nothing(seed in 1u64.., seconds in 2i64..300, size in 1usize..700) {
        let past = stream(5, 0..seconds, seed);
        let mut noise = Noise(seed);
        let goes_on: Vec<_> = past.iter().copied().chain(stream(5, seconds..seconds + 60, seed)).collect();
        let mut broken = goes_on.clone();
        for sample in &mut broken[past.len()..] {
            *sample = Sample { series: SeriesId((noise.next() * 7.0).floor() as u32), value: noise.next() * 1e9, ..*sample };
        }
        let (alone, _) = run(&past, 1);
        for samples in [&past, &goes_on, &broken] {
            let (risks, _) = run(samples, size);
            prop_assert!(risks[..alone.len()] == alone[..]);
        }
    }
}
