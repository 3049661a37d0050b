//! What an entry of the audit says, in one sentence.

use proto::v1::AuditEntry;
use remedy::action::Action;
use serde_json::{Map, Value};

use crate::planner::words;

/// What the entry says, without when and who: `p4 approved: seen this before (operator)`.
pub(in crate::planner) fn sentence(entry: &AuditEntry) -> String {
    let body = serde_json::from_str(&entry.body).unwrap_or(Value::Null);
    let body = body.as_object().cloned().unwrap_or_default();
    let (thing, event) = entry.kind.split_once('.').unwrap_or(("", &entry.kind));
    let event = event.replace('_', " ");
    let (event, details) = match thing {
        "step" => of_step(&event, &body),
        "plan" if body.contains_key("verdict") => (event, judged(&body)),
        "plan" if body.contains_key("is_yes") => (event, word(&body)),
        "issue" if body.contains_key("entity") => (event, opened(&body)),
        "plan" if body.contains_key("strategy") => (event, planned(&body)),
        "decision" if body.contains_key("course") => (event, decided(&body)),
        _ => (event, details(&body)),
    };
    // `brake engaged` has no other subject than itself.
    let subject = match entry.subject == thing {
        true => thing.to_owned(),
        false => entry.subject.clone(),
    };
    match details.is_empty() {
        true => format!("{subject} {event}"),
        false => format!("{subject} {event}: {details}"),
    }
}

fn text<'a>(body: &'a Map<String, Value>, key: &str) -> &'a str {
    body.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// `step 1 done: done in 14 s`; the key of an order is `p4-0-do-1f0c9a3e`.
fn of_step(event: &str, body: &Map<String, Value>) -> (String, String) {
    let mut key = text(body, "key").split('-').skip(1);
    let step = key.next().and_then(|step| step.parse::<u64>().ok());
    let is_undo = key.next() == Some("undo");
    let step = step.map_or_else(
        || "a step".to_owned(),
        |step| format!("step {}", step.saturating_add(1)),
    );
    let step = if is_undo {
        format!("undoing of {step}")
    } else {
        step
    };
    if let Some(answer) = body.get("answer").and_then(Value::as_object) {
        let became = text(answer, "answer").replace('_', " ");
        return (format!("{step} {became}"), text(answer, "said").to_owned());
    }
    let action = body.get("action").cloned().unwrap_or_default();
    let action = match serde_json::from_value::<Action>(action.clone()) {
        Ok(action) => action.to_string(),
        Err(_) => value(&action),
    };
    (format!("{step} {event}"), action)
}

/// `cured: 0.31 where 0.3 was foretold: it moved as foretold`.
fn judged(body: &Map<String, Value>) -> String {
    let number = |key: &str| body.get(key).and_then(Value::as_f64);
    let moved = match (number("value"), number("foretold")) {
        (Some(value), Some(foretold)) => {
            let shown = |value| words::quantity(value, "");
            format!("{} where {} was foretold", shown(value), shown(foretold))
        }
        _ => String::new(),
    };
    let parts = [text(body, "verdict"), &moved, text(body, "because")];
    let told: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    told.join(": ")
}

/// `memory_exhaustion on instance/shop/api-1; prediction: signal is 0.75 against 0.9, P 0.98`.
fn opened(body: &Map<String, Value>) -> String {
    let part = |key: &str| body.get(key).map(value).unwrap_or_default();
    let mut told = format!(
        "{} on {}; {} from {}: {} against {}",
        part("class"),
        part("entity"),
        part("source"),
        part("signal"),
        part("value"),
        part("threshold")
    );
    if let Some(p) = body.get("probability").and_then(Value::as_f64)
        && p > 0.0
        && p < 1.0
    {
        told.push_str(&format!(", P {p:.2}"));
    }
    if body.get("returned_from").is_some_and(Value::is_string) {
        told.push_str(&format!("; the return of {}", part("returned_from")));
    }
    told
}

/// `restart_rolling (d9; confidence 0.91, risk 0.12): Restart instance/shop/api-1.`.
fn planned(body: &Map<String, Value>) -> String {
    let part = |key: &str| body.get(key).map(value).unwrap_or_default();
    format!(
        "{} ({}; confidence {}, risk {}): {}",
        part("strategy"),
        part("decision"),
        part("confidence"),
        part("risk"),
        part("steps")
    )
}

/// `about i17: ask, restart_rolling`.
fn decided(body: &Map<String, Value>) -> String {
    let part = |key: &str| body.get(key).map(value).unwrap_or_default();
    let (issue, course, chosen) = (part("issue"), part("course"), part("chosen"));
    match chosen.is_empty() {
        true => format!("about {issue}: {course}"),
        false => format!("about {issue}: {course}, {chosen}"),
    }
}

/// What a person said: `seen this before (operator)`.
fn word(body: &Map<String, Value>) -> String {
    let (reason, authority) = (text(body, "reason"), text(body, "authority"));
    format!("{reason} ({authority})").trim_start().to_owned()
}

/// Reasons first, as they are; then all else with its name; last what it was before. Hashes are for machines.
fn details(body: &Map<String, Value>) -> String {
    const REASONS: [&str; 5] = ["why", "note", "because", "reason", "by"];
    const SILENT: [&str; 4] = ["input", "output", "fence", "from"];
    let reasons = REASONS
        .into_iter()
        .filter_map(|key| body.get(key))
        .map(value);
    let others = body
        .iter()
        .filter(|(key, _)| !REASONS.contains(&key.as_str()) && !SILENT.contains(&key.as_str()));
    let others = others.map(|(key, all)| match value(all) {
        text if text.is_empty() => text,
        text => format!("{} {text}", key.replace('_', " ")),
    });
    let told: Vec<String> = reasons
        .chain(others)
        .filter(|part| !part.is_empty())
        .collect();
    let told = told.join(", ");
    match text(body, "from") {
        "" => told,
        from => format!("{told} (was {from})").trim_start().to_owned(),
    }
}

/// A value in a sentence: texts without quotes, lists with semicolons, objections by rule.
fn value(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(is_so) => is_so.to_string(),
        Value::Number(number) => number
            .as_f64()
            .map_or_else(|| number.to_string(), |number| words::quantity(number, "")),
        Value::String(text) => text.clone(),
        Value::Array(all) => {
            let all: Vec<String> = all.iter().map(self::value).collect();
            // Sentences lose their full stop within a list.
            let all: Vec<&str> = all.iter().map(|text| text.trim_end_matches('.')).collect();
            all.join("; ")
        }
        Value::Object(all) => match (text(all, "rule"), text(all, "why")) {
            ("", _) => value.to_string(),
            (rule, why) => format!("{rule}: {why}"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planner::samples;

    #[test]
    fn what_is_new_is_told_all_the_same() {
        let told = |kind: &str, subject: &str, body: &str| {
            sentence(&samples::entry(1, "ann", kind, subject, body))
        };
        assert_eq!(
            told("brake.engaged", "brake", r#"{"why":"deploy"}"#),
            "brake engaged: deploy"
        );
        assert_eq!(
            told("clock.set_back", "clock", r#"{"why":"by 3 s"}"#),
            "clock set back: by 3 s"
        );
        assert_eq!(
            told("moon.rose", "m1", r#"{"phase":0.5,"seen_by":["a","b"]}"#),
            "m1 rose: phase 0.5, seen by a; b"
        );
        assert_eq!(told("plan.undo", "p4", "not json"), "p4 undo");
        assert_eq!(
            told(
                "step.answered",
                "p4",
                r#"{"key":"p4-1-undo-1f0c9a3e","answer":{"answer":"in_doubt","said":"?"}}"#
            ),
            "p4 undoing of step 2 in doubt: ?"
        );
    }
}
