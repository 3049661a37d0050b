//! What people say about alerts.

use proto::v1;
use proto::v1::submit_feedback_request::About;
use tonic::Code;

use crate::harness::*;

fn submit(request_id: &str, about: Option<About>) -> v1::SubmitFeedbackRequest {
    v1::SubmitFeedbackRequest {
        series: Some(key("a")),
        about,
        verdict: v1::Verdict::Dismissed.into(),
        note: "nightly backup".to_owned(),
        request_id: request_id.to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn feedback_is_stored_once_listed_newest_first_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    let with_state = |config: &mut server::Config| {
        config.state.enabled = true;
        config.state.dir = dir.path().to_owned();
    };
    let server = start(with_state).await;
    server.push_rows([("a", 1, 1.0)]).await;
    let mut client = server.feedback();
    let about = Some(About::TimeUs(us(1)));
    let first = client
        .submit_feedback(submit("one", about))
        .await
        .unwrap()
        .into_inner();
    assert!(!first.repeated_call);
    let stored = first.feedback.clone().unwrap();
    assert_eq!(
        (stored.time_us, stored.submitted_us, stored.verdict()),
        (us(1), us(0), v1::Verdict::Dismissed)
    );
    let again = client
        .submit_feedback(submit("one", about))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (again.repeated_call, again.feedback),
        (true, first.feedback)
    );
    client.submit_feedback(submit("two", about)).await.unwrap();
    server.running.shutdown().await.unwrap();

    let server = start(with_state).await;
    let mut client = server.feedback();
    let mut request = v1::ListFeedbackRequest {
        page_size: 1,
        ..Default::default()
    };
    let page = client
        .list_feedback(request.clone())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(page.feedback[0].id, "2");
    request.page_token = page.next_page_token;
    let page = client
        .list_feedback(request.clone())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (page.feedback[0].id.as_str(), page.next_page_token.as_str()),
        ("1", "")
    );
    let none = v1::ListFeedbackRequest {
        filter: "b".to_owned(),
        ..Default::default()
    };
    assert!(
        client
            .list_feedback(none)
            .await
            .unwrap()
            .into_inner()
            .feedback
            .is_empty()
    );
    assert!(
        client
            .submit_feedback(submit("one", about))
            .await
            .unwrap()
            .into_inner()
            .repeated_call
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn feedback_on_an_event_is_about_its_peak() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(|config| {
        config.state.enabled = true;
        config.state.dir = dir.path().to_owned();
    })
    .await;
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
    let outlier = events.events.iter().find(is_outlier).unwrap();
    let id = outlier.event.as_ref().unwrap().id;
    let mut client = server.feedback();
    let stored = client
        .submit_feedback(submit("", Some(About::EventId(id))))
        .await
        .unwrap()
        .into_inner()
        .feedback;
    assert_eq!(
        stored.map(|feedback| (feedback.event_id, feedback.time_us)),
        Some((id, us(-500)))
    );
    let unknown = client
        .submit_feedback(submit("", Some(About::EventId(u64::MAX))))
        .await
        .unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_feedback_names_its_field() {
    let dir = tempfile::tempdir().unwrap();
    let server = start(|config| {
        config.state.enabled = true;
        config.state.dir = dir.path().to_owned();
    })
    .await;
    let mut client = server.feedback();
    let good = submit("", Some(About::TimeUs(1)));
    for (request, field) in [
        (
            v1::SubmitFeedbackRequest {
                series: None,
                ..good.clone()
            },
            "series",
        ),
        (
            v1::SubmitFeedbackRequest {
                about: None,
                ..good.clone()
            },
            "about",
        ),
        (
            v1::SubmitFeedbackRequest {
                verdict: 0,
                ..good.clone()
            },
            "verdict",
        ),
        (
            v1::SubmitFeedbackRequest {
                note: "x".repeat(5000),
                ..good.clone()
            },
            "note",
        ),
        (
            v1::SubmitFeedbackRequest {
                request_id: "x".repeat(200),
                ..good.clone()
            },
            "request_id",
        ),
    ] {
        assert_invalid(&client.submit_feedback(request).await.unwrap_err(), field);
    }
    assert_eq!(
        client.submit_feedback(good).await.unwrap_err().code(),
        Code::NotFound
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_state_there_is_nowhere_to_keep_it() {
    let server = start(|_| {}).await;
    let refused = server
        .feedback()
        .submit_feedback(submit("", Some(About::TimeUs(1))))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
}
