//! The planner's loop over a real ledger, in simulated time, which kills itself where it is told to:
//! `drill FOLDER LEDGER SCENE [--kill N] [--kill-after-us US] [--mute]`.
//!
//! Every place where a crash could matter is a boundary; they are counted, and at the N-th the process sends itself SIGKILL. Started
//! again it goes on from the ledger and from what the executor wrote down, until nothing more comes of it: then it ends with 0.
//! What it wrote into FOLDER besides: `done` and `boundaries`, one line each, and `clock`, the simulated time.

#![expect(clippy::unwrap_used, reason = "a drill that cannot go on has failed")]

#[path = "drill/arm.rs"]
mod arm;
#[path = "drill/fuse.rs"]
mod fuse;
#[path = "drill/scene.rs"]
mod scene;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use ledger::{Ledger, Location, Since};
use remedy::order::{Answer, Order};
use remedy::plan::{Plan, PlanState};
use remedy::planner::{Batch, Command, Parts, Planner};
use remedy::record::Record;
use remedy::strategy::Authority;
use series::Timestamp;

use arm::Arm;
use fuse::Fuse;
use scene::Scene;

/// Turns for which an order is under way: leases are renewed meanwhile.
const WORK_TURNS: u32 = 2;
/// By then everything has come to rest: three times as much as the longest scene takes.
const MOST_TURNS: u32 = 5000;
/// 2026-11-26, a Thursday, 12:00.
const START_US: i64 = 1_795_694_400_000_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, location, scene, options @ ..] = arguments.as_slice() else {
        eprintln!("usage: drill FOLDER LEDGER SCENE [--kill N] [--kill-after-us US] [--mute]");
        return ExitCode::FAILURE;
    };
    let folder = PathBuf::from(folder);
    let number = |name: &str| {
        let place = options.iter().position(|option| option == name)?;
        options.get(place + 1)?.parse::<u64>().ok()
    };
    let fuse = Fuse::new(&folder, number("--kill"));
    if let Some(us) = number("--kill-after-us") {
        fuse::burn(us);
    }
    let is_mute = options.iter().any(|option| option == "--mute");
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    runtime.block_on(async {
        let location = location.parse().unwrap();
        let mut drill = Drill::start(folder, &location, Scene::named(scene), fuse, is_mute).await;
        drill.ask().await;
        for _ in 0..MOST_TURNS {
            drill.turn().await;
            if drill.is_at_rest() {
                drill.fuse.end();
                return ExitCode::SUCCESS;
            }
        }
        eprintln!(
            "it does not come to rest: {:#?}",
            drill.planner.remembered()
        );
        ExitCode::FAILURE
    })
}

struct Drill {
    folder: PathBuf,
    scene: Scene,
    ledger: Ledger,
    planner: Planner,
    arm: Arm,
    fuse: Fuse,
    now: Timestamp,
    /// Orders under way, and for how many turns yet.
    under_way: Vec<(Order, u32)>,
}

impl Drill {
    async fn start(
        folder: PathBuf,
        location: &Location,
        scene: Scene,
        mut fuse: Fuse,
        is_mute: bool,
    ) -> Self {
        let ledger = Ledger::open_for_writing(location).await.unwrap();
        fuse.reach("the ledger is open");
        let since = Timestamp::from_micros(0);
        let since = Since {
            attempts: since,
            resolved: since,
        };
        let memory = ledger.load(since).await.unwrap();
        let is_new = memory.rates.is_empty();
        let people = [("ada".to_owned(), Authority::Administrator)];
        let parts = Parts {
            settings: scene.settings.clone(),
            topology: scene::topology(),
            people: people.into(),
            executor: "webhook".to_owned(),
            actions: None,
            seed: 7,
        };
        let now = read_clock(&folder);
        let mut drill = Self {
            planner: Planner::new(parts, memory).unwrap(),
            arm: Arm::new(&folder, is_mute),
            folder,
            scene,
            ledger,
            fuse,
            now,
            under_way: Vec::new(),
        };
        if is_new {
            for rate in scene::rates(now) {
                drill.planner.remember(Record::Rate(rate));
            }
        }
        drill
    }

    /// Asks what became of the orders that were not answered.
    async fn ask(&mut self) {
        for (_, order) in self.planner.unanswered() {
            self.fuse.reach("an order is to be asked about");
            let answer = self.arm.ask(&order);
            let answer = answer.unwrap_or_else(|| Answer::InDoubt {
                said: "nobody can tell".to_owned(),
            });
            self.fuse.reach("an order was asked about");
            self.planner.tick(self.now);
            self.planner.answered(&order.key, &answer);
            self.write().await;
        }
    }

    async fn turn(&mut self) {
        self.now = self.now.plus_micros(self.scene.turn_s * 1_000_000);
        write_clock(&self.folder, self.now);
        let finding = self.scene.found(self.now, &self.arm);
        self.planner.observe(self.now, finding).unwrap();
        self.planner.think();
        let waits = |plan: &&Plan| plan.state == PlanState::AwaitingApproval;
        let waiting: Vec<_> = self
            .planner
            .plans()
            .filter(waits)
            .map(|plan| plan.id)
            .collect();
        for plan in waiting {
            let reason = "go".to_owned();
            let approve = Command::Approve { plan, reason };
            // It may be held, or late: then it is asked for again.
            let _ = self.planner.command(self.now, "ada", &approve);
        }
        self.planner.tick(self.now);
        self.write().await;
        if !self.under_way.is_empty() {
            self.fuse.reach("a lease is held");
        }
        self.work().await;
    }

    /// The executor carries out what is due, and answers.
    async fn work(&mut self) {
        let all = std::mem::take(&mut self.under_way);
        for (order, turns) in all {
            if turns > 0 {
                self.under_way.push((order, turns - 1));
                continue;
            }
            self.fuse.reach("an order is not carried out yet");
            let answer = match self.scene.fails(&order) {
                true => Answer::Failed {
                    said: "it would not".to_owned(),
                },
                false => self.arm.carry_out(&order, self.now),
            };
            self.fuse
                .reach("an order was carried out, and not answered");
            self.planner.answered(&order.key, &answer);
            self.fuse
                .reach("an order was answered, and the answer not written");
            self.write().await;
        }
    }

    /// Writes down what came of a turn; only then orders go out.
    async fn write(&mut self) {
        let Batch { records, orders } = self.planner.take();
        // That an issue has become a little older is nothing that could be lost.
        let is_boundary = records
            .iter()
            .any(|record| !matches!(record, Record::Issue(_)));
        if is_boundary {
            self.fuse.reach("a batch is not written yet");
        }
        self.ledger.commit(&records).await.unwrap();
        if is_boundary {
            self.fuse.reach("a batch was written");
        }
        for (_, order) in orders {
            self.fuse.reach("an order is on its way");
            self.under_way.push((order, WORK_TURNS));
        }
    }

    /// Nothing more will come: all plans are over, and issues are resolved, or left to people.
    fn is_at_rest(&self) -> bool {
        use remedy::issue::IssueState;
        let mut plans = self.planner.plans();
        let mut issues = self.planner.issues();
        self.planner.head().seq > 0
            && self.under_way.is_empty()
            && plans.all(|plan| plan.state.is_over())
            && issues.all(|issue| issue.state == IssueState::Escalated)
    }
}

fn read_clock(folder: &Path) -> Timestamp {
    let kept = fs::read_to_string(folder.join("clock")).unwrap_or_default();
    Timestamp::from_micros(kept.parse().unwrap_or(START_US))
}

/// In one step: time must not go back when it is killed in between.
fn write_clock(folder: &Path, now: Timestamp) {
    let new = folder.join("clock.new");
    fs::write(&new, now.micros().to_string()).unwrap();
    fs::rename(new, folder.join("clock")).unwrap();
}
