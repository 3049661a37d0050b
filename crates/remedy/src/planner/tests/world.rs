//! A world for the planner: a clock, a shop, people, a ledger, and an executor that can fail, hang and be in doubt.

use std::collections::BTreeMap;

use series::Timestamp;

use super::ledger::Ledger;
use super::shop::{people, shop};
use crate::guard::window::freeze;
use crate::issue::{Issue, IssueId, IssueState, Severity};
use crate::order::{Answer, Order};
use crate::plan::{Plan, PlanId};
use crate::planner::{Command, Parts, Planner, Refused, Reply};
use crate::topology::Topology;
use crate::{Finding, Phase, Settings};

/// What the executor does with an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Conduct {
    Does,
    Fails,
    Doubts,
    /// Carries it out and says nothing.
    Hangs,
}

pub(super) struct World {
    pub(super) planner: Planner,
    pub(super) parts: Parts,
    pub(super) now: Timestamp,
    pub(super) ledger: Ledger,
    /// Orders on their way.
    pub(super) sent: Vec<(String, Order)>,
    /// What the executor carried out, by key.
    pub(super) done: BTreeMap<String, Answer>,
    /// All that was ordered, in order, by the time of the planner.
    pub(super) got: Vec<(Timestamp, String, Order)>,
    pub(super) conduct: Conduct,
    /// What it does with the next orders first.
    pub(super) conducts: Vec<Conduct>,
    /// Answers on their way.
    pub(super) answers: Vec<(String, Answer)>,
}

impl World {
    pub(super) fn new(settings: Settings) -> Self {
        Self::with(settings, Ledger::default(), shop())
    }

    pub(super) fn with(settings: Settings, ledger: Ledger, topology: Topology) -> Self {
        let parts = Parts {
            settings,
            topology,
            people: people(),
            executor: "webhook".to_owned(),
            actions: None,
            seed: 7,
        };
        Self {
            planner: Planner::new(parts.clone(), ledger.memory()).unwrap(),
            parts,
            // 2026-11-26, a Thursday, 12:00.
            now: Timestamp::from_millis(1_795_694_400_000),
            ledger,
            sent: Vec::new(),
            done: BTreeMap::new(),
            got: Vec::new(),
            conduct: Conduct::Does,
            conducts: Vec::new(),
            answers: Vec::new(),
        }
    }

    /// A world in which every strategy has always helped.
    pub(super) fn confident(settings: Settings) -> Self {
        let mut world = Self::new(settings);
        world.believe();
        world
    }

    pub(super) fn believe(&mut self) {
        self.ledger.believe(self.now);
        self.restart();
    }

    pub(super) fn pass(&mut self, seconds: f64) {
        self.now = self.now.plus_micros((seconds * 1e6) as i64);
    }

    /// The planner hears of it now.
    pub(super) fn find(&mut self, mut finding: Finding) {
        finding.at = self.now;
        self.planner.observe(self.now, finding).unwrap();
    }

    pub(super) fn take_back(&mut self, finding: &Finding) {
        let finding = Finding {
            is_present: false,
            ..finding.clone()
        };
        self.find(finding);
    }

    pub(super) fn ask(&mut self, who: &str, command: Command) -> Result<Reply, Refused> {
        let reply = self.planner.command(self.now, who, &command);
        self.write();
        reply
    }

    pub(super) fn approve(&mut self, who: &str, plan: PlanId) -> Result<Reply, Refused> {
        let reason = "go".to_owned();
        self.ask(who, Command::Approve { plan, reason })
    }

    /// Writes down what came of it, and sends the orders.
    pub(super) fn write(&mut self) {
        let batch = self.planner.take();
        self.ledger.write(&batch);
        for (executor, order) in batch.orders {
            self.check(&executor, &order);
            self.got
                .push((self.planner.now(), executor.clone(), order.clone()));
            self.sent.push((executor, order));
        }
    }

    /// The executor gets what was sent, and does with it what it does.
    pub(super) fn deliver(&mut self) {
        for (_, order) in std::mem::take(&mut self.sent) {
            let said = String::new();
            let conduct = match self.conducts.is_empty() {
                true => self.conduct,
                false => self.conducts.remove(0),
            };
            let answer = match conduct {
                Conduct::Does | Conduct::Hangs => Answer::Done { said },
                Conduct::Fails => Answer::Failed { said },
                Conduct::Doubts => Answer::InDoubt { said },
            };
            let before = self.done.insert(order.key.clone(), answer.clone());
            assert_eq!(before, None, "{} was carried out twice", order.key);
            if conduct != Conduct::Hangs {
                self.answers.push((order.key.clone(), answer));
            }
        }
    }

    pub(super) fn answer(&mut self) {
        for (key, answer) in std::mem::take(&mut self.answers) {
            self.planner.answered(&key, &answer);
            self.write();
        }
    }

    /// One turn after some time, until nothing more comes of it.
    pub(super) fn turn(&mut self, seconds: f64) {
        self.pass(seconds);
        self.planner.tick(self.now);
        self.write();
        while !(self.sent.is_empty() && self.answers.is_empty()) {
            self.deliver();
            self.answer();
        }
    }

    /// Turns of some seconds each, with these findings repeated before each.
    pub(super) fn turns(&mut self, n: usize, seconds: f64, findings: &[Finding]) {
        for _ in 0..n {
            for finding in findings {
                self.find(finding.clone());
            }
            self.turn(seconds);
        }
    }

    /// Is killed now, and comes back with what was written; the executor is asked about what was not answered.
    pub(super) fn restart(&mut self) {
        (self.sent, self.answers) = Default::default();
        self.planner = Planner::new(self.parts.clone(), self.ledger.memory()).unwrap();
        for (_, order) in self.planner.unanswered() {
            let never = Answer::Failed {
                said: "it never came".to_owned(),
            };
            let answer = self.done.get(&order.key).cloned().unwrap_or(never);
            self.answers.push((order.key, answer));
        }
    }

    pub(super) fn issue(&self, id: u64) -> &Issue {
        &self.ledger.issues[&IssueId(id)]
    }

    pub(super) fn plan(&self, id: u64) -> &Plan {
        &self.ledger.plans[&PlanId(id)]
    }

    pub(super) fn live(&self) -> Vec<&Issue> {
        self.ledger
            .issues
            .values()
            .filter(|issue| issue.is_live())
            .collect()
    }

    /// What the executor got, in short.
    pub(super) fn actions(&self) -> Vec<String> {
        self.got
            .iter()
            .map(|(_, _, order)| order.action.to_string())
            .collect()
    }

    pub(super) fn states(&self) -> Vec<IssueState> {
        self.ledger
            .issues
            .values()
            .map(|issue| issue.state)
            .collect()
    }

    /// What must hold of every order that goes out, whatever went before.
    fn check(&self, executor: &str, order: &Order) {
        let (settings, key) = (&self.parts.settings, &order.key);
        let plan = &self.ledger.plans[&order.plan];
        let subject = order.plan.to_string();
        let told = self.ledger.audit.iter().any(|entry| {
            entry.kind == "step.ordered"
                && entry.subject == subject
                && entry.body.contains(&format!("\"{key}\""))
        });
        assert!(told, "{key} went out and was not written down");
        if settings.phase < Phase::Approve {
            assert_eq!(executor, "dry_run", "{key} in phase {:?}", settings.phase);
            assert_ne!(settings.phase, Phase::Observe);
        }
        if executor == "dry_run" {
            return;
        }
        assert!(!self.ledger.brake.is_engaged, "{key} under the brake");
        let now = self.planner.now();
        let hour = |at: Timestamp| now.seconds_since(at) < 3600.0;
        let acted = self.got.iter().filter(|(at, executor, order)| {
            hour(*at) && executor != "dry_run" && !order.action.is_harmless()
        });
        if !order.action.is_harmless() {
            let on = acted
                .clone()
                .filter(|(_, _, other)| other.action.target() == order.action.target());
            assert!(
                (on.count() as u32) < settings.actions_per_target,
                "{key}: too many"
            );
            assert!(
                (acted.count() as u32) < settings.actions_per_hour,
                "{key}: too many in all"
            );
        }
        if order.is_undo {
            return;
        }
        assert_eq!(self.planner.storm(), None, "{key} in a storm");
        let standing = plan.approvals.last().filter(|approval| approval.is_yes);
        let standing = standing.and_then(|approval| self.parts.people.get(&approval.who));
        let is_approved = standing.is_some_and(|authority| *authority >= plan.authority);
        let needs_person =
            !order.action.is_harmless() && plan.steps[order.step].step.inverse.is_none();
        assert!(
            is_approved || !needs_person,
            "{key} without approval: {}",
            order.action
        );
        if settings.phase < Phase::Constrained && !order.action.is_harmless() {
            assert!(
                is_approved,
                "{key} without approval in phase {:?}",
                settings.phase
            );
        }
        let issue = &self.ledger.issues[&order.issue];
        if let Some(freeze) = freeze(&settings.freezes, now) {
            let passes =
                freeze.allow_critical && is_approved && issue.severity == Severity::Critical;
            assert!(passes, "{key} in a freeze");
        }
        if order.step == 0 {
            let live = self.planner.issue(order.issue).unwrap();
            let newest = live.evidence.iter().map(|finding| finding.at).max();
            let age_s = now.seconds_since(newest.unwrap());
            assert!(
                age_s <= settings.max_data_age_s,
                "{key} on data {age_s} s old"
            );
        }
    }
}
