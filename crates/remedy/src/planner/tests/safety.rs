//! What holds a plan, and for how long.

use super::shop::{finding, leak, settings};
use super::world::World;
use crate::guard::window::{Freeze, Window};
use crate::issue::IssueState;
use crate::plan::{PlanId, PlanState};
use crate::planner::Command;
use crate::{Class, Phase, Settings};

/// Half an hour after the world began, and an hour after that.
fn freeze(allow_critical: bool) -> Freeze {
    Freeze {
        from: "2026-11-26T12:00:00Z".parse().unwrap(),
        to: "2026-11-26T12:30:00Z".parse().unwrap(),
        reason: "a sale".to_owned(),
        allow_critical,
    }
}

fn brake(reason: &str) -> Command {
    Command::Brake {
        reason: reason.to_owned(),
    }
}

fn release(reason: &str) -> Command {
    Command::Release {
        reason: reason.to_owned(),
    }
}

#[test]
fn a_freeze_holds_what_was_approved_until_it_ends() {
    let mut world = World::new(Settings {
        freezes: vec![freeze(false)],
        ..settings(Phase::Approve)
    });
    world.turns(3, 5.0, &[leak()]);
    world.approve("ada", PlanId(1)).unwrap();
    world.turns(170, 10.0, &[leak()]);
    assert!(world.got.is_empty());
    assert!(
        world.plan(1).held.contains("freeze: a sale"),
        "{}",
        world.plan(1).held
    );
    world.turns(20, 10.0, &[leak()]);
    assert_eq!(world.got.len(), 4);
}

#[test]
fn a_freeze_that_lets_critical_ones_pass_does_so_when_approved() {
    let mut critical = leak();
    critical.ttf_s = Some([0.0; 3]);
    let mut world = World::new(Settings {
        freezes: vec![freeze(true)],
        ..settings(Phase::Approve)
    });
    world.turns(3, 5.0, std::slice::from_ref(&critical));
    let severity = world.issue(1).severity;
    world.find(critical);
    world.approve("ada", PlanId(1)).unwrap();
    world.turn(1.0);
    assert_eq!(
        world.got.is_empty(),
        severity < crate::issue::Severity::Critical
    );
}

#[test]
fn what_was_held_until_its_window_had_closed_waits_for_the_next() {
    let mut slow = finding("volume/db-1:/data", Class::DiskExhaustion, "growth", 0.9);
    slow.source = crate::Source::Prediction;
    (slow.probability, slow.probability_day) = (0.1, 0.99);
    slow.ttf_s = Some([170_000.0, 180_000.0, 190_000.0]);
    // The window is open when the world begins, for a quarter of an hour.
    let window = Window {
        days: Vec::new(),
        from: "11:00".parse().unwrap(),
        to: "12:15".parse().unwrap(),
    };
    let mut world = World::confident(Settings {
        windows: vec![window],
        ..settings(Phase::Approve)
    });
    world.turns(3, 5.0, std::slice::from_ref(&slow));
    world.ask("olga", brake("wait")).unwrap();
    world.approve("ada", PlanId(1)).unwrap();
    world.turns(90, 10.0, std::slice::from_ref(&slow));
    world.ask("ada", release("go on")).unwrap();
    world.turns(30, 10.0, std::slice::from_ref(&slow));
    assert!(world.got.is_empty(), "{:?}", world.actions());
    assert_eq!(world.plan(1).state, PlanState::Scheduled);
    world.turns(8300, 10.0, &[slow]);
    assert!(!world.got.is_empty());
}

#[test]
fn what_can_wait_is_scheduled_for_the_first_window_outside_of_freezes() {
    let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap();
    let window = Window {
        days: Vec::new(),
        from: "02:00".parse().unwrap(),
        to: "04:00".parse().unwrap(),
    };
    let freeze = |from: &str, to: &str| Freeze {
        from: at(from),
        to: at(to),
        reason: "a sale".to_owned(),
        allow_critical: false,
    };
    let settings = Settings {
        windows: vec![window],
        freezes: vec![
            freeze("2026-11-28T00:00:00Z", "2026-11-29T03:00:00Z"),
            freeze("2026-11-26T00:00:00Z", "2026-11-28T01:00:00Z"),
        ],
        ..settings(Phase::Approve)
    };
    let opening = settings.next_opening(World::new(settings.clone()).now);
    let expected = at("2026-11-29T03:00:00Z").as_microsecond();
    assert_eq!(opening.micros(), expected);
}

#[test]
fn the_brake_holds_everything_survives_a_restart_and_is_released_by_an_owner() {
    let mut world = World::new(settings(Phase::Approve));
    world.turns(3, 5.0, &[leak()]);
    assert!(world.ask("olga", brake("")).is_err());
    world.ask("olga", brake("something is odd")).unwrap();
    world.approve("olga", PlanId(1)).unwrap();
    world.turns(5, 5.0, &[leak()]);
    world.restart();
    world.turns(5, 5.0, &[leak()]);
    assert!(world.got.is_empty());
    assert!(world.ask("olga", release("all is well")).is_err());
    assert!(world.ask("mallory", release("all is well")).is_err());
    world.ask("owen", release("all is well")).unwrap();
    world.turns(2, 5.0, &[leak()]);
    assert_eq!(world.got.len(), 4);
}

#[test]
fn whoever_brakes_what_is_braked_adds_a_reason() {
    let mut world = World::new(settings(Phase::Approve));
    world.ask("olga", brake("a deploy")).unwrap();
    world.ask("owen", brake("a sale")).unwrap();
    let engaged = world.planner.brake().clone();
    assert_eq!(
        (&*engaged.who, &*engaged.reason),
        ("olga", "a deploy; owen: a sale")
    );
    for _ in 0..100 {
        world.ask("owen", brake(&"again ".repeat(100))).unwrap();
    }
    assert!(world.planner.brake().reason.len() < 4096);
    world.ask("ada", release("all is well")).unwrap();
    assert!(!world.planner.brake().is_engaged);
}

#[test]
fn nothing_is_done_on_old_data() {
    let mut world = World::new(settings(Phase::Approve));
    world.turns(3, 5.0, &[leak()]);
    // A consequence is still heard of, the leak itself is not.
    let late = finding("service/api", Class::NetworkLatency, "", 0.9);
    world.turns(20, 10.0, std::slice::from_ref(&late));
    assert_eq!(world.live().len(), 1);
    world.approve("olga", PlanId(1)).unwrap();
    world.turns(3, 10.0, &[late]);
    assert!(world.got.is_empty());
    assert!(
        world.plan(1).held.contains("data age"),
        "{}",
        world.plan(1).held
    );
    world.turns(2, 5.0, &[leak()]);
    assert_eq!(world.got.len(), 4);
}

#[test]
fn what_is_not_so_any_more_is_not_mended_and_wakes_nobody() {
    let mut world = World::new(settings(Phase::Approve));
    world.turns(3, 5.0, &[leak()]);
    // Its consequence is still there.
    world.find(finding("service/api", Class::NetworkLatency, "", 0.9));
    world.take_back(&leak());
    world.write();
    let _ = world.approve("olga", PlanId(1));
    world.turn(5.0);
    assert!(world.got.is_empty());
    assert_ne!(world.issue(1).state, IssueState::Escalated);
}

#[test]
fn a_phase_that_was_lowered_holds_even_what_was_begun() {
    let mut world = World::new(settings(Phase::Approve));
    world.turns(3, 5.0, &[leak()]);
    world.approve("olga", PlanId(1)).unwrap();
    world.deliver();
    world.parts.settings.phase = Phase::Propose;
    world.restart();
    world.turn(1.0);
    assert_eq!(world.got.len(), 1);
    assert_eq!(world.plan(1).state, PlanState::Stuck);
    assert_eq!(world.issue(1).state, IssueState::Escalated);
}

#[test]
fn in_phase_propose_only_the_dry_run_gets_orders() {
    let mut world = World::new(settings(Phase::Propose));
    world.turns(3, 5.0, &[leak()]);
    world.approve("olga", PlanId(1)).unwrap();
    world.turn(1.0);
    assert!(
        world
            .got
            .iter()
            .all(|(_, executor, _)| executor == "dry_run")
    );
    assert_eq!(world.got.len(), 4);
    assert_eq!(world.plan(1).state, PlanState::Shadow);
    assert!(world.ledger.actions.is_empty());
}

#[test]
fn actions_on_one_service_count_together_whichever_instance_they_are_for() {
    let mut world = World::confident(Settings {
        actions_per_target: 1,
        ..settings(Phase::Approve)
    });
    for instance in ["instance/gate-1", "service/gate"] {
        let burst = finding(instance, Class::CpuSaturation, "burst", 0.97);
        world.turns(4, 5.0, std::slice::from_ref(&burst));
        let last = world.ledger.plans.keys().last().copied().unwrap();
        world.approve("ada", last).unwrap();
        world.turn(1.0);
        world.take_back(&burst);
        world.turns(20, 10.0, &[]);
    }
    let on_gate = world
        .got
        .iter()
        .filter(|(_, _, order)| order.action.target().as_str() == "service/gate");
    assert_eq!(on_gate.count(), 1);
}

#[test]
fn fences_of_one_service_rise_whichever_issue_an_order_is_for() {
    let mut world = World::confident(settings(Phase::Approve));
    let mut seen = 0;
    for entity in ["instance/gate-1", "service/gate", "instance/gate-1"] {
        let burst = finding(entity, Class::CpuSaturation, "burst", 0.97);
        world.turns(3, 5.0, std::slice::from_ref(&burst));
        let last = world.ledger.plans.keys().last().copied().unwrap();
        world.approve("ada", last).unwrap();
        world.turn(1.0);
        world.take_back(&burst);
        world.turns(120, 10.0, &[]);
    }
    for (_, _, order) in &world.got {
        assert!(order.fence >= seen, "{order:?}");
        seen = order.fence;
    }
    assert!(world.got.len() >= 4, "{:?}", world.actions());
}

#[test]
fn attempts_are_counted_over_restarts() {
    let mut world = World::new(Settings {
        attempts: 1,
        ..settings(Phase::Approve)
    });
    world.turns(3, 5.0, &[leak()]);
    world.approve("olga", PlanId(1)).unwrap();
    world.turns(2, 1.0, &[leak()]);
    world.restart();
    world.turns(250, 10.0, &[leak()]);
    assert_eq!(world.issue(1).state, IssueState::Escalated);
    assert_eq!(world.ledger.plans.len(), 1);
    let plan = Command::Plan {
        issue: world.issue(1).id,
    };
    let why = world.ask("olga", plan).unwrap_err().to_string();
    assert!(why.contains("no plan for i1"), "{why}");
}
