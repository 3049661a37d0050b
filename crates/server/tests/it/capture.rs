//! What is written down for learning, from a push to a row that is read back.

use std::path::Path;

use proto::v1;
use proto::v1::capture_service_client::CaptureServiceClient;
use proto::v1::submit_feedback_request::About;
use series::Timestamp;
use server::Config;
use store::Verdict;
use store::capture::{EventPhase, Provenance, Rows};
use tonic::Code;
use tonic::transport::Channel;

use crate::harness::*;

fn capturing(dir: &Path) -> impl Fn(&mut Config) {
    let dir = dir.to_owned();
    move |config| {
        config.capture.dir = dir.join("captured");
        config.state.enabled = true;
        config.state.dir = dir.join("state");
    }
}

fn client(server: &Server) -> CaptureServiceClient<Channel> {
    CaptureServiceClient::new(server.channel.clone())
}

fn mark(kind: v1::MarkKind, selector: &str, from: i64, to: Option<i64>) -> v1::StartMarkRequest {
    v1::StartMarkRequest {
        kind: kind.into(),
        selector: selector.to_owned(),
        note: "a test".to_owned(),
        start_us: Some(us(from)),
        end_us: to.map(us),
    }
}

async fn status(server: &Server) -> v1::GetCaptureStatusResponse {
    client(server)
        .get_capture_status(v1::GetCaptureStatusRequest {})
        .await
        .unwrap()
        .into_inner()
}

/// All rows: series, second after the start, value, provenance, verdict, event, and whether they may be learned.
type Read = (
    String,
    i64,
    f64,
    Provenance,
    Option<Verdict>,
    EventPhase,
    bool,
);

fn read(dir: &Path) -> Vec<Read> {
    let all = Timestamp::from_micros(i64::MIN)..Timestamp::from_micros(i64::MAX);
    let mut reader = server::capture::reader(&dir.join("captured"), all).unwrap();
    let (mut rows, mut found) = (Rows::default(), Vec::new());
    while reader.next(&mut rows).unwrap() {
        for i in 0..rows.len() {
            assert!((0.0..=1.0).contains(&rows.scores[i]));
            assert!(rows.columns[i].iter().all(|value| value.is_finite()));
            found.push((
                reader.series()[rows.series[i] as usize].to_string(),
                rows.times[i] / 1_000_000 - START_S,
                rows.values[i],
                rows.provenance[i],
                rows.verdicts[i],
                rows.events[i],
                rows.use_as_normal(i),
            ));
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_scored_is_read_back_with_who_interfered() {
    const DB: &str = r#"load{job="db"}"#;
    let dir = tempfile::tempdir().unwrap();
    let server = start(capturing(dir.path())).await;
    let rows = |from, to| (from..to).flat_map(|s| [(DB, s, s as f64), ("other", s, 1.0)]);
    server.push_rows(rows(-300, -200)).await;
    // What was observed during a fault, said before and afterwards; and after a mitigation that goes on.
    let request = mark(v1::MarkKind::Fault, r#"{job="db"}"#, -200, None);
    let fault = client(&server)
        .start_mark(request)
        .await
        .unwrap()
        .into_inner()
        .mark
        .unwrap();
    assert_eq!((fault.id, fault.end_us), (1, None));
    server.push_rows(rows(-200, -150)).await;
    let ended = client(&server)
        .end_mark(v1::EndMarkRequest {
            id: 1,
            end_us: Some(us(-150)),
        })
        .await
        .unwrap();
    assert_eq!(ended.into_inner().mark.unwrap().end_us, Some(us(-150)));
    server.push_rows(rows(-150, 0)).await;
    let late = mark(v1::MarkKind::Fault, "load", -250, Some(-240));
    client(&server).start_mark(late).await.unwrap();
    let request = mark(v1::MarkKind::Mitigated, "load", -100, None);
    client(&server).start_mark(request).await.unwrap();
    // A verdict on a series that nobody marked.
    for (s, verdict) in [(-50, v1::Verdict::Confirmed), (-40, v1::Verdict::Dismissed)] {
        let request = v1::SubmitFeedbackRequest {
            series: Some(key("other")),
            about: Some(About::TimeUs(us(s))),
            verdict: verdict.into(),
            ..Default::default()
        };
        server.feedback().submit_feedback(request).await.unwrap();
    }
    let before = status(&server).await;
    assert!(before.enabled && !before.paused, "{before:?}");
    assert_eq!(
        (
            before.rows_dropped_count,
            before.rows_lost_count,
            before.open_marks_count
        ),
        (0, 0, 1)
    );
    server.running.shutdown().await.unwrap();

    let found = read(dir.path());
    assert_eq!(found.len(), 600);
    for (series, s, value, provenance, verdict, event, is_normal) in found {
        let (expected, said) = match (series.as_str(), s) {
            (DB, -250..-240 | -200..-150) => (Provenance::Fault, None),
            (DB, -100..0) => (Provenance::Mitigated, None),
            ("other", -50) => (Provenance::Normal, Some(Verdict::Confirmed)),
            ("other", -40) => (Provenance::Normal, Some(Verdict::Dismissed)),
            _ => (Provenance::Normal, None),
        };
        assert_eq!(
            (provenance, verdict),
            (expected, said),
            "{series} at {s}: {event:?}"
        );
        let expected = provenance == Provenance::Normal && verdict != Some(Verdict::Confirmed);
        assert_eq!(is_normal, expected, "{series} at {s}");
        assert_eq!(
            value.to_bits(),
            if series == DB { s as f64 } else { 1.0 }.to_bits()
        );
    }

    // Marks are there after a restart, newest first; and the directory goes on.
    let server = start(capturing(dir.path())).await;
    let mut request = v1::ListMarksRequest {
        page_size: 2,
        ..Default::default()
    };
    let page = client(&server)
        .list_marks(request.clone())
        .await
        .unwrap()
        .into_inner();
    let ids: Vec<u64> = page.marks.iter().map(|mark| mark.id).collect();
    assert_eq!(ids, [3, 2]);
    request.page_token = page.next_page_token;
    let page = client(&server)
        .list_marks(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!((page.marks[0].id, page.next_page_token.as_str()), (1, ""));
    server.push_rows(rows(0, 10)).await;
    server.running.shutdown().await.unwrap();
    let found = read(dir.path());
    assert_eq!(found.len(), 620);
    assert!(
        found
            .iter()
            .filter(|row| row.0 == DB && row.1 >= 0)
            .all(|row| !row.6)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirmed_event_is_no_example_of_normal() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(capturing(dir.path())).await;
    let rows: Vec<_> = with_outlier(2_000, 1_500)
        .map(|(s, value)| ("a", s, value))
        .collect();
    server.push_rows(rows).await;
    let events = server
        .risks()
        .list_events(v1::ListEventsRequest::default())
        .await
        .unwrap()
        .into_inner();
    let id = events
        .events
        .iter()
        .find(is_outlier)
        .unwrap()
        .event
        .as_ref()
        .unwrap()
        .id;
    let request = v1::SubmitFeedbackRequest {
        series: Some(key("a")),
        about: Some(About::EventId(id)),
        verdict: v1::Verdict::Confirmed.into(),
        ..Default::default()
    };
    server.feedback().submit_feedback(request).await.unwrap();
    server.running.shutdown().await.unwrap();
    let found = read(dir.path());
    assert_eq!(found.len(), 2_000);
    let confirmed: Vec<&Read> = found.iter().filter(|row| row.4.is_some()).collect();
    assert!(
        confirmed.iter().any(|row| row.1 == -500 && !row.6),
        "{confirmed:?}"
    );
    assert!(
        confirmed.iter().all(|row| row.5 != EventPhase::None),
        "{confirmed:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_mark_names_its_field() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(capturing(dir.path())).await;
    let mut client = client(&server);
    let good = mark(v1::MarkKind::Fault, "{}", 0, None);
    for (request, field) in [
        (
            v1::StartMarkRequest {
                kind: 0,
                ..good.clone()
            },
            "kind",
        ),
        (
            v1::StartMarkRequest {
                kind: 77,
                ..good.clone()
            },
            "kind",
        ),
        (
            v1::StartMarkRequest {
                selector: String::new(),
                ..good.clone()
            },
            "selector",
        ),
        (
            v1::StartMarkRequest {
                selector: "{a".to_owned(),
                ..good.clone()
            },
            "selector",
        ),
        (
            v1::StartMarkRequest {
                note: "x".repeat(5000),
                ..good.clone()
            },
            "note",
        ),
        (
            v1::StartMarkRequest {
                end_us: Some(us(-1)),
                ..good.clone()
            },
            "end_us",
        ),
    ] {
        assert_invalid(&client.start_mark(request).await.unwrap_err(), field);
    }
    let end = |id, end_us| v1::EndMarkRequest { id, end_us };
    let unknown = client.end_mark(end(9, None)).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
    client.start_mark(good).await.unwrap();
    assert_invalid(
        &client.end_mark(end(1, Some(us(-5)))).await.unwrap_err(),
        "end_us",
    );
    server.clock.advance_s(5);
    let ended = client.end_mark(end(1, None)).await.unwrap().into_inner();
    assert_eq!(ended.mark.unwrap().end_us, Some(us(5)));
    let again = client.end_mark(end(1, None)).await.unwrap_err();
    assert_eq!(again.code(), Code::FailedPrecondition);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_directory_there_is_nothing_to_mark() {
    let server = start(|_| {}).await;
    assert!(!status(&server).await.enabled);
    let refused = client(&server)
        .start_mark(mark(v1::MarkKind::Fault, "{}", 0, None))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_in_use_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let capture_only = |config: &mut Config| config.capture.dir = dir.path().to_owned();
    let first = start(capture_only).await;
    let second = server::start(config(capture_only), TestClock::at_start())
        .await
        .unwrap_err();
    assert!(
        second.to_string().contains("in use by another engine"),
        "{second}"
    );
    first.running.shutdown().await.unwrap();
    start(capture_only).await;
}
