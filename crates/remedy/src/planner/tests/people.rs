//! Who may allow, refuse and stop what, and when that counts.

use super::shop::{leak, settings};
use super::world::World;
use crate::issue::{IssueId, IssueState};
use crate::plan::{PlanId, PlanState};
use crate::planner::{Command, Refused};
use crate::{Phase, Settings};

fn planned() -> World {
    let mut world = World::new(settings(Phase::Approve));
    world.turns(3, 5.0, &[leak()]);
    assert_eq!(world.plan(1).state, PlanState::AwaitingApproval);
    world
}

#[test]
fn nobody_and_the_unknown_approve_nothing() {
    let mut world = planned();
    let who = world.approve("mallory", PlanId(1)).unwrap_err();
    assert_eq!(who, Refused::Nobody("mallory".to_owned()));
    assert_eq!(
        world.approve("olga", PlanId(9)).unwrap_err(),
        Refused::NoPlan(PlanId(9))
    );
    world.turn(1.0);
    assert!(world.got.is_empty());
}

#[test]
fn an_approval_that_comes_late_does_nothing() {
    let mut world = planned();
    world.pass(299.0);
    let late = world.approve("olga", PlanId(1)).unwrap_err();
    assert!(
        matches!(late, Refused::Late { id: PlanId(1), .. }),
        "{late}"
    );
    world.turns(3, 5.0, &[leak()]);
    assert_eq!(world.plan(1).state, PlanState::Expired);
    assert_eq!(world.issue(1).state, IssueState::Escalated);
    // A person may have it planned anew.
    world
        .ask("olga", Command::Plan { issue: IssueId(1) })
        .unwrap();
    world.approve("olga", PlanId(2)).unwrap();
    world.turns(2, 15.0, &[leak()]);
    assert_eq!(world.got.len(), 4);
}

#[test]
fn a_refusal_needs_a_reason_and_stands_however_bad_it_becomes() {
    let mut world = planned();
    let refuse = |reason: &str| Command::Refuse {
        plan: PlanId(1),
        reason: reason.to_owned(),
    };
    assert!(matches!(
        world.ask("olga", refuse(" ")),
        Err(Refused::NoReason(_))
    ));
    world.ask("olga", refuse("they are on stage")).unwrap();
    assert!(world.approve("ada", PlanId(1)).is_err());
    let mut worse = leak();
    worse.ttf_s = Some([0.0; 3]);
    world.turns(100, 10.0, &[worse]);
    assert_eq!((world.ledger.plans.len(), world.got.len()), (1, 0));
    assert_eq!(world.issue(1).state, IssueState::Escalated);
}

#[test]
fn who_has_lost_the_authority_before_it_is_used_is_not_enough() {
    let mut world = planned();
    world
        .ask(
            "owen",
            Command::Brake {
                reason: "wait".to_owned(),
            },
        )
        .unwrap();
    world.find(leak());
    world.approve("olga", PlanId(1)).unwrap();
    world.parts.people.remove("olga");
    world.planner.people = world.parts.people.clone();
    world
        .ask(
            "owen",
            Command::Release {
                reason: "go".to_owned(),
            },
        )
        .unwrap();
    world.turns(3, 5.0, &[leak()]);
    assert_eq!(world.plan(1).state, PlanState::AwaitingApproval);
    assert!(world.got.is_empty());
    world.approve("owen", PlanId(1)).unwrap();
    world.turn(1.0);
    assert_eq!(world.got.len(), 4);
}

#[test]
fn what_nobody_answered_is_proposed_again_ever_more_rarely() {
    let mut world = World::new(settings(Phase::Approve));
    // Each proposal waits for 5 minutes; the next comes 10, 20 and 40 minutes after the one before.
    let mut minutes = Vec::new();
    for minute in 0..120 {
        let n = world.ledger.plans.len();
        world.turns(6, 10.0, &[leak()]);
        if world.ledger.plans.len() > n {
            minutes.push(minute);
        }
    }
    assert_eq!(minutes, [0, 10, 30, 70]);
    let plan = world.planner.plans().last().unwrap().id;
    assert_eq!(world.plan(plan.0).state, PlanState::Expired);
    world
        .ask("olga", Command::Plan { issue: IssueId(1) })
        .unwrap();
    let last = PlanId(plan.0 + 1);
    world
        .ask(
            "olga",
            Command::Refuse {
                plan: last,
                reason: "no".to_owned(),
            },
        )
        .unwrap();
    let n = world.ledger.plans.len();
    world.turns(6 * 60, 10.0, &[leak()]);
    assert_eq!(world.ledger.plans.len(), n, "a person has said no");
}

#[test]
fn an_issue_whose_plan_waits_is_not_reopened_under_it() {
    let mut world = planned();
    let reopen = Command::Reopen {
        issue: IssueId(1),
        note: "why not".to_owned(),
    };
    assert!(matches!(
        world.ask("olga", reopen),
        Err(Refused::IssueState { .. })
    ));
    let seen = Command::Acknowledge {
        issue: IssueId(1),
        note: String::new(),
    };
    let note = world.issue(1).note.clone();
    world.ask("olga", seen).unwrap();
    let issue = world.issue(1);
    assert_eq!(issue.state, IssueState::Planned);
    assert_eq!(
        (issue.seen_by.as_deref(), &issue.note),
        (Some("olga"), &note)
    );
}

#[test]
fn a_plan_waits_for_approval_as_long_as_it_says() {
    let mut world = World::new(Settings {
        approval_deadline_s: 60.0,
        ..settings(Phase::Approve)
    });
    world.turns(3, 5.0, &[leak()]);
    let deadline = world.plan(1).deadline.unwrap();
    assert!((deadline.seconds_since(world.plan(1).created) - 60.0).abs() < 1e-9);
}
