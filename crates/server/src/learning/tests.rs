//! Rounds of learning over samples that change, with a trainer that is told what to make.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use features::{N_COLUMNS, column, schema_hash};
use onnx::Golden;
use predict::forecast::{Batch, Signature, Step, StepError, TARGET};
use series::Clock;
use store::capture::{Capture, EventPhase, Options, Row};
use store::models::{Action, Bundle, Card, Kind, NewBundle, Registry};
use tempfile::TempDir;

use super::*;
use crate::models::{self as kept, Loader};

const SECOND: i64 = 1_000_000;
const START: i64 = 1_700_000_000 * SECOND;
/// Samples of each of the eight series in one batch.
const LENGTH: i64 = 500;

/// Forecasts the constant that `model.onnx` spells, within 1.
#[derive(Debug, Clone)]
struct Constant {
    version: String,
    signature: Signature,
    location: f32,
}

fn constant(text: &str, version: &str) -> Arc<dyn Model> {
    let inputs = ["long_residual", "level"];
    Arc::new(Constant {
        version: version.to_owned(),
        signature: Signature::new(schema_hash(), &inputs, 1, vec![1], 4.0).unwrap(),
        location: text.parse().unwrap(),
    })
}

impl Model for Constant {
    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn version(&self) -> &str {
        &self.version
    }

    fn session(&self) -> Result<Box<dyn Step>, StepError> {
        Ok(Box::new(self.clone()))
    }
}

impl Step for Constant {
    fn step(&mut self, batch: &mut Batch) -> Result<(), StepError> {
        batch.location.fill(self.location);
        batch.scale.fill(1.0);
        batch.tail.fill(100.0);
        Ok(())
    }
}

#[derive(Debug)]
struct Constants;

impl Loader for Constants {
    fn step(&self, bundle: &Bundle, version: &str) -> Result<Arc<dyn Model>, Cause> {
        Ok(constant(&String::from_utf8_lossy(&bundle.model), version))
    }

    fn run(&self, _: &Bundle, _: &Golden) -> Result<(), Cause> {
        Err("not here".into())
    }
}

fn bundle(text: &str) -> NewBundle {
    let golden = Golden::record(constant(text, "made").as_ref(), 1, 1e-5).unwrap();
    NewBundle {
        card: Card {
            name: "lstm".parse().unwrap(),
            version: Version::FIRST,
            kind: Kind::LstmStep,
            sha256: "0".repeat(64),
            golden_sha256: "0".repeat(64),
            created: String::new(),
            licence: String::new(),
            signature: toml::Table::new(),
            training: toml::Table::new(),
            metrics: toml::Table::new(),
        },
        model: text.as_bytes().to_vec(),
        golden: golden.to_json().unwrap().into_bytes(),
    }
}

/// Makes what it is told to, or stops when it is told to.
struct Made {
    text: Arc<parking_lot::Mutex<&'static str>>,
    trained: Arc<AtomicU64>,
}

impl Trainer for Made {
    fn train(&self, job: &Job, go_on: &mut dyn FnMut(f64) -> bool) -> Result<bool, Cause> {
        self.trained.fetch_add(1, Ordering::Relaxed);
        if !go_on(0.5) {
            return Ok(false);
        }
        let text = *self.text.lock();
        if text == "fail" {
            return Err("the disk is full".into());
        }
        // As training does: a bundle in a folder of its own.
        let registry = Registry::new(&job.out);
        let name = "lstm".parse()?;
        let version = registry.install(&name, bundle(text), "", Timestamp::default())?;
        for file in ["model.onnx", "card.toml", "golden.json"] {
            let from = registry.version_dir(&name, version).join(file);
            fs::rename(from, job.out.join(file))?;
        }
        Ok(true)
    }
}

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(START)
    }
}

struct Rig {
    dir: TempDir,
    learner: Learner,
    serving: Arc<Serving>,
    status: Arc<LearningStatus>,
    text: Arc<parking_lot::Mutex<&'static str>>,
    trained: Arc<AtomicU64>,
    batches: i64,
}

fn rig() -> Rig {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("captured")).unwrap();
    let registry = Registry::new(&dir.path().join("models"));
    let serving = Arc::new(Serving::start(kept::Parts {
        registry,
        name: "lstm".parse().unwrap(),
        loader: Arc::new(Constants),
        built_in: Some(constant("0", "lstm/0")),
        limits: gate::Limits {
            min_samples: 500,
            // Timing is not what is tested, and other tests run meanwhile.
            step_us: 1e6,
            ..gate::Limits::default()
        },
        clock: Arc::new(Still),
    }));
    let (text, trained) = (
        Arc::new(parking_lot::Mutex::new("0")),
        Arc::new(AtomicU64::new(0)),
    );
    let status = Arc::<LearningStatus>::default();
    let learner = Learner::new(Parts {
        config: LearningConfig {
            enabled: true,
            min_new_rows: 3_000,
            ..LearningConfig::default()
        },
        held_back: HeldBack {
            dir: dir.path().join("captured"),
            share: 0.2,
            since: None,
            max_samples: 100_000,
        },
        serving: Arc::clone(&serving),
        trainer: Box::new(Made {
            text: Arc::clone(&text),
            trained: Arc::clone(&trained),
        }),
        status: Arc::clone(&status),
    });
    Rig {
        dir,
        learner,
        serving,
        status,
        text,
        trained,
        batches: 0,
    }
}

/// Eight series of noise around `mean`, later than all before.
fn capture(dir: &Path, batch: i64, mean: f64) {
    let selectors = |_: &str| Err("no marks here".to_owned());
    let (capture, mut writer) = Capture::open(dir, Options::default(), selectors).unwrap();
    let mut noise = testkit::Noise::new(batch.unsigned_abs() + 1);
    let key = |series: u32| Some(Arc::new(format!("load{{n=\"{series}\"}}").parse().unwrap()));
    let mut rows = Vec::new();
    for i in 0..LENGTH {
        for series in 0..8 {
            let mut columns = [0.0; N_COLUMNS];
            columns[TARGET] = (mean + noise.normal()) as f32;
            columns[column::LEVEL] = columns[TARGET];
            rows.push(Row {
                series,
                event: EventPhase::None,
                alert_score: 0.0,
                time_us: START + (batch * LENGTH + i) * SECOND,
                value: 0.0,
                level: 0.0,
                score: 0.0,
                columns,
            });
        }
    }
    let now = Timestamp::from_micros(START);
    writer.append(&rows, now, key);
    writer.close(now);
    while let Some(sealed) = capture.seal_next() {
        sealed.unwrap();
    }
}

impl Rig {
    fn capture(&mut self, mean: f64) {
        capture(&self.dir.path().join("captured"), self.batches, mean);
        self.batches += 1;
    }

    fn check(&self) -> Option<Outcome> {
        self.learner.check(Timestamp::from_micros(START), &|| true)
    }

    fn trained(&self) -> u64 {
        self.trained.load(Ordering::Relaxed)
    }
}

#[test]
fn a_shift_is_learned_and_what_looks_as_before_is_left_alone() {
    let mut rig = rig();
    assert_eq!(rig.check(), Some(Outcome::Waiting));
    rig.capture(0.0);
    assert_eq!(rig.check(), Some(Outcome::Referenced));
    assert_eq!(rig.check(), Some(Outcome::Waiting));
    rig.capture(0.0);
    assert_eq!(rig.check(), Some(Outcome::Steady));
    assert_eq!(rig.trained(), 0);
    rig.capture(2.0);
    *rig.text.lock() = "2";
    let first = Version::FIRST;
    assert_eq!(rig.check(), Some(Outcome::Promoted(first)));
    assert_eq!(rig.serving.now().model, "lstm/1");
    let counts = rig.status.now();
    assert_eq!(
        (counts.checks, counts.trainings, counts.promotions),
        (5, 1, 1)
    );
    assert!(counts.drift_features > 0.25, "{counts:?}");
    assert!(
        counts
            .last_outcome
            .contains("lstm/1 is not worse than lstm/0"),
        "{counts:?}"
    );
    // What the new champion was made for is what it is held against.
    rig.capture(2.0);
    assert_eq!(rig.check(), Some(Outcome::Steady));
}

#[test]
fn a_worse_candidate_is_refused_and_the_next_one_waits_longer() {
    let mut rig = rig();
    rig.capture(0.0);
    rig.check();
    rig.capture(2.0);
    *rig.text.lock() = "-3";
    assert_eq!(rig.check(), Some(Outcome::Refused(Version::FIRST)));
    assert_eq!(rig.serving.now().model, "lstm/0");
    let history = rig.serving.registry().history(rig.serving.name()).unwrap();
    let actions: Vec<Action> = history.iter().map(|record| record.action).collect();
    assert_eq!(actions, [Action::Install, Action::Failed]);
    // 4,000 new samples were enough; now it takes 6,000.
    rig.capture(2.0);
    assert_eq!(rig.check(), Some(Outcome::Waiting));
    assert_eq!(rig.status.now().needed_rows, 6_000);
    rig.capture(2.0);
    *rig.text.lock() = "2";
    assert_eq!(
        rig.check(),
        Some(Outcome::Promoted(Version::new(2).unwrap()))
    );
}

#[test]
fn a_training_that_fails_or_is_stopped_leaves_nothing_behind() {
    let mut rig = rig();
    rig.capture(0.0);
    rig.check();
    rig.capture(2.0);
    *rig.text.lock() = "fail";
    assert_eq!(rig.check(), None);
    assert_eq!(rig.status.now().failures, 1);
    assert_eq!(rig.status.now().last_outcome, "the disk is full");
    let stopped = rig.learner.check(Timestamp::from_micros(START), &|| false);
    assert_eq!(stopped, Some(Outcome::Stopped));
    assert!(!rig.learner.scratch().exists());
    assert!(
        rig.serving
            .registry()
            .versions(rig.serving.name())
            .unwrap()
            .is_empty()
    );
    // And the next check tries again.
    *rig.text.lock() = "2";
    assert!(matches!(rig.check(), Some(Outcome::Promoted(_))));
}

#[test]
fn a_reference_that_cannot_be_read_is_made_anew() {
    let mut rig = rig();
    rig.capture(0.0);
    rig.check();
    rig.serving
        .registry()
        .remember(rig.serving.name(), b"{}")
        .unwrap();
    rig.capture(2.0);
    assert_eq!(rig.check(), Some(Outcome::Referenced));
    assert_eq!(rig.trained(), 0);
}
