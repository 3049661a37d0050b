//! What is odd now: queries, pages, history, events.

use proto::v1;
use tonic::Code;

use crate::harness::*;

/// Three hosts with two series each, one sample a second for some seconds.
async fn with_samples() -> Server {
    let server = start(|config| config.watch.history_points = 5).await;
    let names: Vec<String> = (0..3)
        .flat_map(|h| ["load", "free"].map(|metric| format!("{metric}{{host=\"{h}\"}}")))
        .collect();
    let rows = (0..10).flat_map(|s| names.iter().map(move |name| (name.as_str(), s, s as f64)));
    assert_eq!(server.push_rows(rows).await.taken_count, 60);
    server
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_are_filtered_ordered_and_paged() {
    let server = with_samples().await;
    let mut client = server.risks();
    let request = v1::QueryRisksRequest {
        filter: r#"{__name__=~"lo.*",host!="1"}"#.to_owned(),
        order_by: "time_us asc".to_owned(),
        history_size: 3,
        page_size: 1,
        ..Default::default()
    };
    let first = client
        .query_risks(request.clone())
        .await
        .unwrap()
        .into_inner();
    assert_eq!((first.risks.len(), first.total_size), (1, 2));
    assert_eq!(first.risks[0].series, Some(key(r#"load{host="0"}"#)));
    let times: Vec<i64> = first.risks[0]
        .history
        .iter()
        .map(|point| point.time_us)
        .collect();
    assert_eq!(times, [us(7), us(8), us(9)]);
    let request = v1::QueryRisksRequest {
        page_token: first.next_page_token,
        ..request
    };
    let second = client
        .query_risks(request.clone())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(second.risks[0].series, Some(key(r#"load{host="2"}"#)));
    assert_eq!(second.next_page_token, "");

    let other = v1::QueryRisksRequest {
        filter: String::new(),
        ..request
    };
    assert_invalid(&client.query_risks(other).await.unwrap_err(), "page_token");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_query_names_its_field() {
    let server = start(|_| {}).await;
    let mut client = server.risks();
    let base = v1::QueryRisksRequest::default;
    for (request, field) in [
        (
            v1::QueryRisksRequest {
                filter: "{a=~\"(\"}".to_owned(),
                ..base()
            },
            "filter",
        ),
        (
            v1::QueryRisksRequest {
                min_score: 1.5,
                ..base()
            },
            "min_score",
        ),
        (
            v1::QueryRisksRequest {
                min_alert_score: f32::NAN,
                ..base()
            },
            "min_alert_score",
        ),
        (
            v1::QueryRisksRequest {
                order_by: "name".to_owned(),
                ..base()
            },
            "order_by",
        ),
        (
            v1::QueryRisksRequest {
                page_size: -1,
                ..base()
            },
            "page_size",
        ),
        (
            v1::QueryRisksRequest {
                page_token: "x".to_owned(),
                ..base()
            },
            "page_token",
        ),
    ] {
        assert_invalid(&client.query_risks(request).await.unwrap_err(), field);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_series_is_told_with_its_recent_past() {
    let server = with_samples().await;
    let mut client = server.risks();
    let series = Some(key(r#"free{host="1"}"#));
    let request = v1::GetRiskRequest {
        series,
        history_size: 100,
    };
    let risk = client
        .get_risk(request.clone())
        .await
        .unwrap()
        .into_inner()
        .risk
        .unwrap();
    assert_eq!(
        (risk.time_us, risk.value, risk.history.len()),
        (us(9), 9.0, 5)
    );
    let unknown = v1::GetRiskRequest {
        series: Some(key("nothing")),
        ..request
    };
    assert_eq!(
        client.get_risk(unknown).await.unwrap_err().code(),
        Code::NotFound
    );
    assert_invalid(
        &client
            .get_risk(v1::GetRiskRequest::default())
            .await
            .unwrap_err(),
        "series",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn all_series_are_listed_once() {
    let server = with_samples().await;
    let mut client = server.risks();
    let mut request = v1::ListSeriesRequest {
        page_size: 4,
        ..Default::default()
    };
    let mut listed = Vec::new();
    loop {
        let page = client
            .list_series(request.clone())
            .await
            .unwrap()
            .into_inner();
        assert_eq!(page.total_size, 6);
        assert!(
            page.series
                .iter()
                .all(|info| info.last_time_us == Some(us(9)))
        );
        listed.extend(
            page.series
                .into_iter()
                .map(|info| info.series.unwrap().labels["host"].clone()),
        );
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    assert_eq!(listed, ["0", "0", "1", "1", "2", "2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outlier_opens_an_event_that_is_listed() {
    let server = start(|_| {}).await;
    let rows: Vec<_> = with_outlier(2_000, 1_500)
        .map(|(s, value)| ("odd", s, value))
        .collect();
    server.push_rows(rows).await;
    server.push_rows((0..20).map(|s| ("even", s, 1.0))).await;
    let mut client = server.risks();
    let events = client
        .list_events(v1::ListEventsRequest::default())
        .await
        .unwrap()
        .into_inner();
    assert!(events.total_size >= 1);
    let event = events.events.iter().find(is_outlier).expect("the outlier");
    assert_eq!(event.series, Some(key("odd")));
    let peak = event.peak.as_ref().unwrap();
    assert_eq!(peak.time_us, us(1_500 - 2_000));
    assert!(!peak.detectors.is_empty() && !peak.features.is_empty());
    let none = v1::ListEventsRequest {
        filter: "even".to_owned(),
        ..Default::default()
    };
    assert_eq!(
        client
            .list_events(none)
            .await
            .unwrap()
            .into_inner()
            .total_size,
        0
    );
    assert_eq!(
        server.counters().await.events_opened_count,
        events.total_size
    );
}
