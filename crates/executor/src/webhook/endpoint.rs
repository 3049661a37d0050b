//! Where orders are sent to.

use std::fmt;
use std::net::IpAddr;

use hyper::Uri;

use super::config::ConfigError;

/// A URL taken apart. Printed without its path.
#[derive(Clone)]
pub(super) struct Endpoint {
    pub(super) is_tls: bool,
    /// Without the brackets of IPv6.
    pub(super) host: String,
    pub(super) port: u16,
    /// As the header `host` has it.
    pub(super) authority: String,
    /// Path and query.
    pub(super) path: String,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_tls { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.authority)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Endpoint {
    /// Takes a URL apart.
    pub(super) fn read(url: &str) -> Result<Self, ConfigError> {
        let wrong = |problem: &str| ConfigError::Url {
            problem: problem.to_owned(),
        };
        let uri: Uri = url
            .parse()
            .map_err(|error| wrong(&format!("cannot be read: {error}")))?;
        let is_tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(wrong("begins with neither https:// nor http://")),
        };
        let authority = uri.authority().ok_or_else(|| wrong("has no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong(
                "holds a user or a password: requests are signed instead",
            ));
        }
        let host = authority
            .host()
            .trim_start_matches('[')
            .trim_end_matches(']');
        if host.is_empty() {
            return Err(wrong("has no host"));
        }
        let is_port_wrong = authority.as_str().ends_with(':') || authority.port_u16() == Some(0);
        let port = authority
            .port_u16()
            .unwrap_or(if is_tls { 443 } else { 80 });
        if is_port_wrong {
            return Err(wrong("has no port after the colon"));
        }
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Ok(Self {
            is_tls,
            host: host.to_owned(),
            port,
            authority: authority.as_str().to_owned(),
            // A query may follow the host at once; a request has a path.
            path: format!("{}{path}", if path.starts_with('/') { "" } else { "/" }),
        })
    }

    /// Whether it is this machine by its name. A name that is resolved is looked at again when it is connected to.
    pub(super) fn is_here(&self) -> bool {
        let address = self
            .host
            .parse()
            .map(|address: IpAddr| address.to_canonical());
        self.host.eq_ignore_ascii_case("localhost")
            || address.is_ok_and(|address| address.is_loopback())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_url_is_taken_apart() {
        let check = |url: &str, host: &str, port: u16, path: &str| {
            let endpoint = Endpoint::read(url).unwrap();
            assert_eq!(
                (&*endpoint.host, endpoint.port, &*endpoint.path),
                (host, port, path)
            );
        };
        check(
            "https://hooks.example.org/a/b?c=d",
            "hooks.example.org",
            443,
            "/a/b?c=d",
        );
        check("https://example.org?a=b", "example.org", 443, "/?a=b");
        check("https://example.org:8443", "example.org", 8443, "/");
        check("http://localhost:80/x", "localhost", 80, "/x");
        check("http://127.8.9.1:1/", "127.8.9.1", 1, "/");
        check("http://[::1]:9000/", "::1", 9000, "/");
        check("http://[::ffff:127.0.0.1]/", "::ffff:127.0.0.1", 80, "/");
    }

    proptest! {
        #[test]
        fn whatever_is_configured_is_read_or_refused(text in "(https?://)?\\PC{0,60}") {
            if let Ok(endpoint) = Endpoint::read(&text) {
                prop_assert!(!endpoint.host.is_empty() && endpoint.port > 0);
                prop_assert!(endpoint.path.starts_with('/'), "{}", endpoint.path);
            }
        }
    }
}
