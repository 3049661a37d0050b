//! What is read from a ledger without a server: the audit held against itself, and decisions made again.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[expect(dead_code, reason = "each test file uses its part of it")]
mod run;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use ledger::{Ledger, Location};
use remedy::planner::{Parts, Planner};
use remedy::record::{DecisionRecord, Memory, Record};
use remedy::strategy::Authority;
use remedy::topology::{Declared, Topology};
use remedy::{Class, EntityId, Finding, Kind, Settings, Source};
use run::forestall;
use series::Timestamp;

const NOW: Timestamp = Timestamp::from_millis(1_795_694_400_000);

fn full_disk() -> Finding {
    Finding {
        entity: EntityId::new(Kind::Volume, "web-1:/var").unwrap(),
        class: Class::DiskExhaustion,
        source: Source::Rule,
        is_present: true,
        at: NOW,
        signal: "node_filesystem_avail_bytes{mountpoint=\"/var\"}".to_owned(),
        value: 0.97,
        threshold: 0.95,
        unit: "ratio".to_owned(),
        probability: 1.0,
        probability_day: 1.0,
        ttf_s: Some([0.0; 3]),
        confidence: 1.0,
        cause: "growth".to_owned(),
        facts: BTreeMap::new(),
    }
}

/// What a planner writes down when a disk is full.
fn records() -> Vec<Record> {
    let parts = Parts {
        settings: Settings::default(),
        topology: Topology::from_declared(&Declared::default()).unwrap(),
        people: [("ann".to_owned(), Authority::Owner)].into(),
        executor: "dry_run".to_owned(),
        actions: None,
        seed: 0,
    };
    let mut planner = Planner::new(parts, Memory::default()).unwrap();
    planner.tick(NOW);
    planner.observe(NOW, full_disk()).unwrap();
    planner.think();
    planner.take().records
}

fn decision(records: &[Record]) -> DecisionRecord {
    let made = records.iter().find_map(|record| {
        let Record::Decision(decision) = record else {
            return None;
        };
        Some((**decision).clone())
    });
    made.expect("a full disk is thought about")
}

fn write(path: &Path, records: &[Record]) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let location = Location::Sqlite(path.to_owned());
        let ledger = Ledger::open_for_writing(&location).await.unwrap();
        ledger.commit(records).await.unwrap();
        ledger.close().await;
    });
}

#[test]
fn an_audit_is_verified_exported_and_verified_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.sqlite");
    let name = path.to_str().unwrap();
    write(&path, &records());
    let run = forestall(&["audit", "verify", "--ledger", name]).succeeds();
    assert!(
        run.out.contains("1 decision is as the audit says"),
        "{}",
        run.out
    );
    assert!(run.out.ends_with("verdict     intact\n"), "{}", run.out);

    let export = forestall(&["audit", "export", "--ledger", name])
        .succeeds()
        .out;
    let verified = run::forestall_with(&["audit", "verify", "--export", "-"], &export).succeeds();
    assert!(
        verified.out.ends_with("verdict     intact\n"),
        "{}",
        verified.out
    );
    let changed = export.replacen("forestall", "mallory12", 1);
    let run = run::forestall_with(&["audit", "verify", "--export", "-"], &changed).fails(1);
    assert!(
        run.err.contains("the audit is broken: entry 1 was changed"),
        "{}",
        run.err
    );

    let head = dir.path().join("audit.head");
    fs::write(&head, format!("99 {}\n", "0".repeat(64))).unwrap();
    let run = forestall(&["audit", "verify", "--ledger", name]).fails(1);
    assert!(
        run.err.contains("the audit was cut after entry"),
        "{}",
        run.err
    );
    // An end that cannot be read tells nothing, neither that it is intact nor that it is not.
    fs::write(&head, "what?").unwrap();
    let run = forestall(&["audit", "verify", "--ledger", name]).fails(2);
    assert!(
        run.err.contains("\"what?\" is not the end of an audit"),
        "{}",
        run.err
    );
}

#[test]
fn a_ledger_that_is_not_there_is_told_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("none.sqlite");
    let run = forestall(&["audit", "verify", "--ledger", path.to_str().unwrap()]).fails(2);
    assert!(
        run.err.contains("hint: name another with --ledger"),
        "{}",
        run.err
    );
    assert!(!path.exists());
    forestall(&["audit", "verify", "--ledger", "mysql://x"]).fails(2);
}

#[test]
fn a_decision_is_made_again_bit_for_bit() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.sqlite");
    let name = path.to_str().unwrap();
    let mut records = records();
    write(&path, &records);
    let recorded = decision(&records);
    let id = recorded.id.to_string();
    let replay = |more: &[&str]| {
        let args = ["decide", "--ledger", name, "--replay"];
        forestall(&[&args, more].concat())
    };
    let run = replay(&[&id]).succeeds();
    assert!(run.out.contains("the same, bit for bit"), "{}", run.out);
    let shown = replay(&[&id, "--input"]).succeeds().out;
    let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    assert_eq!(value(&shown), value(&recorded.input));
    let shown = replay(&[&id, "--output"]).succeeds().out;
    assert_eq!(value(&shown), value(&recorded.output));
    let run = replay(&["d77"]).fails(1);
    assert!(
        run.err.contains("there is no decision d77 in "),
        "{}",
        run.err
    );

    // A decision of another program: its hashes are right, and it comes out otherwise.
    let other = dir.path().join("other.sqlite");
    for record in &mut records {
        if let Record::Decision(decision) = record {
            decision.output = decision
                .output
                .replacen("\"urgency\":\"", "\"urgency\":\"x", 1);
            decision.output_hash = remedy::audit::Hash::of(decision.output.as_bytes());
        }
    }
    write(&other, &records);
    let run = forestall(&[
        "decide",
        "--replay",
        &id,
        "--ledger",
        other.to_str().unwrap(),
    ])
    .fails(1);
    assert!(run.err.contains("comes out otherwise"), "{}", run.err);
    assert!(
        run.err.contains("hint: urgency: recorded \"x"),
        "{}",
        run.err
    );
    let run = forestall(&["audit", "verify", "--ledger", other.to_str().unwrap()]).fails(1);
    assert!(
        run.err.contains("what was decided for d1 was changed"),
        "{}",
        run.err
    );
}
