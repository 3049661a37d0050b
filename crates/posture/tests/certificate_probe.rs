//! `certificate::probe` against servers of all kinds.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use posture::certificate::{ProbeError, probe};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::version::{TLS12, TLS13};
use rustls::{ServerConfig, ServerConnection, SupportedProtocolVersion};

const ENOUGH: Duration = Duration::from_secs(20);

/// A server for one connection, and its endpoint.
fn served<T: Send + 'static>(
    serve: impl FnOnce(TcpStream) -> T + Send + 'static,
) -> (String, JoinHandle<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = listener.local_addr().unwrap().to_string();
    (
        endpoint,
        thread::spawn(move || serve(listener.accept().unwrap().0)),
    )
}

/// Long expired, and signed by itself: nobody should trust it.
fn config(version: &'static SupportedProtocolVersion) -> ServerConfig {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["a.example".into()]).unwrap();
    params.not_before = date_time_ymd(2001, 1, 1);
    params.not_after = date_time_ymd(2002, 1, 1);
    let certificate = params.self_signed(&key).unwrap().der().clone();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap()
}

/// What the server learned: the name that was asked for, and whatever was sent after the handshake.
fn speak_tls(config: ServerConfig, mut stream: TcpStream) -> (Option<String>, Vec<u8>) {
    let mut tls = ServerConnection::new(Arc::new(config)).unwrap();
    let mut after = Vec::new();
    let mut both = rustls::Stream::new(&mut tls, &mut stream);
    both.read_to_end(&mut after).unwrap();
    (tls.server_name().map(str::to_owned), after)
}

fn check(version: &'static SupportedProtocolVersion) {
    let config = config(version);
    let (endpoint, server) = served(move |stream| speak_tls(config, stream));
    let chain = probe(&endpoint, Some("b.example"), ENOUGH).unwrap();
    assert_eq!(chain.leaf().names, ["a.example"]);
    assert!(chain.leaf().self_signed);
    // It ended properly, and nothing was sent.
    let asked_for = (Some("b.example".to_owned()), Vec::new());
    assert_eq!(server.join().unwrap(), asked_for);
}

#[test]
fn an_untrusted_chain_is_described_in_tls_1_3() {
    check(&TLS13);
}

#[test]
fn an_untrusted_chain_is_described_in_tls_1_2() {
    check(&TLS12);
}

#[test]
fn names_are_looked_up_and_asked_for() {
    let config = config(&TLS13);
    let (endpoint, server) = served(move |stream| speak_tls(config, stream));
    let port = endpoint.rsplit_once(':').unwrap().1;
    probe(&format!("localhost:{port}"), None, ENOUGH).unwrap();
    assert_eq!(server.join().unwrap().0.as_deref(), Some("localhost"));
}

#[test]
fn a_server_that_wants_our_certificate_is_described_all_the_same() {
    #[derive(Debug)]
    struct Wanted;
    use rustls::client::danger::HandshakeSignatureValid;
    use rustls::pki_types::{CertificateDer, UnixTime};
    use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
    impl ClientCertVerifier for Wanted {
        fn root_hint_subjects(&self) -> &[rustls::DistinguishedName] {
            &[]
        }
        fn verify_client_cert(
            &self,
            _: &CertificateDer<'_>,
            _: &[CertificateDer<'_>],
            _: UnixTime,
        ) -> Result<ClientCertVerified, rustls::Error> {
            Err(rustls::Error::General("none is good".into()))
        }
        fn verify_tls12_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &rustls::DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            Err(rustls::Error::General("none is good".into()))
        }
        fn verify_tls13_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &rustls::DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            Err(rustls::Error::General("none is good".into()))
        }
        fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
            vec![rustls::SignatureScheme::ED25519]
        }
    }
    for version in [&TLS12, &TLS13] {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["a.example".into()]).unwrap();
        let certificate = params.self_signed(&key).unwrap().der().clone();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .unwrap()
            .with_client_cert_verifier(Arc::new(Wanted))
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let (endpoint, server) = served(move |mut stream| {
            let mut tls = ServerConnection::new(Arc::new(config)).unwrap();
            while tls.complete_io(&mut stream).is_ok() && tls.is_handshaking() {}
        });
        let chain = probe(&endpoint, None, ENOUGH).unwrap();
        assert_eq!(chain.leaf().names, ["a.example"]);
        server.join().unwrap();
    }
}

#[test]
fn postgres_is_asked_for_tls_first() {
    let config = config(&TLS13);
    let (endpoint, server) = served(move |mut stream| {
        let mut request = [0; 8];
        stream.read_exact(&mut request).unwrap();
        assert_eq!(request, [0, 0, 0, 8, 4, 210, 22, 47]);
        stream.write_all(b"S").unwrap();
        speak_tls(config, stream)
    });
    let chain = probe(&format!("postgres://{endpoint}"), None, ENOUGH).unwrap();
    assert_eq!(chain.leaf().names, ["a.example"]);
    // An address is not asked for by name.
    assert_eq!(server.join().unwrap().0, None);
}

/// Whole message, and that of its cause.
fn messages(error: &ProbeError) -> (String, Option<String>) {
    (
        error.to_string(),
        std::error::Error::source(error).map(ToString::to_string),
    )
}

#[test]
fn postgres_without_tls_says_so() {
    let (endpoint, server) = served(|mut stream| {
        stream.read_exact(&mut [0; 8]).unwrap();
        stream.write_all(b"N").unwrap();
    });
    let error = probe(&format!("postgres://{endpoint}"), None, ENOUGH).unwrap_err();
    let expected =
        format!("postgres://{endpoint} answers 'N' to the request for TLS; expected 'S'");
    assert_eq!(messages(&error), (expected, None));
    server.join().unwrap();
}

#[test]
fn a_server_without_tls_is_told_from_one_that_hangs_up() {
    let (endpoint, server) = served(|mut stream| {
        stream.write_all(b"SSH-2.0-OpenSSH_9.6\r\n").unwrap();
        // Until the other side is gone: closing with unread bytes would reset the connection.
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let error = probe(&endpoint, None, ENOUGH).unwrap_err();
    assert_eq!(error.to_string(), format!("{endpoint} does not speak TLS"));
    server.join().unwrap();

    let (endpoint, server) = served(|mut stream| {
        stream.read_exact(&mut [0; 5]).unwrap();
    });
    let error = probe(&endpoint, None, ENOUGH).unwrap_err();
    let expected = format!("{endpoint}: the connection broke before a certificate came");
    assert_eq!(error.to_string(), expected);
    server.join().unwrap();
}

/// Runs a probe that must fail in time because of the deadline.
fn check_stall(prefix: &str, serve: impl FnOnce(TcpStream) + Send + 'static, doing: &str) {
    let (endpoint, server) = served(serve);
    let endpoint = format!("{prefix}{endpoint}");
    let began = Instant::now();
    let error = probe(&endpoint, None, Duration::from_millis(400)).unwrap_err();
    let took = began.elapsed();
    assert_eq!(
        error.to_string(),
        format!("{endpoint}: {doing} took longer than 0.4 s in all")
    );
    assert!(took >= Duration::from_millis(390), "{took:?}");
    assert!(took < Duration::from_secs(5), "{took:?}");
    server.join().unwrap();
}

/// Reads until the other side is gone.
fn swallow(mut stream: TcpStream) {
    let _ = stream.read_to_end(&mut Vec::new());
}

#[test]
fn a_server_that_says_nothing_is_left_at_the_deadline() {
    check_stall("", swallow, "the handshake");
    check_stall(
        "postgres://",
        swallow,
        "waiting for the answer to the request for TLS",
    );
}

#[test]
fn a_server_that_drips_is_left_at_the_deadline() {
    // The beginning of a record of 16 KiB, byte by byte: every single read is quick.
    let drip = |mut stream: TcpStream| {
        let record = [0x16, 3, 3, 0x40, 0, 2, 0, 0x3f, 0xfc];
        for byte in record.into_iter().chain(std::iter::repeat(0)) {
            if stream.write_all(&[byte]).is_err() {
                break;
            }
            thread::sleep(Duration::from_millis(20));
        }
    };
    check_stall("", drip, "the handshake");
}

#[test]
fn nobody_there_is_an_error_with_a_reason() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = closed.local_addr().unwrap().to_string();
    drop(closed);
    let error = probe(&endpoint, None, ENOUGH).unwrap_err();
    let refused = "Connection refused (os error 111)".to_owned();
    assert_eq!(
        messages(&error),
        (format!("connecting to {endpoint}"), Some(refused))
    );
}

#[test]
fn what_is_asked_for_is_checked_first() {
    let problem = |endpoint, name| probe(endpoint, name, ENOUGH).unwrap_err().to_string();
    assert_eq!(
        problem("a", None),
        "endpoint \"a\": no port; expected host:port"
    );
    assert_eq!(
        problem("127.0.0.1:1", Some("a b")),
        "\"a b\" is not the name of a server"
    );
    assert_eq!(
        problem("postgres://u:hunter2@h:5432", None),
        "endpoint \"h:5432\": only scheme, host and port are expected"
    );
    // No time at all, and more than there is.
    let none = probe("127.0.0.1:1", None, Duration::ZERO).unwrap_err();
    assert!(matches!(none, ProbeError::Timeout { .. }), "{none}");
    let all = probe("127.0.0.1:1", None, Duration::MAX).unwrap_err();
    assert!(matches!(all, ProbeError::Connect { .. }), "{all}");
}
