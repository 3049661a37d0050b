//! What an answer means. A pure function of its bytes, which are whatever the other side likes.

use hyper::StatusCode;
use remedy::order::Answer;
use serde::Deserialize;

use crate::preview::quote::plain;

/// Most bytes that are read of an answer's body.
pub const MAX_REPLY_BYTES: usize = 64 << 10;
/// Most bytes of what a receiver said that are kept.
pub const MAX_SAID_BYTES: usize = 4 << 10;

/// What a receiver answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reply {
    /// What became of the order.
    Said(Answer),
    /// It is under way.
    Accepted,
    /// Not now; it was not carried out.
    Busy,
    /// The receiver, or something before it, is in trouble: it may have been carried out.
    Troubled(String),
    /// It does not know the order, or is not there.
    Unknown(String),
    /// It refused the order.
    Refused {
        /// What it said.
        said: String,
        /// Whether that says of the receiver, not of this order, that it takes none.
        is_of_all: bool,
    },
    /// It took it, and what became of it cannot be read.
    Unclear(String),
}

/// The body of an answer, as far as it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content<'a> {
    /// All of it.
    Whole(&'a [u8]),
    /// It is longer than [`MAX_REPLY_BYTES`].
    TooLong,
}

#[derive(Deserialize)]
struct Written {
    status: String,
    #[serde(default)]
    said: String,
}

impl Reply {
    /// Reads an answer.
    pub(super) fn read(status: StatusCode, content: Content) -> Self {
        let code = status.as_u16();
        match code {
            202 => Self::Accepted,
            200..=299 => success(code, content),
            429 => Self::Busy,
            404 => Self::Unknown(said(code, content)),
            300..=499 => Self::Refused {
                said: match code {
                    300..=399 => format!("answered {code}, and redirects are not followed"),
                    409 => format!("a higher fence was seen there: {}", said(code, content)),
                    _ => said(code, content),
                },
                is_of_all: matches!(code, 300..=399 | 401 | 403 | 405 | 410),
            },
            500..=599 => Self::Troubled(said(code, content)),
            _ => Self::Unclear(format!("answered {code}, which means nothing here")),
        }
    }

    /// Whether the receiver does its part, whatever it said of this order.
    pub(super) fn has_worked(&self) -> bool {
        match self {
            Self::Said(_) | Self::Accepted | Self::Busy => true,
            Self::Refused { is_of_all, .. } => !is_of_all,
            Self::Troubled(_) | Self::Unknown(_) | Self::Unclear(_) => false,
        }
    }
}

fn success(code: u16, content: Content) -> Reply {
    let Content::Whole(bytes) = content else {
        return Reply::Unclear(format!(
            "answered {code} with more than {MAX_REPLY_BYTES} bytes"
        ));
    };
    if bytes.trim_ascii().is_empty() {
        let said = format!("answered {code}");
        return Reply::Said(Answer::Done { said });
    }
    let Ok(written) = serde_json::from_slice::<Written>(bytes) else {
        return Reply::Unclear(format!(
            "answered {code} with what is no answer: {}",
            excerpt(bytes)
        ));
    };
    let said = match written.said.trim() {
        "" => format!("answered {}", bounded(&written.status, 40)),
        said => bounded(said, MAX_SAID_BYTES),
    };
    Reply::Said(match written.status.as_str() {
        "done" => Answer::Done { said },
        "failed" => Answer::Failed { said },
        "in_doubt" => Answer::InDoubt { said },
        other => {
            let other = bounded(other, 40);
            return Reply::Unclear(format!(
                "answered {code} with the status {other:?}, expected done, failed or in_doubt"
            ));
        }
    })
}

/// What was said with a status that is no success.
fn said(code: u16, content: Content) -> String {
    let Content::Whole(bytes) = content else {
        return format!("answered {code}");
    };
    let written = serde_json::from_slice::<Written>(bytes).map(|written| written.said);
    let text = match written {
        Ok(said) if !said.trim().is_empty() => bounded(said.trim(), MAX_SAID_BYTES - 64),
        _ => excerpt(bytes),
    };
    match text.as_str() {
        "" => format!("answered {code}"),
        text => format!("answered {code}: {text}"),
    }
}

/// How some bytes begin, as text.
fn excerpt(bytes: &[u8]) -> String {
    let start = &bytes[..bytes.len().min(512)];
    bounded(String::from_utf8_lossy(start).trim(), 512)
}

/// The text as it can be shown, of at most so many bytes.
fn bounded(text: &str, max_bytes: usize) -> String {
    let mut text = plain(text, max_bytes);
    if text.len() > max_bytes {
        let end = text.floor_char_boundary(max_bytes - '…'.len_utf8());
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(code: u16, body: &str) -> Reply {
        let status = StatusCode::from_u16(code).unwrap();
        Reply::read(status, Content::Whole(body.as_bytes()))
    }

    #[test]
    fn answers_mean_what_the_table_says() {
        let said = |answer: fn(String) -> Answer, text: &str| Reply::Said(answer(text.to_owned()));
        let done = |said| Answer::Done { said };
        let failed = |said| Answer::Failed { said };
        let in_doubt = |said| Answer::InDoubt { said };
        assert_eq!(read(200, ""), said(done, "answered 200"));
        assert_eq!(read(204, " \n"), said(done, "answered 204"));
        assert_eq!(
            read(200, r#"{"status":"done","said":"5 replicas"}"#),
            said(done, "5 replicas")
        );
        assert_eq!(
            read(200, r#"{"status":"failed","x":1}"#),
            said(failed, "answered failed")
        );
        assert_eq!(
            read(200, r#"{"status":"in_doubt","said":"?"}"#),
            said(in_doubt, "?")
        );
        assert_eq!(read(202, "whatever"), Reply::Accepted);
        assert_eq!(read(429, ""), Reply::Busy);
        assert_eq!(
            read(503, "busy"),
            Reply::Troubled("answered 503: busy".into())
        );
        assert_eq!(read(404, ""), Reply::Unknown("answered 404".into()));
    }

    #[test]
    fn what_is_no_answer_is_unclear_and_not_done() {
        let bodies = [
            "ok",
            "{}",
            "[]",
            "null",
            r#"{"status":"DONE"}"#,
            r#"{"status":1}"#,
            "{\"status\":\"done\"",
        ];
        for body in bodies {
            assert!(matches!(read(200, body), Reply::Unclear(_)), "{body}");
        }
        let long = Reply::read(StatusCode::OK, Content::TooLong);
        assert_eq!(
            long,
            Reply::Unclear("answered 200 with more than 65536 bytes".into())
        );
        assert!(matches!(read(999, ""), Reply::Unclear(_)));
    }

    #[test]
    fn refusals_of_the_order_and_of_the_sender_are_told_apart() {
        let check = |code, body, expected: &str, of_all| {
            let Reply::Refused { said, is_of_all } = read(code, body) else {
                panic!("{code} is no refusal");
            };
            assert_eq!((said.as_str(), is_of_all), (expected, of_all));
        };
        check(
            409,
            "",
            "a higher fence was seen there: answered 409",
            false,
        );
        check(
            422,
            r#"{"status":"failed","said":"no such unit"}"#,
            "answered 422: no such unit",
            false,
        );
        check(401, "who\u{1b}[2J?", "answered 401: who\u{fffd}[2J?", true);
        check(
            302,
            "",
            "answered 302, and redirects are not followed",
            true,
        );
        check(410, "", "answered 410", true);
    }

    proptest! {
        #[test]
        fn whatever_bytes_come_what_is_said_is_short_and_can_be_shown(
            code in 100_u16..1_000,
            body in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..9_000),
                ".{0,3000}".prop_map(|said| serde_json::json!({"status": "done", "said": said}).to_string().into_bytes()),
                "\\PC{0,200}".prop_map(|status| serde_json::json!({"status": status}).to_string().into_bytes()),
            ],
        ) {
            let status = StatusCode::from_u16(code).unwrap();
            let said = match Reply::read(status, Content::Whole(&body)) {
                Reply::Said(answer) => answer.said().to_owned(),
                Reply::Troubled(said) | Reply::Unknown(said) | Reply::Refused { said, .. } | Reply::Unclear(said) => said,
                Reply::Accepted | Reply::Busy => String::new(),
            };
            prop_assert!(said.len() <= MAX_SAID_BYTES);
            prop_assert!(!said.chars().any(crate::preview::quote::is_misleading));
        }
    }
}
