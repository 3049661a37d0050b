//! Who is trusted: a receiver that an authority of ours vouches for, and nobody else.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::sync::Arc;

use executor::webhook::{Limits, Secret, WebhookConfig};
use executor::{About, Executor, Webhook};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use remedy::order::{Answer, Order};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use series::{Clock, Timestamp};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_795_694_400_000)
    }
}

/// An authority: its certificate, and what signs others.
fn authority() -> (String, Issuer<'static, KeyPair>) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let pem = params.self_signed(&key).unwrap().pem();
    (pem, Issuer::new(params, key))
}

/// A server that answers `200` to whatever it is sent, and tells its port.
async fn listen(issuer: &Issuer<'static, KeyPair>) -> u16 {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, issuer).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider);
    let config = config
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = config
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let mut bytes = Vec::new();
            while stream.read_buf(&mut bytes).await.unwrap_or(0) > 0 && !bytes.ends_with(b"}") {}
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                .await;
            let _ = stream.shutdown().await;
        }
    });
    port
}

fn webhook(url: String, ca_file: &Path) -> Webhook {
    let limits = Limits {
        back_off_first_s: 0.01,
        ..Limits::default()
    };
    let config = WebhookConfig {
        url,
        secrets: vec![Secret::parse(&"k".repeat(32)).unwrap()],
        ca_file: Some(ca_file.to_owned()),
        allow_insecure: false,
        actions: Vec::new(),
        limits,
    };
    Webhook::new(config, Arc::new(Noon)).unwrap()
}

async fn carry_out(webhook: &Webhook, timeout_s: f64) -> Answer {
    let order = serde_json::json!({
        "key": "p17-0-do", "plan": 17, "issue": 4, "step": 0, "is_undo": false, "fence": 3, "timeout_s": timeout_s,
        "at": 0, "action": {"do": "reload", "target": "service/api"},
    });
    let order: Order = serde_json::from_value(order).unwrap();
    webhook.carry_out(&order, &About::default()).await
}

#[tokio::test]
async fn only_those_an_authority_of_ours_vouches_for_get_orders() {
    let directory = tempfile::tempdir().unwrap();
    let (ours, theirs) = (
        directory.path().join("ours.pem"),
        directory.path().join("theirs.pem"),
    );
    let (pem, issuer) = authority();
    std::fs::write(&ours, pem).unwrap();
    std::fs::write(&theirs, authority().0).unwrap();
    let port = listen(&issuer).await;

    let answer = carry_out(&webhook(format!("https://localhost:{port}/"), &ours), 30.0).await;
    assert!(matches!(answer, Answer::Done { .. }), "{answer:?}");
    // No order has left while it is not known who is there: it was not sent, and is not in doubt.
    let stranger = webhook(format!("https://localhost:{port}/"), &theirs);
    let answer = carry_out(&stranger, 0.2).await;
    assert!(
        matches!(answer, Answer::NotSent { .. })
            && answer.said().contains("invalid peer certificate"),
        "{answer:?}"
    );
    // Another name than the certificate has.
    let misnamed = webhook(format!("https://127.0.0.1:{port}/"), &ours);
    let answer = carry_out(&misnamed, 0.2).await;
    assert!(matches!(answer, Answer::NotSent { .. }), "{answer:?}");
}

#[test]
fn a_file_without_authorities_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let empty = directory.path().join("empty.pem");
    std::fs::write(&empty, "no certificate").unwrap();
    let config = |ca_file: &Path| WebhookConfig {
        url: "https://localhost/".to_owned(),
        secrets: vec![Secret::parse(&"k".repeat(32)).unwrap()],
        ca_file: Some(ca_file.to_owned()),
        allow_insecure: false,
        actions: Vec::new(),
        limits: Limits::default(),
    };
    for path in [&empty, &directory.path().join("missing.pem")] {
        let error = Webhook::new(config(path), Arc::new(Noon))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("reading the authorities in") && error.contains(".pem"),
            "{error}"
        );
    }
}
