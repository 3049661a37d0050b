//! Any sequence of records, in any batches: what is loaded is the last of each key.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use remedy::audit::Head;
use remedy::issue::{Issue, IssueState, Severity};
use remedy::plan::{Plan, PlanState, Verdict};
use remedy::record::{Brake, Memory, Record};

use super::records::{action, brake, entry, finding, found, issue, judged, lease, plan, rate};
use super::{Place, all, at, block_on, commit, on_both};

/// What is done, by small numbers so that keys meet.
#[derive(Debug, Clone)]
enum Step {
    Issue(u64, usize, usize, String),
    Plan(u64, u64, usize, bool),
    Finding(u64, String, bool),
    Rate(String, String, f64),
    Action(i64),
    Lease(String, u64),
    Brake(String),
    Audit(String),
    /// The batch ends.
    Commit,
}

fn step() -> impl Strategy<Value = Step> {
    // Any character, and often the awkward ones.
    let text = || "(\\PC|[\0\\\\'\"\n%_]){0,4}";
    prop_oneof![
        (1..6_u64, 0..8_usize, 0..5_usize, text()).prop_map(|(a, b, c, d)| Step::Issue(a, b, c, d)),
        (1..6_u64, 1..6_u64, 0..13_usize, any::<bool>())
            .prop_map(|(a, b, c, d)| Step::Plan(a, b, c, d)),
        (1..6_u64, text(), any::<bool>()).prop_map(|(a, b, c)| Step::Finding(a, b, c)),
        (
            text(),
            text(),
            prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO
        )
            .prop_map(|(a, b, c)| Step::Rate(a, b, c)),
        (0..100_i64).prop_map(Step::Action),
        ("[a-c\\\\]{1,2}", any::<u64>()).prop_map(|(a, b)| Step::Lease(a, b)),
        text().prop_map(Step::Brake),
        text().prop_map(Step::Audit),
        Just(Step::Commit),
    ]
}

/// What is expected to be remembered.
#[derive(Default)]
struct Model {
    issues: BTreeMap<u64, Issue>,
    plans: BTreeMap<u64, Plan>,
    findings: BTreeMap<String, (u64, bool)>,
    rates: BTreeMap<(String, String), f64>,
    leases: BTreeMap<String, u64>,
    actions: usize,
    brake: Brake,
    head: Head,
}

impl Model {
    fn record(&mut self, step: Step) -> Option<Record> {
        Some(match step {
            Step::Issue(id, state, severity, note) => {
                let mut issue = issue(id);
                issue.state = IssueState::ALL[state];
                issue.severity = Severity::ALL[severity];
                issue.resolved = (!issue.is_live()).then(|| at(50));
                issue.note = note;
                self.issues.insert(id, issue.clone());
                Record::Issue(Box::new(issue))
            }
            Step::Plan(id, issue, state, is_judged) => {
                let state = PlanState::ALL[state];
                let made = if is_judged {
                    judged(id, issue, state, Verdict::Improved)
                } else {
                    Plan {
                        state,
                        ..plan(id, issue)
                    }
                };
                self.plans.insert(id, made.clone());
                Record::Plan(Box::new(made))
            }
            Step::Finding(issue, signal, is_present) => {
                let mut finding = finding("host/web-1", &signal);
                finding.is_present = is_present;
                self.findings.insert(signal, (issue, is_present));
                found(issue, finding)
            }
            Step::Rate(strategy, context, n) => {
                let record = Record::Rate(rate(&strategy, &context, n));
                self.rates.insert((strategy, context), n);
                record
            }
            Step::Action(s) => {
                self.actions += 1;
                Record::Action(action(&format!("p1-{}", self.actions), 1, s))
            }
            Step::Lease(name, fence) => {
                let name = format!("host/{name}");
                let record = Record::Lease(lease(&name, fence));
                self.leases.insert(name, fence);
                record
            }
            Step::Brake(reason) => {
                self.brake = brake(&reason);
                Record::Brake(self.brake.clone())
            }
            Step::Audit(subject) => Record::Audit(entry(&mut self.head, &subject)),
            Step::Commit => return None,
        })
    }

    fn check(&self, memory: &Memory) {
        let issues: Vec<_> = self.issues.values().cloned().collect();
        assert_eq!(memory.issues, issues);
        // Those of issues that nobody knows are loaded until they are over.
        let is_kept = |plan: &&Plan| !plan.is_finished() || self.issues.contains_key(&plan.issue.0);
        let plans: Vec<_> = self.plans.values().filter(is_kept).cloned().collect();
        assert_eq!(memory.plans, plans);
        let is_live = |id: &u64| self.issues.get(id).is_some_and(Issue::is_live);
        let present = self
            .findings
            .iter()
            .filter(|(_, (id, is))| *is && is_live(id));
        let present: BTreeMap<&str, u64> = present.map(|(s, (id, _))| (&**s, *id)).collect();
        let kept = memory.findings.iter();
        let kept = kept.map(|found| (&*found.finding.signal, found.issue.0));
        assert_eq!(kept.collect::<BTreeMap<_, _>>(), present);
        let rates = memory.rates.iter();
        let rates = rates.map(|rate| ((rate.strategy.clone(), rate.context.clone()), rate));
        let rates: BTreeMap<_, _> = rates.collect();
        assert_eq!(rates.len(), self.rates.len());
        for (key, n) in &self.rates {
            assert_eq!(rates[key].successes.to_bits(), n.to_bits());
        }
        let leases = self.leases.iter().map(|(name, fence)| lease(name, *fence));
        assert_eq!(
            memory
                .leases
                .iter()
                .map(|lease| (&lease.target, lease))
                .collect::<BTreeMap<_, _>>(),
            leases
                .collect::<Vec<_>>()
                .iter()
                .map(|lease| (&lease.target, lease))
                .collect::<BTreeMap<_, _>>()
        );
        assert_eq!(memory.actions.len(), self.actions);
        assert_eq!((&memory.brake, memory.head), (&self.brake, self.head));
    }
}

async fn check(place: &Place, steps: Vec<Step>) {
    let ledger = place.open().await;
    let (mut model, mut batch) = (Model::default(), Vec::new());
    for step in steps {
        match model.record(step) {
            Some(record) => batch.push(record),
            None => commit(&ledger, &std::mem::take(&mut batch)).await,
        }
    }
    commit(&ledger, &batch).await;
    model.check(&all(&ledger).await);
    ledger.close().await;
    // Another program sees the same.
    let reader = crate::Ledger::open_read_only(&place.location)
        .await
        .unwrap();
    model.check(&all(&reader).await);
    reader.close().await;
}

#[test]
fn what_is_loaded_is_the_last_of_each_key_on_sqlite() {
    let steps = prop::collection::vec(step(), 0..60);
    let mut runner = TestRunner::new(ProptestConfig::with_cases(32));
    let ran = runner.run(&steps, |steps| {
        block_on(async { check(&Place::sqlite(), steps).await });
        Ok(())
    });
    ran.unwrap();
}

#[test]
fn what_is_loaded_is_the_last_of_each_key_on_both() {
    // Fewer and longer: a database of PostgreSQL takes a while to make.
    let steps = prop::collection::vec(step(), 200..300);
    let mut runner = TestRunner::new(ProptestConfig::with_cases(4));
    let ran = runner.run(&steps, |steps| {
        on_both(async |place| check(place, steps.clone()).await);
        Ok(())
    });
    ran.unwrap();
}
