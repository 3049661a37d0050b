//! `host:port`, as people write it.

use std::net::IpAddr;

use rustls::pki_types::{DnsName, ServerName};

use crate::text::shown;

/// Longer than a name of 253 characters with a scheme and a port.
const MAX_CHARS: usize = 300;

/// Why a text names no endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// A scheme that is not known.
    #[error("scheme {0:?} is not known; expected host:port or postgres://host:port")]
    Scheme(String),
    /// There is no port.
    #[error("no port; expected host:port")]
    NoPort,
    /// The port is not a number from 1 to 65535.
    #[error("{0:?} is not a port; expected 1 to 65535")]
    Port(String),
    /// The host is neither a name nor an address.
    #[error(
        "{0:?} is neither the name of a host nor an address; an IPv6 address stands in brackets"
    )]
    Host(String),
    /// A user, a path or a query.
    #[error("only scheme, host and port are expected")]
    More,
}

/// Whether a text names an endpoint that can be probed. It is not looked for.
///
/// # Errors
///
/// [`EndpointError`] says why it does not.
pub fn check_endpoint(text: &str) -> Result<(), EndpointError> {
    Endpoint::parse(text).map(drop)
}

/// What is asked for before TLS begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// TLS from the first byte.
    Tls,
    /// The request of PostgreSQL.
    Postgres,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Host {
    Address(IpAddr),
    Name(DnsName<'static>),
}

/// A place that can be probed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Endpoint {
    pub(super) protocol: Protocol,
    pub(super) host: Host,
    pub(super) port: u16,
}

impl Endpoint {
    pub(super) fn parse(text: &str) -> Result<Self, EndpointError> {
        let (protocol, place) = match text.split_once("://") {
            None => (Protocol::Tls, text),
            Some(("postgres" | "postgresql", place)) => (Protocol::Postgres, place),
            Some((scheme, _)) => return Err(EndpointError::Scheme(shown(scheme, 20))),
        };
        // Tested first, so that a password in it is never part of an error.
        if place.contains(['@', '/', '?', '#']) {
            return Err(EndpointError::More);
        }
        let (host, port) = match place.strip_prefix('[') {
            Some(rest) => {
                let host = || EndpointError::Host(shown(place, 40));
                let (address, port) = rest.split_once(']').ok_or_else(host)?;
                let address = address.parse().map_err(|_| host())?;
                let port = port.strip_prefix(':').ok_or(EndpointError::NoPort)?;
                (Host::Address(IpAddr::V6(address)), port)
            }
            None => {
                let (host, port) = place.rsplit_once(':').ok_or(EndpointError::NoPort)?;
                (host_of(host)?, port)
            }
        };
        Ok(Self {
            protocol,
            host,
            port: port_of(port)?,
        })
    }

    /// Whose certificate is asked for.
    pub(super) fn server_name(&self) -> ServerName<'static> {
        match &self.host {
            Host::Address(address) => ServerName::from(*address),
            Host::Name(name) => ServerName::DnsName(name.clone()),
        }
    }
}

fn host_of(text: &str) -> Result<Host, EndpointError> {
    match text.parse() {
        Ok(IpAddr::V4(address)) => Ok(Host::Address(address.into())),
        Ok(IpAddr::V6(_)) => Err(EndpointError::Host(shown(text, 40))),
        Err(_) => DnsName::try_from(text.to_owned())
            .map(Host::Name)
            .map_err(|_| EndpointError::Host(shown(text, 40))),
    }
}

fn port_of(text: &str) -> Result<u16, EndpointError> {
    // `parse` takes a plus sign.
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let port = text.parse().ok().filter(|&port| digits && port > 0);
    port.ok_or_else(|| EndpointError::Port(shown(text, 10)))
}

/// An endpoint as errors may show it: without user and password.
pub(super) fn presentable(text: &str) -> String {
    let place = text.rsplit_once('@').map_or(text, |(_, place)| place);
    shown(place, MAX_CHARS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, expected: Result<(Protocol, &str, u16), &str>) {
        let found = Endpoint::parse(text).map(|endpoint| {
            let host = match &endpoint.host {
                Host::Address(address) => address.to_string(),
                Host::Name(name) => name.as_ref().to_owned(),
            };
            (endpoint.protocol, host, endpoint.port)
        });
        let expected = expected.map(|(protocol, host, port)| (protocol, host.to_owned(), port));
        let found = found.map_err(|e| e.to_string());
        assert_eq!(found, expected.map_err(str::to_owned), "{text}");
    }

    #[test]
    fn reads_names_and_addresses() {
        use Protocol::{Postgres, Tls};
        check("example.org:443", Ok((Tls, "example.org", 443)));
        check("localhost:1", Ok((Tls, "localhost", 1)));
        check("127.0.0.1:65535", Ok((Tls, "127.0.0.1", 65535)));
        check("[::1]:443", Ok((Tls, "::1", 443)));
        check(
            "postgres://db_1.internal:5432",
            Ok((Postgres, "db_1.internal", 5432)),
        );
        check(
            "postgresql://[fe80::1]:5432",
            Ok((Postgres, "fe80::1", 5432)),
        );
    }

    #[test]
    fn refuses_the_rest() {
        let host = |text: &str| {
            format!(
                "{text:?} is neither the name of a host nor an address; an IPv6 address stands in brackets"
            )
        };
        check("", Err("no port; expected host:port"));
        check("example.org", Err("no port; expected host:port"));
        check("[::1]", Err("no port; expected host:port"));
        check(
            "example.org:",
            Err("\"\" is not a port; expected 1 to 65535"),
        );
        check(
            "example.org:0",
            Err("\"0\" is not a port; expected 1 to 65535"),
        );
        check(
            "example.org:+1",
            Err("\"+1\" is not a port; expected 1 to 65535"),
        );
        check(
            "example.org:65536",
            Err("\"65536\" is not a port; expected 1 to 65535"),
        );
        check(":443", Err(&host("")));
        check("::1:443", Err(&host("::1")));
        check("[::1:443", Err(&host("[::1:443")));
        check("a b:443", Err(&host("a b")));
        check(
            "https://a:443",
            Err("scheme \"https\" is not known; expected host:port or postgres://host:port"),
        );
        check(
            "postgres://u:p@a:1",
            Err("only scheme, host and port are expected"),
        );
        check("a:443/path", Err("only scheme, host and port are expected"));
    }

    #[test]
    fn a_password_is_not_presented() {
        assert_eq!(presentable("postgres://u:p@a:1"), "a:1");
    }

    proptest! {
        #[test]
        fn never_panics(text in ".{0,60}") {
            let _ = (Endpoint::parse(&text), presentable(&text));
        }
    }
}
