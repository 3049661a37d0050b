//! What the tests of this crate are about: one action of each kind, an order, a plan.

use std::collections::BTreeMap;

use remedy::action::Action;
use remedy::decision::{DecisionId, Urgency};
use remedy::issue::{Issue, IssueId, IssueState, Severity};
use remedy::order::Order;
use remedy::plan::{Plan, PlanId, PlanState, PlannedStep, StepState};
use remedy::strategy::{Authority, Effect, Reversibility, Step};
use remedy::{Class, EntityId, Finding, Source};
use series::{Clock, Timestamp};

/// The noon of 2026-11-26, and no other time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_795_694_400_000)
    }
}

pub(crate) fn now() -> Timestamp {
    Noon.now()
}

pub(crate) fn id(text: &str) -> EntityId {
    text.parse().unwrap()
}

pub(crate) fn restart(target: &str) -> Action {
    Action::Restart {
        target: id(target),
        back_off_s: 0.0,
    }
}

pub(crate) fn scale(target: &str, from: u32, to: u32) -> Action {
    Action::Scale {
        target: id(target),
        from,
        to,
    }
}

pub(crate) fn order(action: Action) -> Order {
    Order {
        key: "p17-0-do".into(),
        plan: PlanId(17),
        issue: IssueId(4),
        step: 0,
        is_undo: false,
        action,
        fence: 3,
        timeout_s: 60.0,
        at: Noon.now(),
    }
}

pub(crate) fn step(action: Action, inverse: Option<Action>) -> PlannedStep {
    PlannedStep {
        step: Step {
            action,
            inverse,
            timeout_s: 120.0,
        },
        state: StepState::Waiting,
        said: String::new(),
        tries: 0,
        ordered: None,
        answered: None,
    }
}

pub(crate) fn plan(entity: &str, steps: Vec<PlannedStep>) -> Plan {
    Plan {
        id: PlanId(17),
        issue: IssueId(4),
        decision: DecisionId(9),
        class: Class::CpuSaturation,
        entity: id(entity),
        cause: "growth".into(),
        strategy: "scale_out".into(),
        state: PlanState::AwaitingApproval,
        steps,
        effect: Effect {
            signal: "cpu_used_ratio{service=\"api\"}".into(),
            unit: "ratio".into(),
            from: 0.93,
            to: 0.56,
            least: 0.1,
            within_s: 300.0,
        },
        drift_per_s: 0.0,
        reversibility: Reversibility::Reversible,
        authority: Authority::Operator,
        capacity_away: 0.0,
        urgency: Urgency::Now,
        confidence: 0.91,
        risk: 0.12,
        because: vec![
            "each replica is above its target; two more bring all of them under it".into(),
        ],
        created: Noon.now(),
        updated: Noon.now(),
        deadline: Some(Noon.now().plus_micros(900_000_000)),
        not_before: None,
        approvals: Vec::new(),
        held: String::new(),
        called_off: None,
        came_back: false,
        carried_out: None,
        outcome: None,
        attempt: 0,
        executor: "webhook".into(),
        fence: 3,
    }
}

/// The issue of [`plan`]: near its end, with twelve minutes left.
pub(crate) fn issue() -> Issue {
    let finding = Finding {
        entity: id("service/api"),
        class: Class::CpuSaturation,
        source: Source::Prediction,
        is_present: true,
        at: Noon.now().plus_micros(-5_000_000),
        signal: "cpu_used_ratio{service=\"api\"}".into(),
        value: 0.93,
        threshold: 1.0,
        unit: "ratio".into(),
        probability: 0.83,
        probability_day: 0.997,
        ttf_s: Some([420.0, 720.0, 1200.0]),
        confidence: 0.9,
        cause: "growth".into(),
        facts: BTreeMap::new(),
    };
    Issue {
        id: IssueId(4),
        entity: id("service/api"),
        class: Class::CpuSaturation,
        cause: "growth".into(),
        state: IssueState::Planned,
        severity: Severity::High,
        opened: Noon.now(),
        updated: Noon.now(),
        seen: Noon.now(),
        resolved: None,
        suppressed_until: None,
        evidence: vec![finding],
        n_findings: 1,
        also: Vec::new(),
        n_also: 0,
        affected: vec![id("service/shop"), id("service/pay")],
        severity_because: "impact 0.6 (tier 1, 2 services) times urgency 0.9".into(),
        note: String::new(),
        plans: vec![PlanId(17)],
        decisions: vec![DecisionId(9)],
        returned_from: None,
        storm: None,
        seen_by: None,
        part_of: None,
        facts: BTreeMap::new(),
    }
}

/// One of each, in the order of [`crate::ACTIONS`]: done to `target`, with `text` wherever an action holds a text.
pub(crate) fn actions(target: &str, text: &str) -> Vec<Action> {
    let target = || id(target);
    let other = || EntityId::new(remedy::Kind::Instance, text).unwrap_or_else(|_| target());
    let text = || text.to_owned();
    vec![
        Action::Restart {
            target: target(),
            back_off_s: 30.0,
        },
        Action::Scale {
            target: target(),
            from: 3,
            to: 5,
        },
        Action::SetLimit {
            target: target(),
            limit: text(),
            from: 1.0,
            to: 2.5,
        },
        Action::SetParameter {
            target: target(),
            parameter: text(),
            from: text(),
            to: text(),
        },
        Action::Drain {
            target: target(),
            timeout_s: 90.0,
        },
        Action::Undrain { target: target() },
        Action::ClearCache { target: target() },
        Action::RemoveFiles {
            target: target(),
            pattern: text(),
            older_than_s: 86_400.0,
        },
        Action::RotateLogs { target: target() },
        Action::GrowVolume {
            target: target(),
            from_bytes: 1e10,
            to_bytes: 1.5e10,
        },
        Action::Snapshot { target: target() },
        Action::RestoreSnapshot { target: target() },
        Action::CreateIndex {
            target: target(),
            table: text(),
            columns: vec![text(), text()],
        },
        Action::DropIndex {
            target: target(),
            table: text(),
            columns: vec![text(), text()],
        },
        Action::CancelQueries {
            target: target(),
            longer_than_s: 30.0,
        },
        Action::EndIdleSessions {
            target: target(),
            longer_than_s: 600.0,
        },
        Action::Analyze {
            target: target(),
            table: text(),
        },
        Action::RenewCertificate { target: target() },
        Action::RestoreCertificate { target: target() },
        Action::Reload { target: target() },
        Action::Quarantine { target: target() },
        Action::Release { target: target() },
        Action::SetPackage {
            target: target(),
            package: text(),
            from: text(),
            to: text(),
        },
        Action::ApplyConfiguration {
            target: target(),
            from: text(),
            to: text(),
        },
        Action::RevertConfiguration {
            target: target(),
            from: text(),
            to: text(),
        },
        Action::ShedLoad {
            target: target(),
            share: 0.25,
        },
        Action::AdmitLoad { target: target() },
        Action::OpenBreaker {
            target: target(),
            callee: other(),
        },
        Action::CloseBreaker {
            target: target(),
            callee: other(),
        },
        Action::FailOver {
            target: target(),
            from: other(),
            to: other(),
        },
        Action::PauseJobs { target: target() },
        Action::ResumeJobs { target: target() },
        Action::Capture {
            target: target(),
            what: text(),
        },
        Action::Notify {
            target: target(),
            whom: text(),
            message: text(),
        },
    ]
}
