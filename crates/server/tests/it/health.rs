//! The standard services: health and reflection.

use proto::v1;
use tokio_stream::iter;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::harness::*;

const SERVICES: [&str; 6] = [
    v1::feedback_service_server::SERVICE_NAME,
    v1::ingest_service_server::SERVICE_NAME,
    v1::risk_service_server::SERVICE_NAME,
    v1::scoring_service_server::SERVICE_NAME,
    v1::server_service_server::SERVICE_NAME,
    proto::inference::grpc_inference_service_server::SERVICE_NAME,
];

fn of(service: &str) -> HealthCheckRequest {
    HealthCheckRequest {
        service: service.to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_service_is_healthy_until_the_server_stops() {
    let server = start(|_| {}).await;
    let mut client = HealthClient::new(server.channel.clone());
    for service in SERVICES.iter().chain(&[""]) {
        let health = client.check(of(service)).await.unwrap().into_inner();
        assert_eq!(health.status(), ServingStatus::Serving, "{service}");
    }
    assert_eq!(
        client.check(of("nothing")).await.unwrap_err().code(),
        Code::NotFound
    );
    let mut watch = client.watch(of("")).await.unwrap().into_inner();
    assert_eq!(
        within(watch.message()).await.unwrap().unwrap().status(),
        ServingStatus::Serving
    );
    let stopping = tokio::spawn(server.running.shutdown());
    assert_eq!(
        within(watch.message()).await.unwrap().unwrap().status(),
        ServingStatus::NotServing
    );
    drop(watch);
    within(stopping).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn reflection_lists_all_services_in_both_versions() {
    let server = start(|_| {}).await;
    macro_rules! listed {
        ($version:ident) => {{
            use tonic_reflection::pb::$version::server_reflection_client::ServerReflectionClient;
            use tonic_reflection::pb::$version::server_reflection_request::MessageRequest;
            use tonic_reflection::pb::$version::server_reflection_response::MessageResponse;
            let request = tonic_reflection::pb::$version::ServerReflectionRequest {
                host: String::new(),
                message_request: Some(MessageRequest::ListServices(String::new())),
            };
            let mut client = ServerReflectionClient::new(server.channel.clone());
            let mut stream = client
                .server_reflection_info(iter([request]))
                .await
                .unwrap()
                .into_inner();
            match within(stream.message())
                .await
                .unwrap()
                .unwrap()
                .message_response
            {
                Some(MessageResponse::ListServicesResponse(list)) => list
                    .service
                    .into_iter()
                    .map(|service| service.name)
                    .collect::<Vec<_>>(),
                other => panic!("{other:?}"),
            }
        }};
    }
    for names in [listed!(v1), listed!(v1alpha)] {
        for service in SERVICES {
            assert!(
                names.iter().any(|name| name == service),
                "{service} in {names:?}"
            );
        }
    }
}
