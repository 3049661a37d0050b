//! A registry as people, programs and broken disks treat it.

mod hostile;

use std::fs;

use proptest::prelude::*;
use series::Timestamp;
use tempfile::TempDir;

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fn name() -> Name {
    "lstm".parse().unwrap()
}

fn version(number: u32) -> Version {
    Version::new(number).unwrap()
}

fn new_bundle(model: &[u8]) -> NewBundle {
    NewBundle {
        card: Card {
            name: "other".parse().unwrap(),
            version: version(77),
            kind: Kind::LstmStep,
            sha256: "0".repeat(64),
            golden_sha256: "0".repeat(64),
            created: "2026-11-22T20:00:00Z".to_owned(),
            licence: "MIT".to_owned(),
            signature: "soft_limit = 4.0".parse().unwrap(),
            training: toml::Table::new(),
            metrics: toml::Table::new(),
        },
        model: model.to_vec(),
        golden: b"{}".to_vec(),
    }
}

/// A registry with so many versions of `lstm`.
fn with_versions(n: u32) -> (TempDir, Registry) {
    let dir = tempfile::tempdir().unwrap();
    let registry = Registry::new(&dir.path().join("models"));
    for i in 1..=n {
        let bundle = new_bundle(format!("model {i}").as_bytes());
        let given = registry.install(&name(), bundle, "made", NOW).unwrap();
        assert_eq!(given, version(i));
    }
    (dir, registry)
}

fn promote(registry: &Registry, to: u32) {
    let promotion = Promotion {
        from: registry.champion(&name()).unwrap(),
        to: version(to),
        action: Action::Promote,
        why: "better",
    };
    registry.promote(&name(), promotion, NOW).unwrap();
}

/// What reading version 1 is refused with, and the name of the file that it is about.
fn refused(registry: &Registry) -> String {
    let error = registry.read(&name(), version(1)).unwrap_err();
    error.to_string()
}

#[test]
fn what_was_installed_is_read_again() {
    let (_dir, registry) = with_versions(2);
    let bundle = registry.read(&name(), version(2)).unwrap();
    assert_eq!(bundle.model, b"model 2");
    assert_eq!(
        (bundle.card.name, bundle.card.version),
        (name(), version(2))
    );
    let listing = registry.list().unwrap();
    assert_eq!(listing.models[0].versions, [version(1), version(2)]);
    assert_eq!(listing.models[0].champion, Ok(None));
    assert_eq!(listing.ignored, []);
}

#[test]
fn a_registry_that_is_not_there_is_empty() {
    let registry = Registry::new(Path::new("/nowhere/at/all"));
    assert_eq!(registry.list().unwrap(), Listing::default());
    assert_eq!(registry.champion(&name()).unwrap(), None);
    assert_eq!(registry.history(&name()).unwrap(), []);
    assert!(registry.gc(&name(), 1, NOW).unwrap().versions.is_empty());
}

#[test]
fn a_loose_bundle_gets_the_next_number() {
    let (_dir, registry) = with_versions(2);
    let loose = registry.read_loose(&registry.version_dir(&name(), version(1)));
    let given = registry.install(&name(), loose.unwrap(), "copied", NOW);
    assert_eq!(given.unwrap(), version(3));
}

#[test]
fn rollbacks_go_down_and_a_promotion_starts_from_there() {
    let (_dir, registry) = with_versions(4);
    let back = || registry.rollback(&name(), "odd", NOW).unwrap();
    for to in [1, 2, 3] {
        promote(&registry, to);
    }
    assert_eq!(back(), Some(version(2)));
    assert_eq!(back(), Some(version(1)));
    promote(&registry, 4);
    assert_eq!(registry.champion(&name()).unwrap(), Some(version(4)));
    assert_eq!(back(), Some(version(1)));
    // What was there before the first promotion: the model that is built in.
    assert_eq!(back(), None);
    let error = registry.rollback(&name(), "odd", NOW).unwrap_err();
    assert!(matches!(error, ChangeError::NoEarlier { .. }));
    let actions: Vec<Action> = registry
        .history(&name())
        .unwrap()
        .iter()
        .map(|r| r.action)
        .collect();
    assert_eq!(
        actions.iter().filter(|a| **a == Action::Rollback).count(),
        4
    );
}

#[test]
fn a_rollback_passes_over_what_cannot_be_read() {
    let (_dir, registry) = with_versions(3);
    for to in [1, 2, 3] {
        promote(&registry, to);
    }
    fs::remove_file(registry.version_dir(&name(), version(2)).join(CARD_FILE)).unwrap();
    assert_eq!(
        registry.rollback(&name(), "odd", NOW).unwrap(),
        Some(version(1))
    );
}

#[test]
fn a_crash_between_history_and_pointer_changes_nothing() {
    let (_dir, registry) = with_versions(3);
    promote(&registry, 1);
    promote(&registry, 2);
    let lost = Record {
        time_us: 1,
        action: Action::Promote,
        from: Some(version(2)),
        to: Some(version(3)),
        why: String::new(),
        sha256: String::new(),
    };
    registry.note(&name(), lost).unwrap();
    assert_eq!(
        registry.rollback(&name(), "odd", NOW).unwrap(),
        Some(version(1))
    );
}

#[test]
fn a_promotion_against_another_champion_or_of_damage_is_refused() {
    let (_dir, registry) = with_versions(3);
    promote(&registry, 2);
    let promotion = Promotion {
        from: Some(version(1)),
        to: version(3),
        action: Action::Promote,
        why: "",
    };
    let shown = registry
        .promote(&name(), promotion, NOW)
        .unwrap_err()
        .to_string();
    assert!(
        shown.contains("champion of lstm is 2, not 1 any more"),
        "{shown}"
    );
    fs::write(
        registry.version_dir(&name(), version(3)).join(MODEL_FILE),
        "x",
    )
    .unwrap();
    let promotion = Promotion {
        from: Some(version(2)),
        ..promotion
    };
    assert!(registry.promote(&name(), promotion, NOW).is_err());
    assert_eq!(registry.champion(&name()).unwrap(), Some(version(2)));
}

#[test]
fn one_writer_at_a_time() {
    let (_dir, registry) = with_versions(1);
    let _turn = registry.turn(&name()).unwrap();
    let error = registry.rollback(&name(), "", NOW).unwrap_err();
    assert!(matches!(error, ChangeError::Busy { .. }), "{error}");
}

#[test]
fn gc_keeps_what_may_be_needed_and_numbers_are_not_used_again() {
    let (_dir, registry) = with_versions(6);
    promote(&registry, 1);
    promote(&registry, 3);
    fs::create_dir(registry.model_dir(&name()).join(".install-9")).unwrap();
    let removed = registry.gc(&name(), 2, NOW).unwrap();
    // 3 serves, 1 is what a rollback brings back, 5 and 6 are the newest.
    assert_eq!(removed.versions, [version(2), version(4)]);
    assert!(removed.bytes > 100);
    assert_eq!(
        registry.versions(&name()).unwrap(),
        [1, 3, 5, 6].map(version)
    );
    assert!(!registry.model_dir(&name()).join(".install-9").exists());
    fs::remove_dir_all(registry.version_dir(&name(), version(6))).unwrap();
    let given = registry
        .install(&name(), new_bundle(b"x"), "", NOW)
        .unwrap();
    assert_eq!(given, version(7));
}

#[test]
fn a_history_cut_at_any_byte_loses_its_last_line_at_most() {
    let (_dir, registry) = with_versions(2);
    let path = registry.model_dir(&name()).join("history.jsonl");
    let whole = fs::read(&path).unwrap();
    let first = whole.iter().position(|&b| b == b'\n').unwrap() + 1;
    for cut in first..whole.len() - 1 {
        fs::write(&path, &whole[..cut]).unwrap();
        promote(&registry, 1);
        let actions: Vec<Action> = registry
            .history(&name())
            .unwrap()
            .iter()
            .map(|r| r.action)
            .collect();
        let last_two = &actions[actions.len() - 2..];
        assert!(last_two.ends_with(&[Action::Promote]) && actions[0] == Action::Install);
    }
}

proptest! {
    /// Whatever a card, a pointer or a history holds: an answer or an error that names the file, and no panic.
    #[test]
    fn bytes_from_anywhere_are_refused_calmly(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let (_dir, registry) = with_versions(1);
        let dir = registry.version_dir(&name(), version(1));
        fs::write(dir.join(CARD_FILE), &bytes).unwrap();
        let shown = refused(&registry);
        prop_assert!(shown.contains("card.toml"), "{}", shown);
        fs::write(registry.model_dir(&name()).join("champion"), &bytes).unwrap();
        if let Err(error) = registry.champion(&name()) {
            prop_assert!(error.to_string().contains("champion"));
        }
        fs::write(registry.model_dir(&name()).join("history.jsonl"), &bytes).unwrap();
        prop_assert!(registry.history(&name()).unwrap().is_empty());
        prop_assert!(registry.list().is_ok());
    }
}

#[test]
fn what_was_remembered_is_there_again() {
    let (_dir, registry) = with_versions(0);
    assert_eq!(registry.remembered(&name()).unwrap(), None);
    for text in [b"one".as_slice(), b"two"] {
        registry.remember(&name(), text).unwrap();
        assert_eq!(registry.remembered(&name()).unwrap().unwrap(), text);
    }
}

#[test]
fn a_rollback_leaves_a_champion_that_nobody_promoted() {
    let (_dir, registry) = with_versions(2);
    promote(&registry, 2);
    fs::write(registry.model_dir(&name()).join("champion"), "9\n").unwrap();
    assert_eq!(
        registry.rollback(&name(), "odd", NOW).unwrap(),
        Some(version(2))
    );
}
