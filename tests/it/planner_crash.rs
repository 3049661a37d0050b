//! The planner is killed at every boundary, and started again until everything has come to rest: nothing is carried out twice,
//! whatever was carried out was written down before, and what is written down is true.
//!
//! `drill` is the loop: see there for what a boundary is. Its executor carries out whatever it is told, twice too, and writes
//! it into a file; here that file is held against the ledger.

mod inspect;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;
use std::time::Instant;

use remedy::issue::IssueState;
use remedy::plan::PlanState;
use tempfile::TempDir;

use crate::harness::{Postgres, scratch};
use inspect::{Inspection, doubtful, inspect};

const SIGKILL: i32 = 9;
/// All scenes; what becomes of their plans and their issue when nobody is killed, and how many orders are carried out.
const SCENES: [(&str, &[PlanState], IssueState, usize); 5] = [
    ("approved", &[PlanState::Done], IssueState::Resolved, 4),
    ("undone", &[PlanState::RolledBack], IssueState::Escalated, 2),
    ("irreversible", &[PlanState::Done], IssueState::Resolved, 2),
    ("alone", &[PlanState::Done], IssueState::Resolved, 3),
    (
        "in_vain",
        &[PlanState::Done, PlanState::Done],
        IssueState::Escalated,
        4,
    ),
];
/// Every scene gets there.
const BOUNDARIES: [&str; 10] = [
    "the ledger is open",
    "a batch is not written yet",
    "a batch was written",
    "an order is on its way",
    "a lease is held",
    "an order is not carried out yet",
    "an order was carried out, and not answered",
    "an order was answered, and the answer not written",
    "an order is to be asked about",
    "an order was asked about",
];

/// Whether the executor can tell what became of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Memory {
    Tells,
    Mute,
}

/// How a run of `drill` ended.
#[derive(Debug, PartialEq, Eq)]
enum Ending {
    /// It killed itself at this boundary.
    Killed(String),
    /// Everything has come to rest.
    AtRest,
}

/// One ledger and one executor, over all runs.
struct Drill {
    folder: TempDir,
    location: String,
    scene: &'static str,
    memory: Memory,
}

impl Drill {
    /// Begins anew, in an empty place.
    fn new(postgres: Option<&Postgres>, scene: &'static str, memory: Memory) -> Self {
        let folder = scratch();
        let location = match postgres {
            Some(server) => {
                server.empty();
                server.url()
            }
            None => folder.path().join("ledger").to_str().unwrap().to_owned(),
        };
        Self {
            folder,
            location,
            scene,
            memory,
        }
    }

    fn run(&self, options: &[&str]) -> Ending {
        let mut command = Command::new(env!("CARGO_BIN_EXE_drill"));
        command
            .arg(self.folder.path())
            .args([&self.location, self.scene]);
        if self.memory == Memory::Mute {
            command.arg("--mute");
        }
        let output = command.args(options).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        match (output.status.code(), output.status.signal()) {
            (Some(0), None) => Ending::AtRest,
            (None, Some(SIGKILL)) => Ending::Killed(self.last_boundary()),
            (code, signal) => panic!("drill {}: {code:?} {signal:?}: {text}", self.scene),
        }
    }

    fn last_boundary(&self) -> String {
        let text = fs::read_to_string(self.folder.path().join("boundaries")).unwrap_or_default();
        let last = text.lines().last().and_then(|line| line.split_once(' '));
        last.map(|(_, what)| what.to_owned()).unwrap_or_default()
    }

    /// Kills it at the n-th boundary, if there is one.
    fn kill_at(&self, n: u64) -> Ending {
        self.run(&["--kill", &n.to_string()])
    }

    async fn inspect(&self) -> Inspection {
        inspect(self.folder.path(), &self.location.parse().unwrap()).await
    }

    /// Brings it to rest without further kills, and looks at all that is left.
    async fn check(&self, story: &str) -> Inspection {
        let is_mute = self.memory == Memory::Mute;
        let doubtful = match is_mute {
            true => doubtful(&self.location.parse().unwrap()).await,
            false => Vec::new(),
        };
        assert_eq!(self.run(&[]), Ending::AtRest, "{story}");
        let seen = self.inspect().await;
        seen.check(story, is_mute);
        if is_mute {
            for id in doubtful {
                let plan = &seen.memory.plans[(id.0 - 1) as usize];
                assert_eq!((plan.id, plan.state), (id, PlanState::Stuck), "{story}");
            }
            let mut plans = seen.memory.plans.iter();
            if plans.any(|plan| plan.state == PlanState::Stuck) {
                assert_eq!(
                    seen.memory.issues[0].state,
                    IssueState::Escalated,
                    "{story}"
                );
            }
        }
        seen
    }
}

/// Kills a scene at boundary 1, 2, 3, …, each time in a new place; after each kill at the boundaries that `again` names, until
/// a run ends by itself. Returns which boundaries there were.
async fn kill_everywhere(
    postgres: Option<&Postgres>,
    scene: &'static str,
    memory: Memory,
    again: impl Fn(u64) -> Vec<u64>,
) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    for n in 1.. {
        let drill = Drill::new(postgres, scene, memory);
        let mut story = format!("{scene}, killed at {n}");
        let Ending::Killed(what) = drill.kill_at(n) else {
            let seen = drill.inspect().await;
            seen.check(&story, memory == Memory::Mute);
            undisturbed(&seen, scene);
            return reached;
        };
        story = format!("{story} ({what})");
        reached.insert(what);
        for m in again(n) {
            if let Ending::Killed(what) = drill.kill_at(m) {
                story = format!("{story} and at {m} ({what})");
                reached.insert(what);
            }
        }
        drill.check(&story).await;
    }
    unreachable!("it ends when a run does");
}

/// What becomes of a scene when nobody is killed.
fn undisturbed(seen: &Inspection, scene: &str) {
    let known = SCENES.iter().find(|(name, ..)| *name == scene);
    let (_, plans, issue, n_orders) = known.unwrap();
    let states = seen.memory.plans.iter().map(|plan| plan.state);
    assert_eq!(states.collect::<Vec<_>>(), *plans, "{scene}");
    assert_eq!(seen.memory.issues[0].state, *issue, "{scene}");
    assert_eq!(seen.done.len(), *n_orders, "{scene}");
}

fn never(_: u64) -> Vec<u64> {
    Vec::new()
}

/// At one boundary more: another one each time, near the beginning, where a planner is brought back.
fn once(n: u64) -> Vec<u64> {
    vec![1 + n % 11]
}

#[tokio::test]
async fn a_plan_of_four_steps() {
    kill_everywhere(None, "approved", Memory::Tells, never).await;
}

#[tokio::test]
async fn a_plan_of_four_steps_killed_twice() {
    let reached = kill_everywhere(None, "approved", Memory::Tells, once).await;
    let all = BOUNDARIES.map(str::to_owned);
    assert_eq!(reached, all.into());
}

#[tokio::test]
async fn a_plan_that_fails_and_is_undone_killed_once_and_twice() {
    kill_everywhere(None, "undone", Memory::Tells, never).await;
    kill_everywhere(None, "undone", Memory::Tells, once).await;
}

#[tokio::test]
async fn a_plan_that_cannot_be_undone_killed_once_and_thrice() {
    kill_everywhere(None, "irreversible", Memory::Tells, never).await;
    kill_everywhere(None, "irreversible", Memory::Tells, |n| {
        vec![1 + n % 7, 1 + n % 5]
    })
    .await;
}

#[tokio::test]
async fn a_plan_that_nobody_was_asked_about() {
    kill_everywhere(None, "alone", Memory::Tells, once).await;
}

#[tokio::test]
async fn plans_without_effect_under_the_limit_of_the_hour() {
    kill_everywhere(None, "in_vain", Memory::Tells, never).await;
}

#[tokio::test]
async fn an_executor_that_cannot_tell_what_became_of_an_order() {
    kill_everywhere(None, "approved", Memory::Mute, never).await;
    kill_everywhere(None, "undone", Memory::Mute, once).await;
}

#[tokio::test]
async fn an_executor_that_cannot_tell_whether_it_did_what_cannot_be_undone() {
    kill_everywhere(None, "irreversible", Memory::Mute, once).await;
}

#[tokio::test]
async fn on_postgres() {
    let Some(server) = Postgres::start() else {
        return;
    };
    kill_everywhere(Some(&server), "undone", Memory::Tells, never).await;
}

#[tokio::test]
async fn on_postgres_when_nobody_can_tell() {
    let Some(server) = Postgres::start() else {
        return;
    };
    kill_everywhere(Some(&server), "irreversible", Memory::Mute, never).await;
}

/// Not at a boundary, but wherever it is after some time: in the middle of a transaction, or of the making of the tables.
#[tokio::test]
async fn at_any_instant() {
    const N: u32 = 60;
    let begin = Instant::now();
    assert_eq!(
        Drill::new(None, "approved", Memory::Tells).run(&[]),
        Ending::AtRest
    );
    // What an undisturbed run takes, on this machine as busy as it is.
    let usual = begin.elapsed();
    let mut n_killed = 0;
    for (i, scene) in (1..=N).zip(["approved", "undone"].into_iter().cycle()) {
        let drill = Drill::new(None, scene, Memory::Tells);
        let times = [usual * i / N, usual * (i * 7 % N) / (2 * N)];
        for time in times {
            let us = time.as_micros().to_string();
            let ending = drill.run(&["--kill-after-us", &us]);
            n_killed += u32::from(ending != Ending::AtRest);
        }
        drill
            .check(&format!("{scene}, killed after {times:?}"))
            .await;
    }
    // Of 120 kills the late ones find everything at rest.
    assert!(n_killed > N / 2, "{n_killed}");
}
