//! Findings to plans that are written down: the planner and SQLite together, with 10,000 issues open and every finding about
//! something new, which is the dearest case: each is an issue, a decision and a plan in the ledger before the turn ends.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ledger::{Ledger, Location};
use remedy::planner::{Parts, Planner};
use remedy::record::Memory;
use remedy::topology::{Limits, Link, Relation, Topology};
use remedy::{Class, EntityId, Finding, Kind, Phase, Settings, Source};
use series::Timestamp;

const OPEN: usize = 10_000;
const TIMED: usize = 10_000;
/// Findings of one turn: what had come meanwhile. The server takes all that waits, up to 4,096.
const TURN: usize = 256;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(1_795_694_400_000 + ms)
}

#[expect(clippy::unwrap_used, reason = "the name is sound")]
fn entity(kind: Kind, n: usize) -> EntityId {
    EntityId::new(kind, &n.to_string()).unwrap()
}

fn leak(n: usize, now: Timestamp) -> Finding {
    Finding {
        entity: entity(Kind::Instance, n),
        class: Class::MemoryExhaustion,
        source: Source::Prediction,
        is_present: true,
        at: now,
        signal: format!("container_memory_working_set_bytes{{pod=\"{n}\"}}"),
        value: 0.8,
        threshold: 1.0,
        unit: "ratio".to_owned(),
        probability: 0.97,
        probability_day: 0.99,
        ttf_s: Some([600.0, 1200.0, 2400.0]),
        confidence: 1.0,
        cause: "leak".to_owned(),
        facts: [("limit".to_owned(), "2147483648".to_owned())].into(),
    }
}

/// 20,000 services of an instance each, on 1,000 hosts: instances of one service that have the same trouble are one issue.
fn cluster() -> Topology {
    let mut topology = Topology::new(Limits::default());
    for n in 0..OPEN + TIMED {
        let instance = entity(Kind::Instance, n);
        let links = [
            Link::new(instance.clone(), Relation::PartOf, entity(Kind::Service, n)),
            Link::new(
                instance.clone(),
                Relation::RunsOn,
                entity(Kind::Host, n % 1000),
            ),
        ];
        topology.learn(&instance, &links, at(0));
    }
    topology
}

#[expect(clippy::unwrap_used, reason = "a benchmark may panic")]
#[expect(clippy::print_stdout, reason = "the figures are the product")]
fn main() {
    let dir = tempfile::tempdir().unwrap();
    let location = Location::Sqlite(dir.path().join("ledger.sqlite"));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let ledger = runtime
        .block_on(Ledger::open_for_writing(&location))
        .unwrap();
    let parts = Parts {
        settings: Settings {
            phase: Phase::Approve,
            // No storm, and nobody's deadline: those are other things.
            storm_issues: 1_000_000,
            approval_deadline_s: 86_400.0,
            max_issues: OPEN + TIMED,
            ..Settings::default()
        },
        topology: cluster(),
        people: BTreeMap::new(),
        executor: "webhook".to_owned(),
        actions: None,
        seed: 1,
    };
    let mut planner = Planner::new(parts, Memory::default()).unwrap();
    let mut turn = |from: usize, n: usize| {
        let began = Instant::now();
        for i in from..from + n {
            planner
                .observe(at(i as i64 / 2), leak(i, at(i as i64 / 2)))
                .unwrap();
        }
        planner.think();
        let records = planner.take().records;
        runtime.block_on(ledger.commit(&records)).unwrap();
        began.elapsed()
    };
    for from in (0..OPEN).step_by(1000) {
        turn(from, 1000);
    }
    let began = Instant::now();
    let mut turns: Vec<Duration> = (OPEN..OPEN + TIMED)
        .step_by(TURN)
        .map(|from| turn(from, TURN.min(OPEN + TIMED - from)))
        .collect();
    assert_eq!(planner.plans().count(), OPEN + TIMED);
    let per_s = TIMED as f64 / began.elapsed().as_secs_f64();
    turns.sort_unstable();
    println!(
        "findings to plans in the ledger, {OPEN} issues open: {per_s:.0}/s; a turn of {TURN}: p50 {:?}, p99 {:?}, most {:?}",
        turns[turns.len() / 2],
        turns[turns.len() * 99 / 100],
        turns[turns.len() - 1]
    );
}
