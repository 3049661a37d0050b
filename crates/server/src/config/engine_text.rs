//! The documented defaults of the engine's section.
//!
//! The values are read off the engine, which tunes them; only the words are here. So the text cannot promise a default
//! that is not one, and a key without words fails a test.

use std::fmt::Write;

use hotpath::EngineConfig;
use predict::anomaly::DETECTORS;
use toml::{Table, Value};

/// What each key is for, one line each; by its path under `[engine]`.
const WORDS: &[(&str, &str)] = &[
    (
        "profile",
        "\"default\" runs every detector that earns its place; \"lean\" a few, at a fraction of the cost and some loss of accuracy.",
    ),
    (
        "seed",
        "Seed of every pseudo-random choice: the same seed and samples give the same scores.",
    ),
    (
        "max_series",
        "The most series that are watched; samples of further ones are refused and counted.",
    ),
    (
        "replica_labels",
        "Labels that tell replicas of one thing apart. Series that differ only in these are compared with one another.",
    ),
    (
        "ensemble.event_threshold",
        "What an event opens at, 0 to 1, on the scale of the alert score; an event opens on a lesser anomaly after a greater one too, which the alert score leaves out.",
    ),
    (
        "ensemble.event_calm_samples",
        "Calm samples after which an event closes.",
    ),
    (
        "ensemble.refractory_samples",
        "A new alert must stand out from the alerts of this many samples before it …",
    ),
    ("ensemble.refractory_margin", "… by this factor."),
    (
        "ensemble.warmup_samples",
        "Samples of a series before its alerts count in full; they grow until then.",
    ),
    (
        "ensemble.event_warmup_samples",
        "Samples of a series before an event may open.",
    ),
];

/// The section `[engine]` with a comment on each key, and each detector's options as comments.
pub(super) fn default_toml() -> String {
    let mut text = String::new();
    let defaults = Table::try_from(EngineConfig::default()).unwrap_or_default();
    section(&defaults, "", &mut text);
    text.push_str("\n# Options of the detectors. `enabled` takes one in or leaves one out, whatever the profile.\n");
    for entry in DETECTORS {
        let _ = write!(
            text,
            "\n# {}\n# [engine.detectors.{}]\n# enabled = true\n",
            entry.about, entry.name
        );
        for line in entry.example.lines().filter(|line| !line.trim().is_empty()) {
            let _ = writeln!(text, "# {line}");
        }
    }
    text
}

/// Writing to a `String` cannot fail: the results are let go.
fn section(table: &Table, at: &str, text: &mut String) {
    let dot = if at.is_empty() { "" } else { "." };
    let _ = writeln!(text, "\n[engine{dot}{at}]");
    for (key, value) in table.iter().filter(|(_, value)| !value.is_table()) {
        let path = format!("{at}{dot}{key}");
        if let Some((_, words)) = WORDS.iter().find(|(known, _)| *known == path) {
            let _ = writeln!(text, "# {words}");
        }
        let _ = writeln!(text, "{key} = {}", shortest(value));
    }
    for (key, value) in table {
        // An empty section is a map whose keys are the user's.
        if let Some(inner) = value.as_table().filter(|inner| !inner.is_empty()) {
            section(inner, &format!("{at}{dot}{key}"), text);
        }
    }
}

/// `0.35` rather than `0.3499999940395355`, which is what the nearest `f32` looks like as an `f64`.
fn shortest(value: &Value) -> String {
    match value.as_float() {
        Some(wide) if f64::from(wide as f32).to_bits() == wide.to_bits() => {
            format!("{:?}", wide as f32)
        }
        _ => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_words_and_all_words_a_key() {
        let text = default_toml();
        let (mut keys, mut before) = (0, "");
        for line in text.lines().filter(|line| !line.starts_with("# [")) {
            if line.contains(" = ") && !line.starts_with('#') {
                assert!(before.starts_with("# "), "nothing is said of {line}");
                keys += 1;
            }
            before = line;
        }
        assert_eq!(keys, WORDS.len());
    }
}
