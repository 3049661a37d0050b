//! Promises that can be broken by what happens between a decision and its order: a brake, a restart, a storm, an executor that
//! is away, others at work, a world that has changed.

use super::ledger::Ledger;
use super::shop::{finding, id, leak, settings};
use super::world::{Conduct, World};
use crate::issue::IssueId;
use crate::order::Answer;
use crate::plan::{PlanId, PlanState, Verdict};
use crate::planner::Command;
use crate::topology::{Link, Relation, Topology};
use crate::{Bar, Class, Finding, Phase, Settings, Source};

fn topology(declared: serde_json::Value) -> Topology {
    Topology::from_declared(&serde_json::from_value(declared).unwrap()).unwrap()
}

fn brake() -> Command {
    Command::Brake {
        reason: "something is odd".to_owned(),
    }
}

fn release() -> Command {
    Command::Release {
        reason: "all is well".to_owned(),
    }
}

fn burst(entity: &str) -> Finding {
    finding(entity, Class::CpuSaturation, "burst", 0.97)
}

/// How many orders of a kind went out.
fn count(world: &World, action: &str) -> usize {
    let all = world.got.iter();
    all.filter(|(_, _, order)| order.action.name() == action)
        .count()
}

#[test]
fn a_brake_in_the_turn_of_an_approval_keeps_its_order() {
    let mut world = World::new(settings(Phase::Approve));
    world.turns(3, 5.0, &[leak()]);
    let approve = Command::Approve {
        plan: PlanId(1),
        reason: String::new(),
    };
    let now = world.now;
    world.planner.command(now, "olga", &approve).unwrap();
    world.planner.command(now, "olga", &brake()).unwrap();
    world.write();
    assert!(world.got.is_empty());
    assert_eq!(world.plan(1).state, PlanState::Scheduled);
    world.turns(2, 5.0, &[leak()]);
    assert!(world.got.is_empty());
    world.ask("ada", release()).unwrap();
    world.turns(1, 5.0, &[leak()]);
    assert_eq!(world.got.len(), 4);
}

#[test]
fn an_order_that_took_too_long_to_be_written_is_decided_anew() {
    let mut world = World::new(settings(Phase::Approve));
    world.turns(3, 5.0, &[leak()]);
    world.approve("olga", PlanId(1)).unwrap();
    let (_, order) = world.sent.pop().unwrap();
    let late = world.now.plus_micros(61_000_000);
    assert_eq!(world.planner.against_sending(world.now, &order), None);
    let said = world.planner.against_sending(late, &order).unwrap();
    assert_eq!(said, "it was decided 61 s ago");
    // By then the data are too old.
    world.pass(300.0);
    world
        .planner
        .answered(&order.key, &Answer::NotSent { said });
    world.write();
    world.turn(1.0);
    assert_eq!(world.got.len(), 1);
    assert!(
        world.plan(1).held.contains("data age"),
        "{}",
        world.plan(1).held
    );
}

#[test]
fn an_undo_waits_for_an_executor_that_is_away() {
    let mut world = World::new(settings(Phase::Approve));
    world.turns(3, 5.0, &[leak()]);
    world.find(leak());
    world.approve("olga", PlanId(1)).unwrap();
    for _ in 0..2 {
        world.deliver();
        world.answer();
    }
    // The restart fails, and then nobody answers any more.
    world
        .planner
        .set_unavailable(Some("its last 5 requests failed".to_owned()));
    world.conduct = Conduct::Fails;
    world.turn(1.0);
    assert_eq!(world.plan(1).state, PlanState::Undoing);
    assert_eq!(count(&world, "undrain"), 0);
    world.planner.set_unavailable(None);
    world.conduct = Conduct::Does;
    world.turns(2, 10.0, &[leak()]);
    assert_eq!(count(&world, "undrain"), 1);
    assert_eq!(world.plan(1).state, PlanState::RolledBack);
}

#[test]
fn an_undo_that_nobody_heard_of_is_ordered_with_the_next_turn_and_not_before() {
    let mut world = World::new(settings(Phase::Approve));
    world.turns(3, 5.0, &[leak()]);
    world.find(leak());
    world.approve("olga", PlanId(1)).unwrap();
    let cancel = Command::Cancel {
        plan: PlanId(1),
        reason: "not that one".to_owned(),
    };
    world.ask("olga", cancel).unwrap();
    world.deliver();
    world.answer();
    let (_, undo) = world.sent.pop().unwrap();
    assert_eq!(undo.action.name(), "undrain");
    let said = "its last 5 requests failed".to_owned();
    world.planner.answered(&undo.key, &Answer::NotSent { said });
    world.write();
    assert_eq!(count(&world, "undrain"), 1);
    world.turn(1.0);
    assert_eq!(count(&world, "undrain"), 2);
    assert_eq!(world.plan(1).state, PlanState::RolledBack);
    assert_ne!(world.got.last().unwrap().2.key, undo.key);
}

#[test]
fn what_has_crashed_is_away_too() {
    let pair = topology(serde_json::json!({
        "services": [{ "name": "api", "tier": 2, "instances": ["api-1", "api-2"] }],
    }));
    let mut world = World::with(settings(Phase::Approve), Ledger::default(), pair);
    world.believe();
    let mut crash = finding("instance/api-1", Class::ProcessCrash, "", 5.0);
    crash.source = Source::Rule;
    crash.ttf_s = Some([0.0; 3]);
    let mut leak = leak();
    leak.entity = id("instance/api-2");
    world.turns(3, 5.0, std::slice::from_ref(&crash));
    world.turns(3, 5.0, &[crash.clone(), leak.clone()]);
    let plans = world.ledger.plans.values();
    let of_leak = plans.filter(|plan| plan.entity == leak.entity);
    for plan in of_leak.map(|plan| plan.id).collect::<Vec<_>>() {
        let _ = world.approve("ada", plan);
    }
    world.turns(1, 1.0, &[crash, leak]);
    assert_eq!(count(&world, "drain"), 0, "{:?}", world.actions());
}

#[test]
fn a_host_and_an_instance_elsewhere_are_not_drained_together() {
    let two_hosts = topology(serde_json::json!({
        "services": [{ "name": "api", "tier": 2, "instances": ["api-1", "api-2"] }],
        "instances": [{ "name": "api-1", "runs_on": ["web-1"] }, { "name": "api-2", "runs_on": ["web-2"] }],
        "hosts": [
            { "name": "web-1", "attributes": { "pool_hosts": "2" } },
            { "name": "web-2", "attributes": { "pool_hosts": "2" } },
        ],
    }));
    let mut world = World::with(settings(Phase::Approve), Ledger::default(), two_hosts);
    world.believe();
    let of = |entity: &str| finding(entity, Class::MemoryExhaustion, "leak", 0.92);
    let both = [of("host/web-1"), of("instance/api-2")];
    world.turns(3, 5.0, &both);
    both.iter().for_each(|leak| world.find(leak.clone()));
    let plans: Vec<_> = world.ledger.plans.keys().copied().collect();
    assert_eq!(plans.len(), 2);
    for plan in plans {
        let _ = world.approve("ada", plan);
    }
    assert_eq!(count(&world, "drain"), 1, "{:?}", world.actions());
}

#[test]
fn a_storm_outlives_a_restart_however_long_it_has_lasted() {
    let mut world = World::new(settings(Phase::Approve));
    world.turns(3, 5.0, &[leak()]);
    let busy = |host: String| finding(&format!("host/{host}"), Class::CpuSaturation, "", 0.95);
    (0..12).for_each(|i| world.find(busy(format!("a{i}"))));
    world.turns(1, 1.0, &[leak()]);
    world.approve("olga", PlanId(1)).unwrap();
    for n in 0..15 {
        (0..4).for_each(|i| world.find(busy(format!("b{n}-{i}"))));
        world.turns(1, 10.0, &[leak()]);
    }
    world.restart();
    assert!(world.planner.storm().is_some());
    world.find(busy("again".to_owned()));
    world.turns(2, 1.0, &[leak()]);
    assert!(world.got.is_empty(), "{:?}", world.actions());
    // It ends as any other does.
    world.turns(13, 5.0, &[leak()]);
    assert_eq!(world.planner.storm(), None);
    let issues = world.ledger.issues.values();
    assert!(issues.into_iter().all(|issue| issue.storm.is_none()));
}

#[test]
fn what_was_allowed_as_a_dry_run_is_asked_for_again_in_earnest() {
    let mut world = World::new(settings(Phase::Propose));
    world.turns(3, 5.0, &[leak()]);
    world.ask("olga", brake()).unwrap();
    world.approve("olga", PlanId(1)).unwrap();
    world.parts.settings.phase = Phase::Approve;
    world.restart();
    world.turns(2, 5.0, &[leak()]);
    world.ask("ada", release()).unwrap();
    world.turns(2, 5.0, &[leak()]);
    assert!(world.got.is_empty(), "{:?}", world.actions());
    assert_eq!(world.plan(1).state, PlanState::AwaitingApproval);
    world.approve("olga", PlanId(1)).unwrap();
    assert_eq!(world.got[0].1, "webhook");
}

#[test]
fn what_was_allowed_is_asked_for_again_when_it_starts_from_something_else() {
    let mut world = World::confident(settings(Phase::Approve));
    let burst = burst("service/api");
    world.turns(3, 5.0, std::slice::from_ref(&burst));
    world.ask("olga", brake()).unwrap();
    world.approve("olga", PlanId(1)).unwrap();
    for i in 4..=8 {
        let instance = id(&format!("instance/api-{i}"));
        let link = Link::new(instance.clone(), Relation::PartOf, id("service/api"));
        world.planner.topology.learn(&instance, &[link], world.now);
    }
    world.turns(3, 10.0, std::slice::from_ref(&burst));
    world.ask("ada", release()).unwrap();
    world.turns(1, 1.0, std::slice::from_ref(&burst));
    // From three to five would be fewer than there are by now.
    assert!(world.got.is_empty(), "{:?}", world.actions());
    assert_eq!(world.plan(1).state, PlanState::Cancelled);
    assert!(world.plan(1).held.contains("has changed"));
    world.turns(1, 1.0, std::slice::from_ref(&burst));
    assert_eq!(world.plan(2).state, PlanState::AwaitingApproval);
}

#[test]
fn load_that_was_shed_is_admitted_when_its_issue_becomes_part_of_another() {
    let declared = serde_json::json!({
        "services": [{
            "name": "gate", "tier": 2, "instances": ["gate-1"],
            "attributes": { "sheddable": "0.5" }, "depends_on": ["database/orders"],
        }],
        "hosts": [{ "name": "db-1" }],
        "databases": [{ "name": "orders", "runs_on": ["db-1"] }],
    });
    let easy = Bar {
        confidence: 0.01,
        risk: 0.9,
    };
    let settings = Settings {
        ask: easy,
        act: Bar {
            confidence: 0.99,
            ..easy
        },
        ..settings(Phase::Approve)
    };
    let mut world = World::with(settings, Ledger::default(), topology(declared));
    world.believe();
    let mut late = finding("service/gate", Class::NetworkLatency, "burst", 0.97);
    late.source = Source::Rule;
    world.turns(3, 5.0, std::slice::from_ref(&late));
    world.find(late.clone());
    world.approve("ada", PlanId(1)).unwrap();
    world.turn(1.0);
    assert_eq!(count(&world, "shed_load"), 1);
    late.value = 0.70;
    world.turns(14, 10.0, std::slice::from_ref(&late));
    let mut slow = finding("database/orders", Class::SlowQueries, "", 9.0);
    slow.source = Source::Rule;
    world.turns(1, 1.0, std::slice::from_ref(&slow));
    assert_eq!(world.issue(1).part_of, Some(IssueId(2)));
    world.turns(2, 1.0, &[]);
    assert_eq!(count(&world, "admit_load"), 1);
}

#[test]
fn what_fell_by_itself_before_it_began_is_not_its_effect() {
    let mut world = World::confident(settings(Phase::Approve));
    let mut burst = burst("service/gate");
    world.turns(3, 5.0, std::slice::from_ref(&burst));
    world.ask("olga", brake()).unwrap();
    world.approve("olga", PlanId(1)).unwrap();
    burst.value = 0.86;
    world.turns(60, 10.0, std::slice::from_ref(&burst));
    world.ask("ada", release()).unwrap();
    world.turns(30, 10.0, std::slice::from_ref(&burst));
    let outcome = world.plan(1).outcome.clone().unwrap();
    assert_eq!(outcome.verdict, Verdict::NoEffect, "{}", outcome.because);
}

#[test]
fn nothing_is_learned_when_a_person_ends_an_issue_before_it_was_measured() {
    let mut world = World::confident(settings(Phase::Approve));
    let burst = burst("service/gate");
    world.turns(3, 5.0, std::slice::from_ref(&burst));
    world.approve("olga", PlanId(1)).unwrap();
    world.turns(3, 10.0, std::slice::from_ref(&burst));
    let resolve = Command::Resolve {
        issue: IssueId(1),
        note: "seen to".to_owned(),
    };
    let before = world.ledger.rates.clone();
    world.ask("olga", resolve).unwrap();
    world.turns(30, 10.0, &[]);
    let outcome = world.plan(1).outcome.as_ref().unwrap();
    assert_eq!(outcome.verdict, Verdict::NotEnoughData);
    assert_eq!(world.ledger.rates, before);
    assert_eq!(count(&world, "admit_load"), 1);
}

#[test]
fn what_comes_back_again_and_again_was_not_cured_and_is_left_to_people() {
    let mut world = World::new(settings(Phase::Approve));
    for _ in 0..12 {
        world.turns(4, 5.0, &[leak()]);
        world.find(leak());
        let plans = world.ledger.plans.values();
        let waits = plans.filter(|plan| plan.state == PlanState::AwaitingApproval);
        for plan in waits.map(|plan| plan.id).collect::<Vec<_>>() {
            let _ = world.approve("ada", plan);
        }
        world.turn(1.0);
        world.take_back(&leak());
        world.turns(70, 10.0, &[]);
    }
    let came_back = world.ledger.plans.values().filter(|plan| plan.came_back);
    assert!(came_back.count() >= 3);
    // Three attempts within four hours, and no more.
    assert_eq!(count(&world, "restart"), 3, "{:?}", world.states());
    let failures: f64 = world.ledger.rates.values().map(|rate| rate.failures).sum();
    assert!(failures > 0.0);
}

#[test]
fn after_a_long_restart_the_executor_is_heard_before_an_order_counts_as_lost() {
    let mut world = World::new(settings(Phase::Approve));
    world.turns(3, 5.0, &[leak()]);
    world.find(leak());
    world.approve("olga", PlanId(1)).unwrap();
    world.deliver();
    world.restart();
    world.pass(1000.0);
    // The first tick comes at once, the answer over the network a little later.
    let now = world.now;
    world.planner.tick(now);
    world.write();
    world.answer();
    world.turn(1.0);
    assert_ne!(world.plan(1).state, PlanState::Stuck);
}
