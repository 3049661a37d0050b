//! A receiver of orders: it takes what is signed, remembers it, and does with it what it is told to.

use std::net::SocketAddr;
use std::sync::Arc;

use executor::webhook::{Secret, Signature};
use parking_lot::Mutex;
use remedy::order::Order;
use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use crate::harness::within;

pub(super) const SECRET: &str = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";

/// What it does with an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Conduct {
    Does,
    Fails,
    Doubts,
    /// Does it, and says nothing.
    Hangs,
}

/// What came: a request that was verified.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Taken {
    pub(super) ask: bool,
    pub(super) order: Order,
}

#[derive(Debug, Default)]
pub(super) struct Receiver {
    /// The place among all orders of the one that is not simply done, and what becomes of it.
    but: Option<(usize, Conduct)>,
    /// All that came, repetitions and questions too.
    taken: Mutex<Vec<Taken>>,
    /// What was carried out, in order.
    done: Mutex<Vec<Order>>,
    /// Orders so far, undoings too.
    n_orders: Mutex<usize>,
    /// Requests whose signature did not fit.
    forged: Mutex<usize>,
    bell: Notify,
}

impl Receiver {
    /// Listens on a free port.
    pub(super) async fn start(but: Option<(usize, Conduct)>) -> (Arc<Self>, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        (Self::serve(listener, but), address)
    }

    pub(super) fn serve(listener: TcpListener, but: Option<(usize, Conduct)>) -> Arc<Self> {
        let receiver = Arc::new(Self {
            but,
            ..Self::default()
        });
        let serving = Arc::clone(&receiver);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let receiver = Arc::clone(&serving);
                tokio::spawn(async move { receiver.answer(stream).await });
            }
        });
        receiver
    }

    /// What was carried out, in order.
    pub(super) fn done(&self) -> Vec<Order> {
        self.done.lock().clone()
    }

    /// All that came.
    pub(super) fn taken(&self) -> Vec<Taken> {
        self.taken.lock().clone()
    }

    pub(super) fn n_forged(&self) -> usize {
        *self.forged.lock()
    }

    /// Waits until so much came.
    pub(super) async fn until(&self, n_taken: usize) {
        within(async {
            while self.taken.lock().len() < n_taken {
                self.bell.notified().await;
            }
        })
        .await;
    }

    /// One request on a connection of its own.
    async fn answer(&self, mut stream: TcpStream) {
        let mut bytes = Vec::new();
        let (head, length) = loop {
            if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                return;
            }
            let text = String::from_utf8_lossy(&bytes);
            if let Some((head, _)) = text.split_once("\r\n\r\n") {
                let head = head.to_owned();
                let length: usize = header(&head, "content-length").parse().unwrap();
                break (head, length);
            }
        };
        let begin = head.len() + 4;
        while bytes.len() < begin + length {
            if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                return;
            }
        }
        let Some((status, body)) = self.take(&head, &bytes[begin..]) else {
            // Held open, without a word, until the sender has had enough.
            let _ = stream.read_buf(&mut bytes).await;
            return;
        };
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
        );
        // A sender that hangs up comes again.
        let _ = stream.write_all(answer.as_bytes()).await;
    }

    fn take(&self, head: &str, body: &[u8]) -> Option<(&'static str, String)> {
        let [id, timestamp, signature] =
            ["webhook-id", "webhook-timestamp", "webhook-signature"].map(|name| header(head, name));
        let signed = Signature {
            id,
            timestamp,
            body,
        };
        if !signed.is_in(signature, &[Secret::parse(SECRET).unwrap()]) {
            *self.forged.lock() += 1;
            return Some(("401 Unauthorized", String::new()));
        }
        let taken: Taken = serde_json::from_slice(body).unwrap();
        assert_eq!(taken.order.key, id);
        self.taken.lock().push(taken.clone());
        let said = self.carry_out(&taken);
        self.bell.notify_one();
        said
    }

    fn carry_out(&self, taken: &Taken) -> Option<(&'static str, String)> {
        let mut done = self.done.lock();
        let answer = |status: &str| {
            let body = serde_json::json!({ "status": status, "said": "as I was told" });
            Some(("200 OK", body.to_string()))
        };
        let is_known = done.iter().any(|order| order.key == taken.order.key);
        match (taken.ask, is_known) {
            (_, true) => return answer("done"),
            (true, false) => return Some(("404 Not Found", String::new())),
            (false, false) => {}
        }
        let mut n_orders = self.n_orders.lock();
        let n = *n_orders;
        *n_orders += 1;
        let conduct = self
            .but
            .filter(|(at, _)| *at == n)
            .map_or(Conduct::Does, |(_, conduct)| conduct);
        if matches!(conduct, Conduct::Does | Conduct::Hangs) {
            done.push(taken.order.clone());
        }
        match conduct {
            Conduct::Does => answer("done"),
            Conduct::Fails => answer("failed"),
            Conduct::Doubts => answer("in_doubt"),
            Conduct::Hangs => None,
        }
    }
}

fn header<'h>(head: &'h str, name: &str) -> &'h str {
    let mut lines = head.lines().filter_map(|line| line.split_once(':'));
    let found = lines.find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.trim()).unwrap_or_default()
}
