//! The life of an issue, from its first finding to its end.

use super::shop::{finding, leak, settings};
use super::world::{Conduct, World};
use crate::issue::{IssueId, IssueState};
use crate::plan::{PlanId, PlanState, StepState, Verdict};
use crate::planner::Command;
use crate::{Class, Phase};

#[test]
fn a_leak_is_planned_approved_carried_out_judged_and_resolved() {
    let mut world = World::new(settings(Phase::Approve));
    world.turns(3, 5.0, &[leak()]);
    assert_eq!(world.issue(1).state, IssueState::Planned);
    assert_eq!(world.plan(1).state, PlanState::AwaitingApproval);
    assert_eq!(world.plan(1).strategy, "restart_rolling");
    assert!(world.got.is_empty());

    world.find(leak());
    world.approve("olga", PlanId(1)).unwrap();
    world.turn(1.0);
    assert_eq!(
        world.actions(),
        [
            "drain instance/api-1, for 300 s at most",
            "write down a heap profile and the memory map of instance/api-1",
            "restart instance/api-1",
            "undrain instance/api-1",
        ]
    );
    assert_eq!(world.issue(1).state, IssueState::Verifying);
    assert!(
        world
            .ledger
            .leases
            .values()
            .all(|lease| lease.holder.is_none())
    );

    world.take_back(&leak());
    let signal = world.plan(1).effect.signal.clone();
    for _ in 0..70 {
        world.planner.measure(&signal, 0.30, world.now);
        world.turn(10.0);
    }
    let outcome = world.plan(1).outcome.as_ref().unwrap();
    assert_eq!(outcome.verdict, Verdict::Cured, "{}", outcome.because);
    world.turns(20, 10.0, &[]);
    assert_eq!(world.issue(1).state, IssueState::Resolved);
    // The drain was ended by the plan itself: nothing of it is left to take away.
    assert_eq!(world.got.len(), 4);
    assert!(world.ledger.is_at_rest());
    assert_eq!(world.planner.watched().count(), 0);
    world.ledger.check_decisions();
}

#[test]
fn an_effect_is_judged_by_the_finding_being_gone_when_nothing_is_measured() {
    let mut world = World::new(settings(Phase::Approve));
    world.turns(3, 5.0, &[leak()]);
    world.approve("olga", PlanId(1)).unwrap();
    world.turn(1.0);
    world.take_back(&leak());
    world.turns(70, 10.0, &[]);
    assert_eq!(
        world.plan(1).outcome.as_ref().unwrap().verdict,
        Verdict::Cured
    );
}

#[test]
fn a_step_that_fails_has_the_others_undone_in_reverse() {
    let mut world = World::new(settings(Phase::Approve));
    world.turns(3, 5.0, &[leak()]);
    world.conducts = vec![Conduct::Does, Conduct::Does, Conduct::Fails];
    world.approve("olga", PlanId(1)).unwrap();
    world.turn(1.0);
    let actions = world.actions();
    assert_eq!(actions.last().unwrap(), "undrain instance/api-1");
    assert_eq!(actions.len(), 4);
    assert!(world.got[3].2.is_undo);
    assert_eq!(world.plan(1).state, PlanState::RolledBack);
    assert_eq!(world.issue(1).state, IssueState::Escalated);
    // It is for people now: the planner does not try again by itself, whatever else is found.
    world.turns(100, 10.0, &[leak()]);
    assert_eq!(world.ledger.plans.len(), 1);
}

#[test]
fn what_is_in_doubt_is_stuck_and_for_people() {
    let mut world = World::new(settings(Phase::Approve));
    world.turns(3, 5.0, &[leak()]);
    world.conducts = vec![Conduct::Doubts];
    world.approve("olga", PlanId(1)).unwrap();
    world.turn(1.0);
    assert_eq!(world.plan(1).state, PlanState::Stuck);
    assert_eq!(world.issue(1).state, IssueState::Escalated);
    let seen = Command::Acknowledge {
        issue: IssueId(1),
        note: "looking".to_owned(),
    };
    world.ask("olga", seen).unwrap();
    world.turns(100, 10.0, &[leak()]);
    assert_eq!((world.ledger.plans.len(), world.got.len()), (1, 1));
}

#[test]
fn an_order_without_an_answer_is_given_up() {
    let mut world = World::new(settings(Phase::Approve));
    world.turns(3, 5.0, &[leak()]);
    world.conduct = Conduct::Hangs;
    world.approve("olga", PlanId(1)).unwrap();
    world.turns(60, 10.0, &[leak()]);
    assert_eq!(world.plan(1).state, PlanState::Stuck);
    assert_eq!(world.got.len(), 1);
}

#[test]
fn a_plan_that_is_cancelled_while_an_answer_is_awaited_is_undone_and_not_taken_for_done() {
    let mut world = World::new(settings(Phase::Approve));
    world.turns(3, 5.0, &[leak()]);
    world.approve("olga", PlanId(1)).unwrap();
    world.deliver();
    let cancel = Command::Cancel {
        plan: PlanId(1),
        reason: "not now".to_owned(),
    };
    world.ask("olga", cancel).unwrap();
    world.turn(1.0);
    assert_eq!(
        world.actions(),
        [
            "drain instance/api-1, for 300 s at most",
            "undrain instance/api-1"
        ]
    );
    assert_eq!(world.plan(1).state, PlanState::RolledBack);
}

#[test]
fn a_plan_that_is_cancelled_at_its_last_step_is_undone() {
    let mut world = World::confident(settings(Phase::Approve));
    let full = finding("volume/db-1:/data", Class::DiskExhaustion, "growth", 0.97);
    world.turns(3, 5.0, std::slice::from_ref(&full));
    world.find(full);
    world.approve("ada", PlanId(1)).unwrap();
    while world.plan(1).steps.last().map(|step| step.state) != Some(StepState::Ordered) {
        world.deliver();
        world.answer();
    }
    let cancel = Command::Cancel {
        plan: PlanId(1),
        reason: "not that volume".to_owned(),
    };
    world.ask("olga", cancel).unwrap();
    assert!(
        world
            .plan(1)
            .held
            .ends_with("is undone when the answer has come"),
        "{}",
        world.plan(1).held
    );
    world.deliver();
    world.restart();
    world.answer();
    world.turn(1.0);
    assert_ne!(world.plan(1).state, PlanState::Verifying);
    assert!(
        world.plan(1).held.contains("not that volume"),
        "{}",
        world.plan(1).held
    );
}

#[test]
fn load_that_was_shed_is_admitted_when_it_is_over() {
    let mut world = World::confident(settings(Phase::Approve));
    let burst = finding("service/gate", Class::CpuSaturation, "burst", 0.97);
    world.turns(3, 5.0, std::slice::from_ref(&burst));
    world.find(burst.clone());
    world.approve("olga", PlanId(1)).unwrap();
    world.turn(1.0);
    assert_eq!(
        world.actions(),
        ["refuse 30 % of the requests to service/gate"]
    );
    world.take_back(&burst);
    world.turns(60, 10.0, &[]);
    assert_eq!(world.issue(1).state, IssueState::Resolved);
    assert_eq!(world.actions()[1..], ["admit load service/gate"]);
    assert!(world.ledger.is_at_rest());
}

#[test]
fn load_is_admitted_too_when_a_person_ends_the_issue_before_it_was_judged() {
    let mut world = World::confident(settings(Phase::Approve));
    let burst = finding("service/gate", Class::CpuSaturation, "burst", 0.97);
    world.turns(3, 5.0, std::slice::from_ref(&burst));
    world.approve("olga", PlanId(1)).unwrap();
    world.turn(1.0);
    let resolve = Command::Resolve {
        issue: IssueId(1),
        note: "it was a test".to_owned(),
    };
    world.ask("olga", resolve).unwrap();
    world.turns(60, 10.0, &[]);
    assert_eq!(world.actions()[1..], ["admit load service/gate"]);
    assert!(world.ledger.is_at_rest());
}

#[test]
fn a_suppressed_issue_is_left_alone_until_it_ends() {
    let mut world = World::new(settings(Phase::Approve));
    world.turns(3, 5.0, &[leak()]);
    let suppress = Command::Suppress {
        issue: IssueId(1),
        for_s: 600.0,
        note: "load test".to_owned(),
    };
    world.ask("olga", suppress).unwrap();
    assert_eq!(world.plan(1).state, PlanState::Cancelled);
    world.turns(50, 10.0, &[leak()]);
    assert_eq!(world.states(), [IssueState::Suppressed]);
    world.restart();
    world.turns(20, 10.0, &[leak()]);
    assert_eq!(world.states(), [IssueState::Planned]);
}

#[test]
fn to_consider_changes_nothing() {
    let mut world = World::new(settings(Phase::Approve));
    world.find(leak());
    world.write();
    let before = world.planner.remembered();
    let (input, decision) = world.planner.consider(IssueId(1)).unwrap();
    let plan = world.planner.draft(&input, &decision).unwrap();
    assert_eq!(plan.id, PlanId(1));
    assert_eq!(world.planner.remembered(), before);
    assert!(world.planner.take().records.is_empty());
}
