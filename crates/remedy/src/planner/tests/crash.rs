//! Whatever comes, in whatever order, and wherever it is killed: what goes out is allowed, nothing is done twice, and in the
//! end everything comes to rest. `World` and `Ledger` hold every order and every record against that as they come.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use series::Timestamp;

use super::events::{Event, configured, event};
use super::ledger::Ledger;
use super::shop::{finding, people, settings, shop};
use super::world::{Conduct, World};
use crate::order::Answer;
use crate::plan::PlanState;
use crate::planner::Command;
use crate::{Class, Phase, Settings};

fn happen(world: &mut World, event: &Event) {
    match event {
        Event::Find(finding) => world.find((**finding).clone()),
        Event::Mend(finding, who) => {
            for seconds in [4.0, 4.0, 4.0] {
                world.find((**finding).clone());
                world.turn(seconds);
            }
            world.find((**finding).clone());
            approve_all(world, who);
        }
        Event::Approve(who) => approve_all(world, who),
        Event::TakeBack(finding) => world.take_back(finding),
        Event::Flood(n) => {
            for i in 0..*n {
                world.find(finding(
                    &format!("host/flood-{i}"),
                    Class::CpuSaturation,
                    "",
                    0.9,
                ));
            }
        }
        Event::Ask(who, command) => drop(world.ask(who, command.clone())),
        Event::Turn(seconds) => world.turn(*seconds),
        Event::Tick(seconds) => {
            world.pass(*seconds);
            world.planner.tick(world.now);
            world.write();
        }
        Event::Deliver => world.deliver(),
        Event::Answer => world.answer(),
        Event::Stray(plan, step, is_undo) => stray(world, *plan, *step, *is_undo),
        Event::Conduct(conduct) => world.conduct = *conduct,
        Event::Jump(seconds) => {
            let before = world.now;
            world.pass(*seconds);
            let back = before.min(world.now);
            world
                .got
                .iter_mut()
                .for_each(|(at, _, _)| *at = (*at).min(back));
        }
        Event::People(who, is_back) => {
            match people().get(*who).filter(|_| *is_back) {
                Some(&authority) => world.parts.people.insert((*who).to_owned(), authority),
                None => world.parts.people.remove(*who),
            };
            world.planner.people = world.parts.people.clone();
        }
        Event::KillUnwritten => {
            drop(world.planner.take());
            world.restart();
        }
        Event::KillUnsent => {
            world.write();
            world.restart();
        }
        Event::KillUnanswered => {
            world.write();
            world.deliver();
            world.restart();
        }
        Event::Reconfigure(phase) => {
            world.write();
            world.deliver();
            world.parts.settings.phase = *phase;
            world.restart();
        }
    }
}

fn approve_all(world: &mut World, who: &str) {
    let waits = |plan: &&crate::plan::Plan| plan.state == PlanState::AwaitingApproval;
    let ids: Vec<_> = world
        .ledger
        .plans
        .values()
        .filter(waits)
        .map(|plan| plan.id)
        .collect();
    for id in ids {
        let _ = world.approve(who, id);
    }
}

/// An answer to an order that was answered already, or that nobody gave.
fn stray(world: &mut World, plan: u64, step: usize, is_undo: bool) {
    let begins = format!("p{plan}-{step}-{}-", if is_undo { "undo" } else { "do" });
    let mut got = world.got.iter().map(|(_, _, order)| &order.key);
    let known = got.find(|key| key.starts_with(&begins)).cloned();
    let is_known = known.is_some();
    let key = known.unwrap_or_else(|| format!("{begins}00000000"));
    let is_answered = world.done.contains_key(&key);
    for key in [
        format!("{plan}-{step}-do"),
        format!("{key}-more"),
        "p1".to_owned(),
    ] {
        let said = String::new();
        world.planner.answered(&key, &Answer::Done { said });
    }
    // One that is on its way is answered by the executor alone.
    let is_waited_for = world
        .planner
        .unanswered()
        .iter()
        .any(|(_, order)| order.key == key);
    if !is_known || is_answered && !is_waited_for {
        let said = String::new();
        world.planner.answered(&key, &Answer::Failed { said });
    }
    world.write();
}

fn run(settings: &Settings, events: &[Event]) -> World {
    let mut world = World::with(settings.clone(), Ledger::default(), shop());
    world.believe();
    for event in events {
        happen(&mut world, event);
    }
    world
}

/// Nothing is wrong any more, everybody does what they should, and much time passes.
fn calm_down(world: &mut World) {
    world.parts.people = people();
    world.planner.people = people();
    world.conduct = Conduct::Does;
    let reason = "enough".to_owned();
    world.ask("ada", Command::Release { reason }).unwrap();
    // The clock may have to be believed first.
    world.turns(70, 10.0, &[]);
    world.turns(120, 3500.0, &[]);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 120,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(20_261_126),
        max_shrink_iters: 2000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_happens_it_is_allowed_told_and_comes_to_rest(
        settings in configured(),
        events in prop::collection::vec(event(), 1..120),
    ) {
        let mut world = run(&settings, &events);
        world.ledger.check_decisions();
        calm_down(&mut world);
        for plan in world.ledger.plans.values() {
            prop_assert!(plan.is_finished(), "{:?}", plan);
        }
        prop_assert!(world.ledger.is_at_rest());
        for issue in world.ledger.issues.values() {
            prop_assert!(!issue.is_live(), "{:?}", issue);
        }
        prop_assert_eq!(world.planner.held_things(), [0; 13]);
    }

    #[test]
    fn two_planners_that_are_told_the_same_write_the_same(
        settings in configured(),
        events in prop::collection::vec(event(), 1..60),
    ) {
        let (one, other) = (run(&settings, &events), run(&settings, &events));
        prop_assert_eq!(one.ledger.audit.last(), other.ledger.audit.last());
        prop_assert_eq!(one.ledger.memory(), other.ledger.memory());
        prop_assert_eq!(&one.ledger.decisions, &other.ledger.decisions);
        prop_assert_eq!(one.got, other.got);
    }
}

/// The world begins when the settings above say.
#[test]
fn the_freezes_are_of_the_time_of_the_world() {
    let world = World::new(settings(Phase::Approve));
    assert_eq!(world.now, Timestamp::from_millis(1_795_694_400_000));
}
