//! Whether it helped, and what is done when it did not.

use super::shop::{finding, leak, settings};
use super::world::World;
use crate::issue::{IssueId, IssueState};
use crate::plan::{PlanId, PlanState, Verdict};
use crate::planner::Command;
use crate::strategy::strategy;
use crate::{Class, Finding, Phase, Settings, Source};

/// Approves whatever waits, while something is found, and from the first approval on measured at some level.
fn go_along(world: &mut World, n: usize, finding: &Finding, level: f64) {
    let mut finding = finding.clone();
    for _ in 0..n {
        world.find(finding.clone());
        world.turn(10.0);
        let waits: Vec<PlanId> = {
            let plans = world.ledger.plans.values();
            let waits = plans.filter(|plan| plan.state == PlanState::AwaitingApproval);
            waits.map(|plan| plan.id).collect()
        };
        for plan in waits {
            world.find(finding.clone());
            let _ = world.approve("ada", plan);
            finding.value = level;
        }
    }
}

#[test]
fn what_has_no_effect_is_followed_by_its_fallbacks_and_not_left_standing() {
    let mut world = World::confident(settings(Phase::Approve));
    let burst = finding("service/api", Class::CpuSaturation, "burst", 0.97);
    go_along(&mut world, 400, &burst, 0.97);
    assert_eq!(
        world.actions(),
        [
            "scale service/api from 3 to 5",
            "scale service/api from 5 to 3",
            "refuse 30 % of the requests to service/api",
            "admit load service/api",
        ]
    );
    let plans: Vec<_> = world.ledger.plans.values().collect();
    assert!(
        plans
            .iter()
            .all(|plan| plan.outcome.as_ref().unwrap().verdict == Verdict::NoEffect)
    );
    let fallbacks = strategy(&plans[0].strategy).unwrap().fallbacks;
    assert!(fallbacks.contains(&&*plans[1].strategy));
    assert_eq!(world.issue(1).state, IssueState::Escalated);
    assert!(world.ledger.is_at_rest());
    // It is remembered.
    let failures: f64 = world.ledger.rates.values().map(|rate| rate.failures).sum();
    assert!((failures - 4.0).abs() < 1e-3, "{failures}");
}

#[test]
fn after_three_attempts_without_effect_it_is_for_people() {
    let mut world = World::confident(Settings {
        ask: crate::Bar {
            confidence: 0.01,
            risk: 0.9,
        },
        act: crate::Bar {
            confidence: 0.99,
            risk: 0.1,
        },
        ..settings(Phase::Approve)
    });
    go_along(&mut world, 1300, &leak(), 0.92);
    let verdicts = world
        .ledger
        .plans
        .values()
        .map(|plan| plan.outcome.as_ref().unwrap().verdict);
    assert_eq!(
        verdicts.collect::<Vec<_>>(),
        [Verdict::NoEffect; 3],
        "{:?}",
        world.actions()
    );
    assert_eq!(world.issue(1).state, IssueState::Escalated);
    assert!(
        world.issue(1).note.contains("3 attempts"),
        "{}",
        world.issue(1).note
    );
}

#[test]
fn what_does_harm_is_undone_and_left_to_people() {
    let mut world = World::confident(settings(Phase::Approve));
    let burst = finding("service/gate", Class::CpuSaturation, "burst", 0.90);
    go_along(&mut world, 40, &burst, 1.40);
    assert_eq!(
        world.plan(1).outcome.as_ref().unwrap().verdict,
        Verdict::Harmed
    );
    assert_eq!(world.actions().last().unwrap(), "admit load service/gate");
    assert_eq!(world.issue(1).state, IssueState::Escalated);
    assert_eq!(world.ledger.plans.len(), 1);
}

#[test]
fn without_data_nothing_is_claimed() {
    let mut world = World::confident(settings(Phase::Approve));
    let burst = finding("service/gate", Class::CpuSaturation, "burst", 0.97);
    world.turns(3, 5.0, std::slice::from_ref(&burst));
    world.approve("ada", PlanId(1)).unwrap();
    // Found still, by another signal.
    let mut other = burst;
    other.signal = "another".to_owned();
    world.turns(60, 10.0, &[other]);
    assert_eq!(
        world.plan(1).outcome.as_ref().unwrap().verdict,
        Verdict::NotEnoughData
    );
    assert_eq!(world.issue(1).state, IssueState::Escalated);
}

#[test]
fn what_is_judged_by_the_finding_does_not_mind_the_number_in_it() {
    for (is_gone, expected) in [(true, Verdict::Cured), (false, Verdict::NoEffect)] {
        let mut world = World::confident(settings(Phase::Approve));
        let mut crash = finding("instance/gate-1", Class::ProcessCrash, "", 0.0);
        (crash.unit, crash.threshold) = ("exits".to_owned(), 1.0);
        crash.ttf_s = None;
        world.turns(3, 5.0, std::slice::from_ref(&crash));
        assert_eq!(world.plan(1).effect.unit, "findings");
        world.approve("ada", PlanId(1)).unwrap();
        crash.value = 5.0;
        world.turns(3, 5.0, std::slice::from_ref(&crash));
        if is_gone {
            world.take_back(&crash);
            world.turns(200, 10.0, &[]);
        } else {
            world.turns(200, 10.0, &[crash]);
        }
        assert_eq!(world.plan(1).outcome.as_ref().unwrap().verdict, expected);
    }
}

#[test]
fn a_shadow_is_judged_by_what_came_without_it() {
    let mut world = World::new(settings(Phase::Observe));
    world.turns(3, 5.0, &[leak()]);
    assert_eq!(world.plan(1).state, PlanState::Shadow);
    assert_eq!(world.issue(1).state, IssueState::Open);
    world.take_back(&leak());
    world.turns(2, 5.0, &[]);
    assert_eq!(
        world.plan(1).outcome.as_ref().unwrap().verdict,
        Verdict::Cured
    );
    let mut came = World::new(settings(Phase::Observe));
    came.turns(100, 10.0, &[leak()]);
    assert_eq!(
        came.plan(1).outcome.as_ref().unwrap().verdict,
        Verdict::NoEffect
    );
    assert!(came.got.is_empty() && world.got.is_empty());
    assert!(came.planner.watched().count() <= 1);
}

#[test]
fn a_chronic_shadow_does_not_grow_without_bound() {
    let mut world = World::new(settings(Phase::Observe));
    world.turns(4000, 60.0, &[leak()]);
    assert!(world.ledger.plans.len() > 100);
    assert!(world.issue(1).plans.len() <= 32);
    assert!(world.planner.plans().count() <= 33);
}

#[test]
fn a_control_is_withheld_once_and_not_when_it_becomes_grave() {
    let mut world = World::confident(Settings {
        control_share: 0.5,
        act: crate::Bar {
            confidence: 0.5,
            risk: 0.5,
        },
        ask: crate::Bar {
            confidence: 0.5,
            risk: 0.5,
        },
        ..settings(Phase::Autonomous)
    });
    // It can wait: the end is hours away.
    let mut burst = finding("service/gate", Class::CpuSaturation, "burst", 0.7);
    burst.source = Source::Prediction;
    (burst.probability, burst.probability_day) = (0.3, 0.95);
    burst.ttf_s = Some([20_000.0, 30_000.0, 40_000.0]);
    let mut withheld = 0;
    for _ in 0..30 {
        world.turns(3, 5.0, std::slice::from_ref(&burst));
        let plan = world.ledger.plans.values().last().unwrap();
        if plan.state == PlanState::Withheld {
            withheld += 1;
            break;
        }
        world.take_back(&burst);
        world.turns(30, 10.0, &[]);
        world.pass(3000.0);
    }
    assert_eq!(
        withheld,
        1,
        "{:?}",
        world
            .ledger
            .plans
            .values()
            .map(|plan| plan.state)
            .collect::<Vec<_>>()
    );
    let n_got = world.got.len();
    world.turns(50, 10.0, std::slice::from_ref(&burst));
    assert_eq!(world.got.len(), n_got);
    burst.source = Source::Probe;
    (burst.value, burst.probability) = (0.97, 0.99);
    burst.ttf_s = Some([0.0; 3]);
    world.turns(10, 5.0, &[burst]);
    assert!(
        world.got.len() > n_got,
        "{:?}",
        world.ledger.plans.values().last()
    );
}

#[test]
fn a_person_who_resolves_an_issue_ends_its_plan() {
    let mut world = World::new(settings(Phase::Approve));
    world.turns(3, 5.0, &[leak()]);
    let note = "known".to_owned();
    world
        .ask(
            "olga",
            Command::Resolve {
                issue: IssueId(1),
                note,
            },
        )
        .unwrap();
    assert_eq!(world.plan(1).state, PlanState::Cancelled);
    assert!(world.ledger.is_at_rest());
}
