//! Models come and go while samples are scored.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::Arc;

use features::schema_hash;
use hotpath::{AdoptError, Engine, EngineConfig, Models};
use predict::forecast::{Batch, Kernel, Model, Signature, Step, StepError, Weights};
use support::{Kept, engine, key, push, stream, untrained};

const N_SERIES: u32 = 6;

fn model(hidden: usize, seed: u64) -> Arc<dyn Model> {
    let signature = Signature::new(schema_hash(), &["level", "gap"], hidden, vec![1], 4.0).unwrap();
    let weights = Weights::seeded(&signature, seed);
    Arc::new(Kernel::new(signature, &format!("test/{seed}"), &weights).unwrap())
}

/// A model that any engine takes and that never runs.
#[derive(Debug)]
struct Broken(Arc<dyn Model>);

impl Model for Broken {
    fn signature(&self) -> &Signature {
        self.0.signature()
    }
    fn version(&self) -> &str {
        "broken/1"
    }
    fn session(&self) -> Result<Box<dyn Step>, StepError> {
        Ok(Box::new(Fails))
    }
}

#[derive(Debug)]
struct Fails;

impl Step for Fails {
    fn step(&mut self, _: &mut Batch) -> Result<(), StepError> {
        Err(StepError("on purpose".to_owned()))
    }
}

/// The scores of all members after a stream in two halves, with something done between them.
fn scores(shards: usize, between: impl FnOnce(&Engine)) -> (Vec<&'static str>, Vec<Vec<f32>>) {
    let (engine, kept) = engine(shards, with_lstm(untrained()));
    register(&engine);
    push(&engine, stream(N_SERIES, 0..200, 5));
    between(&engine);
    push(&engine, stream(N_SERIES, 200..400, 5));
    let names = engine.member_names();
    engine.shutdown();
    (names, members(&kept))
}

fn with_lstm(models: Models) -> EngineConfig {
    let mut config = EngineConfig {
        models,
        ..EngineConfig::default()
    };
    let options = [("enabled".to_owned(), toml::Value::Boolean(true))];
    config
        .detectors
        .insert("lstm".to_owned(), options.into_iter().collect());
    config
}

fn register(engine: &Engine) {
    for i in 0..N_SERIES {
        engine.register(&key(&format!("m{i}"))).unwrap();
    }
}

fn members(kept: &Kept) -> Vec<Vec<f32>> {
    kept.0
        .lock()
        .unwrap()
        .iter()
        .map(|(_, members)| members.clone())
        .collect()
}

#[test]
fn another_model_takes_over_between_two_samples_and_nothing_else_changes() {
    let (names, before) = scores(1, |_| ());
    let (_, after) = scores(1, |engine| engine.adopt(&model(24, 7)).unwrap());
    let lstm = names.iter().position(|name| *name == "lstm").unwrap();
    assert_eq!(before.len(), after.len(), "no sample is lost");
    let half = before.len() / 2;
    let mut differ = 0;
    for (i, (before, after)) in before.iter().zip(&after).enumerate() {
        let others = |scores: &[f32]| [&scores[..lstm], &scores[lstm + 1..]].concat();
        assert_eq!(others(before), others(after), "sample {i}");
        if i < half {
            assert_eq!(before, after, "sample {i}");
        }
        differ += u32::from(before[lstm].to_bits() != after[lstm].to_bits());
    }
    let first: Vec<f32> = after[half..half + N_SERIES as usize]
        .iter()
        .map(|scores| scores[lstm])
        .collect();
    assert_eq!(
        first, [0.0; N_SERIES as usize],
        "it has forecast nothing yet"
    );
    assert!(differ > N_SERIES * 100, "{differ}");
}

#[test]
fn the_same_model_again_changes_nothing() {
    let Models { forecaster } = untrained();
    assert_eq!(
        scores(2, |_| ()).1.len(),
        scores(2, |e| e.adopt(forecaster.as_ref().unwrap()).unwrap())
            .1
            .len()
    );
    assert_eq!(
        scores(1, |_| ()),
        scores(1, |e| e.adopt(forecaster.as_ref().unwrap()).unwrap())
    );
}

#[test]
fn a_model_that_does_not_fit_is_refused_and_the_one_before_stays() {
    let refused = scores(1, |engine| {
        assert_eq!(
            engine.adopt(&model(25, 7)),
            Err(AdoptError::Hidden {
                hidden: 25,
                room: 24
            })
        );
    });
    assert_eq!(refused, scores(1, |_| ()));
    let (without, _) = engine(1, with_lstm(Models::default()));
    assert_eq!(without.adopt(&model(8, 7)), Err(AdoptError::NobodyTakesIt));
    assert!(
        !without.member_names().contains(&"lstm"),
        "a detector without a model is left out"
    );
}

#[test]
fn a_model_that_fails_is_counted_and_says_nothing() {
    let forecaster: Option<Arc<dyn Model>> = Some(Arc::new(Broken(model(8, 7))));
    let (engine, kept) = engine(1, with_lstm(Models { forecaster }));
    register(&engine);
    push(&engine, stream(N_SERIES, 0..200, 5));
    let counters = engine.counters();
    assert!(
        counters.model_failures > 0 && counters.shard_panics == 0,
        "{counters:?}"
    );
    let lstm = engine
        .member_names()
        .iter()
        .position(|name| *name == "lstm")
        .unwrap();
    engine.shutdown();
    assert!(
        members(&kept)
            .iter()
            .all(|scores| scores[lstm].to_bits() == 0)
    );
}
