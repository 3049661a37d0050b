//! What a plan that was begun does when something comes to speak against it: it waits for what passes, goes on where to stop
//! would be worse, and has all else undone.

use jiff::Timestamp;

use super::shop::{leak, settings};
use super::world::World;
use crate::guard::policy::{Effect, PolicySource};
use crate::guard::window::Freeze;
use crate::plan::{PlanId, PlanState};
use crate::planner::{Command, Parts};
use crate::{Class, Phase};

/// A plan whose first step is done, in a planner that is killed and brought back with other parts before it hears of that.
fn after(change: impl FnOnce(&mut Parts)) -> World {
    let mut world = World::new(settings(Phase::Approve));
    world.turns(3, 5.0, &[leak()]);
    world.find(leak());
    world.approve("olga", PlanId(1)).unwrap();
    world.deliver();
    assert_eq!(world.actions(), ["drain instance/api-1, for 300 s at most"]);
    change(&mut world.parts);
    world.restart();
    world.answer();
    world.turn(1.0);
    world
}

fn policy(name: &str, effect: Effect, expression: &str) -> PolicySource {
    PolicySource {
        name: name.to_owned(),
        effect,
        expression: expression.to_owned(),
        reason: String::new(),
    }
}

#[track_caller]
fn assert_goes_on(world: &World) {
    assert_eq!(world.got.len(), 4, "{:?}", world.actions());
    assert_eq!(world.plan(1).state, PlanState::Verifying);
}

#[track_caller]
fn assert_undone(world: &World, why: &str) {
    let actions = world.actions();
    assert_eq!(actions[1..], ["undrain instance/api-1"]);
    let plan = world.plan(1);
    assert_eq!(plan.state, PlanState::RolledBack);
    assert!(plan.held.starts_with(why), "{}", plan.held);
}

#[track_caller]
fn assert_waits(world: &World, why: &str) {
    assert_eq!(world.got.len(), 1, "{:?}", world.actions());
    let plan = world.plan(1);
    assert_eq!(plan.state, PlanState::Running);
    assert!(plan.held.starts_with(why), "{}", plan.held);
}

#[test]
fn with_nothing_against_it_it_goes_on() {
    assert_goes_on(&after(|_| {}));
}

#[test]
fn what_a_person_allowed_at_the_beginning_stays_allowed() {
    let asks = policy("ask", Effect::RequireApproval, "true");
    assert_goes_on(&after(|parts| parts.settings.policies = vec![asks]));
}

#[test]
fn whoever_allowed_it_and_may_not_any_more_has_it_undone() {
    let nobody = after(|parts| parts.people.clear());
    assert_undone(&nobody, "ability to roll back: nothing undoes \"restart");
}

#[test]
fn one_of_the_five_rules_has_it_undone() {
    let floor = after(|parts| parts.settings.availability_floor = 1.0);
    assert_undone(&floor, "availability floor: ");
}

#[test]
fn a_class_that_is_left_to_people_has_it_undone() {
    let class = Class::MemoryExhaustion;
    let left = after(|parts| parts.settings.hands_off = vec![class]);
    assert_undone(&left, "hands off: ");
}

#[test]
fn a_freeze_has_it_undone() {
    let freeze = Freeze {
        from: Timestamp::UNIX_EPOCH,
        to: Timestamp::MAX,
        reason: "a sale".to_owned(),
        allow_critical: false,
    };
    let frozen = after(|parts| parts.settings.freezes = vec![freeze]);
    assert_undone(&frozen, "freeze: a sale");
}

#[test]
fn a_policy_that_denies_has_it_undone_and_one_that_is_in_doubt_holds_it_whatever_its_name() {
    let denies = policy("no", Effect::Deny, "true");
    let denied = after(|parts| parts.settings.policies = vec![denies]);
    assert_undone(&denied, "no: ");
    // It bears the name of a rule that would have it undone.
    let doubts = policy("freeze", Effect::Deny, "entity.attributes.none == '1'");
    let held = after(|parts| parts.settings.policies = vec![doubts]);
    assert_waits(&held, "freeze: ");
}

#[test]
fn hard_limits_and_the_brake_hold_it() {
    let limited = after(|parts| parts.settings.actions_per_hour = 1);
    assert_waits(&limited, "actions per hour: ");

    let mut world = World::new(settings(Phase::Approve));
    world.turns(3, 5.0, &[leak()]);
    world.find(leak());
    world.approve("olga", PlanId(1)).unwrap();
    world.deliver();
    let reason = "something is odd".to_owned();
    world.ask("olga", Command::Brake { reason }).unwrap();
    world.answer();
    world.turn(1.0);
    assert_waits(&world, "brake: ");
    let reason = "all is well".to_owned();
    world.ask("ada", Command::Release { reason }).unwrap();
    world.turn(1.0);
    assert_goes_on(&world);
}

#[test]
fn trouble_that_fades_and_data_that_age_are_no_reason_to_stop_half_way() {
    let mut world = World::new(settings(Phase::Approve));
    world.turns(3, 5.0, &[leak()]);
    world.find(leak());
    world.approve("olga", PlanId(1)).unwrap();
    world.deliver();
    world.take_back(&leak());
    world.pass(125.0);
    world.answer();
    world.turn(1.0);
    assert_goes_on(&world);
}
