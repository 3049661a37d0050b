//! Options: the example builds as it stands, and whatever is wrong is refused by its name.

use catalog::{BuildError, Context, Entry, Params};
use predict::anomaly::{DETECTORS, Detector};

use crate::rig::build;

/// The example with one key set to `value` (TOML); the refusal, or a panic where there is none.
fn refusal(entry: &Entry<dyn Detector>, key: &str, value: &str) -> BuildError {
    let mut table: toml::Table = entry.example.parse().unwrap();
    let given: toml::Table = format!("{key} = {value}").parse().unwrap();
    table.extend(given);
    match (entry.build)(&Params::new(table), &Context { seed: 1 }) {
        Ok(_) => panic!("{} took {key} = {value}", entry.name),
        Err(e) => e,
    }
}

fn keys(entry: &Entry<dyn Detector>) -> Vec<String> {
    entry
        .example
        .parse::<toml::Table>()
        .unwrap()
        .into_iter()
        .map(|(key, _)| key)
        .collect()
}

#[test]
fn names_are_labels_and_there_is_one_of_each() {
    for (i, entry) in DETECTORS.iter().enumerate() {
        let is_label = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        assert!(
            !entry.name.is_empty() && entry.name.chars().all(is_label),
            "{}",
            entry.name
        );
        assert!(
            !entry.about.is_empty() && !entry.about.contains('\n'),
            "{}",
            entry.name
        );
        assert!(
            DETECTORS[..i].iter().all(|other| other.name != entry.name),
            "{} is there twice",
            entry.name
        );
    }
}

#[test]
fn every_example_builds() {
    for entry in DETECTORS {
        build(entry);
    }
}

/// `enabled` and the weights are the engine's: a detector that took them would hide a misplaced key.
#[test]
fn unknown_keys_are_refused_by_name() {
    for entry in DETECTORS {
        for key in ["enabled", "alert_weight", "score_weight", "half_sigmas"] {
            let message = refusal(entry, key, "1").to_string();
            assert!(
                message.contains(entry.name) && message.contains(key),
                "{}, {key}: {message}",
                entry.name
            );
        }
    }
}

#[test]
fn wrong_types_are_refused_by_name() {
    for entry in DETECTORS {
        for key in keys(entry) {
            for value in ["\"much\"", "true", "[1.0]", "{}"] {
                let message = refusal(entry, &key, value).to_string();
                assert!(
                    message.contains(entry.name) && message.contains(&key),
                    "{}, {key}: {message}",
                    entry.name
                );
            }
        }
    }
}

#[test]
fn numbers_out_of_range_are_refused_by_name() {
    for entry in DETECTORS {
        for key in keys(entry) {
            for value in [
                "-1",
                "-1.0",
                "nan",
                "inf",
                "-inf",
                "1e30",
                "9223372036854775807",
            ] {
                let message = refusal(entry, &key, value).to_string();
                assert!(
                    message.contains(entry.name) && message.contains(&key),
                    "{}, {key}: {message}",
                    entry.name
                );
            }
        }
    }
}
