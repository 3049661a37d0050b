//! Where the ledger is, who has it, and whether it is the one that this server wrote.

use std::fs;
use std::path::Path;

use server::{Config, StartError, start as start_server};

use super::*;

/// Why a server does not start: all that its error says.
async fn refused(edit: impl FnOnce(&mut Config)) -> String {
    let clock: std::sync::Arc<dyn series::Clock> = TestClock::at_start();
    let error = start_server(config(edit), clock)
        .await
        .expect_err("it does not start");
    assert!(matches!(error, StartError::Planning(_)), "{error:?}");
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

async fn brake(server: &Server, n: usize) {
    for _ in 0..n {
        let brake = v1::EngageBrakeRequest {
            actor: "olga".to_owned(),
            reason: "odd".to_owned(),
            ..Default::default()
        };
        server.safety().engage_brake(brake).await.unwrap();
    }
}

/// Takes the ledger of one state directory into another.
fn take(from: &Path, to: &Path) {
    for name in ["ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm"] {
        let (from, to) = (from.join(name), to.join(name));
        // The log goes with a server that stops in good order.
        let _ = fs::remove_file(&to);
        if from.exists() {
            fs::copy(from, to).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_was_cut_or_replaced_is_refused_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let early = dir.path().join("early");
    fs::create_dir(&early).unwrap();
    let server = start(planner(dir.path())).await;
    brake(&server, 2).await;
    server.running.shutdown().await.unwrap();
    take(&state, &early);

    let server = start(planner(dir.path())).await;
    brake(&server, 2).await;
    let head = server.get_safety().await;
    server.running.shutdown().await.unwrap();
    let kept = fs::read_to_string(state.join("audit.head")).unwrap();
    assert_eq!(
        kept.trim(),
        format!("{} {}", head.audit_seq, head.audit_hash)
    );

    // The last two entries are gone.
    let late = dir.path().join("late");
    fs::create_dir(&late).unwrap();
    take(&state, &late);
    take(&early, &state);
    let why = refused(planner(dir.path())).await;
    assert!(
        why.contains("ends at entry 2, this server wrote up to entry 4"),
        "{why}"
    );
    assert!(why.contains("it was cut or replaced"), "{why}");
    assert!(
        why.contains("forestall audit verify") && why.contains("audit.head"),
        "{why}"
    );

    // As long as the other, with the same beginning, and not the same.
    let elsewhere = tempfile::tempdir().unwrap();
    fs::create_dir(elsewhere.path().join("state")).unwrap();
    take(&early, &elsewhere.path().join("state"));
    let server = start(planner(elsewhere.path())).await;
    server.clock.advance_s(1);
    brake(&server, 5).await;
    server.running.shutdown().await.unwrap();
    take(&elsewhere.path().join("state"), &state);
    let why = refused(planner(dir.path())).await;
    assert!(
        why.contains("ends at entry 7, this server wrote up to entry 4"),
        "{why}"
    );

    // All of it is gone.
    fs::remove_file(state.join("ledger.sqlite")).unwrap();
    let why = refused(planner(dir.path())).await;
    assert!(
        why.contains("ends at entry 0, this server wrote up to entry 4"),
        "{why}"
    );

    // What was there is taken, and nothing else was spoilt by the attempts.
    take(&late, &state);
    let server = start(planner(dir.path())).await;
    assert_eq!(server.get_safety().await.audit_hash, head.audit_hash);
    server.running.shutdown().await.unwrap();

    // What is kept is no end of an audit.
    fs::write(state.join("audit.head"), "4").unwrap();
    let why = refused(planner(dir.path())).await;
    assert!(
        why.contains("audit.head") && why.contains("\"4\" is not"),
        "{why}"
    );

    // Whoever says so begins anew.
    take(&early, &state);
    fs::remove_file(state.join("audit.head")).unwrap();
    let server = start(planner(dir.path())).await;
    assert_eq!(server.get_safety().await.audit_seq, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_server_is_told_who_has_the_ledger() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = dir
        .path()
        .join("shared.sqlite")
        .to_str()
        .unwrap()
        .to_owned();
    let shared = |dir: &Path, config: &mut Config| {
        planner(dir)(config);
        config.planner.ledger.clone_from(&ledger);
    };
    let first = start(|config| shared(dir.path(), config)).await;
    let other = tempfile::tempdir().unwrap();
    let why = refused(|config| shared(other.path(), config)).await;
    let who = format!("is written by process {}", std::process::id());
    assert!(why.contains(&who) && why.contains("shared.sqlite"), "{why}");
    brake(&first, 1).await;
    first.running.shutdown().await.unwrap();
    // Given back, it is free.
    let second = start(|config| shared(other.path(), config)).await;
    assert_eq!(second.get_safety().await.audit_seq, 1);
}
