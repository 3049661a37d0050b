//! Scores for a series that the caller brings along.

use proto::v1;
use tokio_stream::iter;
use tonic::Code;

use crate::harness::*;

fn request(points: &[(i64, f64)]) -> v1::ScoreSeriesRequest {
    v1::ScoreSeriesRequest {
        include_members: true,
        time_us: points.iter().map(|&(s, _)| us(s)).collect(),
        value: points.iter().map(|&(_, value)| value).collect(),
        ..Default::default()
    }
}

async fn score(
    server: &Server,
    requests: Vec<v1::ScoreSeriesRequest>,
) -> Vec<v1::ScoreSeriesResponse> {
    let mut stream = server
        .scoring()
        .score_series(iter(requests))
        .await
        .unwrap()
        .into_inner();
    let mut responses = Vec::new();
    while let Some(response) = within(stream.message()).await.unwrap() {
        responses.push(response);
    }
    responses
}

#[tokio::test(flavor = "multi_thread")]
async fn scores_do_not_depend_on_how_the_series_is_cut_and_change_nothing() {
    let server = start(|_| {}).await;
    let points: Vec<_> = with_outlier(1_200, 1_000).collect();
    let whole = score(&server, vec![request(&points)]).await;
    let parts = score(&server, points.chunks(500).map(request).collect()).await;
    assert_eq!((whole.len(), parts.len()), (1, 3));
    let joined: Vec<f64> = parts.iter().flat_map(|part| part.score.clone()).collect();
    assert_eq!(whole[0].score, joined);
    assert_eq!(whole[0].time_us.len(), 1_200);
    let detectors = server.info().await.detectors;
    let members: Vec<&str> = whole[0]
        .members
        .iter()
        .map(|member| member.name.as_str())
        .collect();
    assert_eq!(members, detectors);
    assert!(
        whole[0]
            .members
            .iter()
            .all(|member| member.score.len() == 1_200)
    );
    let best =
        (0..1_200).max_by(|&a, &b| whole[0].alert_score[a].total_cmp(&whole[0].alert_score[b]));
    assert_eq!(best, Some(1_000), "the outlier stands out most");
    assert_eq!(server.counters().await.series_count, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_points_are_refused_one_by_one_and_bad_requests_as_a_whole() {
    let server = start(|_| {}).await;
    let response = score(
        &server,
        vec![request(&[(0, 1.0), (1, f64::NAN), (0, 1.0), (2, 1.0)])],
    )
    .await;
    let refused: Vec<_> = response[0]
        .refused
        .iter()
        .map(|point| (point.index, point.reason()))
        .collect();
    assert_eq!(
        refused,
        [(1, v1::Refusal::NotFinite), (2, v1::Refusal::Duplicate)]
    );
    assert_eq!(response[0].time_us, [us(0), us(2)]);

    let fails = async |request: v1::ScoreSeriesRequest, field: &str| {
        let mut stream = server
            .scoring()
            .score_series(iter([request]))
            .await
            .unwrap()
            .into_inner();
        assert_invalid(&within(stream.message()).await.unwrap_err(), field);
    };
    fails(
        v1::ScoreSeriesRequest {
            value: vec![1.0],
            ..Default::default()
        },
        "value",
    )
    .await;
    let many: Vec<_> = (0..50_001).map(|s| (s, 1.0)).collect();
    fails(request(&many), "time_us").await;
    fails(
        v1::ScoreSeriesRequest {
            kind: 77,
            ..Default::default()
        },
        "kind",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_that_compute_are_bounded() {
    let server = start(|config| config.server.max_scoring_streams = 1).await;
    let first = server
        .scoring()
        .score_series(tokio_stream::pending())
        .await
        .unwrap();
    let refused = server
        .scoring()
        .score_series(tokio_stream::pending())
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    drop(first);
}
