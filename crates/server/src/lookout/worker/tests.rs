//! What waits, what is made known, and how refreshes are spread.

use std::cell::RefCell;

use super::*;
use crate::board::tests::risk;

fn worker() -> Worker {
    worker_of(LookoutConfig::default())
}

fn worker_of(config: LookoutConfig) -> Worker {
    let inlet = Arc::new(Inlet::new(1, 100, 10));
    let judge = onnx::exhaustion::default_judge().unwrap();
    let lookout = Lookout::new(config.clone(), Arc::clone(&judge));
    let outlooks = Outlooks::new(lookout, &inlet, 1, 16);
    Worker::new(
        config,
        judge,
        60_000_000,
        Days::open(None, 10),
        &inlet,
        &Arc::new(outlooks),
    )
}

#[test]
fn each_series_is_made_known_once_before_its_first_sample() {
    let mut worker = worker();
    let asked = RefCell::new(Vec::new());
    let key = |id: SeriesId| {
        asked.borrow_mut().push(id.0);
        // Nothing is read from a metric of that name.
        SeriesKey::new("nobody_wants_this", [("n", id.0.to_string())])
            .ok()
            .map(Arc::new)
    };
    worker.inlet.offer(&[risk(2, 0, 0.0), risk(1, 0, 0.0)]);
    worker.take_samples(key);
    assert_eq!(worker.samples.len(), 2, "new ones wait for a turn");
    worker.take_samples(key);
    assert_eq!(*asked.borrow(), [0, 1, 2], "a gap is filled, in order");
    worker.inlet.offer(&[risk(2, 1, 0.0), risk(3, 1, 0.0)]);
    worker.take_samples(key);
    assert_eq!(worker.samples.len(), 1, "what is unwanted is sent once");
    worker.take_samples(key);
    assert_eq!(*asked.borrow(), [0, 1, 2, 3]);
    worker.begin_again();
    worker.inlet.offer(&[risk(0, 2, 0.0)]);
    worker.take_samples(key);
    worker.take_samples(key);
    assert_eq!(
        *asked.borrow(),
        [0, 1, 2, 3, 0],
        "after a failure, from the start"
    );
}

#[test]
fn a_series_that_the_engine_does_not_know_holds_nothing_up() {
    let mut worker = worker();
    worker.inlet.offer(&[risk(5, 0, 0.0)]);
    for _ in 0..2 {
        worker.take_samples(|_| None);
    }
    assert_eq!((worker.n_known, worker.samples.len()), (0, 0));
}

/// Key 0 is what a container uses, key 1 is its limit.
fn container(id: SeriesId) -> Option<Arc<SeriesKey>> {
    let metric = match id.0 {
        0 => "container_memory_working_set_bytes",
        1 => "container_spec_memory_limit_bytes",
        _ => return None,
    };
    SeriesKey::new(metric, [("pod", "api")]).ok().map(Arc::new)
}

#[test]
fn a_limit_that_comes_a_turn_after_its_use_is_in_time() {
    let mut worker = worker();
    let of = |series| -> Vec<_> { (0..40).map(|i| risk(series, i * 20, 0.0)).collect() };
    worker.inlet.offer(&of(0));
    worker.take_samples(container);
    assert_eq!(worker.samples.len(), 40, "all wait");
    worker.inlet.offer(&of(1));
    worker.take_samples(container);
    let past = worker.outlooks.history(0, usize::MAX);
    assert!(past.len() > 30, "{}", past.len());
}

#[test]
fn that_there_are_too_many_resources_is_noticed() {
    let found_with = |max_resources| {
        let mut worker = worker_of(LookoutConfig {
            max_resources,
            ..LookoutConfig::default()
        });
        worker.inlet.offer(&[risk(0, 0, 0.0), risk(1, 0, 0.0)]);
        for _ in 0..2 {
            worker.take_samples(|id| {
                let pod = [("pod", id.0.to_string())];
                let key = SeriesKey::new("process_open_fds", pod).ok();
                key.map(Arc::new)
            });
        }
        worker.told_full
    };
    assert_eq!([found_with(2), found_with(1)], [false, true]);
}

#[test]
fn what_waits_is_bounded() {
    let mut worker = worker();
    for turn in 0..3 {
        let many: Vec<_> = (0..80).map(|i| risk(0, turn * 100 + i, 0.0)).collect();
        worker.inlet.offer(&many);
        worker.take_samples(container);
        assert!(worker.samples.len() <= 100);
    }
}

#[test]
fn refreshes_are_spread_over_the_interval() {
    let mut worker = worker();
    let at = |ms| Timestamp::from_millis(ms);
    assert_eq!(worker.budget(100_000, at(0)), SPARE);
    worker.turned = Some(at(0));
    assert_eq!(worker.budget(100_000, at(300)), 1_500 + SPARE);
    assert_eq!(worker.budget(100_000, at(3_600_000)), 150_000 + SPARE);
    assert_eq!(worker.budget(0, at(300)), SPARE);
    // A clock that goes back asks for nothing absurd.
    assert_eq!(worker.budget(100_000, at(-1_000_000)), SPARE);
}
