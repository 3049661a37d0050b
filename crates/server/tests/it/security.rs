//! Tokens and TLS.

use std::fs;

use proto::v1;
use proto::v1::server_service_client::ServerServiceClient;
use server::{StartError, start as start_server};
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint};
use tonic::{Code, Request};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::harness::*;

const TOKEN: &str = "correct horse battery staple";

#[tokio::test(flavor = "multi_thread")]
async fn without_the_token_only_health_answers() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    fs::write(&file, format!("{TOKEN}\n")).unwrap();
    let server = start(|config| config.server.token_file = file.clone()).await;
    let mut client = ServerServiceClient::new(server.channel.clone());
    let ask = |token: Option<&str>| {
        let mut request = Request::new(v1::GetServerInfoRequest {});
        if let Some(token) = token {
            request
                .metadata_mut()
                .insert("authorization", format!("Bearer {token}").parse().unwrap());
        }
        request
    };
    assert_eq!(
        client.get_server_info(ask(None)).await.unwrap_err().code(),
        Code::Unauthenticated
    );
    assert_eq!(
        client
            .get_server_info(ask(Some("wrong")))
            .await
            .unwrap_err()
            .code(),
        Code::Unauthenticated
    );
    client.get_server_info(ask(Some(TOKEN))).await.unwrap();
    let watch = server
        .risks()
        .watch_risks(v1::WatchRisksRequest::default())
        .await;
    assert_eq!(watch.unwrap_err().code(), Code::Unauthenticated);
    HealthClient::new(server.channel.clone())
        .check(HealthCheckRequest::default())
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_serves_who_trusts_the_certificate() {
    let dir = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (cert, key) = (dir.path().join("cert.pem"), dir.path().join("key.pem"));
    fs::write(&cert, made.cert.pem()).unwrap();
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let config = config(|config| {
        config.server.tls_cert = cert.clone();
        config.server.tls_key = key.clone();
    });
    let running = start_server(config, TestClock::at_start()).await.unwrap();
    let address = format!("https://{}", running.local_addr());
    let tls = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(made.cert.pem()))
        .domain_name("localhost");
    let endpoint = Endpoint::from_shared(address.clone())
        .unwrap()
        .tls_config(tls)
        .unwrap();
    let channel = endpoint.connect().await.unwrap();
    ServerServiceClient::new(channel)
        .get_server_info(v1::GetServerInfoRequest {})
        .await
        .unwrap();

    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let tls = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(other.cert.pem()))
        .domain_name("localhost");
    let endpoint = Endpoint::from_shared(address)
        .unwrap()
        .tls_config(tls)
        .unwrap();
    assert!(endpoint.connect().await.is_err());
    running.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_not_there_are_named() {
    let missing = |edit: fn(&mut server::Config)| start_server(config(edit), TestClock::at_start());
    let token = missing(|config| config.server.token_file = "none/token".into())
        .await
        .unwrap_err();
    assert!(matches!(&token, StartError::Token { .. }) && token.to_string().contains("none/token"));
    let tls = missing(|config| {
        config.server.tls_cert = "none/cert".into();
        config.server.tls_key = "none/key".into();
    });
    assert!(tls.await.unwrap_err().to_string().contains("none/cert"));
    let open = missing(|config| config.server.listen = "0.0.0.0:0".parse().unwrap())
        .await
        .unwrap_err();
    assert!(
        open.to_string()
            .contains("server.listen: others can reach 0.0.0.0:0"),
        "{open}"
    );
}
