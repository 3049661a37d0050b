//! One attempt: a connection, a request, an answer, within its time.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::RETRY_AFTER;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use series::Timestamp;
use tokio::time::{Instant, timeout_at};

use super::dial::{Dial, Wire};
use super::reply::{Content, MAX_REPLY_BYTES, Reply};
use crate::preview::quote::plain;

/// Most bytes of the head of an answer, and of what is buffered of its body.
const MAX_HEAD_BYTES: usize = 64 << 10;

/// What came of an attempt.
#[derive(Debug)]
pub(super) enum Outcome {
    /// There was no connection: nothing has left.
    NotSent(String),
    /// It was, or may have been, sent, and no answer came.
    Lost(String),
    /// An answer came.
    Answered {
        /// What it says.
        reply: Reply,
        /// For how long nothing is to be sent, by the wish of the receiver.
        retry_after: Option<Duration>,
    },
}

/// Makes one attempt, until `deadline` at most.
pub(super) async fn post(
    dial: &dyn Dial,
    request: Request<Full<Bytes>>,
    now: Timestamp,
    deadline: Instant,
) -> Outcome {
    let wire = match timeout_at(deadline, dial.dial()).await {
        Ok(Ok(wire)) => wire,
        Ok(Err(error)) => return Outcome::NotSent(told("cannot connect", &error)),
        Err(_) => return Outcome::NotSent("cannot connect in time".to_owned()),
    };
    match timeout_at(deadline, exchange(wire, request, now)).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(error)) => Outcome::Lost(told("the connection was lost", &error)),
        Err(_) => Outcome::Lost("no answer came in time".to_owned()),
    }
}

async fn exchange(
    wire: Box<dyn Wire>,
    request: Request<Full<Bytes>>,
    now: Timestamp,
) -> Result<Outcome, hyper::Error> {
    let mut builder = http1::Builder::new();
    builder.max_buf_size(MAX_HEAD_BYTES);
    let (mut sender, connection) = builder.handshake(TokioIo::new(wire)).await?;
    let talk = async {
        let response = sender.send_request(request).await?;
        Ok(read(response, now).await)
    };
    tokio::pin!(talk);
    // Both in one future: when its time is up, the connection is gone with it.
    tokio::select! {
        outcome = &mut talk => outcome,
        // It ended, in whatever way: what had come by then is in the other's hands.
        _ = connection => talk.await,
    }
}

async fn read(response: Response<Incoming>, now: Timestamp) -> Outcome {
    let status = response.status();
    let retry_after = response.headers().get(RETRY_AFTER);
    let retry_after = retry_after.and_then(|value| wait(value.to_str().ok()?, now));
    let body = Limited::new(response.into_body(), MAX_REPLY_BYTES)
        .collect()
        .await;
    let reply = match body {
        Ok(body) => Reply::read(status, Content::Whole(&body.to_bytes())),
        Err(error) if error.is::<LengthLimitError>() => Reply::read(status, Content::TooLong),
        // A success whose words are cut off: it is not known what was said.
        Err(error) if status.is_success() && status.as_u16() != 202 => {
            return Outcome::Lost(told("the answer was cut off", &*error));
        }
        Err(_) => Reply::read(status, Content::Whole(b"")),
    };
    Outcome::Answered { reply, retry_after }
}

/// What `Retry-After` says: seconds, or a date.
fn wait(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a number has are a long time too.
        return Some(Duration::from_secs(
            text.parse().unwrap_or(u64::from(u32::MAX)),
        ));
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    let left_us = date.as_microsecond().saturating_sub(now.micros());
    Some(Duration::from_micros(u64::try_from(left_us).unwrap_or(0)))
}

/// An error with its causes, on one line.
fn told(what: &str, error: &dyn Error) -> String {
    let mut text = format!("{what}: {error}");
    let mut source = error.source();
    while let Some(cause) = source.filter(|_| text.len() < 500) {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(&format!(": {cause_text}"));
        }
        source = cause.source();
    }
    plain(&text, 500)
}

/// A request with what Standard Webhooks asks for.
pub(super) fn request(
    [authority, path]: [&str; 2],
    [id, timestamp, signature]: [&str; 3],
    body: &Bytes,
) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
    Request::builder()
        .method(Method::POST)
        .uri(path)
        .header("host", authority)
        .header("content-type", "application/json")
        .header("accept", "application/json")
        .header("connection", "close")
        .header(
            "user-agent",
            concat!("forestall/", env!("CARGO_PKG_VERSION")),
        )
        .header("webhook-id", id)
        .header("webhook-timestamp", timestamp)
        .header("webhook-signature", signature)
        .body(Full::new(body.clone()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use series::Clock;

    use super::*;
    use crate::samples::Noon;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let check = |text, expected: Option<u64>| {
            let expected = expected.map(Duration::from_secs);
            assert_eq!(wait(text, Noon.now()), expected, "{text:?}");
        };
        check("120", Some(120));
        check(" 0 ", Some(0));
        check("99999999999999999999999999", Some(u64::from(u32::MAX)));
        check("Thu, 26 Nov 2026 12:01:30 GMT", Some(90));
        // Past already: at once.
        check("Thu, 26 Nov 2026 11:00:00 GMT", Some(0));
        check("soon", None);
        check("-1", None);
        check("", None);
    }

    proptest! {
        #[test]
        fn whatever_retry_after_says_it_is_a_time_or_nothing(
            text in "\\PC{0,40}|[0-9]{0,40}|[A-Z][a-z]{2}, [0-9]{1,3} [A-Z][a-z]{2} [0-9]{1,9} [0-9:]{0,9} (GMT|[+-][0-9]{4})",
            now in any::<i64>(),
        ) {
            let _ = wait(&text, Timestamp::from_micros(now));
        }
    }
}
