//! Why a server could not be looked at.

use std::io;

use super::{CertificateError, EndpointError, MAX_CERTIFICATES};

/// Why a server could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The endpoint is not one.
    #[error("endpoint {endpoint:?}: {problem}")]
    Endpoint {
        /// What was given, without user and password.
        endpoint: String,
        /// What is wrong with it.
        problem: EndpointError,
    },
    /// The name to ask for is not one.
    #[error("{0:?} is not the name of a server")]
    Name(String),
    /// The host has no address, or could not be looked up.
    #[error("looking up {endpoint}")]
    Resolve {
        /// The endpoint.
        endpoint: String,
        /// What the system says.
        source: io::Error,
    },
    /// Nobody answers.
    #[error("connecting to {endpoint}")]
    Connect {
        /// The endpoint.
        endpoint: String,
        /// What the system says.
        source: io::Error,
    },
    /// The time that was given is over.
    #[error("{endpoint}: {doing} took longer than {timeout_s} s in all")]
    Timeout {
        /// The endpoint.
        endpoint: String,
        /// What was being done.
        doing: &'static str,
        /// The time that was given, in seconds.
        timeout_s: f64,
    },
    /// The connection broke.
    #[error("{endpoint}: the connection broke before a certificate came")]
    Broken {
        /// The endpoint.
        endpoint: String,
        /// What the system says.
        source: io::Error,
    },
    /// The server answered with something that is not TLS.
    #[error("{endpoint} does not speak TLS")]
    NotTls {
        /// The endpoint.
        endpoint: String,
        /// What was found in place of it.
        source: rustls::Error,
    },
    /// PostgreSQL has TLS switched off, or it is not PostgreSQL.
    #[error("{endpoint} answers {answer:?} to the request for TLS; expected 'S'")]
    Refused {
        /// The endpoint.
        endpoint: String,
        /// The first character of the answer: 'N' is PostgreSQL without TLS.
        answer: char,
    },
    /// The handshake failed before a certificate came, for example because the server speaks TLS 1.1 at most.
    #[error("{endpoint}: the handshake failed")]
    Handshake {
        /// The endpoint.
        endpoint: String,
        /// Why.
        source: rustls::Error,
    },
    /// A certificate that came cannot be understood.
    #[error("{endpoint}: certificate {number}: {problem}")]
    Certificate {
        /// The endpoint.
        endpoint: String,
        /// Which one, counted from 1.
        number: usize,
        /// What is wrong.
        problem: CertificateError,
    },
    /// Fewer or more certificates than are described.
    #[error("{endpoint}: {found} certificates; expected 1 to {MAX_CERTIFICATES}")]
    Number {
        /// The endpoint.
        endpoint: String,
        /// How many there are.
        found: usize,
    },
}
