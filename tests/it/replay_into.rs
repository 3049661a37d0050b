//! A recording into a running server, faster than it was recorded, and then questions.

use std::fmt::Write as _;
use std::fs;

use proto::v1;

use crate::harness::{Server, Watch, run};

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_replayed_at_many_times_its_pace_can_be_watched_and_asked_for() {
    const ROWS: i64 = 1_800;
    const ODD: i64 = 1_500;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("half-hour.csv");
    let mut csv = "time,metric,labels,value\n".to_owned();
    for s in 0..ROWS {
        let noise = (s * 7919 % 101) as f64 / 101.0;
        for replica in ["a", "b"] {
            let value = if s == ODD && replica == "b" {
                90.0
            } else {
                10.0 + noise
            };
            let time = 1_700_000_000 + s;
            writeln!(
                csv,
                "{time},queue_length,\"replica=\"\"{replica}\"\"\",{value}"
            )
            .unwrap();
        }
    }
    fs::write(&file, csv).unwrap();
    let server = Server::start("host.enabled = false\nwatch.history_points = 500").await;
    let changes = v1::WatchRisksRequest {
        filter: r#"queue_length{replica="b"}"#.to_owned(),
        only_event_changes: true,
        min_alert_score: 0.5,
        ..Default::default()
    };
    let mut watch = Watch::open(&server, changes).await;
    // Half an hour in a second and a half.
    let address = server.address.clone();
    let file = file.to_str().unwrap().to_owned();
    let replay = tokio::task::spawn_blocking(move || {
        run(&["replay", &file, "--into", &address, "--speed", "1200"]).succeeds()
    });
    let opened = watch.next().await;
    let odd_us = (1_700_000_000 + ODD) * 1_000_000;
    assert_eq!(opened[0].1.time_us, odd_us, "{opened:?}");
    let out = replay.await.unwrap();
    assert!(
        out.contains("3600 samples")
            || out.contains("3,600 samples")
            || out.contains("3 600 samples"),
        "{out}"
    );

    let query = v1::QueryRisksRequest {
        filter: "queue_length".to_owned(),
        history_size: 400,
        ..Default::default()
    };
    let risks = server
        .risks()
        .query_risks(query)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(risks.total_size, 2);
    for risk in &risks.risks {
        assert_eq!(risk.time_us, (1_700_000_000 + ROWS - 1) * 1_000_000);
        assert_eq!(risk.history.len(), 400);
        let peak = risk
            .history
            .iter()
            .max_by(|a, b| a.alert_score.total_cmp(&b.alert_score))
            .unwrap();
        let is_odd = risk.series.as_ref().unwrap().labels["replica"] == "b";
        assert_eq!(
            peak.time_us == odd_us && peak.alert_score > 0.5,
            is_odd,
            "{peak:?}"
        );
    }
    let request = v1::ListEventsRequest {
        filter: "queue_length".to_owned(),
        min_peak_alert_score: 0.5,
        ..Default::default()
    };
    let events = server
        .risks()
        .list_events(request)
        .await
        .unwrap()
        .into_inner()
        .events;
    let found = events
        .iter()
        .any(|event| event.closed_us.is_some() && event.event.as_ref().unwrap().since_us == odd_us);
    assert!(found, "{events:?}");
}
