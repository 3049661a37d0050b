//! What outlives a restart, and what happens when the disk does not play along.

use std::fs;

use proto::v1;
use server::{Config, StartError, start as start_server};

use crate::harness::*;

fn with_state(dir: &tempfile::TempDir) -> impl Fn(&mut Config) {
    let dir = dir.path().to_owned();
    move |config| {
        config.state.enabled = true;
        config.state.dir = dir.clone();
        config.state.snapshot_interval_s = 3600.0;
    }
}

async fn is_old(server: &Server, s: i64) -> bool {
    let response = server.push_rows([("a", s, 1.0)]).await;
    response
        .refused
        .first()
        .is_some_and(|refused| refused.reason() == v1::Refusal::OutOfOrder)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_goes_on_where_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(with_state(&dir)).await;
    server
        .push_rows((0..200).flat_map(|s| [("a", s, s as f64), ("b", s, 1.0)]))
        .await;
    server.running.shutdown().await.unwrap();

    let server = start(with_state(&dir)).await;
    let info = server.info().await;
    assert_eq!(info.snapshot.unwrap().restored_series_count, 2);
    assert_eq!(info.counters.unwrap().series_count, 2);
    assert!(
        is_old(&server, 100).await,
        "the series remembers its last sample"
    );
    assert_eq!(server.push_rows([("a", 201, 1.0)]).await.taken_count, 1);
    let risk = server
        .risks()
        .get_risk(v1::GetRiskRequest {
            series: Some(key("a")),
            history_size: 0,
        })
        .await;
    assert!(risk.unwrap().into_inner().risk.unwrap().confidence > 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_loses_no_more_than_what_came_after_the_snapshot() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(|config| {
        with_state(&dir)(config);
        config.state.snapshot_interval_s = 1.0;
    })
    .await;
    server.push_rows((0..200).map(|s| ("a", s, 1.0))).await;
    let snapshot = within(async {
        loop {
            let snapshot = server.info().await.snapshot.unwrap();
            // The first may have been written before the samples came; one of this many bytes holds the series.
            if snapshot.age_s.is_some() && snapshot.size_bytes > 500 {
                return snapshot;
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(snapshot.last_error, "");
    drop(server);
    let server = restart_when_free(&dir).await;
    assert!(is_old(&server, 100).await);
}

/// The lock goes with the last thread that holds it.
async fn restart_when_free(dir: &tempfile::TempDir) -> Server {
    within(async {
        loop {
            let clock = TestClock::at_start();
            match start_server(config(with_state(dir)), clock).await {
                Ok(probe) => {
                    drop(probe);
                    return start(with_state(dir)).await;
                }
                Err(StartError::State(_) | StartError::Planning(_)) => {
                    tokio::task::yield_now().await
                }
                Err(other) => panic!("{other}"),
            }
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_snapshot_is_set_aside_and_the_one_before_is_used() {
    let dir = tempfile::tempdir().unwrap();
    for seconds in [0..100, 100..200] {
        let server = start(with_state(&dir)).await;
        server.push_rows(seconds.map(|s| ("a", s, 1.0))).await;
        server.running.shutdown().await.unwrap();
    }
    let current = dir.path().join("engine.snapshot");
    let mut bytes = fs::read(&current).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&current, bytes).unwrap();

    let server = start(with_state(&dir)).await;
    assert!(is_old(&server, 50).await, "the snapshot before is used");
    assert!(!is_old(&server, 150).await, "the broken one is not");
    assert!(dir.path().join("engine.snapshot.refused").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn state_of_other_detectors_is_refused_and_the_server_starts_afresh() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(with_state(&dir)).await;
    server.push_rows((0..100).map(|s| ("a", s, 1.0))).await;
    server.running.shutdown().await.unwrap();
    let server = start(|config| {
        with_state(&dir)(config);
        config.engine.seed = 99;
    })
    .await;
    assert_eq!(
        server.info().await.snapshot.unwrap().restored_series_count,
        0
    );
    assert!(!is_old(&server, 50).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_that_cannot_be_written_is_told_and_the_old_one_kept() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(with_state(&dir)).await;
    server.push_rows((0..100).map(|s| ("a", s, 1.0))).await;
    server.running.shutdown().await.unwrap();
    let old = fs::read(dir.path().join("engine.snapshot")).unwrap();

    // A directory where the unfinished snapshot would be: no user, not even root, can write over it.
    fs::create_dir(dir.path().join("engine.snapshot.unfinished")).unwrap();
    let server = start(|config| {
        with_state(&dir)(config);
        config.state.snapshot_interval_s = 1.0;
    })
    .await;
    let status = within(async {
        loop {
            let snapshot = server.info().await.snapshot.unwrap();
            if !snapshot.last_error.is_empty() {
                return snapshot;
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(
        status.last_error.contains("engine.snapshot.unfinished"),
        "{}",
        status.last_error
    );
    assert_eq!(
        server.push_rows([("a", 101, 1.0)]).await.taken_count,
        1,
        "the server serves on"
    );
    assert!(server.running.shutdown().await.is_err());
    assert_eq!(fs::read(dir.path().join("engine.snapshot")).unwrap(), old);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_state_directory_serves_one_server() {
    let dir = tempfile::tempdir().unwrap();
    let _first = start(with_state(&dir)).await;
    let second = start_server(config(with_state(&dir)), TestClock::at_start()).await;
    assert!(matches!(second, Err(StartError::State(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_in_use_is_named() {
    let first = start(|_| {}).await;
    let taken = first.running.local_addr();
    let second = start_server(
        config(|config| config.server.listen = taken),
        TestClock::at_start(),
    )
    .await;
    assert_eq!(
        second.unwrap_err().to_string(),
        format!("listening on {taken}")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn this_host_is_watched_unless_told_otherwise() {
    let server = start(|config| config.host.enabled = true).await;
    let mut stream = server
        .risks()
        .watch_risks(v1::WatchRisksRequest::default())
        .await
        .unwrap()
        .into_inner();
    assert!(
        !within(stream.message())
            .await
            .unwrap()
            .unwrap()
            .risks
            .is_empty()
    );
    let info = server.info().await;
    assert!(info.host.unwrap().enabled && info.counters.unwrap().series_count > 5);
}
