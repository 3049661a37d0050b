//! Outlooks as a table, and as JSON.

use std::io::{self, Write};

use proto::v1::Outlook;
use serde_json::{Value, json};

use super::words::{self, BRIEF_HORIZON_S};
use crate::table::{Align, Table};
use crate::wire;

/// What runs out: one row for each.
pub(crate) fn foretold(out: &mut dyn Write, outlooks: &[Outlook], indent: &str) -> io::Result<()> {
    let mut table = Table::new(&[
        ("resource", Align::Left),
        ("family", Align::Left),
        ("used", Align::Right),
        ("", Align::Right),
        ("runs out", Align::Left),
        ("within 30 min", Align::Right),
        ("cause", Align::Left),
        ("what to do", Align::Left),
    ]);
    for outlook in outlooks {
        let outlook = &*words::holding(outlook);
        let is_known = outlook.time_to_exhaustion.is_some();
        let soon = words::probability(outlook, BRIEF_HORIZON_S);
        table.row([
            wire::text(outlook.resource.as_ref()),
            words::family(outlook),
            words::used(outlook),
            match is_known {
                true => words::percent(outlook.level_ratio),
                false => String::new(),
            },
            words::when(outlook),
            soon.map_or_else(|| "-".to_owned(), words::percent),
            words::cause(outlook),
            match words::is_foreseen(outlook) {
                true => words::actions(outlook),
                false => String::new(),
            },
        ]);
    }
    table.write(out, indent)
}

/// What cannot be foretold: each with what would change that.
pub(crate) fn missing(out: &mut dyn Write, outlooks: &[Outlook], indent: &str) -> io::Result<()> {
    let mut table = Table::new(&[
        ("resource", Align::Left),
        ("family", Align::Left),
        ("its limit would come from", Align::Left),
    ]);
    for outlook in outlooks {
        table.row([
            wire::text(outlook.resource.as_ref()),
            words::family(outlook),
            outlook.missing.clone(),
        ]);
    }
    table.write(out, indent)
}

/// All that is known of one resource, in words.
pub(crate) fn in_full(out: &mut dyn Write, outlook: &Outlook) -> io::Result<()> {
    let outlook = &*words::holding(outlook);
    writeln!(out, "{}", wire::text(outlook.resource.as_ref()))?;
    let mut fact = |name: &str, value: String| match value.is_empty() {
        true => Ok(()),
        false => writeln!(out, "  {name:<10} {value}"),
    };
    fact("family", words::family(outlook))?;
    fact("runs out", words::when(outlook))?;
    fact("missing", outlook.missing.clone())?;
    if outlook.time_to_exhaustion.is_none() {
        return Ok(());
    }
    let ratio = words::percent(outlook.level_ratio);
    fact("used", format!("{} ({ratio})", words::used(outlook)))?;
    fact("within", odds(outlook))?;
    fact("confidence", words::percent(f64::from(outlook.confidence)))?;
    fact("cause", words::cause(outlook))?;
    fact("because of", words::factors(outlook))?;
    fact("what to do", words::actions(outlook))
}

/// `5 min 2 %, 15 min 40 %, …`.
pub(crate) fn odds(outlook: &Outlook) -> String {
    let one = |told: &proto::v1::HorizonProbability| {
        let horizon = words::length(told.horizon_s);
        format!("{horizon} {}", words::percent(told.probability))
    };
    let all: Vec<String> = outlook.probabilities.iter().map(one).collect();
    all.join(", ")
}

/// One object with all that was told and holds.
pub(crate) fn as_json(outlook: &Outlook) -> Value {
    let outlook = &*words::holding(outlook);
    let times = outlook.time_to_exhaustion.as_ref();
    let probabilities = outlook.probabilities.iter();
    let factors = outlook.factors.iter();
    let state = outlook.state().as_str_name();
    let mut object = json!({
        "resource": wire::text(outlook.resource.as_ref()),
        "family": words::family(outlook),
        "state": state.trim_start_matches("OUTLOOK_STATE_").to_ascii_lowercase(),
    });
    let more = match times {
        None => json!({ "missing": outlook.missing }),
        Some(times) => json!({
            "time_us": outlook.time_us,
            "unit": outlook.unit,
            "level": outlook.level,
            "limit": outlook.limit,
            "level_ratio": outlook.level_ratio,
            "probabilities": probabilities
                .map(|told| json!({ "horizon_s": told.horizon_s, "probability": told.probability }))
                .collect::<Vec<_>>(),
            "time_to_exhaustion": { "p05_s": times.p05_s, "p50_s": times.p50_s, "p95_s": times.p95_s },
            "confidence": outlook.confidence,
            "cause": words::cause(outlook),
            "factors": factors.map(|c| json!({ "name": c.name, "share": c.share })).collect::<Vec<_>>(),
            "actions": outlook.actions,
        }),
    };
    if let (Some(object), Value::Object(more)) = (object.as_object_mut(), more) {
        object.extend(more);
    }
    object
}

#[cfg(test)]
mod tests {
    use super::super::tests::{leak, without_limit};
    use super::*;

    fn text(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_row_reads_like_a_sentence() {
        let text = text(|out| foretold(out, &[leak()], ""));
        let row: Vec<&str> = text.lines().nth(1).unwrap().split("  ").collect();
        let cells: Vec<&str> = row
            .iter()
            .map(|s| s.trim())
            .filter(|s| !s.is_empty())
            .collect();
        let expected = [
            "container_memory_working_set_bytes{pod=\"api\"}",
            "memory",
            "1.5 GiB of 2 GiB",
            "75 %",
            "in 12 min (7–20)",
            "98 %",
            "leak",
            "restart, raise limit",
        ];
        assert_eq!(cells, expected, "{text}");
    }

    #[test]
    fn what_is_missing_is_named() {
        let text = text(|out| missing(out, &[without_limit()], ""));
        assert!(
            text.ends_with("disk    node_filesystem_size_bytes\n"),
            "{text}"
        );
    }

    #[test]
    fn one_resource_is_told_in_full() {
        let told = text(|out| in_full(out, &leak()));
        for part in [
            "5 min 1 %, 15 min 70 %, 30 min 98 %",
            "troughs 75 %",
            "1.5 GiB of 2 GiB (75 %)",
        ] {
            assert!(told.contains(part), "{part} is not in\n{told}");
        }
        let told = text(|out| in_full(out, &without_limit()));
        assert!(
            told.contains("missing    node_filesystem_size_bytes"),
            "{told}"
        );
    }

    #[test]
    fn a_stale_one_tells_neither_time_nor_odds_nor_actions() {
        let mut outlook = leak();
        outlook.set_state(proto::v1::OutlookState::Stale);
        let table = text(|out| foretold(out, &[outlook.clone()], ""));
        let in_full = text(|out| in_full(out, &outlook));
        for told in [&table, &in_full] {
            assert!(told.contains("no more samples"), "{told}");
            assert!(told.contains("1.5 GiB of 2 GiB"), "{told}");
            for part in ["12 min", "98 %", "within  ", "what to do ", "restart"] {
                assert!(!told.contains(part), "{part} is in\n{told}");
            }
        }
        let value = as_json(&outlook);
        assert_eq!(value["time_to_exhaustion"]["p50_s"], Value::Null);
        assert_eq!(value["probabilities"], json!([]));
        assert_eq!(value["actions"], json!([]));
        assert_eq!(value["state"], "stale");
    }

    #[test]
    fn json_keeps_the_digits_and_says_null_for_never() {
        let mut outlook = leak();
        outlook.time_to_exhaustion.as_mut().unwrap().p95_s = None;
        let value = as_json(&outlook);
        assert_eq!(value["time_to_exhaustion"]["p50_s"], 720.0);
        assert_eq!(value["time_to_exhaustion"]["p95_s"], Value::Null);
        assert_eq!(value["state"], "forecast");
        assert_eq!(
            as_json(&without_limit())["missing"],
            "node_filesystem_size_bytes"
        );
    }
}
