//! How commands reach a running server: one set of arguments, one way to connect, one way to tell what went wrong.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use clap::Args;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Code, Request, Status};

use crate::hint::WithHint;

/// Where `serve` listens when it is not told otherwise.
const DEFAULT_ADDR: &str = "http://127.0.0.1:7878";
/// A server that does not answer for so long is not there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// One that was silent this long is asked whether it is there, and one that does not answer is gone.
const ASKED_AFTER: Duration = Duration::from_secs(20);
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// Which server, and how to be let in.
#[derive(Debug, Clone, Args)]
pub(crate) struct ServerArgs {
    /// Address of the server
    #[arg(long, value_name = "ADDR", env = "FORESTALL_ADDR", default_value = DEFAULT_ADDR)]
    pub(crate) addr: String,
    #[command(flatten)]
    pub(crate) trust: TrustArgs,
}

/// What a server on another machine asks for.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct TrustArgs {
    /// File whose first line is the server's token
    #[arg(long, value_name = "FILE", env = "FORESTALL_TOKEN_FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// Certificate (PEM) that signed the server's own; turns TLS on
    #[arg(long, value_name = "FILE", env = "FORESTALL_TLS_CA")]
    pub(crate) tls_ca: Option<PathBuf>,
}

/// An open connection that every client of `proto` can be built on.
pub(crate) type Connection = InterceptedService<Channel, Bearer>;

/// Adds the token to each request.
#[derive(Debug, Clone)]
pub(crate) struct Bearer(Option<MetadataValue<Ascii>>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(token) = &self.0 {
            request
                .metadata_mut()
                .insert("authorization", token.clone());
        }
        Ok(request)
    }
}

impl ServerArgs {
    /// Connects now, so that a wrong address is told before anything else happens.
    ///
    /// # Errors
    /// When a file cannot be read, the address makes no sense or nobody answers.
    pub(crate) async fn connect(&self) -> anyhow::Result<Connection> {
        connect(&self.addr, &self.trust).await
    }
}

/// Connects to `addr`: `host:port`, or a URL with `http` or `https`.
///
/// # Errors
/// See [`ServerArgs::connect`].
pub(crate) async fn connect(addr: &str, trust: &TrustArgs) -> anyhow::Result<Connection> {
    let uri = uri(addr, trust.tls_ca.is_some())?;
    let endpoint = Endpoint::from_shared(uri.clone())
        .with_context(|| format!("{addr:?} is not an address"))?;
    let mut endpoint = endpoint
        .connect_timeout(CONNECT_TIMEOUT)
        .http2_keep_alive_interval(ASKED_AFTER)
        .keep_alive_timeout(ANSWERS_WITHIN)
        .tcp_nodelay(true);
    if uri.starts_with("https://") {
        let Some(ca) = &trust.tls_ca else {
            bail!("{addr} speaks TLS: name the certificate to trust with --tls-ca FILE");
        };
        let pem =
            fs::read(ca).with_context(|| format!("reading the certificate {}", ca.display()))?;
        let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem));
        endpoint = endpoint.tls_config(tls).context("setting up TLS")?;
    }
    let bearer = Bearer(trust.token_file.as_deref().map(token).transpose()?);
    let channel = endpoint.connect().await.map_err(|error| {
        let error = anyhow::Error::new(error).context(format!("cannot reach the server at {uri}"));
        error.hint("start one with `forestall serve`, or name another with --addr")
    })?;
    Ok(InterceptedService::new(channel, bearer))
}

fn uri(addr: &str, tls: bool) -> anyhow::Result<String> {
    match addr.split_once("://") {
        None => Ok(format!("{}://{addr}", if tls { "https" } else { "http" })),
        Some(("http", _)) if tls => {
            bail!("{addr} is without TLS, and --tls-ca asks for it: use https://")
        }
        Some(("http" | "https", _)) => Ok(addr.to_owned()),
        Some((scheme, _)) => bail!("{addr}: {scheme:?} is neither http nor https"),
    }
}

fn token(path: &Path) -> anyhow::Result<MetadataValue<Ascii>> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("reading the token from {}", path.display()))?;
    let line = text.lines().next().unwrap_or_default().trim();
    if line.is_empty() {
        bail!(
            "the first line of {} is empty, and should be the token",
            path.display()
        );
    }
    let value = format!("Bearer {line}").parse::<MetadataValue<Ascii>>();
    let mut value = value.with_context(|| {
        format!(
            "the token in {} has characters beyond ASCII",
            path.display()
        )
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// A refusal of the server as an error that says what to do.
pub(crate) fn refused(status: &Status) -> anyhow::Error {
    let error = anyhow!(
        "the server answers {}: {}",
        name(status.code()),
        status.message()
    );
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "advice where there is some; most codes speak for themselves"
    )]
    match status.code() {
        Code::Unauthenticated => error.hint("give the server's token with --token-file FILE"),
        Code::Unimplemented => {
            error.hint("the server is of another version: compare `forestall --version` on both")
        }
        Code::Unavailable => error.hint("is it still running? `forestall serve` starts one"),
        _ => error,
    }
}

/// As the gRPC specification spells codes.
fn name(code: Code) -> String {
    let mut name = String::new();
    for c in format!("{code:?}").chars() {
        if c.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(c.to_ascii_uppercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_may_leave_out_the_scheme() {
        let check = |addr: &str, tls: bool, expected: Result<&str, &str>| {
            let got = uri(addr, tls).map_err(|e| e.to_string());
            assert_eq!(got.as_deref().map_err(String::as_str), expected);
        };
        check("db1:7878", false, Ok("http://db1:7878"));
        check("db1:7878", true, Ok("https://db1:7878"));
        check("https://db1", true, Ok("https://db1"));
        check(
            "http://db1",
            true,
            Err("http://db1 is without TLS, and --tls-ca asks for it: use https://"),
        );
        check(
            "ftp://db1",
            false,
            Err("ftp://db1: \"ftp\" is neither http nor https"),
        );
    }

    #[test]
    fn codes_are_spelt_as_grpc_does() {
        assert_eq!(name(Code::InvalidArgument), "INVALID_ARGUMENT");
        let error = refused(&Status::unauthenticated("no token"));
        let text = crate::hint::message(&error);
        assert_eq!(
            text,
            "the server answers UNAUTHENTICATED: no token\nhint: give the server's token with --token-file FILE"
        );
    }
}
