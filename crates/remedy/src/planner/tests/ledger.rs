//! A ledger in memory, as `record.rs` describes one: it keeps the last record of each key and all that is added, and checks
//! what is written as it comes.

use std::collections::BTreeMap;

use crate::audit::{Entry, Verifier};
use crate::issue::{Issue, IssueId, IssueState};
use crate::plan::{Plan, PlanId};
use crate::planner::Batch;
use crate::planner::findings::Key;
use crate::record::{
    ActionRecord, Brake, DecisionRecord, FindingRecord, Lease, Memory, Numbers, Rate, Record,
};
use crate::strategy::STRATEGIES;
use crate::{EntityId, Kind, decision};
use series::Timestamp;

/// What the shop has.
const KINDS: [Kind; 5] = [
    Kind::Service,
    Kind::Instance,
    Kind::Host,
    Kind::Database,
    Kind::Volume,
];

#[derive(Debug, Clone, Default)]
pub(super) struct Ledger {
    pub(super) issues: BTreeMap<IssueId, Issue>,
    pub(super) plans: BTreeMap<PlanId, Plan>,
    pub(super) decisions: Vec<DecisionRecord>,
    pub(super) findings: Vec<FindingRecord>,
    pub(super) rates: BTreeMap<(String, String), Rate>,
    pub(super) actions: BTreeMap<String, ActionRecord>,
    pub(super) leases: BTreeMap<EntityId, Lease>,
    pub(super) brake: Brake,
    pub(super) audit: Vec<Entry>,
    pub(super) n_health: usize,
    verifier: Verifier,
    states: BTreeMap<String, IssueState>,
}

impl Ledger {
    /// Writes a batch down; panics at what may not be written.
    pub(super) fn write(&mut self, batch: &Batch) {
        for record in &batch.records {
            self.put(record.clone());
        }
        for (id, issue) in &self.issues {
            let told = self.states.get(&id.to_string());
            assert_eq!(
                told,
                Some(&issue.state),
                "the audit tells another state of {id}"
            );
        }
    }

    fn put(&mut self, record: Record) {
        match record {
            Record::Issue(issue) => {
                self.issues.insert(issue.id, *issue);
            }
            Record::Plan(plan) => {
                self.plans.insert(plan.id, *plan);
            }
            Record::Decision(decision) => self.decisions.push(*decision),
            Record::Rate(rate) => {
                self.rates
                    .insert((rate.strategy.clone(), rate.context.clone()), rate);
            }
            Record::Action(action) => {
                let before = self.actions.insert(action.key.clone(), action);
                assert_eq!(before, None, "an action was written twice");
            }
            Record::Lease(lease) => {
                let before = self.leases.insert(lease.target.clone(), lease.clone());
                let fence = before.map_or(0, |before| before.fence);
                assert!(lease.fence >= fence, "the fence of {} fell", lease.target);
            }
            Record::Brake(brake) => self.brake = brake,
            Record::Health(_) => self.n_health += 1,
            Record::Request(_) => {}
            Record::Audit(entry) => self.audit(entry),
            Record::Finding(finding) => {
                let key = Key::of(&finding.finding);
                self.findings.retain(|known| Key::of(&known.finding) != key);
                self.findings.push(*finding);
            }
        }
    }

    fn audit(&mut self, entry: Entry) {
        self.verifier.push(&entry).unwrap();
        if let Some(state) = entry.kind.strip_prefix("issue.") {
            self.step(&entry, state);
        }
        self.audit.push(entry);
    }

    /// Follows the life of an issue as the audit tells it.
    fn step(&mut self, entry: &Entry, state: &str) {
        let opened = (state == "opened").then_some(IssueState::Open);
        let mut all = IssueState::ALL.into_iter();
        let Some(next) = opened.or_else(|| all.find(|known| known.name() == state)) else {
            return;
        };
        let before = self.states.insert(entry.subject.clone(), next);
        match before {
            None => assert!(opened.is_some(), "{} began as {state}", entry.subject),
            Some(before) => {
                let is_allowed = before == next || before.may_become(next);
                assert!(
                    is_allowed,
                    "{} went from {before:?} to {next:?}",
                    entry.subject
                );
                let told = format!("\"from\":\"{}\"", before.name());
                assert!(
                    entry.body.contains(&told),
                    "{}: {}",
                    entry.subject,
                    entry.body
                );
            }
        }
    }

    /// What a planner starts with.
    pub(super) fn memory(&self) -> Memory {
        let issues = self.issues.values();
        let live = |id: &IssueId| self.issues.get(id).is_some_and(Issue::is_live);
        let last = |n: Option<u64>| n.unwrap_or(0);
        Memory {
            issues: issues.cloned().collect(),
            plans: self.plans.values().cloned().collect(),
            findings: {
                let found = self.findings.iter();
                let found = found.filter(|found| found.finding.is_present && live(&found.issue));
                found.cloned().collect()
            },
            rates: self.rates.values().cloned().collect(),
            actions: self.actions.values().cloned().collect(),
            leases: self.leases.values().cloned().collect(),
            brake: self.brake.clone(),
            head: self.verifier.head(),
            first: self
                .audit
                .first()
                .map(|entry| entry.hash)
                .unwrap_or_default(),
            last: Numbers {
                issue: last(self.issues.keys().last().map(|id| id.0)),
                plan: last(self.plans.keys().last().map(|id| id.0)),
                decision: last(self.decisions.iter().map(|it| it.id.0).max()),
            },
            verdicts: BTreeMap::new(),
        }
    }

    /// How often something of this kind was written into the audit.
    pub(super) fn told(&self, kind: &str) -> usize {
        self.audit.iter().filter(|entry| entry.kind == kind).count()
    }

    /// Everything is at rest: no plan goes on, and nobody holds a lease.
    pub(super) fn is_at_rest(&self) -> bool {
        let plans = self.plans.values().all(Plan::is_finished);
        plans && self.leases.values().all(|lease| lease.holder.is_none())
    }

    pub(super) fn check_decisions(&self) {
        for record in &self.decisions {
            decision::replay(record).unwrap();
        }
    }

    /// Lets every strategy be believed in, wherever it is tried.
    pub(super) fn believe(&mut self, at: Timestamp) {
        for strategy in STRATEGIES {
            let classes = strategy.classes.iter();
            let kinds = classes
                .flat_map(|class| KINDS.map(|kind| format!("{}/{}", class.name(), kind.name())));
            for kind in kinds {
                for cause in ["", "leak", "burst", "growth"] {
                    let rate = Rate {
                        strategy: strategy.name.to_owned(),
                        context: format!("{kind}/{cause}"),
                        successes: 1e9,
                        failures: 0.0,
                        harms: 0.0,
                        at,
                    };
                    self.put(Record::Rate(rate));
                }
            }
        }
    }
}
