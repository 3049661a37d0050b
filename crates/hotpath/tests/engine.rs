//! The threads that run shards: nothing is lost, and who runs what changes no score.

#![expect(
    clippy::unwrap_used,
    reason = "a test may panic, and knows its numbers"
)]

mod support;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use hotpath::{Counters, Engine, EngineConfig, Outcome, Scored, Sink, Verdict};
use series::{Refusal, SeriesId};
use support::{engine, key, push, sample, stream};

/// Registers 12 replicas of two things and 8 series alone.
fn register_twenty(engine: &Engine) {
    for i in 0..20 {
        let text = match i {
            0..12 => format!("load{}{{instance=\"{i}\"}}", i % 2),
            _ => format!("alone{i}"),
        };
        assert_eq!(engine.register(&key(&text)), Ok(SeriesId(i)));
    }
}

#[test]
fn shards_change_no_score() {
    let run = |shards| {
        let (engine, kept) = engine(shards, EngineConfig::default());
        register_twenty(&engine);
        for batch in stream(20, 0..200, 7).chunks(333) {
            assert_eq!(
                push(&engine, batch.to_vec()),
                Outcome {
                    taken: batch.len() as u32,
                    refused: Vec::new()
                }
            );
        }
        kept.bits()
    };
    let one = run(1);
    assert_eq!(one.len(), 4000);
    assert!(one == run(3));
}

#[test]
fn refused_samples_are_named_by_their_place_and_reason() {
    for shards in [1, 3] {
        let (engine, kept) = engine(shards, EngineConfig::default());
        register_twenty(&engine);
        let batch = vec![
            sample(0, 10, 1.0),
            sample(1, 10, f64::NAN),
            sample(99, 10, 1.0),
            sample(12, 10, 1.0),
            sample(12, 10, 2.0),
            sample(13, 10, f64::NEG_INFINITY),
            sample(0, 9, 1.0),
            sample(0, 11, 1.0),
        ];
        let refused = vec![
            (1, Refusal::NotFinite),
            (2, Refusal::UnknownSeries),
            (4, Refusal::Duplicate),
            (5, Refusal::NotFinite),
            (6, Refusal::OutOfOrder),
        ];
        assert_eq!(
            push(&engine, batch),
            Outcome { taken: 3, refused },
            "{shards} shards"
        );
        assert_eq!(kept.bits().len(), 3);
        engine.refuse(Refusal::TooFarAhead, 4);
        let refused = [2, 1, 1, 4, 1, 0, 0];
        assert_eq!(
            engine.counters(),
            Counters {
                taken: 3,
                refused,
                series: 20,
                ..Counters::default()
            }
        );
    }
}

#[test]
fn nothing_but_unknown_series_is_answered_too() {
    let (engine, _) = engine(2, EngineConfig::default());
    assert_eq!(push(&engine, Vec::new()), Outcome::default());
    assert_eq!(
        push(&engine, vec![sample(0, 1, 1.0)]),
        Outcome {
            taken: 0,
            refused: vec![(0, Refusal::UnknownSeries)]
        }
    );
}

#[test]
fn the_limit_on_series_leaves_the_rest_served() {
    let (engine, kept) = engine(
        2,
        EngineConfig {
            max_series: 20,
            ..EngineConfig::default()
        },
    );
    register_twenty(&engine);
    for i in 0..1000 {
        assert_eq!(
            engine.register(&key(&format!("late{i}"))),
            Err(Refusal::SeriesLimit)
        );
    }
    assert_eq!(engine.register(&key("alone19")), Ok(SeriesId(19)));
    assert_eq!(push(&engine, vec![sample(19, 1, 1.0)]).taken, 1);
    assert_eq!((engine.len(), kept.bits().len()), (20, 1));
}

#[test]
fn a_series_may_be_pushed_as_soon_as_it_has_an_id() {
    let (engine, _) = engine(3, EngineConfig::default());
    let engine = Arc::new(engine);
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let engine = &engine;
            scope.spawn(move || {
                for i in 0..200 {
                    let id = engine
                        .register(&key(&format!("m{i}{{writer=\"{writer}\"}}")))
                        .unwrap();
                    assert_eq!(push(engine, vec![sample(id.0, 1, 1.0)]).taken, 1);
                }
            });
        }
    });
    assert_eq!(engine.counters().taken, 800);
}

/// Waits at each call until it is let through.
struct Gate(Mutex<Receiver<()>>, AtomicU32);

impl Sink for Gate {
    fn risks(&self, scored: &Scored<'_>) {
        // The sender is gone once the test lets everything through.
        let _ = self.0.lock().unwrap().recv();
        self.1
            .fetch_add(scored.risks.len() as u32, Ordering::SeqCst);
    }
}

fn gated(queue: usize) -> (Engine, Arc<Gate>, Sender<()>) {
    let (open, gate) = channel();
    let gate = Arc::new(Gate(Mutex::new(gate), AtomicU32::new(0)));
    let engine = Engine::start(
        EngineConfig::default(),
        1,
        queue,
        Arc::clone(&gate) as Arc<dyn Sink>,
    )
    .unwrap();
    engine.register(&key("a")).unwrap();
    (engine, gate, open)
}

#[test]
fn a_full_queue_blocks_and_loses_nothing() {
    let (engine, gate, open) = gated(2);
    let submitted = AtomicU32::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for second in 0..50 {
                engine.submit(vec![sample(0, second, 1.0)], |_| {});
                submitted.fetch_add(1, Ordering::SeqCst);
            }
        });
        for passed in 0..50 {
            // One in the shard's hands, two in its queue: the fourth cannot have been handed over.
            assert!(submitted.load(Ordering::SeqCst) <= passed + 3);
            open.send(()).unwrap();
            while gate.1.load(Ordering::SeqCst) <= passed {
                std::thread::yield_now();
            }
        }
    });
    assert_eq!((submitted.into_inner(), engine.counters().taken), (50, 50));
}

#[test]
fn registering_and_feedback_do_not_wait_for_a_full_queue() {
    let (engine, _, open) = gated(1);
    engine.submit(vec![sample(0, 0, 1.0)], |_| {});
    engine.submit(vec![sample(0, 1, 1.0)], |_| {});
    // The shard waits at the gate; were any of these to wait for it, the test would hang.
    for i in 0..100 {
        let id = engine.register(&key(&format!("new{i}"))).unwrap();
        engine.feedback(id, Verdict::Dismissed);
    }
    drop(open);
    assert_eq!(push(&engine, vec![sample(100, 5, 1.0)]).taken, 1);
}

#[test]
fn shutdown_drains() {
    let (engine, gate, open) = gated(64);
    let (sender, receiver) = channel();
    for second in 0..60 {
        let sender = sender.clone();
        engine.submit(vec![sample(0, second, 1.0)], move |outcome| {
            sender.send(outcome.taken).unwrap()
        });
    }
    drop((open, sender));
    engine.shutdown();
    assert_eq!(
        (gate.1.load(Ordering::SeqCst), receiver.iter().sum::<u32>()),
        (60, 60)
    );
}

#[test]
fn the_last_handle_may_be_let_go_on_a_shards_thread() {
    let (engine, _) = engine(2, EngineConfig::default());
    let id = engine.register(&key("a")).unwrap();
    let engine = Arc::new(engine);
    let (sender, receiver) = channel();
    let held = Arc::clone(&engine);
    engine.submit(vec![sample(id.0, 1, 1.0)], move |_| {
        drop(held);
        sender.send(()).unwrap();
    });
    drop(engine);
    receiver.recv().unwrap();
}

/// Panics at the value 13.
struct Superstitious(AtomicU32);

impl Sink for Superstitious {
    fn risks(&self, scored: &Scored<'_>) {
        assert!(scored.risks.iter().all(|risk| risk.value < 13.0), "13");
        self.0
            .fetch_add(scored.risks.len() as u32, Ordering::SeqCst);
    }
}

#[test]
fn a_panic_is_counted_and_the_engine_goes_on() {
    let sink = Arc::new(Superstitious(AtomicU32::new(0)));
    let engine = Engine::start(
        EngineConfig::default(),
        2,
        4,
        Arc::clone(&sink) as Arc<dyn Sink>,
    )
    .unwrap();
    engine.register(&key("a")).unwrap();
    assert_eq!(push(&engine, vec![sample(0, 1, 12.0)]).taken, 1);
    assert_eq!(push(&engine, vec![sample(0, 2, 13.0)]).taken, 1);
    engine.submit(vec![sample(0, 3, 12.0)], |_| panic!("a done that panics"));
    assert_eq!(push(&engine, vec![sample(0, 4, 12.0)]).taken, 1);
    assert_eq!(
        (
            engine.counters().shard_panics,
            sink.0.load(Ordering::SeqCst)
        ),
        (2, 3)
    );
}

#[test]
fn numbers_out_of_range_are_refused() {
    for (shards, queue, expected) in [
        (0, 4, "engine: shards is 0, expected 1 to 1024"),
        (2000, 4, "engine: shards is 2000, expected 1 to 1024"),
        (1, 0, "engine: queue is 0, expected 1 to 65536"),
    ] {
        let sink = Arc::new(support::Kept::default());
        let refused = Engine::start(EngineConfig::default(), shards, queue, sink).unwrap_err();
        assert_eq!(refused.to_string(), expected);
    }
}
