//! Many things at once.

use super::shop::{finding, leak, settings};
use super::world::World;
use crate::audit::Verifier;
use crate::issue::IssueState;
use crate::planner::Command;
use crate::{Class, Phase, Settings};

#[test]
fn a_storm_becomes_a_handful_of_issues_and_nothing_is_lost() {
    const N: usize = 100_000;
    let mut world = World::new(settings(Phase::Autonomous));
    let began = std::time::Instant::now();
    for i in 0..N {
        let class = [Class::CpuSaturation, Class::MemoryExhaustion][i % 2];
        world.pass(0.001);
        world.find(finding(&format!("host/h{i}"), class, "", 0.95));
        if i % 1000 == 0 {
            world.planner.tick(world.now);
        }
    }
    let batch = world.planner.take();
    println!("a storm of {N} findings took {:?}", began.elapsed());
    assert!(world.planner.issues().count() <= 10);
    assert!(world.planner.storm().is_some());
    assert!(batch.orders.is_empty());
    let n_findings: u64 = world.planner.issues().map(|issue| issue.n_findings).sum();
    let n_entities: u64 = world.planner.issues().map(|issue| issue.n_also + 1).sum();
    assert_eq!((n_findings, n_entities), (N as u64, N as u64));
    let mut verifier = Verifier::default();
    for record in &batch.records {
        if let crate::record::Record::Audit(entry) = record {
            verifier.push(entry).unwrap();
        }
    }
    // All of it is taken back: nothing of it stays.
    for i in 0..N {
        let class = [Class::CpuSaturation, Class::MemoryExhaustion][i % 2];
        world.take_back(&finding(&format!("host/h{i}"), class, "", 0.95));
    }
    for _ in 0..20 {
        world.pass(1000.0);
        world.planner.tick(world.now);
    }
    drop(world.planner.take());
    world.pass(1000.0);
    world.planner.tick(world.now);
    drop(world.planner.take());
    assert_eq!(world.planner.held_things(), [0; 13]);
}

#[test]
fn in_a_storm_nothing_is_done_and_after_it_what_is_left_is_thought_over() {
    let mut world = World::new(settings(Phase::Approve));
    world.turns(3, 5.0, &[leak()]);
    for i in 0..12 {
        world.find(finding(
            &format!("host/h{i}"),
            Class::CpuSaturation,
            "",
            0.95,
        ));
    }
    world.turn(1.0);
    world.restart();
    assert!(world.planner.storm().is_some());
    world.find(leak());
    world.approve("olga", crate::plan::PlanId(1)).unwrap();
    world.turns(5, 10.0, &[leak()]);
    assert!(world.got.is_empty());
    assert!(
        world.plan(1).held.starts_with("storm"),
        "{}",
        world.plan(1).held
    );
    world.turns(5, 10.0, &[leak()]);
    assert_eq!(world.planner.storm(), None);
    assert_eq!(world.got.len(), 4);
    assert_eq!(
        (
            world.ledger.told("storm.began"),
            world.ledger.told("storm.ended")
        ),
        (1, 1)
    );
}

#[test]
fn what_a_person_is_at_work_on_is_not_swept_up() {
    let mut world = World::new(settings(Phase::Approve));
    world.find(finding("host/h0", Class::CpuSaturation, "", 0.95));
    world.turn(1.0);
    let issue = world.issue(1).id;
    let note = "mine".to_owned();
    world
        .ask(
            "olga",
            Command::Reopen {
                issue,
                note: note.clone(),
            },
        )
        .unwrap();
    world
        .ask("olga", Command::Acknowledge { issue, note })
        .unwrap();
    for i in 1..15 {
        world.find(finding(
            &format!("host/h{i}"),
            Class::CpuSaturation,
            "",
            0.95,
        ));
    }
    world.turn(1.0);
    assert_eq!(world.issue(1).n_also, 0);
    assert_eq!(world.live().len(), 2);
}

#[test]
fn a_report_that_names_many_holes_is_no_storm() {
    let mut world = World::new(settings(Phase::Approve));
    for i in 0..60 {
        let class = [Class::Vulnerability, Class::CertificateExpiry][i % 2];
        world.find(finding(&format!("host/h{i}"), class, "", 9.8));
    }
    world.turn(1.0);
    assert_eq!(world.planner.storm(), None);
    assert_eq!(world.live().len(), 60);
}

#[test]
fn what_there_is_no_room_for_is_counted() {
    let mut world = World::new(Settings {
        max_issues: 20,
        storm_issues: 1000,
        ..settings(Phase::Approve)
    });
    for i in 0..50 {
        world.find(finding(
            &format!("host/h{i}"),
            Class::CpuSaturation,
            "",
            0.95,
        ));
    }
    world.turn(1.0);
    assert_eq!(
        (world.live().len(), world.planner.counts().refused),
        (20, 30)
    );
    assert!(
        world
            .states()
            .iter()
            .all(|state| *state != IssueState::Resolved)
    );
}
