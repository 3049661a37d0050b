//! A receiver of orders: verifies, drops repetitions, checks fences, writes down what it is told, and says that it is done.
//! It carries nothing out: put what does where `carry_out` is.
//!
//! ```text
//! cargo run -p executor --example receiver -- --listen 127.0.0.1:0 --secret-file SECRETS [--log FILE]
//! ```
//!
//! The file of secrets has one in each line: two while they change. The log has a line of JSON for each order; what it holds is
//! known again after a restart. The first line of the output is the address, as `listening on http://127.0.0.1:41234/`.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use executor::Fences;
use executor::webhook::{MAX_BODY_BYTES, Secret, Signature};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::Mutex;
use remedy::order::Order;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::net::TcpListener;

/// How far the clocks of sender and receiver may be apart, in seconds.
const TOLERANCE_S: i64 = 300;
/// Orders that are known at most; a sender does not repeat one after that many others.
const N_KNOWN: usize = 65_536;

/// Whatever goes wrong here ends the program.
type AnyError = Box<dyn std::error::Error + Send + Sync>;

/// A line of the log: an order, and what was answered.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) id: String,
    pub(crate) order: Order,
    pub(crate) status: String,
    pub(crate) said: String,
}

/// The part of a body that is looked at.
#[derive(Deserialize)]
struct Body {
    ask: bool,
    order: Order,
}

/// A receiver.
#[derive(Debug)]
pub(crate) struct Receiver {
    secrets: Vec<Secret>,
    /// Seconds since 1970.
    now: fn() -> i64,
    fences: Fences,
    /// By id. One lock around looking and carrying out: a repetition waits until the first is answered.
    known: Mutex<BTreeMap<String, Entry>>,
    log: Option<Mutex<File>>,
}

impl Receiver {
    /// Knows again what the log says.
    pub(crate) fn open(
        secrets: Vec<Secret>,
        now: fn() -> i64,
        log: Option<&Path>,
    ) -> Result<Self, AnyError> {
        let fences = Fences::default();
        let mut known = BTreeMap::new();
        let mut file = None;
        if let Some(path) = log {
            let mut options = OpenOptions::new();
            file = Some(Mutex::new(options.create(true).append(true).open(path)?));
            for line in std::fs::read_to_string(path)?.lines() {
                let entry: Entry = serde_json::from_str(line)?;
                // An entry was admitted once; a later one has the higher fence.
                let _ = fences.admit(entry.order.action.target(), entry.order.fence);
                known.insert(entry.id.clone(), entry);
            }
        }
        Ok(Self {
            secrets,
            now,
            fences,
            known: Mutex::new(known),
            log: file,
        })
    }

    /// Answers requests on each connection, for ever.
    pub(crate) async fn serve(self: Arc<Self>, listener: TcpListener) -> Result<(), AnyError> {
        loop {
            let (stream, _) = listener.accept().await?;
            let receiver = Arc::clone(&self);
            tokio::spawn(async move {
                let service = service_fn(|request| receiver.handle(request));
                let mut server = hyper::server::conn::http1::Builder::new();
                server.timer(TokioTimer::new());
                // A sender that hangs up is none of our concern: it comes again.
                let _ = server.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    }

    async fn handle(
        &self,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        let (status, body) = self.answer(request).await;
        let mut response = Response::new(Full::from(body.to_string()));
        *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
        Ok(response)
    }

    async fn answer(&self, request: Request<Incoming>) -> (u16, serde_json::Value) {
        let refuse = |status: u16, said: &str| (status, json!({"status": "failed", "said": said}));
        if request.method() != Method::POST {
            return refuse(405, "orders are posted");
        }
        let (head, body) = request.into_parts();
        let header = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
        let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
        let [Some(id), Some(timestamp), Some(signature)] = names.map(header) else {
            return refuse(
                401,
                "one of webhook-id, webhook-timestamp, webhook-signature is missing",
            );
        };
        let Ok(body) = Limited::new(body, MAX_BODY_BYTES).collect().await else {
            return refuse(413, "too long, or cut off");
        };
        let body = body.to_bytes();
        let signed = Signature {
            id,
            timestamp,
            body: &body,
        };
        if !signed.is_in(signature, &self.secrets) {
            return refuse(401, "no signature fits");
        }
        let age_s = timestamp
            .parse()
            .map(|sent: i64| (self.now)().abs_diff(sent));
        if age_s.is_ok_and(|age_s| age_s <= TOLERANCE_S.unsigned_abs()) {
            match serde_json::from_slice::<Body>(&body) {
                Ok(body) if body.order.key == id => self.order(body),
                Ok(_) => refuse(400, "webhook-id is not the key of the order"),
                Err(error) => refuse(400, &format!("the body is no order: {error}")),
            }
        } else {
            refuse(401, "too old, or from the future")
        }
    }

    fn order(&self, Body { ask, order }: Body) -> (u16, serde_json::Value) {
        let said = |entry: &Entry| (200, json!({"status": entry.status, "said": entry.said}));
        let mut known = self.known.lock();
        match known.get(&order.key) {
            Some(entry)
                if entry.order.action == order.action && entry.order.issue == order.issue =>
            {
                return said(entry);
            }
            // Another engine, or one that lost its memory, counts from one as the first did. Not to be answered with `done`.
            Some(_) if !ask => {
                return (
                    422,
                    json!({"status": "failed", "said": "another order came under this id"}),
                );
            }
            Some(_) => {
                return (
                    404,
                    json!({"status": "failed", "said": "another order came under this id"}),
                );
            }
            None if ask => return (404, json!({"status": "failed", "said": "it never came"})),
            None => {}
        }
        if let Err(stale) = self.fences.admit(order.action.target(), order.fence) {
            return (409, json!({"status": "failed", "said": stale.to_string()}));
        }
        let entry = carry_out(order);
        if let Err(error) = self.write(&entry) {
            // It was carried out, and would be forgotten.
            return (
                200,
                json!({"status": "in_doubt", "said": format!("writing the log: {error}")}),
            );
        }
        if known.len() >= N_KNOWN {
            known.pop_first();
        }
        let answer = said(&entry);
        known.insert(entry.id.clone(), entry);
        answer
    }

    fn write(&self, entry: &Entry) -> Result<(), AnyError> {
        let line = serde_json::to_string(entry)?;
        if let Some(log) = &self.log {
            let mut log = log.lock();
            writeln!(log, "{line}")?;
            log.sync_data()?;
        }
        Ok(())
    }
}

/// Here something would be done.
fn carry_out(order: Order) -> Entry {
    let said = format!("received: {}", order.action);
    Entry {
        id: order.key.clone(),
        order,
        status: "done".to_owned(),
        said,
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the edge of a process of its own: this is its clock"
)]
fn system_now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs().cast_signed())
}

#[expect(
    clippy::print_stdout,
    reason = "whoever starts it reads the address there"
)]
#[tokio::main]
async fn main() -> Result<(), AnyError> {
    const USAGE: &str = "receiver --listen 127.0.0.1:0 --secret-file FILE [--log FILE]";
    let words: Vec<_> = std::env::args().skip(1).collect();
    let options: BTreeMap<_, _> = words
        .chunks_exact(2)
        .map(|pair| (&*pair[0], &*pair[1]))
        .collect();
    let names = ["--listen", "--secret-file", "--log"];
    if words.len() % 2 == 1 || options.keys().any(|name| !names.contains(name)) {
        return Err(USAGE.into());
    }
    let secrets = std::fs::read_to_string(options.get("--secret-file").ok_or(USAGE)?)?;
    let secrets = secrets.lines().filter(|line| !line.trim().is_empty());
    let secrets = secrets.map(Secret::parse).collect::<Result<Vec<_>, _>>()?;
    let log = options.get("--log").map(Path::new);
    let receiver = Receiver::open(secrets, system_now, log)?;
    let listener = TcpListener::bind(options.get("--listen").unwrap_or(&"127.0.0.1:0")).await?;
    println!("listening on http://{}/", listener.local_addr()?);
    Arc::new(receiver).serve(listener).await
}
