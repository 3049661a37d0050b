//! Entries of the audit as lines that people read.

use proto::v1::AuditEntry;
use remedy::action::Action;
use serde_json::{Map, Value};

use super::words;
use crate::page::Page;
use crate::table::{Align, Table};

/// What the entry says, without when and who: `p4 approved: seen this before (operator)`.
pub(super) fn sentence(entry: &AuditEntry) -> String {
    let body = serde_json::from_str(&entry.body).unwrap_or(Value::Null);
    let body = body.as_object().cloned().unwrap_or_default();
    let (thing, event) = entry.kind.split_once('.').unwrap_or(("", &entry.kind));
    let event = event.replace('_', " ");
    let (event, details) = match thing {
        "step" => of_step(&event, &body),
        "plan" if body.contains_key("verdict") => (event, judged(&body)),
        "plan" if body.contains_key("is_yes") => (event, word(&body)),
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

/// `step 1 done: done in 14 s`; the key of an order is `p4-0-do`.
fn of_step(event: &str, body: &Map<String, Value>) -> (String, String) {
    let mut key = text(body, "key").rsplitn(3, '-');
    let is_undo = key.next() == Some("undo");
    let step = key.next().and_then(|step| step.parse::<u64>().ok());
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

/// What a person said: `seen this before (operator)`.
fn word(body: &Map<String, Value>) -> String {
    let (reason, authority) = (text(body, "reason"), text(body, "authority"));
    format!("{reason} ({authority})").trim_start().to_owned()
}

/// Reasons first, as they are; then all else with its name. Hashes are for machines.
fn details(body: &Map<String, Value>) -> String {
    const REASONS: [&str; 5] = ["why", "note", "because", "reason", "by"];
    const SILENT: [&str; 3] = ["input", "output", "fence"];
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
    told.join(", ")
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
        Value::Array(all) => all.iter().map(self::value).collect::<Vec<_>>().join("; "),
        Value::Object(all) => match (text(all, "rule"), text(all, "why")) {
            ("", _) => value.to_string(),
            (rule, why) => format!("{rule}: {why}"),
        },
    }
}

/// One line for each entry: when, who, what.
pub(super) fn write(page: &mut Page<'_>, entries: &[AuditEntry]) -> std::io::Result<()> {
    let who = entries
        .iter()
        .map(|entry| entry.actor.chars().count())
        .max();
    let who = who.unwrap_or(0).clamp(3, 16);
    let mut day = String::new();
    for entry in entries {
        let date = words::date(entry.time_us);
        let (today, time) = date.split_once(' ').unwrap_or(("", &date));
        if day != today {
            page.text(2, &format!("{today} (UTC)"))?;
            today.clone_into(&mut day);
        }
        let actor = crate::plain::cut(&entry.actor, who);
        let mark = format!("{time}  {actor:who$}");
        page.hanging(2, &mark, 12 + who, &sentence(entry))?;
    }
    Ok(())
}

/// The same as a table with the entries' numbers.
pub(super) fn table(entries: &[AuditEntry]) -> Table {
    let mut table = Table::new(&[
        ("entry", Align::Right),
        ("time (UTC)", Align::Left),
        ("who", Align::Left),
        ("what", Align::Left),
    ]);
    for entry in entries {
        table.row([
            entry.seq.to_string(),
            words::date(entry.time_us),
            entry.actor.clone(),
            sentence(entry),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::super::samples;
    use super::*;
    use crate::page::written;

    #[test]
    fn a_story_is_read_back_line_by_line() {
        let text = written(100, |page| write(page, &samples::history()));
        expect![[r#"
              2026-11-26 (UTC)
              12:01:00  forestall  i17 opened: class memory_exhaustion, entity instance/shop/api-1, probability
                                   0.98, signal container_memory_working_set_bytes, source prediction, threshold
                                   0.9, value 0.75
              12:02:00  forestall  d9 made: chosen restart_rolling, course ask, issue i17
              12:03:00  forestall  p4 awaiting approval: chosen restart_rolling, confidence 0.91, decision d9,
                                   issue i17, risk 0.12, steps Scale service/shop/api from 3 to 4.; Restart
                                   instance/shop/api-1., strategy restart_rolling
              12:04:00  ann        p4 approved: seen this before (operator)
              12:05:00  forestall  p4 held: brake: the brake is engaged
              12:06:00  forestall  p4 step 1 ordered: {"action":"x"}
              12:07:00  forestall  p4 step 1 done: done in 14 s
              12:08:00  forestall  p4 judged: cured: 0.31 where 0.3 was foretold: it moved as foretold
              12:09:00  forestall  i17 resolved: p4 cured it, from verifying
        "#]].assert_eq(&text);
    }

    #[test]
    fn bodies_of_others_are_harmless() {
        let text = samples::HOSTILE;
        let body = serde_json::json!({ "why": text, text: [text, { "rule": text, "why": text }] });
        let kinds = ["issue.opened", "step.ordered", "plan.held", text, ""];
        let mut entries: Vec<_> = kinds
            .into_iter()
            .map(|kind| samples::entry(1, text, kind, text, &body.to_string()))
            .collect();
        entries.push(samples::entry(2, "forestall", "issue.opened", "i1", text));
        let page = written(80, |page| write(page, &entries));
        assert!(!page.contains('\u{202e}'), "{page}");
        let table = written(80, |page| page.table(&table(&entries), 0, &[3]));
        assert!(
            table.lines().all(|line| line.chars().count() <= 120),
            "{table}"
        );
    }

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
                r#"{"key":"p4-1-undo","answer":{"answer":"in_doubt","said":"?"}}"#
            ),
            "p4 undoing of step 2 in doubt: ?"
        );
    }
}
