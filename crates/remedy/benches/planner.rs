//! What it costs to come from a finding to a plan while 10,000 issues are open, and to let a second pass.
//!
//! Twelve thousand services of an instance each, on a thousand hosts: of services with more, those that have the same trouble
//! would be one issue. All issues are of instances that leak, so that each has a plan that waits for approval, which is the
//! dearest state: it is asked again and again what speaks against it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use remedy::planner::{Parts, Planner};
use remedy::record::Memory;
use remedy::topology::{Limits, Link, Relation, Topology};
use remedy::{Class, EntityId, Finding, Kind, Phase, Settings, Source};
use series::Timestamp;

const SERVICES: usize = 12_000;
const HOSTS: usize = 1_000;
const OPEN: usize = 10_000;
/// Findings that are timed one by one.
const TIMED: usize = 2_000;

fn entity(kind: Kind, n: usize) -> EntityId {
    #[expect(clippy::unwrap_used, reason = "the name is sound")]
    EntityId::new(kind, &n.to_string()).unwrap()
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(1_795_694_400_000 + ms)
}

fn cluster() -> Topology {
    let mut topology = Topology::new(Limits::default());
    for n in 0..SERVICES {
        let instance = entity(Kind::Instance, n);
        let service = entity(Kind::Service, n);
        let host = entity(Kind::Host, n % HOSTS);
        let links = [
            Link::new(instance.clone(), Relation::PartOf, service.clone()),
            Link::new(instance.clone(), Relation::RunsOn, host),
            // Ten services depend on one of them.
            Link::new(
                service,
                Relation::DependsOn,
                entity(Kind::Service, n / 10 * 10),
            ),
        ];
        topology.learn(&instance, &links, at(0));
    }
    topology
}

fn leak(n: usize, now: Timestamp) -> Finding {
    Finding {
        entity: entity(Kind::Instance, n),
        class: Class::MemoryExhaustion,
        source: Source::Probe,
        is_present: true,
        at: now,
        signal: format!("container_memory_working_set_bytes{{pod=\"{n}\"}}"),
        value: 0.92,
        threshold: 0.9,
        unit: "ratio".to_owned(),
        probability: 0.97,
        probability_day: 0.99,
        ttf_s: Some([600.0, 1200.0, 2400.0]),
        confidence: 1.0,
        cause: "leak".to_owned(),
        facts: [("limit".to_owned(), "2147483648".to_owned())].into(),
    }
}

/// A planner with so many open issues, each with a plan. No storm: that is another thing.
fn busy(n: usize) -> Planner {
    let parts = Parts {
        settings: Settings {
            phase: Phase::Approve,
            storm_issues: 1_000_000,
            approval_deadline_s: 86_400.0,
            ..Settings::default()
        },
        topology: cluster(),
        people: BTreeMap::new(),
        executor: "webhook".to_owned(),
        actions: None,
        seed: 1,
    };
    #[expect(clippy::unwrap_used, reason = "the settings are sound")]
    let mut planner = Planner::new(parts, Memory::default()).unwrap();
    for i in 0..n {
        found(&mut planner, i, at(i as i64 / 10));
    }
    planner
}

/// A finding, the plan that follows, and what is to be written down of it.
fn found(planner: &mut Planner, n: usize, now: Timestamp) -> usize {
    #[expect(clippy::unwrap_used, reason = "the finding is sound")]
    planner.observe(now, leak(n, now)).unwrap();
    planner.think();
    planner.take().records.len()
}

#[expect(clippy::print_stdout, reason = "the figures are the product")]
fn quantiles(_: &mut Criterion) {
    let mut planner = busy(OPEN);
    let began = Instant::now();
    let mut took: Vec<Duration> = (0..TIMED)
        .map(|i| {
            let one = Instant::now();
            assert!(found(&mut planner, OPEN + i, at(2_000)) > 0);
            one.elapsed()
        })
        .collect();
    let per_s = TIMED as f64 / began.elapsed().as_secs_f64();
    took.sort_unstable();
    println!(
        "from a finding to its plan, {OPEN} issues open: p50 {:?}, p99 {:?}, most {:?}; {per_s:.0}/s",
        took[TIMED / 2],
        took[TIMED * 99 / 100],
        took[TIMED - 1]
    );
    assert_eq!(planner.plans().count(), OPEN + TIMED);
    let again = Instant::now();
    for i in 0..OPEN {
        found(&mut planner, i, at(3_000));
    }
    let per_s = OPEN as f64 / again.elapsed().as_secs_f64();
    println!("the same findings again: {per_s:.0}/s");
    let mut turns: Vec<Duration> = (0..20)
        .map(|i| {
            let one = Instant::now();
            planner.tick(at(4_000 + 1_000 * i));
            drop(planner.take());
            one.elapsed()
        })
        .collect();
    turns.sort_unstable();
    println!(
        "a turn with {} plans waiting: p50 {:?}, most {:?}",
        OPEN + TIMED,
        turns[10],
        turns[19]
    );
}

fn storm(c: &mut Criterion) {
    let mut group = c.benchmark_group("planner");
    group.sample_size(10);
    group.bench_function("storm of 100,000 findings", |b| {
        b.iter(|| {
            let parts = Parts {
                settings: Settings::default(),
                topology: Topology::default(),
                people: BTreeMap::new(),
                executor: "webhook".to_owned(),
                actions: None,
                seed: 1,
            };
            #[expect(clippy::unwrap_used, reason = "the settings are sound")]
            let mut planner = Planner::new(parts, Memory::default()).unwrap();
            for i in 0..100_000 {
                found(&mut planner, i, at(i as i64 / 100));
            }
            assert!(planner.issues().count() <= 10);
        });
    });
    group.finish();
}

criterion_group!(benches, quantiles, storm);
criterion_main!(benches);
