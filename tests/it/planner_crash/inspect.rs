//! What is left when everything has come to rest, held against each other: the ledger, and what the executor wrote down.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use ledger::{Ledger, Location, OpenError, Since};
use remedy::audit::{Entry, Verifier};
use remedy::decision::{self, DecisionId};
use remedy::issue::IssueState;
use remedy::order::Order;
use remedy::plan::{Plan, PlanId, StepState};
use remedy::record::{DecisionRecord, Memory};
use series::Timestamp;

/// As the scenes have it.
const MOST_ON_TARGET: usize = 10;
const MOST_IN_ALL: usize = 100;
const HOUR_S: f64 = 3600.0;

/// Everything.
pub(super) struct Inspection {
    pub(super) memory: Memory,
    audit: Vec<Entry>,
    decisions: Vec<DecisionRecord>,
    /// What the executor carried out, and when, in its order.
    pub(super) done: Vec<(Timestamp, Order)>,
}

fn everything() -> Since {
    let begin = Timestamp::from_micros(0);
    Since {
        attempts: begin,
        resolved: begin,
    }
}

/// The plans with an order that was written down and not answered, as a kill left them.
pub(super) async fn doubtful(location: &Location) -> Vec<PlanId> {
    let ledger = match Ledger::open_read_only(location).await {
        Ok(ledger) => ledger,
        // Killed before there was one.
        Err(OpenError::Missing { .. }) => return Vec::new(),
        Err(error) => panic!("{error:?}"),
    };
    let memory = ledger.load(everything()).await.unwrap();
    ledger.close().await;
    let doubtful = memory.plans.iter().filter(|plan| waits(plan));
    doubtful.map(|plan| plan.id).collect()
}

fn waits(plan: &Plan) -> bool {
    let mut steps = plan.steps.iter();
    steps.any(|step| matches!(step.state, StepState::Ordered | StepState::Undoing))
}

/// Reads all there is.
pub(super) async fn inspect(folder: &Path, location: &Location) -> Inspection {
    let ledger = Ledger::open_read_only(location).await.unwrap();
    let memory = ledger.load(everything()).await.unwrap();
    let mut audit: Vec<Entry> = Vec::new();
    loop {
        let after = audit.last().map_or(0, |entry| entry.seq);
        let page = ledger.audit(after, ledger::MAX_PAGE).await.unwrap();
        if page.is_empty() {
            break;
        }
        audit.extend(page);
    }
    let mut decisions = Vec::new();
    for id in 1..=memory.last.decision {
        decisions.push(ledger.decision(DecisionId(id)).await.unwrap().unwrap());
    }
    ledger.close().await;
    let text = fs::read_to_string(folder.join("done")).unwrap_or_default();
    let done = text.lines().map(|line| {
        let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
        let [at, order] = ["at", "order"].map(|name| line[name].take());
        let at = serde_json::from_value(at).unwrap();
        (at, serde_json::from_value(order).unwrap())
    });
    Inspection {
        done: done.collect(),
        memory,
        audit,
        decisions,
    }
}

impl Inspection {
    /// All that must hold whenever everything is at rest, wherever it was killed before.
    #[track_caller]
    pub(super) fn check(&self, story: &str, is_mute: bool) {
        self.check_audit(story);
        self.check_orders(story);
        self.check_rest(story);
        self.check_limits(story);
        for plan in &self.memory.plans {
            self.check_plan(plan, story, is_mute);
        }
        for record in &self.decisions {
            let again = decision::replay(record);
            assert!(again.is_ok(), "{story}: {}: {again:?}", record.id);
        }
    }

    #[track_caller]
    fn check_audit(&self, story: &str) {
        let mut verifier = Verifier::default();
        for entry in &self.audit {
            verifier
                .push(entry)
                .unwrap_or_else(|broken| panic!("{story}: {broken}"));
        }
        assert_eq!(verifier.head(), self.memory.head, "{story}");
    }

    /// Nothing twice, under whatever key; nothing that was not written down; no fence that falls.
    #[track_caller]
    fn check_orders(&self, story: &str) {
        let ordered = self
            .audit
            .iter()
            .filter(|entry| entry.kind == "step.ordered");
        let keys = ordered.map(|entry| {
            let body: serde_json::Value = serde_json::from_str(&entry.body).unwrap();
            (body["key"].as_str().unwrap().to_owned(), entry.at)
        });
        let told: BTreeMap<String, Timestamp> = keys.collect();
        let (mut keys, mut actions, mut fences) =
            (BTreeSet::new(), BTreeSet::new(), BTreeMap::new());
        for (at, order) in &self.done {
            let key = &order.key;
            assert!(keys.insert(key), "{story}: {key} was carried out twice");
            let action = order.action.to_string();
            assert!(actions.insert(action.clone()), "{story}: twice: {action}");
            let ordered = told.get(key);
            assert!(
                ordered.is_some_and(|ordered| ordered <= at),
                "{story}: {key} was not written"
            );
            let fence = fences.entry(order.action.target()).or_insert(0);
            assert!(order.fence >= *fence, "{story}: {key}: the fence fell");
            *fence = order.fence;
        }
    }

    #[track_caller]
    fn check_rest(&self, story: &str) {
        for lease in &self.memory.leases {
            assert_eq!(lease.holder, None, "{story}: {lease:?}");
        }
        assert_eq!(self.memory.issues.len(), 1, "{story}");
        for issue in &self.memory.issues {
            let is_at_rest = matches!(issue.state, IssueState::Resolved | IssueState::Escalated);
            assert!(is_at_rest, "{story}: {:?}: {}", issue.state, issue.note);
        }
    }

    /// What the ledger says of each step is what the executor did.
    #[track_caller]
    fn check_plan(&self, plan: &Plan, story: &str, is_mute: bool) {
        assert!(
            plan.state.is_over(),
            "{story}: {} is {:?}",
            plan.id,
            plan.state
        );
        assert!(!waits(plan), "{story}: {} waits for an answer", plan.id);
        for (i, planned) in plan.steps.iter().enumerate() {
            let was = |is_undo| {
                let mut done = self.done.iter().map(|(_, order)| order);
                done.any(|done| (done.plan, done.step, done.is_undo) == (plan.id, i, is_undo))
            };
            let is_right = match planned.state {
                StepState::Waiting | StepState::Failed => !was(false) && !was(true),
                StepState::Done => was(false) && !was(true),
                StepState::Undone => was(false) && was(true),
                // Its inverse may have been lost on the way.
                StepState::NotUndone => was(false) && !was(true),
                StepState::InDoubt => is_mute,
                StepState::Ordered | StepState::Undoing => false,
            };
            assert!(
                is_right,
                "{story}: step {i} of {} is {:?}",
                plan.id, planned.state
            );
        }
    }

    /// Within any hour, over all restarts; and every action was counted.
    #[track_caller]
    fn check_limits(&self, story: &str) {
        let actions = &self.memory.actions;
        for (_, order) in &self.done {
            let is_counted = actions.iter().any(|action| action.key == order.key);
            assert!(
                is_counted || order.action.is_harmless(),
                "{story}: {}",
                order.key
            );
        }
        for last in actions {
            let hour = actions
                .iter()
                .filter(|action| (0.0..HOUR_S).contains(&last.at.seconds_since(action.at)));
            assert!(hour.clone().count() <= MOST_IN_ALL, "{story}");
            let on_target = hour.filter(|action| action.target == last.target);
            let most = if last.target.as_str() == "service/api" {
                3
            } else {
                MOST_ON_TARGET
            };
            assert!(on_target.count() <= most, "{story}: {}", last.target);
        }
    }
}
