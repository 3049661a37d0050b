//! The certificates that a server shows.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConnection;
use rustls::pki_types::ServerName;

use super::endpoint::{Endpoint, Protocol, presentable};
use super::parse::{self, After};
use super::recorder::{Recorder, config};
use super::wire::{Deadline, Wire, resolve};
use super::{Certificate, Chain, MAX_CERTIFICATES, ProbeError};
use crate::text::shown;

/// The longest time that a probe may take.
pub const MAX_TIMEOUT: Duration = Duration::from_secs(300);

/// `SSLRequest` of PostgreSQL: its length, and a number that is no version ("Message Formats" in its manual).
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f];

/// Describes the certificates that a server shows in a handshake of TLS 1.2 or 1.3.
///
/// - `endpoint`: `host:port`, an IPv6 address in brackets; `postgres://host:port` asks PostgreSQL for TLS first.
/// - `server_name`: whose certificate is asked for; the host of the endpoint if `None`.
/// - `timeout`: for all together, from looking up the name to the last byte; at most [`MAX_TIMEOUT`].
///
/// **Nothing is trusted.** Whatever the server shows is taken, expired or forged, for somebody else's name or signed by
/// nobody, and neither is it made to prove that it has the key: who stands between can show what he likes. That is right
/// only because we look and do nothing else. After the handshake nothing is sent but the alert that ends it. A server that
/// asks for a certificate of ours gets none; what it showed before it hangs up counts.
///
/// Blocks; the lookup of a name that outlasts the timeout ends in a thread of its own.
///
/// # Errors
///
/// [`ProbeError`] names the endpoint and what was being done.
pub fn probe(
    endpoint: &str,
    server_name: Option<&str>,
    timeout: Duration,
) -> Result<Chain, ProbeError> {
    let shown_endpoint = presentable(endpoint);
    let place = Endpoint::parse(endpoint).map_err(|problem| ProbeError::Endpoint {
        endpoint: shown_endpoint.clone(),
        problem,
    })?;
    let name = match server_name {
        None => place.server_name(),
        Some(name) => {
            ServerName::try_from(name.to_owned()).map_err(|_| ProbeError::Name(shown(name, 60)))?
        }
    };
    let timeout = timeout.min(MAX_TIMEOUT);
    let attempt = Attempt {
        endpoint: shown_endpoint,
        timeout,
        deadline: Deadline::after(timeout),
    };
    let shown = attempt.look(&place, name)?;
    attempt.describe(&shown)
}

/// One probe, and what its errors say of it.
struct Attempt {
    endpoint: String,
    timeout: Duration,
    deadline: Deadline,
}

impl Attempt {
    /// The certificates as bytes; at least one.
    fn look(
        &self,
        place: &Endpoint,
        name: ServerName<'static>,
    ) -> Result<Vec<Vec<u8>>, ProbeError> {
        let endpoint = || self.endpoint.clone();
        let addresses = resolve(place, self.deadline).map_err(|source| {
            let error = |source| ProbeError::Resolve {
                endpoint: endpoint(),
                source,
            };
            self.blame("looking up the name", source, error)
        })?;
        let mut wire = Wire::connect(&addresses, self.deadline).map_err(|source| {
            let error = |source| ProbeError::Connect {
                endpoint: endpoint(),
                source,
            };
            self.blame("connecting", source, error)
        })?;
        if place.protocol == Protocol::Postgres {
            let answer = ask_postgres(&mut wire).map_err(|source| {
                self.broken("waiting for the answer to the request for TLS", source)
            })?;
            if answer != b'S' {
                let answer = char::from(answer);
                return Err(ProbeError::Refused {
                    endpoint: endpoint(),
                    answer,
                });
            }
        }
        let recorder = Arc::new(Recorder::default());
        let ended = config(Arc::clone(&recorder))
            .and_then(|config| ClientConnection::new(Arc::new(config), name))
            .map_err(Ended::Tls)
            .and_then(|mut tls| shake_hands(&mut tls, &mut wire));
        let certificates = recorder.take();
        match ended {
            // Whatever went wrong after they came is not our concern.
            _ if !certificates.is_empty() => Ok(certificates),
            Ok(()) => Err(ProbeError::Number {
                endpoint: endpoint(),
                found: 0,
            }),
            Err(Ended::Io(source)) => Err(self.broken("the handshake", source)),
            Err(Ended::Tls(source @ rustls::Error::InvalidMessage(_))) => Err(ProbeError::NotTls {
                endpoint: endpoint(),
                source,
            }),
            Err(Ended::Tls(source)) => Err(ProbeError::Handshake {
                endpoint: endpoint(),
                source,
            }),
        }
    }

    fn describe(&self, shown: &[Vec<u8>]) -> Result<Chain, ProbeError> {
        let endpoint = || self.endpoint.clone();
        let number = || ProbeError::Number {
            endpoint: endpoint(),
            found: shown.len(),
        };
        if shown.len() > MAX_CERTIFICATES {
            return Err(number());
        }
        let certificates = (1..).zip(shown).map(|(number, der)| {
            parse::certificate(der, After::Nothing).map_err(|problem| ProbeError::Certificate {
                endpoint: endpoint(),
                number,
                problem,
            })
        });
        let certificates = certificates.collect::<Result<Vec<Certificate>, _>>()?;
        Chain::new(certificates).ok_or_else(number)
    }

    fn broken(&self, doing: &'static str, source: io::Error) -> ProbeError {
        let endpoint = || self.endpoint.clone();
        self.blame(doing, source, |source| ProbeError::Broken {
            endpoint: endpoint(),
            source,
        })
    }

    /// The deadline, if that is what ended it; `else_` otherwise.
    fn blame(
        &self,
        doing: &'static str,
        source: io::Error,
        else_: impl FnOnce(io::Error) -> ProbeError,
    ) -> ProbeError {
        if source.kind() == io::ErrorKind::TimedOut {
            return ProbeError::Timeout {
                endpoint: self.endpoint.clone(),
                doing,
                timeout_s: self.timeout.as_secs_f64(),
            };
        }
        else_(source)
    }
}

/// Asks for TLS; the first byte of the answer. Not a byte more is read: what follows `S` unencrypted is an attack
/// (CVE-2021-23222), and here it makes the handshake fail.
fn ask_postgres(wire: &mut Wire) -> io::Result<u8> {
    wire.write_all(&SSL_REQUEST)?;
    let mut answer = [0];
    wire.read_exact(&mut answer)?;
    Ok(answer[0])
}

/// What ended a handshake.
enum Ended {
    Io(io::Error),
    Tls(rustls::Error),
}

impl From<io::Error> for Ended {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn shake_hands(tls: &mut ClientConnection, wire: &mut Wire) -> Result<(), Ended> {
    while tls.is_handshaking() {
        while tls.wants_write() {
            tls.write_tls(wire)?;
        }
        if tls.is_handshaking() && tls.read_tls(wire)? == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        if let Err(error) = tls.process_new_packets() {
            // The alert that tells the server what we did not like; it may be gone.
            let _ = tls.write_tls(wire);
            return Err(Ended::Tls(error));
        }
    }
    tls.send_close_notify();
    while tls.wants_write() {
        tls.write_tls(wire)?;
    }
    Ok(())
}
