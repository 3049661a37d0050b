//! Risks as they arise.

use std::collections::HashMap;

use proto::v1;
use tonic::{Code, Streaming};

use crate::harness::*;

/// A stream and the names of the series on it.
struct Watch {
    stream: Streaming<v1::WatchRisksResponse>,
    names: HashMap<u32, String>,
}

impl Watch {
    async fn start(server: &Server, request: v1::WatchRisksRequest) -> Self {
        let stream = server
            .risks()
            .watch_risks(request)
            .await
            .unwrap()
            .into_inner();
        Self {
            stream,
            names: HashMap::new(),
        }
    }

    /// Reads until `n` risks are there; returns series and time of each, sorted.
    async fn read(&mut self, n: usize) -> Vec<(String, i64)> {
        let mut told = Vec::new();
        while told.len() < n {
            let message = within(self.stream.message())
                .await
                .unwrap()
                .expect("the stream goes on");
            assert_eq!(message.dropped_count, 0);
            for series in message.series {
                let again = self
                    .names
                    .insert(series.series_ref, series.series.unwrap().metric);
                assert_eq!(again, None, "each series is named once");
            }
            told.extend(
                message
                    .risks
                    .iter()
                    .map(|risk| (self.names[&risk.series_ref].clone(), risk.time_us)),
            );
        }
        told.sort();
        told
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn risks_that_match_arrive_in_order_after_the_current_ones() {
    let server = start(|_| {}).await;
    server.push_rows([("a", 1, 1.0), ("b", 1, 1.0)]).await;
    let request = v1::WatchRisksRequest {
        filter: "{__name__!=\"b\"}".to_owned(),
        include_current: true,
        ..Default::default()
    };
    let mut watch = Watch::start(&server, request).await;
    let named = |rows: &[(&str, i64)]| {
        rows.iter()
            .map(|&(name, s)| (name.to_owned(), us(s)))
            .collect::<Vec<_>>()
    };
    assert_eq!(watch.read(1).await, named(&[("a", 1)]));
    server
        .push_rows([("b", 2, 1.0), ("a", 2, 1.0), ("a", 3, 1.0), ("c", 3, 1.0)])
        .await;
    assert_eq!(watch.read(3).await, named(&[("a", 2), ("a", 3), ("c", 3)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_does_not_read_holds_nobody_up_and_is_told_what_it_missed() {
    const N: i64 = 40_000;
    let server = start(|config| config.watch.queue_risks = 16).await;
    let mut stream = server
        .risks()
        .watch_risks(v1::WatchRisksRequest::default())
        .await
        .unwrap()
        .into_inner();
    let mut push = server.push().await;
    for some in 0..8 {
        let series = if some == 0 {
            vec![declare(0, "a"), declare(1, "b")]
        } else {
            Vec::new()
        };
        let seconds = some * N / 16..(some + 1) * N / 16;
        let rows = seconds.flat_map(|s| [(0, s - N, 1.0), (1, s - N, 1.0)]);
        let request = v1::PushRequest {
            series,
            batch: batch(rows),
            ..Default::default()
        };
        push.ask(request).await.unwrap();
    }
    // Nothing was read so far, and all was scored. Now catch up.
    let (mut told, mut dropped) = (0, 0);
    let mut newest = [0; 2];
    while told + dropped < N as u64 {
        let message = within(stream.message()).await.unwrap().unwrap();
        told += message.risks.len() as u64;
        dropped += message.dropped_count;
        for risk in message.risks {
            let before = &mut newest[risk.series_ref as usize];
            assert!(risk.time_us > *before, "risks of one series come in order");
            *before = risk.time_us;
        }
    }
    assert!(dropped > 0);
    assert_eq!(told + dropped, N as u64, "each risk is told or counted");
    assert_eq!(newest, [us(N / 2 - 1 - N); 2], "the newest arrives");
    assert_eq!(server.counters().await.watch_dropped_count, dropped);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_opens_or_closes_an_event_is_told_when_asked_so() {
    let server = start(|_| {}).await;
    let request = v1::WatchRisksRequest {
        only_event_changes: true,
        ..Default::default()
    };
    let mut stream = server
        .risks()
        .watch_risks(request)
        .await
        .unwrap()
        .into_inner();
    let rows: Vec<_> = with_outlier(2_000, 1_500)
        .map(|(s, value)| ("odd", s, value))
        .collect();
    server.push_rows(rows).await;
    let message = within(stream.message()).await.unwrap().unwrap();
    let opened = &message.risks[0];
    assert_eq!(
        opened.event.as_ref().unwrap().phase(),
        v1::event::Phase::Opened
    );
    for risk in &message.risks {
        let phase = risk.event.as_ref().unwrap().phase();
        assert!(matches!(
            phase,
            v1::event::Phase::Opened | v1::event::Phase::Closed
        ));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn watchers_are_bounded_and_a_vanished_one_makes_room() {
    let server = start(|config| config.watch.max_watchers = 1).await;
    let mut client = server.risks();
    let first = client
        .watch_risks(v1::WatchRisksRequest::default())
        .await
        .unwrap();
    let refused = client
        .watch_risks(v1::WatchRisksRequest::default())
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    drop(first);
    within(async {
        while server.counters().await.watchers_count > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    client
        .watch_risks(v1::WatchRisksRequest::default())
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn watching_and_pushing_end_with_unavailable_when_the_server_stops() {
    let server = start(|_| {}).await;
    let mut watch = server
        .risks()
        .watch_risks(v1::WatchRisksRequest::default())
        .await
        .unwrap()
        .into_inner();
    let mut push = server.push().await;
    push.ask(v1::PushRequest {
        samples: vec![named("a", 1, 1.0)],
        ..Default::default()
    })
    .await
    .unwrap();
    let stopping = tokio::spawn(server.running.shutdown());
    assert_eq!(push.next().await.unwrap_err().code(), Code::Unavailable);
    let end = loop {
        match within(watch.message()).await {
            Ok(message) => assert_eq!(message.expect("the end has a status").risks.len(), 1),
            Err(status) => break status,
        }
    };
    assert_eq!(end.code(), Code::Unavailable);
    within(stopping).await.unwrap().unwrap();
}
