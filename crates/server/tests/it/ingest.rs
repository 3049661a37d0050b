//! Samples in: what is taken, what is refused, and how streams end.

use proto::v1::{PushRequest, Refusal};
use tonic::Code;

use crate::harness::*;

fn reasons(response: &proto::v1::PushResponse) -> Vec<(u32, Refusal)> {
    response
        .refused
        .iter()
        .map(|refused| (refused.index, refused.reason()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_refused_sample_is_named_and_the_rest_is_taken() {
    let server = start(|_| {}).await;
    let mut push = server.push().await;
    let request = PushRequest {
        sequence: 41,
        series: vec![declare(0, "a"), declare(5, r#"b{host="x"}"#)],
        batch: batch([
            (0, 1, 1.0),
            (5, 1, f64::NAN),
            (5, 1, f64::INFINITY),
            (5, 1, 1.0),
            (0, 1, 2.0),
            (0, 0, 2.0),
            (3, 1, 2.0),
            (0, 301, 2.0),
            (0, 300, 3.0),
        ]),
        samples: vec![
            named("c", 1, 1.0),
            proto::v1::NamedSample {
                series: Some(proto::v1::SeriesKey::default()),
                time_us: us(1),
                value: 1.0,
            },
            proto::v1::NamedSample {
                series: None,
                time_us: us(1),
                value: 1.0,
            },
            proto::v1::NamedSample {
                time_us: 0,
                ..named("d", 1, 1.0)
            },
        ],
    };
    let response = push.ask(request).await.unwrap();
    assert_eq!((response.sequence, response.taken_count), (41, 5));
    assert_eq!(
        reasons(&response),
        [
            (1, Refusal::NotFinite),
            (2, Refusal::NotFinite),
            (4, Refusal::Duplicate),
            (5, Refusal::OutOfOrder),
            (6, Refusal::UnknownSeries),
            (7, Refusal::TooFarAhead),
            (10, Refusal::BadKey),
            (11, Refusal::BadKey),
        ]
    );
    assert_eq!(response.refused[0].series, Some(key(r#"b{host="x"}"#)));
    assert_eq!(response.refused[2].series, Some(key("a")));
    assert_eq!(response.refused[4].series, None);
    assert_eq!(response.refused[6].message, "metric name is empty");
    let counters = server.counters().await;
    assert_eq!((counters.taken_count, counters.series_count), (5, 4));
    let counted: u64 = counters.refused.iter().map(|refused| refused.count).sum();
    assert_eq!(counted, 8);

    // Declarations last as long as the stream.
    let more = PushRequest {
        batch: batch([(5, 2, 1.0)]),
        ..Default::default()
    };
    assert_eq!(push.ask(more).await.unwrap().taken_count, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_went_on_allows_later_samples() {
    let server = start(|config| config.ingest.max_ahead_s = 10.0).await;
    let response = server.push_rows([("a", 11, 1.0)]).await;
    assert_eq!(reasons(&response), [(0, Refusal::TooFarAhead)]);
    server.clock.advance_s(1);
    assert_eq!(server.push_rows([("a", 11, 1.0)]).await.taken_count, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn beyond_the_limit_new_series_are_refused_and_known_ones_served() {
    let server = start(|config| config.engine.max_series = 2).await;
    let mut push = server.push().await;
    let response = push
        .ask(PushRequest {
            series: (0..300).map(|i| declare(i, &format!("s{i}"))).collect(),
            batch: batch((0..300).map(|i| (i, 1, 1.0))),
            ..Default::default()
        })
        .await
        .unwrap();
    assert_eq!(response.taken_count, 2);
    assert_eq!(response.refused.len(), 100, "details are bounded");
    assert_eq!(response.refused_series.len(), 100);
    assert_eq!(response.refusal_counts.len(), 1);
    let counted = &response.refusal_counts[0];
    assert_eq!(
        (counted.reason(), counted.count),
        (Refusal::SeriesLimit, 298)
    );
    let known = PushRequest {
        batch: batch([(0, 2, 1.0), (1, 2, 1.0)]),
        ..Default::default()
    };
    assert_eq!(push.ask(known).await.unwrap().taken_count, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_of_edge_and_engine_keep_their_places_when_mixed() {
    let server = start(|_| {}).await;
    let mut push = server.push().await;
    let rows = (0..300).map(|i| match i % 3 {
        0 => (9, 1, 1.0),                     // not declared: refused at the edge
        1 => (0, 1 + i64::from(i), f64::NAN), // refused by the engine
        _ => (0, 1 + i64::from(i % 100), 1.0),
    });
    let request = PushRequest {
        series: vec![declare(0, "a")],
        batch: batch(rows),
        ..Default::default()
    };
    let response = push.ask(request).await.unwrap();
    for (index, reason) in reasons(&response) {
        match index % 3 {
            0 => assert_eq!(reason, Refusal::UnknownSeries),
            1 => assert_eq!(reason, Refusal::NotFinite),
            _ => assert!(matches!(reason, Refusal::OutOfOrder | Refusal::Duplicate)),
        }
    }
    let refused: u64 = response
        .refusal_counts
        .iter()
        .map(|refused| refused.count)
        .sum();
    assert_eq!(refused + response.taken_count, 300);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_request_ends_its_stream_after_the_answers_before_it() {
    let server = start(|_| {}).await;
    let mut push = server.push().await;
    let good = PushRequest {
        series: vec![declare(0, "a")],
        batch: batch([(0, 1, 1.0)]),
        ..Default::default()
    };
    let mut broken = PushRequest {
        batch: batch([(0, 2, 1.0)]),
        ..Default::default()
    };
    broken.batch.as_mut().unwrap().value.clear();
    push.sender.send(good).await.unwrap();
    push.sender.send(broken).await.unwrap();
    assert_eq!(push.next().await.unwrap().taken_count, 1);
    assert_invalid(&push.next().await.unwrap_err(), "batch");

    let mut push = server.push().await;
    let far = PushRequest {
        series: vec![declare(u32::MAX, "a")],
        ..Default::default()
    };
    assert_invalid(&push.ask(far).await.unwrap_err(), "series[0].series_ref");

    let mut push = server.push().await;
    let twice = PushRequest {
        series: vec![declare(1, "a"), declare(1, "a"), declare(1, "b")],
        ..Default::default()
    };
    assert_invalid(&push.ask(twice).await.unwrap_err(), "series[2].series_ref");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_oversized_message_ends_its_stream_only() {
    let server = start(|config| config.server.max_message_bytes = 65_536).await;
    let mut push = server.push().await;
    let huge = PushRequest {
        batch: batch((0..10_000).map(|s| (0, s, 1.0))),
        ..Default::default()
    };
    assert_eq!(push.ask(huge).await.unwrap_err().code(), Code::OutOfRange);
    assert_eq!(server.push_rows([("a", 1, 1.0)]).await.taken_count, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_may_send_ahead_and_is_answered_in_order() {
    let server = start(|config| config.ingest.in_flight_per_stream = 3).await;
    let mut push = server.push().await;
    let sender = push.sender.clone();
    let sending = tokio::spawn(async move {
        for sequence in 0..200 {
            let series = if sequence == 0 {
                vec![declare(0, "a")]
            } else {
                Vec::new()
            };
            let batch = batch([(0, i64::try_from(sequence).unwrap(), 1.0)]);
            sender
                .send(PushRequest {
                    sequence,
                    series,
                    batch,
                    samples: Vec::new(),
                })
                .await
                .unwrap();
        }
    });
    for sequence in 0..200 {
        let response = push.next().await.unwrap();
        assert_eq!((response.sequence, response.taken_count), (sequence, 1));
    }
    sending.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_admitted_is_lost_with_a_client_that_vanishes() {
    let server = start(|_| {}).await;
    let mut watch = server
        .risks()
        .watch_risks(proto::v1::WatchRisksRequest::default())
        .await
        .unwrap()
        .into_inner();
    let push = server.push().await;
    let request = PushRequest {
        series: vec![declare(0, "a")],
        batch: batch((0..5_000).map(|s| (0, s - 6_000, 1.0))),
        ..Default::default()
    };
    push.sender.send(request).await.unwrap();
    // Gone as soon as the first risk shows that the request has arrived.
    let mut seen = within(watch.message()).await.unwrap().unwrap().risks.len();
    drop(push);
    while seen < 5_000 {
        seen += within(watch.message()).await.unwrap().unwrap().risks.len();
    }
    assert_eq!(server.counters().await.taken_count, 5_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_are_bounded() {
    let server = start(|config| config.server.max_streams = 1).await;
    let first = server.push().await;
    let mut risks = server.risks();
    let refused = risks
        .watch_risks(proto::v1::WatchRisksRequest::default())
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    let mut first = first;
    drop(first.sender);
    assert!(within(first.responses.message()).await.unwrap().is_none());
    // The place is free once the server has seen the end of the stream, which the client may see first.
    within(async {
        while risks
            .watch_risks(proto::v1::WatchRisksRequest::default())
            .await
            .is_err()
        {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_numbers_are_answered_and_break_nothing() {
    const VALUES: [f64; 8] = [
        0.0,
        -0.0,
        f64::MAX,
        f64::MIN,
        f64::MIN_POSITIVE,
        5e-324,
        f64::NAN,
        f64::NEG_INFINITY,
    ];
    const TIMES: [i64; 7] = [i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX - 1, i64::MAX];
    let server = start(|_| {}).await;
    let mut push = server.push().await;
    let series = vec![declare(0, "level"), declare(1, "count_total")];
    let mut batch = proto::v1::SampleBatch::default();
    for (i, &time_us) in TIMES.iter().cycle().take(2_000).enumerate() {
        batch.series_ref.push((i % 2) as u32);
        // Times in a jumble first, then rising, so that both the refusals and the arithmetic are tried.
        batch.time_us.push(if i < 500 {
            time_us
        } else {
            us(i as i64 - 3_000)
        });
        batch.value.push(VALUES[(i / 3) % VALUES.len()]);
    }
    let request = PushRequest {
        series,
        batch: Some(batch),
        ..Default::default()
    };
    let response = push.ask(request).await.unwrap();
    let refused: u64 = response
        .refusal_counts
        .iter()
        .map(|refused| refused.count)
        .sum();
    assert_eq!(response.taken_count + refused, 2_000);
    assert!(response.taken_count > 500);
    let counters = server.counters().await;
    assert_eq!(
        (counters.taken_count, counters.shard_panics_count),
        (response.taken_count, 0)
    );
    let risks = server
        .risks()
        .query_risks(proto::v1::QueryRisksRequest::default())
        .await
        .unwrap()
        .into_inner()
        .risks;
    for risk in risks {
        let scores = [
            risk.score,
            f64::from(risk.alert_score),
            f64::from(risk.confidence),
        ];
        assert!(
            scores.iter().all(|score| (0.0..=1.0).contains(score)),
            "{risk:?}"
        );
    }
}
