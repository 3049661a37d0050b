//! Clients that are slow, gone, or wrong: each gets its answer, and the others do not notice.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;

use proto::v1;
use proto::v1::ingest_service_client::IngestServiceClient;
use tonic::Code;

use crate::harness::{Push, Server, Watch, batch, command, declare, eventually, named, us};

/// Samples of one reason in an answer.
fn refused(response: &v1::PushResponse, reason: v1::Refusal) -> u64 {
    let counts = response.refusal_counts.iter();
    let of_reason = counts.filter(|count| count.reason() == reason);
    of_reason.map(|count| count.count).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_that_does_not_read_holds_up_nobody_and_is_told_what_it_missed() {
    const BATCHES: i64 = 40;
    const ROWS: i64 = 2_000;
    let server = Server::start("host.enabled = false\nwatch.queue_risks = 4096").await;
    let mut slow = Watch::open(&server, v1::WatchRisksRequest::default()).await;
    let mut push = Push::open(&server).await;
    let declaration = v1::PushRequest {
        series: (0..4).map(|i| declare(i, &format!("s{i}"))).collect(),
        ..Default::default()
    };
    push.ask(declaration).await.unwrap();
    // Another one, on the same server, that reads all it gets.
    let only_last = v1::WatchRisksRequest {
        filter: "s3".to_owned(),
        ..Default::default()
    };
    let mut quick = Watch::open(&server, only_last).await;
    for b in 0..BATCHES {
        let rows = (0..ROWS).zip((0..4).cycle());
        let rows = rows.map(|(i, series)| (series, b * ROWS + i, (i % 10) as f64));
        let request = v1::PushRequest {
            batch: batch(rows),
            ..Default::default()
        };
        let answer = push.ask(request).await.unwrap();
        assert_eq!(answer.taken_count, ROWS as u64);
        // It is not behind: with each batch answered, the newest of it arrives.
        let newest = (b + 1) * ROWS - 1;
        loop {
            let risks = quick.next().await;
            if risks.iter().any(|(_, risk)| risk.time_us == us(newest)) {
                break;
            }
        }
    }
    assert_eq!(quick.dropped, 0);
    let all = (BATCHES * ROWS) as u64;
    let mut told = 0;
    let mut newest: HashMap<String, i64> = HashMap::new();
    while told + slow.dropped < all {
        for (series, risk) in slow.next().await {
            told += 1;
            let before = newest.insert(series.metric, risk.time_us);
            assert!(
                before < Some(risk.time_us),
                "risks of a series come in order"
            );
        }
    }
    assert!(slow.dropped > 0);
    assert_eq!(told + slow.dropped, all, "each risk is told or counted");
    assert_eq!(newest["s3"], us(BATCHES * ROWS - 1));
    let counters = server.counters().await;
    assert_eq!(counters.watch_dropped_count, slow.dropped);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_killed_in_the_middle_of_its_stream_leaves_nothing_behind() {
    let server = Server::start("host.enabled = false\nserver.max_streams = 1").await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("slow.csv");
    let mut csv = "timestamp,value\n".to_owned();
    (0..100_000).for_each(|i| writeln!(csv, "{},{}", 1_700_000_000 + i, i % 10).unwrap());
    fs::write(&file, csv).unwrap();
    // At this pace it would take more than a quarter of an hour.
    let args = [
        "replay",
        file.to_str().unwrap(),
        "--speed",
        "100",
        "--into",
        &server.address,
    ];
    let mut client = command(&args).spawn().unwrap();
    eventually("samples of the client", async || {
        (server.counters().await.taken_count > 100).then_some(())
    })
    .await;
    client.kill().unwrap();
    client.wait().unwrap();
    // The one stream that may be open is to be had again.
    eventually("room for a stream", async || {
        let mut client = IngestServiceClient::new(server.channel.clone());
        let nothing = tokio_stream::empty::<v1::PushRequest>();
        client.push(nothing).await.ok()
    })
    .await;
    let counters = server.counters().await;
    assert_eq!((counters.shard_panics_count, counters.queue_length), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_too_large_ends_its_own_stream_only() {
    let server = Server::start("host.enabled = false\nserver.max_message_bytes = 65536").await;
    let mut other = Push::open(&server).await;
    assert_eq!(other.rows("a", [(1, 1.0)]).await, 1);
    let mut push = Push::open(&server).await;
    let samples = (0..5_000)
        .map(|s| named("far_too_much_in_one_message", s, 1.0))
        .collect();
    let request = v1::PushRequest {
        samples,
        ..Default::default()
    };
    let status = push.ask(request).await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange, "{status}");
    assert!(status.message().contains("65536"), "{status}");
    assert_eq!(other.rows("a", [(2, 1.0)]).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_in_a_request_is_refused_and_the_rest_of_it_taken() {
    let server = Server::start("host.enabled = false").await;
    let mut push = Push::open(&server).await;
    let mut labels = named("labelled", 1, 1.0);
    let key = labels.series.as_mut().unwrap();
    key.labels.insert("bad label".to_owned(), "x".to_owned());
    let nameless = v1::NamedSample {
        series: None,
        ..named("", 1, 1.0)
    };
    let request = v1::PushRequest {
        series: vec![declare(0, "good"), declare(1, "two words")],
        batch: batch([
            (0, 1, 1.0),
            (1, 1, 1.0),
            (7, 1, 1.0),
            (0, 2, f64::NAN),
            (0, 2, 2.0),
            (0, 2, 3.0),
            (0, 1, 3.0),
        ]),
        samples: vec![
            named("", 1, 1.0),
            labels,
            nameless,
            named("fine", 1, f64::INFINITY),
            named("fine", 1, 1.0),
            named("fine", i64::from(u32::MAX), 1.0),
        ],
        ..Default::default()
    };
    let answer = push.ask(request).await.unwrap();
    assert_eq!(answer.taken_count, 3, "{answer:?}");
    assert_eq!(answer.refused_series[0].series_ref, 1);
    for (reason, count) in [
        (v1::Refusal::BadKey, 4),
        (v1::Refusal::UnknownSeries, 1),
        (v1::Refusal::NotFinite, 2),
        (v1::Refusal::Duplicate, 1),
        (v1::Refusal::OutOfOrder, 1),
        (v1::Refusal::TooFarAhead, 1),
    ] {
        assert_eq!(refused(&answer, reason), count, "{reason:?} {answer:?}");
    }
    // Not a bad sample but a broken request: the stream ends, the server does not.
    let lopsided = v1::SampleBatch {
        series_ref: vec![0, 0],
        time_us: vec![1],
        value: vec![],
    };
    let request = v1::PushRequest {
        batch: Some(lopsided),
        ..Default::default()
    };
    let status = push.ask(request).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(server.counters().await.taken_count, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_new_series_is_bounded_counted_and_refused_while_the_others_are_served() {
    const MOST: u64 = 2_000;
    const FLOOD: u32 = 50_000;
    let config = format!("host.enabled = false\nengine.max_series = {MOST}");
    let server = Server::start(&config).await;
    let mut known = Push::open(&server).await;
    assert_eq!(known.rows("known", [(0, 1.0)]).await, 1);
    let mut flood = Push::open(&server).await;
    let (mut taken, mut limited) = (0, 0);
    for first in (0..FLOOD).step_by(5_000) {
        let refs = first..first + 5_000;
        let request = v1::PushRequest {
            series: refs
                .clone()
                .map(|i| declare(i, &format!("flood_{i}")))
                .collect(),
            batch: batch(refs.map(|i| (i, 1, 1.0))),
            ..Default::default()
        };
        let answer = flood.ask(request).await.unwrap();
        taken += answer.taken_count;
        limited += refused(&answer, v1::Refusal::SeriesLimit);
        assert!(answer.refused_series.len() <= 100 && answer.refused.len() <= 100);
        assert_eq!(known.rows("known", [(i64::from(first) + 1, 1.0)]).await, 1);
    }
    assert_eq!((taken, limited), (MOST - 1, u64::from(FLOOD) - (MOST - 1)));
    let counters = server.counters().await;
    assert_eq!(
        (counters.series_count, counters.max_series_count),
        (MOST, MOST)
    );
    let counted = counters
        .refused
        .iter()
        .find(|count| count.reason() == v1::Refusal::SeriesLimit);
    assert_eq!(counted.unwrap().count, limited);
}
