//! One issue for one cause, in whatever order its symptoms come.

use super::shop::{finding, leak, settings};
use super::world::World;
use crate::issue::{IssueId, IssueState};
use crate::plan::PlanState;
use crate::{Class, Finding, Phase, Source};

fn late() -> Finding {
    finding("service/api", Class::NetworkLatency, "", 0.9)
}

fn slow() -> Finding {
    finding("database/orders", Class::SlowQueries, "", 0.95)
}

fn full() -> Finding {
    finding("volume/db-1:/data", Class::DiskExhaustion, "growth", 0.97)
}

/// The entity of the only live issue, with how many others it explains and findings it has.
fn only(world: &World) -> (String, u64, u64) {
    let live: Vec<_> = world.planner.issues().collect();
    assert_eq!(live.len(), 1, "{live:?}");
    (
        live[0].entity.to_string(),
        live[0].n_also,
        live[0].n_findings,
    )
}

#[test]
fn symptoms_before_and_after_their_cause_are_one_issue_about_the_cause() {
    let all = [late(), slow(), full()];
    for order in [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ] {
        let mut world = World::new(settings(Phase::Approve));
        for i in order {
            world.turns(1, 20.0, &[all[i].clone()]);
        }
        assert_eq!(
            only(&world),
            ("volume/db-1:/data".to_owned(), 2, 3),
            "{order:?}"
        );
        // The plans for the symptoms are off.
        let others = world
            .ledger
            .plans
            .values()
            .filter(|plan| plan.entity.as_str() != "volume/db-1:/data");
        assert!(
            others
                .clone()
                .all(|plan| plan.state == PlanState::Cancelled)
        );
    }
}

/// What fills up within hours, and is far from full.
fn foretold() -> Finding {
    let mut foretold = full();
    foretold.source = Source::Prediction;
    foretold.value = 0.7;
    foretold.ttf_s = Some([7_000.0, 10_000.0, 15_000.0]);
    foretold
}

#[test]
fn what_is_foretold_for_later_explains_nothing_until_it_is_so() {
    let mut world = World::new(settings(Phase::Approve));
    world.turns(2, 5.0, &[foretold()]);
    world.turns(2, 5.0, &[foretold(), slow()]);
    assert_eq!(world.planner.issues().count(), 2);
    world.turns(1, 5.0, &[full(), slow()]);
    assert_eq!(only(&world).0, "volume/db-1:/data");
}

#[test]
fn what_fills_up_is_no_consequence_of_what_came_after_it() {
    let mut world = World::new(settings(Phase::Approve));
    world.turns(12, 5.0, &[leak()]);
    assert_eq!(world.plan(1).state, PlanState::AwaitingApproval);
    world.turns(2, 5.0, &[leak(), slow()]);
    assert_eq!(world.planner.issues().count(), 2);
    assert_eq!(world.plan(1).state, PlanState::AwaitingApproval);
}

#[test]
fn what_will_run_out_is_seen_where_it_does_whatever_fills_it() {
    let mut world = World::new(settings(Phase::Approve));
    world.turns(2, 5.0, &[slow()]);
    let mut foretold = leak();
    foretold.source = Source::Prediction;
    world.turns(2, 5.0, &[slow(), foretold]);
    assert_eq!(world.planner.issues().count(), 2);
}

#[test]
fn a_cause_outlives_a_restart_with_what_it_explains() {
    let mut world = World::new(settings(Phase::Approve));
    world.turns(2, 5.0, &[late()]);
    world.turns(2, 5.0, &[slow()]);
    world.restart();
    world.turns(3, 5.0, &[late(), slow()]);
    assert_eq!(only(&world).0, "database/orders");
    world.take_back(&slow());
    world.take_back(&late());
    world.turns(15, 10.0, &[]);
    assert!(world.live().is_empty());
}

#[test]
fn a_merged_symptom_is_known_after_a_restart() {
    let mut world = World::new(settings(Phase::Approve));
    world.turns(2, 5.0, &[late()]);
    world.turns(2, 5.0, &[slow()]);
    world.restart();
    // It is taken back, and the symptom alone keeps the issue.
    world.take_back(&slow());
    world.turns(15, 10.0, &[]);
    assert_eq!(world.live().len(), 1);
    world.take_back(&late());
    world.turns(15, 10.0, &[]);
    assert!(world.live().is_empty());
}

#[test]
fn what_one_container_does_to_its_host_is_one_issue_whichever_is_seen_first() {
    let host = finding("host/web-1", Class::MemoryExhaustion, "", 0.97);
    for first in [[leak(), host.clone()], [host, leak()]] {
        let mut world = World::new(settings(Phase::Approve));
        world.turns(1, 5.0, &first[..1]);
        world.turns(1, 5.0, &first[1..]);
        assert_eq!(only(&world), ("instance/api-1".to_owned(), 1, 2));
    }
}

#[test]
fn a_kill_that_the_host_counts_is_that_of_what_had_no_memory_left() {
    let kill = finding("host/web-1", Class::ProcessCrash, "oom", 1.0);
    let mut world = World::new(settings(Phase::Approve));
    world.turns(1, 5.0, &[leak()]);
    world.turns(1, 5.0, std::slice::from_ref(&kill));
    assert_eq!(only(&world), ("instance/api-1".to_owned(), 1, 2));
    let mut world = World::new(settings(Phase::Approve));
    world.turns(1, 5.0, &[kill]);
    assert_eq!(
        only(&world).0,
        "host/web-1",
        "with nobody to be blamed it is the host's"
    );
}

#[test]
fn instances_of_one_service_are_one_issue_that_goes_from_one_to_the_next() {
    let of = |instance| finding(instance, Class::MemoryExhaustion, "leak", 0.95);
    let (first, second) = (of("instance/api-1"), of("instance/api-2"));
    let mut world = World::new(settings(Phase::Approve));
    world.turns(2, 5.0, &[first.clone(), second.clone()]);
    assert_eq!(only(&world), ("instance/api-1".to_owned(), 1, 4));
    // The first is well again: its plan is of no use to the second, which gets its own.
    world.take_back(&first);
    world.turns(1, 5.0, std::slice::from_ref(&second));
    assert_eq!(world.plan(1).state, PlanState::Cancelled);
    world.turns(2, 5.0, std::slice::from_ref(&second));
    assert_eq!(only(&world).0, "instance/api-2");
    assert_eq!(world.plan(2).entity.as_str(), "instance/api-2");
    world.restart();
    world.turns(1, 5.0, std::slice::from_ref(&second));
    assert_eq!(only(&world).0, "instance/api-2");
    world.take_back(&second);
    world.turns(15, 10.0, &[]);
    assert!(world.live().is_empty());
}

#[test]
fn an_instance_that_is_soon_at_its_end_does_not_hide_behind_one_that_has_time() {
    let mut slow = finding("instance/api-1", Class::MemoryExhaustion, "leak", 0.7);
    slow.source = Source::Prediction;
    slow.probability = 0.5;
    slow.probability_day = 0.95;
    let mut soon = finding("instance/api-2", Class::MemoryExhaustion, "leak", 0.9);
    soon.source = Source::Prediction;
    soon.probability = 0.95;
    let mut world = World::new(settings(Phase::Approve));
    world.turns(1, 5.0, &[slow, soon]);
    assert_eq!(world.live().len(), 2);
}

#[test]
fn what_is_known_of_a_host_does_not_become_a_limit_of_its_container() {
    let mut host = finding("host/web-1", Class::MemoryExhaustion, "", 0.97);
    host.facts.insert("limit".to_owned(), "64000".to_owned());
    let mut world = World::new(settings(Phase::Approve));
    world.turns(1, 5.0, &[leak(), host]);
    assert_eq!(world.live()[0].facts["limit"], "1000");
}

#[test]
fn the_same_thing_found_twice_is_one_issue_and_what_comes_back_remembers() {
    let mut world = World::new(settings(Phase::Approve));
    let mut twin = leak();
    twin.signal = "another".to_owned();
    world.turns(2, 5.0, &[leak(), twin.clone()]);
    assert_eq!(only(&world), ("instance/api-1".to_owned(), 0, 4));
    world.take_back(&leak());
    world.turns(15, 10.0, &[]);
    assert_eq!(world.live().len(), 1);
    world.take_back(&twin);
    world.turns(15, 10.0, &[]);
    assert_eq!(world.states(), [IssueState::Resolved]);
    world.turns(1, 5.0, &[leak()]);
    assert_eq!(world.issue(2).returned_from, Some(IssueId(1)));
}

#[test]
fn what_nobody_repeats_is_gone_but_not_because_nobody_listened() {
    let mut world = World::new(settings(Phase::Approve));
    world.turns(2, 5.0, &[leak()]);
    // The planner is away for an hour.
    world.pass(3500.0);
    world.restart();
    world.turn(1.0);
    assert_eq!(world.live().len(), 1);
    world.turns(80, 10.0, &[]);
    assert_eq!(world.live().len(), 1);
    world.turns(20, 10.0, &[]);
    assert!(world.live().is_empty());
}
