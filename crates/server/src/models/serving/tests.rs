//! What becomes of the model that serves, whatever happens to the files.

use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};

use onnx::Golden;
use predict::forecast::{Kernel, Signature, Weights};
use store::models::{Action, Bundle, Card, Kind, NewBundle, Promotion};
use tempfile::TempDir;

use super::*;

/// Takes the text of `model.onnx` for a seed.
#[derive(Debug)]
struct Seeds;

fn of_seed(text: &str, version: &str) -> Result<Arc<dyn Model>, Cause> {
    let seed = text.parse().map_err(|_| format!("{text:?} is no graph"))?;
    let inputs = ["long_residual", "gap"];
    let signature = Signature::new(features::schema_hash(), &inputs, 8, vec![1, 2], 4.0)?;
    let weights = Weights::seeded(&signature, seed);
    Ok(Arc::new(Kernel::new(signature, version, &weights)?))
}

impl Loader for Seeds {
    fn step(&self, bundle: &Bundle, version: &str) -> Result<Arc<dyn Model>, Cause> {
        of_seed(&String::from_utf8_lossy(&bundle.model), version)
    }

    fn run(&self, _: &Bundle, _: &Golden) -> Result<(), Cause> {
        Err("not here".into())
    }
}

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000)
    }
}

fn name() -> Name {
    "lstm".parse().unwrap()
}

fn version(number: u32) -> Version {
    Version::new(number).unwrap()
}

fn install(registry: &Registry, seed: &str) -> Version {
    let model = of_seed(seed.trim_start_matches("other "), "made").unwrap();
    let golden = Golden::record(model.as_ref(), 2, 1e-5).unwrap();
    let bundle = NewBundle {
        card: Card {
            name: name(),
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
        model: seed.as_bytes().to_vec(),
        golden: golden.to_json().unwrap().into_bytes(),
    };
    registry.install(&name(), bundle, "", Still.now()).unwrap()
}

fn parts(registry: &Registry) -> Parts {
    Parts {
        registry: registry.clone(),
        name: name(),
        loader: Arc::new(Seeds),
        built_in: Some(of_seed("0", "lstm/0").unwrap()),
        limits: gate::Limits::default(),
        clock: Arc::new(Still),
    }
}

/// A registry with seeds 1, 2 and 3 as versions, and what serves from it.
fn with_three() -> (TempDir, Registry, Serving) {
    let dir = tempfile::tempdir().unwrap();
    let registry = Registry::new(dir.path());
    for seed in ["1", "2", "3"] {
        install(&registry, seed);
    }
    let serving = Serving::start(parts(&registry));
    (dir, registry, serving)
}

/// As another process does it.
fn point(registry: &Registry, to: u32) {
    let promotion = Promotion {
        from: registry.champion(&name()).unwrap(),
        to: version(to),
        action: Action::Promote,
        why: "",
    };
    registry.promote(&name(), promotion, Still.now()).unwrap();
}

fn last(registry: &Registry) -> (Action, Option<Version>) {
    let record = registry.history(&name()).unwrap().pop().unwrap();
    (record.action, record.to)
}

#[test]
fn a_pointer_that_changes_is_taken_up_once() {
    let (_dir, registry, serving) = with_three();
    assert_eq!(serving.now().model, "lstm/0");
    assert_eq!(serving.refresh(false), Refreshed::Unchanged);
    point(&registry, 2);
    let swapped = Refreshed::Swapped {
        from: None,
        to: Some(version(2)),
    };
    assert_eq!(serving.refresh(false), swapped);
    assert_eq!(serving.refresh(false), Refreshed::Unchanged);
    assert_eq!(serving.now().model, "lstm/2");
    registry.rollback(&name(), "", Still.now()).unwrap();
    assert!(matches!(
        serving.refresh(false),
        Refreshed::Swapped { to: None, .. }
    ));
    assert_eq!(
        (serving.now().model.as_str(), serving.now().n_swaps),
        ("lstm/0", 2)
    );
}

#[test]
fn whatever_is_wrong_with_a_champion_the_one_before_goes_on() {
    let (_dir, registry, serving) = with_three();
    point(&registry, 1);
    serving.refresh(false);
    let place = registry.version_dir(&name(), version(2));
    let whole = fs::read(place.join("model.onnx")).unwrap();
    // Damaged after it was promoted.
    point(&registry, 2);
    fs::write(place.join("model.onnx"), "9").unwrap();
    let Refreshed::Kept { why } = serving.refresh(false) else {
        panic!("a damaged model was taken up")
    };
    assert!(why.contains("model.onnx has SHA-256"), "{why}");
    assert_eq!(serving.now().last_error, why);
    assert_eq!(serving.now().model, "lstm/1");
    assert_eq!(last(&registry), (Action::Refuse, Some(version(2))));
    // It is not tried again every few seconds, and it is when somebody asks.
    assert_eq!(serving.refresh(false), Refreshed::Unchanged);
    fs::write(place.join("model.onnx"), whole).unwrap();
    assert!(matches!(serving.refresh(true), Refreshed::Swapped { .. }));
    assert_eq!(serving.now().last_error, "");
    // Rubbish in the pointer.
    fs::write(registry.model_dir(&name()).join("champion"), "two\n").unwrap();
    assert!(matches!(serving.refresh(false), Refreshed::Kept { .. }));
    // A version that is not there.
    fs::write(registry.model_dir(&name()).join("champion"), "77\n").unwrap();
    assert!(matches!(serving.refresh(false), Refreshed::Kept { .. }));
    assert_eq!(serving.now().model, "lstm/2");
}

#[test]
fn a_model_that_computes_something_else_is_refused() {
    let (_dir, registry, serving) = with_three();
    // Golden numbers of seed 1 beside the graph of seed 5.
    let mut loose = registry
        .read_loose(&registry.version_dir(&name(), version(1)))
        .unwrap();
    loose.model = b"5".to_vec();
    let to = registry.install(&name(), loose, "", Still.now()).unwrap();
    let error = serving
        .promote(&name(), to, "", Some("try"))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("lstm/4 does not compute what its golden file says"),
        "{error}"
    );
    assert_eq!(registry.champion(&name()).unwrap(), None);
    assert_eq!(last(&registry), (Action::Refuse, Some(to)));
    assert!(serving.verify(&name(), to).is_err());
    assert_eq!(serving.verify(&name(), version(1)).unwrap(), 2);
}

#[test]
fn promotion_needs_a_passed_gate_or_a_reason() {
    let (_dir, registry, serving) = with_three();
    let promote = |to, force| serving.promote(&name(), version(to), "asked", force);
    assert!(matches!(promote(1, None), Err(PromoteError::NoGate { .. })));
    assert_eq!(promote(1, Some("the first")).unwrap(), None);
    assert_eq!(last(&registry), (Action::Force, Some(version(1))));
    assert!(matches!(
        promote(1, Some("again")),
        Err(PromoteError::Already { .. })
    ));
    let passed = |from, to: u32, sha256: String| Record {
        time_us: 0,
        action: Action::Passed,
        from,
        to: Some(version(to)),
        why: String::new(),
        sha256,
    };
    use store::models::Record;
    let sha256 = registry.card(&name(), version(2)).unwrap().sha256;
    // Judged against another champion, or another file: that says nothing.
    registry
        .note(&name(), passed(None, 2, sha256.clone()))
        .unwrap();
    assert!(promote(2, None).is_err());
    registry
        .note(&name(), passed(Some(version(1)), 2, "x".to_owned()))
        .unwrap();
    assert!(promote(2, None).is_err());
    registry
        .note(&name(), passed(Some(version(1)), 2, sha256))
        .unwrap();
    assert_eq!(promote(2, None).unwrap(), Some(version(1)));
    assert_eq!(last(&registry), (Action::Promote, Some(version(2))));
    // The pointer that it wrote itself is not news.
    assert_eq!(serving.refresh(false), Refreshed::Unchanged);
    assert_eq!(serving.roll_back(&name(), "odd").unwrap(), Some(version(1)));
    assert_eq!(serving.now().model, "lstm/1");
    assert_eq!(serving.roll_back(&name(), "odd").unwrap(), None);
    assert_eq!(serving.now().model, "lstm/0");
    assert!(serving.roll_back(&name(), "odd").is_err());
}

#[test]
fn what_the_engine_does_not_take_is_not_the_champion() {
    let (_dir, registry, serving) = with_three();
    serving.attach(Box::new(|model| match model.version() {
        "lstm/2" => Err("no room".into()),
        _ => Ok(()),
    }));
    serving
        .promote(&name(), version(1), "", Some("first"))
        .unwrap();
    let error = serving
        .promote(&name(), version(2), "", Some("next"))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the engine does not take lstm/2: no room"
    );
    assert_eq!(registry.champion(&name()).unwrap(), Some(version(1)));
    assert_eq!(serving.now().model, "lstm/1");
}

#[test]
fn a_start_finds_the_champion_or_the_one_before_it() {
    let (_dir, registry, serving) = with_three();
    for to in [1, 2] {
        serving.promote(&name(), version(to), "", Some("")).unwrap();
    }
    assert_eq!(Serving::start(parts(&registry)).now().model, "lstm/2");
    fs::write(
        registry.version_dir(&name(), version(2)).join("model.onnx"),
        "no graph",
    )
    .unwrap();
    let again = Serving::start(parts(&registry));
    assert_eq!(again.now().model, "lstm/1");
    assert!(again.now().last_error.contains("SHA-256"));
    // And it stays so until somebody writes the pointer.
    assert_eq!(again.refresh(false), Refreshed::Unchanged);
    fs::remove_dir_all(registry.version_dir(&name(), version(1))).unwrap();
    assert_eq!(Serving::start(parts(&registry)).now().model, "lstm/0");
}

#[test]
fn long_work_is_done_one_piece_at_a_time() {
    let (_dir, registry, serving) = with_three();
    let serving = Arc::new(serving);
    let calls = Arc::new(AtomicU64::new(0));
    let (inner, counted) = (Arc::clone(&serving), Arc::clone(&calls));
    // While one model is being handed over, every other wish is turned away.
    serving.attach(Box::new(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        assert_eq!(inner.refresh(false), Refreshed::Busy);
        let promoted = inner.promote(&name(), version(3), "", Some(""));
        assert!(matches!(promoted, Err(PromoteError::Busy(Busy))));
        assert!(inner.verify(&name(), version(3)).is_err());
        Ok(())
    }));
    point(&registry, 1);
    serving.refresh(false);
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

#[test]
fn a_thousand_swaps_leave_one_model_alive() {
    let (_dir, registry, serving) = with_three();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let weak = Arc::clone(&seen);
    serving.attach(Box::new(move |model| {
        weak.lock().push(Arc::downgrade(model));
        Ok(())
    }));
    for i in 0..1_000 {
        let champion = format!("{}\n", 1 + i % 3);
        fs::write(registry.model_dir(&name()).join("champion"), champion).unwrap();
        assert!(
            matches!(serving.refresh(true), Refreshed::Swapped { .. }),
            "{i}"
        );
    }
    let alive = seen
        .lock()
        .iter()
        .filter(|model| model.upgrade().is_some())
        .count();
    assert_eq!((seen.lock().len(), alive), (1_000, 1));
}
