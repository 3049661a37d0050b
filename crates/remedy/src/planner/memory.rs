//! What is written down, and what is brought back.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use serde::Serialize;
use series::Timestamp;

use super::books::Books;
use super::clock::Clock;
use super::findings::Key;
use super::{Batch, Live, Parts, Planner, PlannerError};
use crate::Finding;
use crate::audit::Hash;
use crate::guard::policy::Policies;
use crate::issue::{IssueId, IssueState};
use crate::plan::PlanId;
use crate::record::{FindingRecord, Memory, Record};

impl Planner {
    /// A planner with what it remembers.
    ///
    /// # Errors
    /// When the settings make no sense; see [`PlannerError`].
    pub fn new(parts: Parts, memory: Memory) -> Result<Self, PlannerError> {
        if let Some(problem) = parts.settings.problems().into_iter().next() {
            return Err(PlannerError::Setting {
                key: problem.key,
                message: problem.message,
            });
        }
        let policies = Policies::compile(&parts.settings)?;
        let now = newest(&memory);
        let mut planner = Self {
            policies,
            books: Books::new(memory.actions, memory.rates, memory.verdicts),
            settings: parts.settings,
            topology: parts.topology,
            people: parts.people,
            executor: parts.executor,
            actions: parts.actions,
            unavailable: None,
            seed: parts.seed,
            clock: Clock::new(now),
            awake: None,
            live: BTreeMap::new(),
            resolved: BTreeMap::new(),
            gone: HashMap::new(),
            plans: BTreeMap::new(),
            active: Default::default(),
            busy: Default::default(),
            looked_at: PlanId::default(),
            by_finding: HashMap::new(),
            by_entity: HashMap::new(),
            by_service: HashMap::new(),
            by_cause: HashMap::new(),
            measured: BTreeMap::new(),
            leases: memory
                .leases
                .into_iter()
                .map(|lease| (lease.target.clone(), lease))
                .collect(),
            brake: memory.brake,
            storm: Default::default(),
            to_decide: Default::default(),
            health: None,
            last: memory.last,
            counts: Default::default(),
            head: memory.head,
            first: memory.first,
            ledger: name_of(memory.first),
            dirty_issues: Default::default(),
            dirty_plans: Default::default(),
            out: Batch::default(),
        };
        for issue in memory.issues {
            if issue.state == IssueState::Resolved {
                planner
                    .gone
                    .insert((issue.entity.clone(), issue.class), issue.id);
                planner.resolved.insert(issue.id, issue);
                continue;
            }
            let around = planner.topology.surroundings(&issue.entity);
            let causes = planner.topology.causes(&issue.entity);
            let causes: Vec<_> = causes.into_iter().map(|(id, _)| id).collect();
            let id = issue.id;
            planner.live.insert(
                id,
                Live {
                    around,
                    keys: HashSet::new(),
                    quiet_since: None,
                    decided: Some(issue.updated),
                    diagnosis: crate::decision::diagnosis(issue.evidence.iter()),
                    causes,
                    written: issue.updated,
                    issue,
                },
            );
            planner.enlist(id);
        }
        for record in memory.findings {
            planner.adopt(record.issue, &record.finding);
        }
        let evidence = planner.live.iter();
        let evidence = evidence
            .flat_map(|(&id, live)| live.issue.evidence.iter().map(move |it| (id, it.clone())));
        // Evidence is of what is present: it was written with its issue, whatever else was.
        for (id, finding) in evidence.collect::<Vec<_>>() {
            planner.adopt(id, &finding);
        }
        for live in planner.live.values_mut() {
            // Whatever was taken back while nobody listened shows itself by its silence.
            live.quiet_since = live.keys.is_empty().then_some(now);
        }
        for plan in memory.plans {
            let id = plan.id;
            planner.plans.insert(id, plan);
            planner.list(id);
        }
        planner.recall_storm();
        Ok(planner)
    }

    /// Takes a finding back among those of a live issue, unless it is already.
    fn adopt(&mut self, id: IssueId, finding: &Finding) {
        let key = Key::of(finding);
        if self.by_finding.contains_key(&key) {
            return;
        }
        if let Some(live) = self.live.get_mut(&id) {
            let key = Arc::new(key);
            live.keys.insert(Arc::clone(&key));
            self.by_finding.insert(key, id);
        }
    }

    /// Puts an entry at the end of the audit.
    pub(super) fn audit(&mut self, who: &str, kind: &str, subject: &str, body: &impl Serialize) {
        let body = crate::decision::json(body);
        let is_first = self.head.seq == 0;
        let entry = self.head.append(self.now(), who, kind, subject, body);
        if is_first {
            self.first = entry.hash;
            self.ledger = name_of(entry.hash);
        }
        self.out.records.push(Record::Audit(entry));
    }

    /// Issues and plans that changed, once each, however often they did.
    pub(super) fn write_down(&mut self) {
        for id in std::mem::take(&mut self.dirty_issues) {
            if let Some(live) = self.live.get_mut(&id) {
                live.written = self.clock.now();
                self.out
                    .records
                    .push(Record::Issue(Box::new(live.issue.clone())));
            } else if let Some(issue) = self.resolved.get(&id) {
                self.out
                    .records
                    .push(Record::Issue(Box::new(issue.clone())));
            }
        }
        for id in std::mem::take(&mut self.dirty_plans) {
            if let Some(plan) = self.plans.get(&id) {
                self.out.records.push(Record::Plan(Box::new(plan.clone())));
            }
        }
    }

    /// What a planner that is brought back now would remember: for tests, and for those who keep no ledger.
    #[must_use]
    pub fn remembered(&self) -> Memory {
        Memory {
            issues: self
                .live
                .values()
                .map(|live| &live.issue)
                .chain(self.resolved.values())
                .cloned()
                .collect(),
            plans: self.plans.values().cloned().collect(),
            findings: {
                let live = self.live.iter();
                let found = live.flat_map(|(&issue, live)| {
                    let evidence = live.issue.evidence.iter().cloned();
                    evidence.map(move |finding| FindingRecord { issue, finding })
                });
                found.collect()
            },
            rates: self.books.rates().cloned().collect(),
            actions: self.books.all().cloned().collect(),
            leases: self.leases.values().cloned().collect(),
            brake: self.brake.clone(),
            head: self.head,
            first: self.first,
            last: self.last,
            verdicts: self.books.verdicts().clone(),
        }
    }
}

/// The newest instant that is remembered: time does not go back behind it.
fn newest(memory: &Memory) -> Timestamp {
    let issues = memory.issues.iter().map(|issue| issue.updated);
    let plans = memory.plans.iter().map(|plan| plan.updated);
    issues
        .chain(plans)
        .chain([memory.brake.at])
        .max()
        .unwrap_or_default()
}

/// Short, and as good as unique: plans of two ledgers meet at an executor, not those of thousands.
fn name_of(first: Hash) -> String {
    first.to_string().chars().take(8).collect()
}
