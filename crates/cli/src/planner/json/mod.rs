//! Messages as JSON, with the names of the wire; times in microseconds since 1970, as there.

mod plan;

pub(super) use plan::{explanation, plan};

use proto::v1::{
    AuditEntry, Finding, GetHealthResponse, GetIssueResponse, GetSafetyResponse, Issue, SafetyBar,
    StrategyStatistics,
};
use serde_json::{Value, json};

use super::enums;

fn list<T>(all: &[T], one: impl Fn(&T) -> Value) -> Value {
    all.iter().map(one).collect()
}

pub(super) fn issue(issue: &Issue) -> Value {
    json!({
        "id": issue.id,
        "entity": issue.entity,
        "class": enums::class(issue.class()),
        "state": enums::issue_state(issue),
        "severity": enums::severity(issue),
        "severity_reason": issue.severity_reason,
        "cause": issue.cause,
        "opened_us": issue.opened_us,
        "updated_us": issue.updated_us,
        "seen_us": issue.seen_us,
        "resolved_us": issue.resolved_us,
        "suppressed_until_us": issue.suppressed_until_us,
        "evidence": list(&issue.evidence, finding),
        "findings_count": issue.findings_count,
        "also": issue.also,
        "also_count": issue.also_count,
        "affected": issue.affected,
        "note": issue.note,
        "plans": issue.plans,
        "returned_from": issue.returned_from,
        "part_of": issue.part_of,
        "seen_by": issue.seen_by,
    })
}

fn finding(finding: &Finding) -> Value {
    json!({
        "entity": finding.entity,
        "class": enums::class(finding.class()),
        "source": finding.source,
        "signal": finding.signal,
        "time_us": finding.time_us,
        "value": finding.value,
        "threshold": finding.threshold,
        "unit": finding.unit,
        "probability": finding.probability,
        "day_probability": finding.day_probability,
        "time_to_failure_s": finding.time_to_failure_s,
        "confidence": finding.confidence,
        "cause": finding.cause,
        "facts": finding.facts,
    })
}

pub(super) fn story(story: &GetIssueResponse) -> Value {
    json!({
        "issue": story.issue.as_ref().map(issue),
        "plans": list(&story.plans, plan),
        "history": list(&story.history, entry),
    })
}

pub(super) fn entry(entry: &AuditEntry) -> Value {
    let body: Value =
        serde_json::from_str(&entry.body).unwrap_or_else(|_| entry.body.clone().into());
    json!({
        "seq": entry.seq,
        "time_us": entry.time_us,
        "actor": entry.actor,
        "kind": entry.kind,
        "subject": entry.subject,
        "body": body,
        "hash": entry.hash,
    })
}

pub(super) fn safety(safety: &GetSafetyResponse) -> Value {
    let brake = safety.brake.as_ref().map(|brake| {
        json!({ "engaged": brake.engaged, "actor": brake.actor, "reason": brake.reason, "since_us": brake.since_us })
    });
    let windows = list(
        &safety.windows,
        |window| json!({ "days": window.days, "from": window.from, "to": window.to }),
    );
    let freezes = list(
        &safety.freezes,
        |one| json!({ "from_us": one.from_us, "to_us": one.to_us, "reason": one.reason, "allow_critical": one.allow_critical }),
    );
    let policies = list(
        &safety.policies,
        |one| json!({ "name": one.name, "effect": one.effect, "expression": one.expression, "reason": one.reason }),
    );
    let bar = |bar: &Option<SafetyBar>| {
        bar.as_ref()
            .map(|bar| json!({ "confidence": bar.confidence, "risk": bar.risk }))
    };
    json!({
        "phase": safety.phase,
        "brake": brake,
        "storm": safety.storm,
        "executor": safety.executor,
        "max_actions_per_target": safety.max_actions_per_target,
        "max_actions_per_hour": safety.max_actions_per_hour,
        "ledger": safety.ledger,
        "ledger_error": safety.ledger_error,
        "audit_seq": safety.audit_seq,
        "audit_hash": safety.audit_hash,
        "people": safety.people,
        "findings_count": safety.findings_count,
        "refused_count": safety.refused_count,
        "decisions_count": safety.decisions_count,
        "executor_url": safety.executor_url,
        "time_zone": safety.time_zone,
        "windows": windows,
        "freezes": freezes,
        "policies": policies,
        "act": bar(&safety.act),
        "ask": bar(&safety.ask),
    })
}

pub(super) fn health(health: &GetHealthResponse) -> Value {
    let areas = list(&health.areas, |area| {
        let reasons = list(
            &area.reasons,
            |reason| json!({ "issue": reason.issue, "entity": reason.entity, "points": reason.points, "reason": reason.reason }),
        );
        json!({ "area": area.area, "score": area.score, "reasons": reasons, "reasons_count": area.reasons_count })
    });
    json!({
        "time_us": health.time_us,
        "overall": health.overall,
        "areas": areas,
        "history": list(&health.history, |point| json!({ "time_us": point.time_us, "overall": point.overall })),
    })
}

pub(super) fn strategy(one: &StrategyStatistics) -> Value {
    json!({
        "strategy": one.strategy,
        "about": one.about,
        "classes": one.classes,
        "success": one.success,
        "deviation": one.deviation,
        "verdicts": one.verdicts,
    })
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn names_are_those_of_the_wire_and_bodies_are_objects() {
        let value = issue(&samples::leak());
        assert_eq!(
            (&value["class"], &value["evidence"][0]["probability"]),
            (&json!("memory_exhaustion"), &json!(0.98))
        );
        let value = plan(&samples::cured());
        assert_eq!(
            (
                &value["outcome"]["verdict"],
                &value["steps"][0]["action_json"]["action"]
            ),
            (&json!("cured"), &json!("scale"))
        );
        assert_eq!(plan(&samples::plan())["outcome"], Value::Null);
        assert_eq!(entry(&samples::history()[1])["body"]["course"], "ask");
        assert_eq!(
            explanation(&samples::explanation())["candidates"][1]["vetoes"][0]["stop"],
            "until_approved"
        );
    }

    #[test]
    fn what_others_wrote_is_escaped_and_means_the_same() {
        for value in [issue(&samples::hostile()), plan(&samples::hostile_plan())] {
            let text = crate::plain::json(&value);
            assert!(
                !text.chars().any(char::is_control) && !text.contains('\u{202e}'),
                "{text}"
            );
            assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        }
    }
}
