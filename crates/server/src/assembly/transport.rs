//! What calls come in by: the connection's bounds, the certificate and the token.

use std::path::Path;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch as signal;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Identity, Server, ServerTlsConfig};

use super::StartError;
use crate::auth::Auth;
use crate::config::ServerConfig;

/// What one stream, and one connection, may have on its way: what 500,000 samples a second need at a round trip of
/// some milliseconds, and little enough that a thousand idle clients hold no memory worth the name.
const STREAM_WINDOW_BYTES: u32 = 1 << 20;
const CONNECTION_WINDOW_BYTES: u32 = 4 << 20;
/// A client that does not answer a ping for this long is gone, and its streams with it.
const KEEPALIVE: Duration = Duration::from_secs(20);
/// Streams and calls on one connection.
const CONCURRENT_CALLS: u32 = 1024;

/// The token that callers must show, if any.
pub(super) fn auth(config: &ServerConfig) -> Result<Auth, StartError> {
    let path = &config.token_file;
    if path.as_os_str().is_empty() {
        return Ok(Auth::default());
    }
    Auth::from_file(path).map_err(|source| StartError::Token {
        path: path.clone(),
        source,
    })
}

/// HTTP/2 with bounds, and TLS where there is a certificate.
pub(super) fn builder(config: &ServerConfig) -> Result<Server, StartError> {
    let builder = Server::builder()
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_concurrent_streams(CONCURRENT_CALLS)
        .http2_keepalive_interval(Some(KEEPALIVE))
        .http2_keepalive_timeout(Some(KEEPALIVE));
    if config.tls_cert.as_os_str().is_empty() {
        return Ok(builder);
    }
    let read = |path: &Path| {
        std::fs::read(path).map_err(|error| StartError::Tls {
            path: path.to_owned(),
            source: error.into(),
        })
    };
    let identity = Identity::from_pem(read(&config.tls_cert)?, read(&config.tls_key)?);
    let broken = |error: tonic::transport::Error| StartError::Tls {
        path: config.tls_cert.clone(),
        source: error.into(),
    };
    builder
        .tls_config(ServerTlsConfig::new().identity(identity))
        .map_err(broken)
}

/// Answers until told to stop.
pub(super) async fn serve(
    mut builder: Server,
    routes: tonic::service::Routes,
    listener: TcpListener,
    mut stopping: signal::Receiver<bool>,
) {
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let stopped = async move {
        // A sender that is gone is a `Running` that was dropped: that is a stop too.
        let _ = stopping.wait_for(|&stop| stop).await;
    };
    let served = builder
        .add_routes(routes)
        .serve_with_incoming_shutdown(incoming, stopped)
        .await;
    if let Err(error) = served {
        tracing::error!(%error, "the gRPC server ended");
    }
}
