//! A new user's first minutes, without the user.

use std::collections::BTreeSet;

use proto::v1;
use tonic::Code;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus};

use crate::harness::{Server, Watch, eventually, run, within};

#[tokio::test(flavor = "multi_thread")]
async fn serve_says_where_it_is_and_this_machine_is_there_within_seconds() {
    let server = Server::start("host.interval_s = 0.2").await;
    assert!(
        server.address.starts_with("http://127.0.0.1:"),
        "{}",
        server.welcome
    );
    let watch = format!("forestall watch --addr {}", server.address);
    assert!(server.welcome.contains(&watch), "{}", server.welcome);

    let info = server.info().await;
    assert_eq!(info.version, env!("CARGO_PKG_VERSION"));
    assert!(info.host.unwrap().enabled && info.snapshot.unwrap().enabled);
    assert!(!info.detectors.is_empty());

    // Shares of time need two readings.
    let mut stream = Watch::open(
        &server,
        v1::WatchRisksRequest {
            filter: "node_cpu_utilization_ratio".to_owned(),
            ..Default::default()
        },
    )
    .await;
    let risks = stream.next().await;
    assert!((0.0..=1.0).contains(&risks[0].1.value), "{risks:?}");

    let listed = server
        .risks()
        .list_series(v1::ListSeriesRequest {
            page_size: 1000,
            ..Default::default()
        })
        .await
        .unwrap()
        .into_inner();
    let metrics: Vec<&str> = listed
        .series
        .iter()
        .map(|info| info.series.as_ref().unwrap().metric.as_str())
        .collect();
    for metric in [
        "node_cpu_core_utilization_ratio",
        "node_memory_MemAvailable_bytes",
        "node_load1",
        "node_filesystem_avail_bytes",
    ] {
        assert!(metrics.contains(&metric), "{metric}: {metrics:?}");
    }

    let query = v1::QueryRisksRequest {
        filter: r#"{__name__=~"node_.*"}"#.to_owned(),
        history_size: 5,
        page_size: 1000,
        ..Default::default()
    };
    let risks = eventually("history", async || {
        let risks = server.risks().query_risks(query.clone()).await.unwrap();
        let risks = risks.into_inner().risks;
        let deep = risks.iter().filter(|risk| risk.history.len() == 5).count();
        (deep > 20).then_some(risks)
    })
    .await;
    for risk in &risks {
        let series = risk.series.as_ref().unwrap();
        assert!((0.0..=1.0).contains(&risk.score), "{series:?} {risk:?}");
        let times = risk.history.iter().map(|point| point.time_us);
        assert!(times.is_sorted(), "{series:?}");
    }
    server.interrupt().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn health_and_reflection_answer_as_every_grpc_server_does() {
    let server = Server::start("host.enabled = false").await;
    let mut health = HealthClient::new(server.channel.clone());
    for service in [
        "",
        "forestall.v1.IngestService",
        "forestall.v1.RiskService",
        "forestall.v1.ServerService",
    ] {
        let request = HealthCheckRequest {
            service: service.to_owned(),
        };
        let answer = within("health", health.check(request)).await.unwrap();
        assert_eq!(answer.into_inner().status(), ServingStatus::Serving);
    }
    let request = HealthCheckRequest {
        service: "none.such".to_owned(),
    };
    let unknown = within("health", health.check(request)).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);

    // The two versions differ in nothing but their name, and so in every type.
    macro_rules! services {
        ($version:ident) => {{
            use tonic_reflection::pb::$version as pb;
            let mut client =
                pb::server_reflection_client::ServerReflectionClient::new(server.channel.clone());
            let list = pb::server_reflection_request::MessageRequest::ListServices(String::new());
            let request = pb::ServerReflectionRequest {
                host: String::new(),
                message_request: Some(list),
            };
            let call = client.server_reflection_info(tokio_stream::iter([request]));
            let mut answers = within("reflection", call).await.unwrap().into_inner();
            let answer = within("reflection", answers.message()).await.unwrap();
            let answer = answer.and_then(|answer| answer.message_response);
            let Some(pb::server_reflection_response::MessageResponse::ListServicesResponse(list)) =
                answer
            else {
                panic!("{answer:?}");
            };
            let names = list.service.into_iter().map(|service| service.name);
            // Each version lists itself and not the other.
            names
                .filter(|name| !name.starts_with("grpc.reflection."))
                .collect::<BTreeSet<_>>()
        }};
    }
    let names = services!(v1);
    assert_eq!(names, services!(v1alpha));
    for service in [
        "forestall.v1.FeedbackService",
        "forestall.v1.IngestService",
        "forestall.v1.RiskService",
        "forestall.v1.ScoringService",
        "forestall.v1.ServerService",
        "grpc.health.v1.Health",
    ] {
        assert!(names.contains(service), "{names:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_that_serve_suggests_work() {
    let server = Server::start("host.interval_s = 0.2").await;
    let ask = |args: &[&str]| run(&[args, &["--addr", &server.address]].concat()).succeeds();
    let mut stream = Watch::open(&server, v1::WatchRisksRequest::default()).await;
    stream.next().await;
    let frame = ask(&["watch", "--once", "--size", "100x20"]);
    assert!(frame.contains("node_"), "{frame}");
    let risks = ask(&["risks", "--filter", r#"{__name__=~"node_.*"}"#]);
    assert!(risks.contains("node_"), "{risks}");
    assert!(ask(&["series"]).contains("node_load1"));
}
