//! What runs out, from samples that are pushed to what readers are told.

use proto::v1;
use tonic::Code;

use crate::harness::*;

const USED: &str = r#"container_memory_working_set_bytes{container="api",pod="api-1"}"#;
const LIMIT: &str = r#"container_spec_memory_limit_bytes{container="api",pod="api-1"}"#;
const UNLIMITED: &str = r#"container_memory_working_set_bytes{container="web",pod="web-1"}"#;
const LIMIT_BYTES: f64 = 1_073_741_824.0;
/// Seconds between two scrapes, and how many there are: half an hour.
const SCRAPE_S: i64 = 20;
const SCRAPES: i64 = 90;

/// A server that looks at resources many times a second.
async fn watchful(stale_after_s: f64) -> Server {
    start(|config| {
        // Everything that is pushed at once is then seen at once, however slow the machine.
        config.ingest.shards = 1;
        config.outlook.refresh_s = 0.05;
        config.outlook.stale_after_s = stale_after_s;
    })
    .await
}

/// Half an hour until the start of the test, in which a container fills from 30 to 90 % of its limit, as one that is
/// scraped would tell it.
fn leak() -> Vec<(&'static str, i64, f64)> {
    let mut rows = Vec::new();
    for i in 0..SCRAPES {
        let s = (i - SCRAPES + 1) * SCRAPE_S;
        let share = 0.3 + 0.6 * i as f64 / (SCRAPES - 1) as f64;
        let noise = (i * 7_919 % 101) as f64 * 1e4;
        rows.push((USED, s, share * LIMIT_BYTES + noise));
        rows.push((LIMIT, s, LIMIT_BYTES));
    }
    rows
}

fn likely() -> v1::WatchOutlooksRequest {
    v1::WatchOutlooksRequest {
        min_probability: 0.5,
        include_current: true,
        ..Default::default()
    }
}

/// Reads a stream until an outlook is in this state.
async fn until(
    stream: &mut tonic::Streaming<v1::WatchOutlooksResponse>,
    state: v1::OutlookState,
) -> v1::Outlook {
    loop {
        let message = within(stream.message()).await.unwrap();
        let told = message.expect("the stream goes on").outlooks;
        if let Some(found) = told.into_iter().find(|told| told.state() == state) {
            return found;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leak_is_foretold_to_those_who_watch_and_to_those_who_ask() {
    let server = watchful(3600.0).await;
    let mut client = server.outlooks();
    let mut stream = client.watch_outlooks(likely()).await.unwrap().into_inner();
    server.push_rows(leak()).await;

    let told = until(&mut stream, v1::OutlookState::Forecast).await;
    assert_eq!(told.resource, Some(key(USED)));
    assert_eq!(told.family(), v1::Family::Memory);
    assert!((told.limit - LIMIT_BYTES).abs() < 1.0, "{}", told.limit);
    assert_eq!(told.unit, "bytes");
    // At 2 % a minute, 10 % last five minutes.
    let times = told.time_to_exhaustion.unwrap();
    let median_s = times.p50_s.expect("it is foreseen");
    assert!((60.0..=900.0).contains(&median_s), "{median_s} s");
    let odds: Vec<f64> = told.probabilities.iter().map(|p| p.probability).collect();
    assert_eq!(odds.len(), 5);
    assert!(odds.is_sorted() && odds[2] >= 0.5, "{odds:?}");

    let request = v1::QueryOutlooksRequest {
        filter: r#"{pod="api-1"}"#.to_owned(),
        families: vec![v1::Family::Memory.into()],
        min_probability: 0.5,
        ..Default::default()
    };
    let answer = client.query_outlooks(request.clone()).await.unwrap();
    let answer = answer.into_inner();
    assert_eq!((answer.total_size, answer.outlooks.len()), (1, 1));
    let others = v1::QueryOutlooksRequest {
        families: vec![v1::Family::Disk.into()],
        ..request
    };
    let answer = client.query_outlooks(others).await.unwrap().into_inner();
    assert_eq!(answer.total_size, 0);

    let request = v1::GetOutlookRequest {
        resource: Some(key(USED)),
        ..Default::default()
    };
    let full = client.get_outlook(request).await.unwrap().into_inner();
    let full = full.outlook.unwrap();
    assert!(full.history.len() > 10 && full.fan.len() > 3);
    let rises = |ratios: &[f64]| ratios.first() < ratios.last();
    let past: Vec<f64> = full.history.iter().map(|point| point.level_ratio).collect();
    assert!(rises(&past) && past.iter().all(|ratio| (0.2..1.0).contains(ratio)));

    let page = server.metrics(None).await;
    for line in [
        "forestall_outlook_resources{family=\"memory\",limit=\"known\"} 1\n",
        "forestall_outlook_samples_dropped_total 0\n",
        "quantile=\"0.5\"}",
    ] {
        assert!(page.contains(line), "{line} is not in\n{page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_more_samples_is_no_risk() {
    let server = watchful(0.3).await;
    let mut client = server.outlooks();
    let mut stream = client.watch_outlooks(likely()).await.unwrap().into_inner();
    server.push_rows(leak()).await;
    until(&mut stream, v1::OutlookState::Forecast).await;
    let over = until(&mut stream, v1::OutlookState::Stale).await;
    assert_eq!(over.resource, Some(key(USED)));
    let request = v1::QueryOutlooksRequest {
        min_probability: 0.1,
        ..Default::default()
    };
    let answer = client.query_outlooks(request).await.unwrap().into_inner();
    assert_eq!(answer.total_size, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_is_missing_is_named() {
    let server = watchful(3600.0).await;
    let mut client = server.outlooks();
    server
        .push_rows([(UNLIMITED, -20, 1e6), (UNLIMITED, 0, 2e6)])
        .await;
    let request = v1::QueryOutlooksRequest {
        states: vec![v1::OutlookState::Missing.into()],
        ..Default::default()
    };
    let found = within(async {
        loop {
            let answer = client.query_outlooks(request.clone()).await.unwrap();
            if let Some(found) = answer.into_inner().outlooks.pop() {
                return found;
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(found.resource, Some(key(UNLIMITED)));
    assert!(found.missing.contains("limit"), "{}", found.missing);
    assert_eq!(found.time_to_exhaustion, None);
    // It is found when the limit comes.
    let limit = UNLIMITED.replace(
        "container_memory_working_set_bytes",
        "container_spec_memory_limit_bytes",
    );
    server
        .push_rows([(limit.as_str(), 1, 1e9), (UNLIMITED, 1, 2e6)])
        .await;
    within(async {
        while client
            .query_outlooks(request.clone())
            .await
            .unwrap()
            .into_inner()
            .total_size
            > 0
        {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_refused_by_name() {
    let server = start(|_| {}).await;
    let mut client = server.outlooks();
    let query = v1::QueryOutlooksRequest::default();
    for (request, field) in [
        (
            v1::QueryOutlooksRequest {
                filter: "{".to_owned(),
                ..query.clone()
            },
            "filter",
        ),
        (
            v1::QueryOutlooksRequest {
                families: vec![99],
                ..query.clone()
            },
            "families[0]",
        ),
        (
            v1::QueryOutlooksRequest {
                states: vec![-1],
                ..query.clone()
            },
            "states[0]",
        ),
        (
            v1::QueryOutlooksRequest {
                min_probability: 2.0,
                ..query.clone()
            },
            "min_probability",
        ),
        (
            v1::QueryOutlooksRequest {
                horizon_s: -5.0,
                ..query.clone()
            },
            "horizon_s",
        ),
        (
            v1::QueryOutlooksRequest {
                order_by: "name".to_owned(),
                ..query.clone()
            },
            "order_by",
        ),
        (
            v1::QueryOutlooksRequest {
                page_token: "x".to_owned(),
                ..query.clone()
            },
            "page_token",
        ),
    ] {
        assert_invalid(&client.query_outlooks(request).await.unwrap_err(), field);
    }
    let nothing = client.get_outlook(v1::GetOutlookRequest::default()).await;
    assert_invalid(&nothing.unwrap_err(), "resource");
    let request = v1::GetOutlookRequest {
        resource: Some(key("nobody")),
        ..Default::default()
    };
    let unknown = client.get_outlook(request).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_foretells_nothing_says_so() {
    let server = start(|config| config.outlook.enabled = false).await;
    let mut client = server.outlooks();
    let refused = client
        .query_outlooks(v1::QueryOutlooksRequest::default())
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert!(refused.message().contains("outlook.enabled"), "{refused}");
    assert!(!server.metrics(None).await.contains("forestall_outlook"));
}

#[tokio::test(flavor = "multi_thread")]
async fn watching_ends_with_unavailable_when_the_server_stops() {
    let server = start(|_| {}).await;
    let mut client = server.outlooks();
    let request = v1::WatchOutlooksRequest::default();
    let mut stream = client.watch_outlooks(request).await.unwrap().into_inner();
    let stopping = tokio::spawn(server.running.shutdown());
    let end = within(stream.message()).await.unwrap_err();
    assert_eq!(end.code(), Code::Unavailable);
    within(stopping).await.unwrap().unwrap();
}
