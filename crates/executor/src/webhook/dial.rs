//! Making a connection. While it is being made no byte of an order has left: that is what [`super::post`] relies on.

use std::fmt::Debug;
use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::config::ConfigError;
use super::endpoint::Endpoint;
use crate::Later;

/// A connection, encrypted or not.
pub(super) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// Makes connections: to the receiver, or in tests to something within the process, where time can stand still.
pub(super) trait Dial: Send + Sync + Debug {
    /// One connection, ready for a request.
    fn dial(&self) -> Later<'_, io::Result<Box<dyn Wire>>>;
}

/// Makes them over TCP, and TLS where the URL says so.
#[derive(Debug)]
pub(super) struct TcpDial {
    host: String,
    port: u16,
    tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    /// Whether the other end must be this machine, whatever its name resolves to.
    is_only_here: bool,
}

impl TcpDial {
    pub(super) fn new(
        endpoint: &Endpoint,
        ca_file: Option<&Path>,
        allow_insecure: bool,
    ) -> Result<Self, ConfigError> {
        let tls = if endpoint.is_tls {
            let name = ServerName::try_from(endpoint.host.clone());
            let name = name.map_err(|error| ConfigError::Url {
                problem: format!("has a host that no certificate can name: {error}"),
            })?;
            Some((Arc::new(client(roots(ca_file)?)?), name))
        } else {
            None
        };
        Ok(Self {
            host: endpoint.host.clone(),
            port: endpoint.port,
            tls,
            is_only_here: !endpoint.is_tls && !allow_insecure,
        })
    }
}

impl TcpDial {
    /// Whether an order may go to this address: a name that is this machine's may resolve to another.
    fn admits(&self, peer: IpAddr) -> bool {
        !self.is_only_here || peer.to_canonical().is_loopback()
    }
}

/// The authorities in a file, or those of the system.
fn roots(ca_file: Option<&Path>) -> Result<RootCertStore, ConfigError> {
    let mut roots = RootCertStore::empty();
    let Some(path) = ca_file else {
        let found = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            let problems = found.errors.iter().map(ToString::to_string);
            let problem = problems.collect::<Vec<_>>().join("; ");
            return Err(ConfigError::NoRoots { problem });
        }
        return Ok(roots);
    };
    let wrong = |problem: String| ConfigError::CaFile {
        path: path.to_owned(),
        problem,
    };
    let certificates = CertificateDer::pem_file_iter(path);
    for certificate in certificates.map_err(|error| wrong(error.to_string()))? {
        let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
        roots
            .add(certificate)
            .map_err(|error| wrong(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(wrong("it holds no certificate".to_owned()));
    }
    Ok(roots)
}

fn client(roots: RootCertStore) -> Result<ClientConfig, ConfigError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions();
    let builder = builder.map_err(ConfigError::Tls)?;
    let mut client = builder.with_root_certificates(roots).with_no_client_auth();
    client.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(client)
}

impl Dial for TcpDial {
    fn dial(&self) -> Later<'_, io::Result<Box<dyn Wire>>> {
        Box::pin(async move {
            let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
            stream.set_nodelay(true)?;
            let peer = stream.peer_addr()?.ip();
            if !self.admits(peer) {
                let why = format!("{} is {peer}, which is not this machine", self.host);
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
            }
            let Some((client, name)) = &self.tls else {
                return Ok(Box::new(stream) as Box<dyn Wire>);
            };
            let connector = TlsConnector::from(client.clone());
            let stream = connector.connect(name.clone(), stream).await?;
            Ok(Box::new(stream) as Box<dyn Wire>)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_encryption_no_order_leaves_this_machine_whatever_its_name_resolves_to() {
        let dial = |allow_insecure| {
            let endpoint = Endpoint::read("http://localhost/").unwrap();
            TcpDial::new(&endpoint, None, allow_insecure).unwrap()
        };
        for here in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
            assert!(dial(false).admits(here.parse().unwrap()), "{here}");
        }
        for elsewhere in ["10.0.0.1", "::ffff:10.0.0.1", "fe80::1"] {
            assert!(
                !dial(false).admits(elsewhere.parse().unwrap()),
                "{elsewhere}"
            );
            assert!(dial(true).admits(elsewhere.parse().unwrap()), "{elsewhere}");
        }
    }
}
