//! Messages that tests show: one story, told by a server that may be hostile.

mod explanation;
mod plan;

pub(super) use explanation::explanation;
pub(super) use plan::{cured, hostile_plan, plan};

use proto::v1::{AuditEntry, Finding, Issue, IssueClass, IssueState, Severity};

/// 2026-11-26T12:00:00Z.
pub(in crate::planner) const NOW_US: i64 = 1_795_694_400_000_000;
const MINUTE_US: i64 = 60_000_000;

/// What a label may hold: orders to a terminal, and what turns the text around.
pub(in crate::planner) const HOSTILE: &str = "x\u{1b}[2J\u{9b}31m\r\n\u{202e}evil\u{7}";

/// A container that leaks, opened twelve minutes ago.
pub(in crate::planner) fn leak() -> Issue {
    Issue {
        id: "i17".to_owned(),
        entity: "instance/shop/api-1".to_owned(),
        class: IssueClass::MemoryExhaustion.into(),
        state: IssueState::Planned.into(),
        severity: Severity::Critical.into(),
        severity_reason: "a service of tier 1 loses an instance within 15 minutes".to_owned(),
        cause: "leak".to_owned(),
        opened_us: NOW_US - 12 * MINUTE_US,
        updated_us: NOW_US - 5_000_000,
        seen_us: NOW_US - 5_000_000,
        evidence: vec![prediction(), rule()],
        findings_count: 140,
        also: vec!["instance/shop/cart-2".to_owned()],
        also_count: 3,
        affected: vec!["service/shop/api".to_owned(), "service/shop/web".to_owned()],
        note: "p4: restart_rolling waits for approval".to_owned(),
        plans: vec!["p4".to_owned()],
        ..Issue::default()
    }
}

fn prediction() -> Finding {
    let facts = [("limit_bytes", "2147483648"), ("trend", "0.9 MiB/s")];
    Finding {
        entity: "instance/shop/api-1".to_owned(),
        class: IssueClass::MemoryExhaustion.into(),
        source: "prediction".to_owned(),
        signal: "container_memory_working_set_bytes{namespace=\"shop\",pod=\"api-1\"}".to_owned(),
        time_us: NOW_US - 5_000_000,
        value: 0.75,
        threshold: 0.9,
        unit: "ratio".to_owned(),
        probability: 0.98,
        day_probability: 0.999,
        time_to_failure_s: vec![420.0, 720.0, 1_200.0],
        confidence: 0.9,
        cause: "leak".to_owned(),
        facts: facts
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
    }
}

fn rule() -> Finding {
    Finding {
        source: "rule".to_owned(),
        signal: "http_request_duration_seconds{service=\"api\"}".to_owned(),
        value: 0.35,
        threshold: 0.2,
        unit: "seconds".to_owned(),
        time_us: NOW_US - 8_000_000,
        confidence: 1.0,
        ..Finding::default()
    }
}

/// A certificate that ends.
pub(in crate::planner) fn certificate() -> Issue {
    Issue {
        id: "i9".to_owned(),
        entity: "certificate/web-1:/etc/ssl/shop.pem".to_owned(),
        class: IssueClass::CertificateExpiry.into(),
        state: IssueState::Open.into(),
        severity: Severity::Medium.into(),
        opened_us: NOW_US - 2_880 * MINUTE_US,
        seen_us: NOW_US,
        evidence: vec![Finding {
            class: IssueClass::CertificateExpiry.into(),
            source: "probe".to_owned(),
            value: 12.0,
            threshold: 30.0,
            unit: "days".to_owned(),
            ..Finding::default()
        }],
        ..Issue::default()
    }
}

/// Everything that others may write is hostile.
pub(in crate::planner) fn hostile() -> Issue {
    let text = HOSTILE.to_owned();
    let mut issue = leak();
    issue.entity.clone_from(&text);
    issue.severity_reason.clone_from(&text);
    issue.cause.clone_from(&text);
    issue.note.clone_from(&text);
    issue.returned_from.clone_from(&text);
    issue.plans = vec![text.clone()];
    issue.also = vec![text.clone()];
    issue.affected = vec![text.clone()];
    for finding in &mut issue.evidence {
        finding.entity.clone_from(&text);
        finding.source.clone_from(&text);
        finding.signal.clone_from(&text);
        finding.unit.clone_from(&text);
        finding.cause.clone_from(&text);
        finding.facts = [(text.clone(), text.clone())].into();
    }
    issue
}

/// An entry of the audit.
pub(in crate::planner) fn entry(
    seq: u64,
    actor: &str,
    kind: &str,
    subject: &str,
    body: &str,
) -> AuditEntry {
    AuditEntry {
        seq,
        time_us: NOW_US + i64::try_from(seq).unwrap() * MINUTE_US,
        actor: actor.to_owned(),
        kind: kind.to_owned(),
        subject: subject.to_owned(),
        body: body.to_owned(),
        hash: "ef".repeat(32),
    }
}

/// What happened to the leak and its plan.
pub(in crate::planner) fn history() -> Vec<AuditEntry> {
    let opened = r#"{"class":"memory_exhaustion","entity":"instance/shop/api-1","probability":0.98,"returned_from":null,
        "signal":"container_memory_working_set_bytes","source":"prediction","threshold":0.9,"value":0.75}"#;
    let made = r#"{"chosen":"restart_rolling","confidence":0.91,"decision":"d9","issue":"i17","risk":0.12,
        "steps":["Scale service/shop/api from 3 to 4.","Restart instance/shop/api-1."],"strategy":"restart_rolling"}"#;
    let word =
        r#"{"at":1,"authority":"operator","is_yes":true,"reason":"seen this before","who":"ann"}"#;
    let ordered = r#"{"action":{"back_off_s":0.0,"do":"restart","target":"instance/shop/api-1"},"executor":"webhook","fence":7,"key":"p4-0-do-1f0c9a3e"}"#;
    let answered = r#"{"answer":{"answer":"done","said":"done in 14 s"},"key":"p4-0-do-1f0c9a3e"}"#;
    let judged =
        r#"{"because":"it moved as foretold","foretold":0.3,"value":0.31,"verdict":"cured"}"#;
    let held = r#"{"by":[{"layer":"abort","rule":"brake","stop":"for_now","why":"the brake is engaged"}]}"#;
    vec![
        entry(1, "forestall", "issue.opened", "i17", opened),
        entry(
            2,
            "forestall",
            "decision.made",
            "d9",
            r#"{"chosen":"restart_rolling","course":"ask","issue":"i17","input":"ab","output":"cd"}"#,
        ),
        entry(3, "forestall", "plan.awaiting_approval", "p4", made),
        entry(4, "ann", "plan.approved", "p4", word),
        entry(5, "forestall", "plan.held", "p4", held),
        entry(6, "forestall", "step.ordered", "p4", ordered),
        entry(7, "forestall", "step.answered", "p4", answered),
        entry(8, "forestall", "plan.judged", "p4", judged),
        entry(
            9,
            "forestall",
            "issue.resolved",
            "i17",
            r#"{"from":"verifying","note":"p4 cured it"}"#,
        ),
    ]
}
