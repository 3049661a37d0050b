//! The other end of the line: does what it is told, and writes down what it hears.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::Instant;

use super::super::dial::{Dial, Wire};
use super::super::*;

/// What is done with one connection.
#[derive(Debug, Clone)]
pub(super) enum Act {
    /// There is none.
    Refuse,
    /// It never comes about.
    Blackhole,
    /// The request is read, these bytes are written, and the line is closed.
    Write(Vec<u8>),
    /// The same, but the line stays open.
    Stall(Vec<u8>),
    /// The line is closed before the request is read to its end.
    Cut,
}

/// An answer as it stands on the wire.
pub(super) fn reply(status: &str, headers: &str, body: &str) -> Act {
    let n = body.len();
    Act::Write(
        format!("HTTP/1.1 {status} X\r\n{headers}content-length: {n}\r\n\r\n{body}").into_bytes(),
    )
}

/// `200` with this body.
pub(super) fn ok(body: &str) -> Act {
    reply("200", "", body)
}

/// A request as it was heard.
#[derive(Debug, Clone)]
pub(super) struct Heard {
    /// Since the line was made.
    pub(super) at: Duration,
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

impl Heard {
    /// A header of it.
    pub(super) fn header(&self, name: &str) -> &str {
        let lines = self
            .head
            .split("\r\n")
            .filter_map(|line| line.split_once(": "));
        let mut found = lines.filter(|(known, _)| *known == name);
        found.next().map_or("", |(_, value)| value)
    }

    pub(super) fn is_ask(&self) -> bool {
        let body: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        body["ask"].as_bool().unwrap()
    }
}

/// A receiver that follows a script; when that is over it refuses connections.
#[derive(Debug, Clone)]
pub(super) struct Line {
    script: Arc<Mutex<VecDeque<Act>>>,
    heard: Arc<Mutex<Vec<Heard>>>,
    start: Instant,
}

impl Line {
    pub(super) fn new(acts: Vec<Act>) -> Self {
        Self {
            script: Arc::new(Mutex::new(acts.into())),
            heard: Arc::default(),
            start: Instant::now(),
        }
    }

    /// All requests so far.
    pub(super) fn heard(&self) -> Vec<Heard> {
        self.heard.lock().clone()
    }

    /// Acts that were not played.
    pub(super) fn n_left(&self) -> usize {
        self.script.lock().len()
    }

    async fn play(self, act: Act, mut wire: DuplexStream) {
        let mut bytes = Vec::new();
        let head = loop {
            if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            if matches!(act, Act::Cut) || wire.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                return;
            }
        };
        let mut heard = Heard {
            at: self.start.elapsed(),
            head: String::from_utf8(bytes[..head].to_vec()).unwrap(),
            body: bytes.split_off(head),
        };
        let n_body: usize = heard.header("content-length").parse().unwrap();
        while heard.body.len() < n_body {
            if wire.read_buf(&mut heard.body).await.unwrap_or(0) == 0 {
                return;
            }
        }
        self.heard.lock().push(heard);
        match act {
            // The other side may have heard enough and be gone.
            Act::Write(answer) => drop(wire.write_all(&answer).await),
            Act::Stall(answer) => {
                drop(wire.write_all(&answer).await);
                // Until the other side hangs up.
                while wire.read_buf(&mut bytes).await.unwrap_or(0) > 0 {}
            }
            Act::Refuse | Act::Blackhole | Act::Cut => {}
        }
    }
}

impl Dial for Line {
    fn dial(&self) -> Later<'_, io::Result<Box<dyn Wire>>> {
        let act = self.script.lock().pop_front().unwrap_or(Act::Refuse);
        Box::pin(async move {
            match act {
                Act::Refuse => return Err(io::ErrorKind::ConnectionRefused.into()),
                Act::Blackhole => std::future::pending().await,
                Act::Write(_) | Act::Stall(_) | Act::Cut => {}
            }
            let (here, there) = duplex(16 << 10);
            tokio::spawn(self.clone().play(act, there));
            Ok(Box::new(here) as Box<dyn Wire>)
        })
    }
}
