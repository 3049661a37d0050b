//! Batches, failures and changes of models, with models that do as they are told.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, channel};

use parking_lot::Mutex;
use store::models::Name;

use super::edition::Edition;
use super::repository::Entry;
use super::runner::{Description, Rows, RunError, Runner, Session};
use super::*;

/// Numbers that make [`Doubler`] fail.
const FAILS: f32 = 13.0;
const PANICS: f32 = 14.0;

/// Doubles numbers; waits for a word before each batch when it has a gate.
#[derive(Debug)]
struct Doubler {
    description: Description,
    factor: f32,
    gate: Option<Arc<Gate>>,
}

/// Holds batches back, and tells of each that has come.
#[derive(Debug)]
struct Gate {
    come: Mutex<Sender<usize>>,
    go: Mutex<Receiver<()>>,
}

impl Doubler {
    fn new(factor: f32, gate: Option<Arc<Gate>>) -> Self {
        let slot = |name: &str| Slot {
            name: name.to_owned(),
            dtype: tensor::Dtype::Fp32,
            shape: vec![None, None],
        };
        Self {
            description: Description {
                platform: "test".to_owned(),
                inputs: vec![slot("x")],
                outputs: vec![slot("y")],
                rows: Rows::Independent,
            },
            factor,
            gate,
        }
    }
}

impl Runner for Doubler {
    fn description(&self) -> &Description {
        &self.description
    }

    fn session(&self) -> Result<Box<dyn Session>, RunError> {
        Ok(Box::new(DoublerSession(self.factor, self.gate.clone())))
    }
}

struct DoublerSession(f32, Option<Arc<Gate>>);

impl Session for DoublerSession {
    fn run(&mut self, inputs: &[Tensor]) -> Result<Vec<Tensor>, RunError> {
        let values: Vec<f32> = inputs[0].f32s().collect();
        if let Some(gate) = &self.1 {
            gate.come.lock().send(inputs[0].shape[0]).unwrap();
            gate.go.lock().recv().unwrap();
        }
        let has = |bad: f32| values.iter().any(|v| v.to_bits() == bad.to_bits());
        assert!(!has(PANICS), "told to panic");
        if has(FAILS) {
            return Err(RunError("told to fail".to_owned()));
        }
        let doubled: Vec<f32> = values.iter().map(|v| v * self.0).collect();
        Ok(vec![Tensor::of_f32(inputs[0].shape.clone(), &doubled)])
    }
}

/// What a test puts on the shelves: models by name and version, or why they do not open.
type Shelves = BTreeMap<(Name, Edition), Result<Arc<dyn Runner>, String>>;

fn edition(version: u32) -> Edition {
    version.to_string().parse().unwrap()
}

#[derive(Debug, Default, Clone)]
struct Books {
    shelves: Arc<Mutex<Shelves>>,
    champion: Arc<Mutex<Option<Edition>>>,
}

impl Books {
    fn put(&self, version: u32, book: Result<Doubler, &str>) {
        let book = book.map(|d| Arc::new(d) as Arc<dyn Runner>);
        let key = ("m".parse().unwrap(), edition(version));
        self.shelves.lock().insert(key, book.map_err(str::to_owned));
    }

    fn choose(&self, version: u32) {
        *self.champion.lock() = Some(edition(version));
    }
}

impl Library for Books {
    fn list(&self) -> Result<Vec<Entry>, String> {
        let versions: Vec<Edition> = self.shelves.lock().keys().map(|(_, v)| *v).collect();
        Ok(vec![Entry {
            name: "m".parse().unwrap(),
            versions,
            champion: *self.champion.lock(),
        }])
    }

    fn open(&self, name: &Name, version: Edition) -> Result<Arc<dyn Runner>, String> {
        self.shelves.lock()[&(name.clone(), version)].clone()
    }
}

fn start(books: &Books, edit: impl FnOnce(&mut InferenceConfig)) -> Arc<Inference> {
    let mut config = InferenceConfig {
        threads: 1,
        ..InferenceConfig::default()
    };
    edit(&mut config);
    let inference = Inference::start(Box::new(books.clone()), &config).unwrap();
    inference.repository.refresh().unwrap();
    Arc::new(inference)
}

fn model(inference: &Inference, version: &str) -> Arc<Served> {
    match inference.repository.find("m", version).unwrap() {
        Found::Ready(served) => served,
        Found::Unread(name, version) => inference.repository.load_version(&name, version).unwrap(),
    }
}

/// Asks for the double of some rows of one number each.
fn ask(
    inference: &Arc<Inference>,
    model: &Arc<Served>,
    values: &[f32],
    patience: Option<Duration>,
) -> impl Future<Output = Result<Vec<f32>, Failure>> + Send + use<> {
    let tensor = Tensor::of_f32(vec![values.len(), 1], values);
    let (inference, model) = (Arc::clone(inference), Arc::clone(model));
    let inputs = (vec![tensor], values.len());
    async move {
        let run = inference.run(&model, inputs, Instant::now(), patience);
        let outputs = run.await.expect("the server runs")?;
        assert_eq!(outputs[0].shape, [outputs[0].data.len() / 4, 1]);
        Ok(outputs[0].f32s().collect())
    }
}

/// A gate, and the test's end of it.
fn gate() -> (Arc<Gate>, Receiver<usize>, Sender<()>) {
    let ((come, came), (go, goes)) = (channel(), channel());
    let gate = Gate {
        come: Mutex::new(come),
        go: Mutex::new(goes),
    };
    (Arc::new(gate), came, go)
}

/// Waits until so many requests wait.
async fn until_waiting(model: &Served, n: usize) {
    while model.waiting() < n {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_goes_through_together_and_the_bad_fail_alone() {
    let (gate, came, go) = gate();
    let books = Books::default();
    books.put(1, Ok(Doubler::new(2.0, Some(gate))));
    let inference = start(&books, |_| {});
    let model = model(&inference, "");
    let first = tokio::spawn(ask(&inference, &model, &[1.0], None));
    assert_eq!(came.recv().unwrap(), 1);
    // While that one computes, these gather.
    let rows: [&[f32]; 4] = [&[2.0, 3.0], &[FAILS], &[4.0], &[PANICS]];
    let mut others = Vec::new();
    for (i, row) in rows.iter().enumerate() {
        others.push(tokio::spawn(ask(&inference, &model, row, None)));
        until_waiting(&model, i + 1).await;
    }
    for _ in 0..6 {
        go.send(()).unwrap();
    }
    assert_eq!(first.await.unwrap().unwrap(), [2.0]);
    let mut answers = Vec::new();
    for other in others {
        answers.push(other.await.unwrap().map_err(|e| e.to_string()));
    }
    assert_eq!(answers[0], Ok(vec![4.0, 6.0]));
    assert_eq!(
        answers[1],
        Err("running model \"m\" version 1: told to fail".to_owned())
    );
    assert_eq!(answers[2], Ok(vec![8.0]));
    assert_eq!(
        answers[3],
        Err("running model \"m\" version 1: it panicked".to_owned())
    );
    let batches: Vec<usize> = came.try_iter().collect();
    assert_eq!(batches, [5, 2, 1, 1, 1], "one batch, then each alone");
    assert_eq!(model.metrics.failures(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_and_a_late_turn_are_told() {
    let (gate, came, go) = gate();
    let books = Books::default();
    books.put(1, Ok(Doubler::new(2.0, Some(gate))));
    let inference = start(&books, |config| config.queue = 2);
    let model = model(&inference, "");
    let first = tokio::spawn(ask(&inference, &model, &[1.0], None));
    came.recv().unwrap();
    let late = tokio::spawn(ask(&inference, &model, &[1.0], Some(Duration::ZERO)));
    until_waiting(&model, 1).await;
    let gone = tokio::spawn(ask(&inference, &model, &[1.0], None));
    until_waiting(&model, 2).await;
    let full = ask(&inference, &model, &[1.0], None).await.unwrap_err();
    assert!(
        full.to_string()
            .contains("2 requests waiting, as many as inference.queue")
    );
    // Whoever hangs up is not computed for.
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    go.send(()).unwrap();
    first.await.unwrap().unwrap();
    assert!(matches!(late.await.unwrap(), Err(Failure::Late(_))));
    drop(inference);
    assert_eq!(came.try_iter().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_due_when_it_is_full_or_its_oldest_has_waited() {
    let books = Books::default();
    books.put(1, Ok(Doubler::new(2.0, None)));
    let hour = start(&books, |config| {
        config.max_delay_us = 3_600_000_000;
        config.max_batch = 3;
    });
    let served = model(&hour, "");
    let asked = [1.0, 2.0, 3.0].map(|value| tokio::spawn(ask(&hour, &served, &[value], None)));
    for (answer, double) in asked.into_iter().zip([2.0, 4.0, 6.0]) {
        assert_eq!(answer.await.unwrap().unwrap(), [double]);
    }
    assert_eq!(served.metrics.batch_rows.total(), (1, 3));
    let soon = start(&books, |config| config.max_delay_us = 20_000);
    let served = model(&soon, "");
    let begun = Instant::now();
    ask(&soon, &served, &[1.0], None).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(20));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_swap_ends_nothing_and_a_failed_one_changes_nothing() {
    let (gate, came, go) = gate();
    let books = Books::default();
    books.put(1, Ok(Doubler::new(2.0, Some(gate))));
    let inference = start(&books, |_| {});
    let old = model(&inference, "");
    let under_way = tokio::spawn(ask(&inference, &old, &[1.0], None));
    came.recv().unwrap();
    books.put(2, Ok(Doubler::new(3.0, None)));
    books.put(3, Err("it is broken"));
    books.choose(2);
    inference.repository.refresh().unwrap();
    assert_eq!(model(&inference, "").version, "2");
    go.send(()).unwrap();
    assert_eq!(under_way.await.unwrap().unwrap(), [2.0]);
    assert_eq!(
        model(&inference, "1").version,
        "1",
        "older ones can be asked for"
    );

    books.choose(3);
    inference.repository.refresh().unwrap();
    let new = model(&inference, "");
    assert_eq!(ask(&inference, &new, &[1.0], None).await.unwrap(), [3.0]);
    let why = inference.repository.find("m", "3").unwrap_err().to_string();
    assert_eq!(why, "model \"m\" version 3 is not loaded: it is broken");
    assert!(inference.repository.load("m").is_err());
    assert_eq!(model(&inference, "").version, "2");
}

#[test]
fn models_come_and_go_by_request() {
    let books = Books::default();
    books.put(1, Ok(Doubler::new(2.0, None)));
    books.put(2, Ok(Doubler::new(2.0, None)));
    let inference = start(&books, |config| config.max_models = 1);
    let repository = &inference.repository;
    let reasons = || -> Vec<_> {
        repository
            .index()
            .into_iter()
            .map(|row| row.reason)
            .collect()
    };
    let unread = Some("will be loaded when it is first asked for".to_owned());
    assert_eq!(
        reasons(),
        [unread.clone(), None],
        "the newest one is the default"
    );
    let Found::Unread(name, version) = repository.find("m", "1").unwrap() else {
        panic!("it was loaded");
    };
    let limit = repository.load_version(&name, version).unwrap_err();
    assert_eq!(limit, Unavailable::Limit(1));
    repository.unload("m").unwrap();
    let unloaded = Some("unloaded by request".to_owned());
    assert_eq!(reasons(), [unloaded.clone(), unloaded]);
    // A look at the library does not bring it back; a request does.
    repository.refresh().unwrap();
    assert!(repository.loaded().is_empty());
    repository.load("m").unwrap();
    assert_eq!(reasons(), [unread, None]);
    for (name, version) in [("n", ""), ("m", "3"), ("m", "one"), ("m", "0")] {
        assert!(repository.find(name, version).is_err(), "{name} {version}");
    }
    assert!(repository.load("n").is_err() && repository.unload("n").is_err());
}
