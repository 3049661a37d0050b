//! What is decided, and that it can be decided again.

use super::shop::{finding, leak, settings};
use super::world::World;
use crate::decision::{self, ReplayError};
use crate::guard::policy::{Effect, PolicySource};
use crate::issue::IssueState;
use crate::plan::PlanState;
use crate::{Bar, Class, Phase, Settings};

fn policy(effect: Effect, expression: &str) -> PolicySource {
    PolicySource {
        name: "business".to_owned(),
        effect,
        expression: expression.to_owned(),
        reason: "we said so".to_owned(),
    }
}

#[test]
fn what_was_recorded_is_decided_again_to_the_byte_and_what_was_changed_is_told() {
    let mut world = World::new(settings(Phase::Approve));
    world.turns(3, 5.0, &[leak()]);
    let record = world.ledger.decisions[0].clone();
    decision::replay(&record).unwrap();
    let mut changed = record.clone();
    changed.input = changed.input.replace("0.92", "0.93");
    let error = decision::replay(&changed).unwrap_err();
    assert!(
        matches!(
            error,
            ReplayError::Changed {
                what: "the input",
                ..
            }
        ),
        "{error}"
    );
    changed.input_hash = crate::audit::Hash::of(changed.input.as_bytes());
    let error = decision::replay(&changed).unwrap_err();
    assert!(matches!(error, ReplayError::Otherwise { .. }), "{error}");
    // The audit holds the hashes.
    let told = world
        .ledger
        .audit
        .iter()
        .find(|entry| entry.kind == "decision.made")
        .unwrap();
    assert!(told.body.contains(&record.input_hash.to_string()));
    assert!(told.body.contains(&record.output_hash.to_string()));
}

#[test]
fn confidence_and_risk_decide_whether_it_acts_asks_or_escalates() {
    let check = |act: f64, ask: f64, expected: IssueState, n_orders: usize| {
        let bar = |confidence| Bar {
            confidence,
            risk: 0.9,
        };
        let mut world = World::confident(Settings {
            act: bar(act),
            ask: bar(ask),
            ..settings(Phase::Autonomous)
        });
        let burst = finding("service/gate", Class::CpuSaturation, "burst", 0.97);
        world.turns(4, 5.0, &[burst]);
        assert_eq!(
            (world.issue(1).state, world.got.len()),
            (expected, n_orders)
        );
    };
    check(0.3, 0.3, IssueState::Verifying, 1);
    check(0.99, 0.3, IssueState::Planned, 0);
    check(0.99, 0.99, IssueState::Escalated, 0);
}

#[test]
fn what_became_surer_after_it_was_left_to_people_is_thought_over() {
    let mut world = World::new(settings(Phase::Approve));
    let mut vague = leak();
    vague.confidence = 0.5;
    world.turns(3, 5.0, &[vague]);
    assert_eq!(world.issue(1).state, IssueState::Escalated);
    world.turns(3, 5.0, &[leak()]);
    assert_eq!(world.plan(1).state, PlanState::AwaitingApproval);
}

/// How a burst at a service ends under a policy, and how many orders came of it.
fn under_policy(effect: Effect, expression: &str, zone: &str) -> (IssueState, usize) {
    let easy = Bar {
        confidence: 0.3,
        risk: 0.9,
    };
    let mut world = World::confident(Settings {
        policies: vec![policy(effect, expression)],
        time_zone: zone.parse().unwrap(),
        act: easy,
        ask: easy,
        ..settings(Phase::Autonomous)
    });
    let burst = finding("service/gate", Class::CpuSaturation, "burst", 0.97);
    world.turns(4, 5.0, &[burst]);
    (world.issue(1).state, world.got.len())
}

#[test]
fn a_policy_denies_or_wants_a_person_and_one_that_cannot_be_asked_holds() {
    let run = |effect, expression| under_policy(effect, expression, "UTC");
    assert_eq!(
        run(Effect::Deny, "entity.tier == 1"),
        (IssueState::Verifying, 1)
    );
    assert_eq!(
        run(Effect::Deny, "entity.tier == 2"),
        (IssueState::Escalated, 0)
    );
    assert_eq!(
        run(Effect::RequireApproval, "at.weekday == 4"),
        (IssueState::Planned, 0)
    );
    assert_eq!(
        run(Effect::Deny, "entity.attributes.none == '1'"),
        (IssueState::Planned, 0)
    );
}

#[test]
fn a_policy_reads_the_clock_of_the_zone() {
    let run = |zone, expression| under_policy(Effect::RequireApproval, expression, zone).1;
    // The world begins at noon, UTC.
    let (noon, evening) = ("at.hour == 12", "at.hour == 21");
    assert_eq!((run("UTC", noon), run("UTC", evening)), (0, 1));
    assert_eq!(
        (run("Asia/Tokyo", noon), run("Asia/Tokyo", evening)),
        (1, 0)
    );
}

#[test]
fn what_is_left_to_people_is_never_planned_for() {
    let mut world = World::new(Settings {
        hands_off: vec![Class::MemoryExhaustion],
        ..settings(Phase::Autonomous)
    });
    world.turns(40, 10.0, &[leak()]);
    assert_eq!(
        (world.issue(1).state, world.ledger.plans.len()),
        (IssueState::Escalated, 0)
    );
}

#[test]
fn a_fact_permits_nothing() {
    let mut world = World::confident(settings(Phase::Approve));
    let mut full = finding("host/web-1", Class::CpuSaturation, "burst", 0.97);
    for (name, value) in [
        ("sheddable", "0.9"),
        ("jobs", "yes"),
        ("replicas_max", "900"),
    ] {
        full.facts.insert(name.to_owned(), value.to_owned());
    }
    world.turns(3, 5.0, &[full]);
    let refused = world.ledger.plans.values().flat_map(|plan| &plan.steps);
    assert_eq!(
        refused
            .filter(|step| step.step.action.is_temporary())
            .count(),
        0
    );
}

#[test]
fn what_the_executor_does_not_carry_out_is_not_proposed() {
    let run = |actions: &[&str]| {
        let mut world = World::new(settings(Phase::Approve));
        let actions = actions.iter().map(|&action| action.to_owned());
        world.parts.actions = Some(actions.collect());
        world.restart();
        world.turns(3, 5.0, &[leak()]);
        let plan = world.ledger.plans.values().next().cloned();
        let steps = plan.into_iter().flat_map(|plan| plan.steps);
        let steps = steps.map(|step| step.step.action.name().to_owned());
        steps.collect::<Vec<_>>()
    };
    // Without what changes nothing: the evidence is not captured.
    let all = ["drain", "undrain", "restart"];
    assert_eq!(run(&all), ["drain", "restart", "undrain"]);
    assert!(!run(&["drain", "restart"]).contains(&"drain".to_owned()));
    assert!(run(&[]).is_empty());
}
