//! One of each.

use std::collections::BTreeMap;

use remedy::audit::{Entry, Hash, Head};
use remedy::decision::{DecisionId, Urgency};
use remedy::health::{AreaHealth, Health, Reason};
use remedy::issue::{Issue, IssueId, IssueState, Severity};
use remedy::plan::{Approval, Outcome, Plan, PlanId, PlanState, PlannedStep, StepState, Verdict};
use remedy::record::{
    ActionRecord, Brake, DecisionRecord, FindingRecord, Lease, Rate, Record, RequestRecord,
};
use remedy::strategy::{Authority, Effect, Reversibility, Step};
use remedy::{Area, Class, EntityId, Finding, Source};

use super::at;

pub(super) fn entity(name: &str) -> EntityId {
    name.parse().unwrap()
}

pub(super) fn finding(entity_name: &str, signal: &str) -> Finding {
    Finding {
        entity: entity(entity_name),
        class: Class::MemoryExhaustion,
        source: Source::Prediction,
        is_present: true,
        at: at(90),
        signal: signal.to_owned(),
        value: 0.1 + 0.2,
        threshold: 0.9,
        unit: "ratio".to_owned(),
        probability: 1.0 / 3.0,
        probability_day: 0.7,
        ttf_s: Some([300.0, 612.5, 1e9]),
        confidence: f64::MIN_POSITIVE,
        cause: "leak".to_owned(),
        facts: BTreeMap::from([("pod".to_owned(), "a\"b\\c\n😀".to_owned())]),
    }
}

pub(super) fn issue(id: u64) -> Issue {
    Issue {
        id: IssueId(id),
        entity: entity("host/web-1"),
        class: Class::MemoryExhaustion,
        cause: "leak".to_owned(),
        state: IssueState::Open,
        severity: Severity::High,
        opened: at(100),
        updated: at(110),
        seen: at(109),
        resolved: None,
        suppressed_until: None,
        evidence: vec![finding("host/web-1", "used{host=\"web-1\"}")],
        n_findings: 3,
        also: vec![entity("service/api")],
        n_also: 1,
        affected: vec![entity("service/api")],
        severity_because: "impact high, urgency high".to_owned(),
        note: String::new(),
        plans: vec![PlanId(7)],
        decisions: Vec::new(),
        returned_from: Some(IssueId(1)),
        storm: None,
        seen_by: None,
        part_of: None,
        facts: BTreeMap::new(),
    }
}

pub(super) fn resolved(id: u64, s: i64) -> Issue {
    Issue {
        state: IssueState::Resolved,
        resolved: Some(at(s)),
        ..issue(id)
    }
}

pub(super) fn plan(id: u64, issue: u64) -> Plan {
    let action = remedy::action::Action::Restart {
        target: entity("instance/api-1"),
        back_off_s: 0.5,
    };
    let step = Step {
        action,
        inverse: None,
        timeout_s: 30.0,
    };
    Plan {
        id: PlanId(id),
        issue: IssueId(issue),
        decision: DecisionId(id),
        class: Class::MemoryExhaustion,
        entity: entity("host/web-1"),
        cause: "leak".to_owned(),
        strategy: "restart".to_owned(),
        state: PlanState::AwaitingApproval,
        steps: vec![PlannedStep {
            step,
            state: StepState::Waiting,
            said: String::new(),
            tries: 0,
            ordered: None,
            answered: Some(at(120)),
        }],
        effect: Effect {
            signal: "used".to_owned(),
            unit: "ratio".to_owned(),
            from: 0.95,
            to: 0.4,
            least: 0.1,
            within_s: 600.0,
        },
        drift_per_s: 1e-5,
        reversibility: Reversibility::SelfHealing,
        authority: Authority::Operator,
        urgency: Urgency::Now,
        confidence: 0.8,
        risk: 0.1,
        capacity_away: 0.25,
        because: vec!["it leaks".to_owned()],
        created: at(115),
        updated: at(116),
        deadline: Some(at(200)),
        not_before: None,
        approvals: vec![Approval {
            who: "ann".to_owned(),
            authority: Authority::Owner,
            at: at(117),
            is_yes: true,
            reason: String::new(),
            executor: "webhook".to_owned(),
        }],
        held: String::new(),
        called_off: None,
        came_back: false,
        carried_out: None,
        outcome: None,
        attempt: 1,
        executor: "dry_run".to_owned(),
        fence: u64::MAX,
    }
}

pub(super) fn judged(id: u64, issue: u64, state: PlanState, verdict: Verdict) -> Plan {
    let outcome = Outcome {
        verdict,
        at: at(300),
        value: None,
        because: "it fell".to_owned(),
    };
    Plan {
        state,
        outcome: Some(outcome),
        ..plan(id, issue)
    }
}

pub(super) fn decision(id: u64, issue: u64) -> DecisionRecord {
    let (input, output) = ("{\"a\":\"\\u0000\"}", "{\"b\":1.5}");
    DecisionRecord {
        id: DecisionId(id),
        issue: IssueId(issue),
        at: at(115),
        input: input.to_owned(),
        output: output.to_owned(),
        input_hash: Hash::of(input.as_bytes()),
        output_hash: Hash::of(output.as_bytes()),
    }
}

pub(super) fn rate(strategy: &str, context: &str, successes: f64) -> Rate {
    Rate {
        strategy: strategy.to_owned(),
        context: context.to_owned(),
        successes,
        failures: 1.0 / 7.0,
        harms: 0.0,
        at: at(50),
    }
}

pub(super) fn action(key: &str, plan: u64, s: i64) -> ActionRecord {
    ActionRecord {
        key: key.to_owned(),
        target: entity("instance/api-1"),
        class: Class::ProcessCrash,
        cause: "oom".to_owned(),
        plan: PlanId(plan),
        at: at(s),
    }
}

pub(super) fn lease(target: &str, fence: u64) -> Lease {
    Lease {
        target: entity(target),
        holder: (fence % 2 == 1).then_some(PlanId(fence)),
        fence,
        expires: at(500),
    }
}

pub(super) fn brake(reason: &str) -> Brake {
    Brake {
        is_engaged: true,
        who: "ann".to_owned(),
        reason: reason.to_owned(),
        at: at(10),
    }
}

pub(super) fn health(s: i64) -> Health {
    let reason = Reason {
        issue: IssueId(1),
        entity: entity("host/web-1"),
        points: 12.5,
        because: "it leaks".to_owned(),
    };
    Health {
        at: at(s),
        overall: 87.5,
        areas: vec![AreaHealth {
            area: Area::Compute,
            score: 75.0,
            reasons: vec![reason],
            n_reasons: 1,
        }],
    }
}

pub(super) fn request(id: &str, s: i64) -> RequestRecord {
    RequestRecord {
        id: id.to_owned(),
        digest: Hash::of(id.as_bytes()),
        reply: vec![0, 255, 10, 0],
        at: at(s),
    }
}

pub(super) fn entry(head: &mut Head, subject: &str) -> Entry {
    head.append(at(5), "forestall", "issue.opened", subject, "{}".to_owned())
}

/// `n` entries after a head, which is moved.
pub(super) fn entries(head: &mut Head, n: usize) -> Vec<Record> {
    (0..n).map(|_| Record::Audit(entry(head, "i1"))).collect()
}

pub(super) fn found(issue: u64, finding: Finding) -> Record {
    let issue = IssueId(issue);
    Record::Finding(Box::new(FindingRecord { issue, finding }))
}

pub(super) fn issues(issues: impl IntoIterator<Item = Issue>) -> Vec<Record> {
    let boxed = |issue| Record::Issue(Box::new(issue));
    issues.into_iter().map(boxed).collect()
}

pub(super) fn plans(plans: impl IntoIterator<Item = Plan>) -> Vec<Record> {
    let boxed = |plan| Record::Plan(Box::new(plan));
    plans.into_iter().map(boxed).collect()
}
