//! Models come and go a thousand times, and the process is no larger for it. A binary of its own: what other tests take
//! meanwhile would count.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::sync::Arc;

use hotpath::{Engine, EngineConfig, Scored, Sink};
use series::{Clock, Sample, SeriesKey, Timestamp};
use server::models::{Onnx, Parts, Refreshed, Serving, gate};
use store::models::{Card, Name, NewBundle, Registry};

/// What allocators keep for themselves may differ by this much; one model has 60 KiB.
const SLACK_BYTES: u64 = 8 << 20;

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000)
    }
}

struct Nobody;

impl Sink for Nobody {
    fn risks(&self, _: &Scored<'_>) {}
}

/// Memory that this process has in use, in bytes.
fn resident() -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap();
    let line = text
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib * 1024
}

#[test]
fn a_thousand_reloads_leave_memory_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let registry = Registry::new(dir.path());
    let name: Name = "lstm".parse().unwrap();
    for _ in 0..2 {
        let bundle = NewBundle {
            card: Card::parse(onnx::FORECASTER.card.as_bytes()).unwrap(),
            model: onnx::FORECASTER.model.to_vec(),
            golden: onnx::FORECASTER.golden.to_vec(),
        };
        registry.install(&name, bundle, "", Still.now()).unwrap();
    }
    let built_in = onnx::default_step_model().unwrap();
    let mut config = EngineConfig::default();
    let options = toml::Table::from_iter([("enabled".to_owned(), true.into())]);
    config.detectors.insert("lstm".to_owned(), options);
    config.models.forecaster = Some(Arc::clone(&built_in));
    let engine = Arc::new(Engine::start(config, 1, 64, Arc::new(Nobody)).unwrap());
    let key = SeriesKey::new("load", [("host", "a")]).unwrap();
    let series = engine.register(&key).unwrap();
    let serving = Serving::start(Parts {
        registry: registry.clone(),
        name: name.clone(),
        loader: Arc::new(Onnx::default()),
        built_in: Some(built_in),
        limits: gate::Limits::default(),
        clock: Arc::new(Still),
    });
    let adopting = Arc::clone(&engine);
    serving.attach(Box::new(move |model| Ok(adopting.adopt(model)?)));

    let mut at = Still.now();
    let mut after_warm_up = 0;
    for i in 0..1_000 {
        let champion = registry.model_dir(&name).join("champion");
        fs::write(champion, format!("{}\n", 1 + i % 2)).unwrap();
        let swapped = serving.refresh(true);
        assert!(matches!(swapped, Refreshed::Swapped { .. }), "{swapped:?}");
        // Shards take a model up with their next batch, so there is one for each.
        at = at.plus_micros(1_000_000);
        let (done, scored) = std::sync::mpsc::channel();
        let sample = Sample {
            series,
            at,
            value: f64::from(i % 7),
        };
        engine.submit(vec![sample], move |outcome| done.send(outcome).unwrap());
        scored.recv().unwrap();
        if i == 100 {
            after_warm_up = resident();
        }
    }
    let grown = resident().saturating_sub(after_warm_up);
    assert!(grown < SLACK_BYTES, "{grown} bytes more after 900 reloads");
    assert_eq!(engine.counters().model_failures, 0);
    assert_eq!(serving.now().n_swaps, 1_000);
}
