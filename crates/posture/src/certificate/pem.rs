//! The blocks of a PEM file (RFC 7468). Read here and not by a library because an error should name its line, and a
//! private key that stands beside the certificate should not be decoded.

use data_encoding::BASE64;

use super::MAX_CERTIFICATES;
use super::parse::After;
use crate::text::shown;

const LABEL_CHARS: usize = 40;
/// How many kinds of other blocks an error names.
const MAX_OTHERS: usize = 4;

/// What is wrong with a PEM file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PemError {
    /// The file ends within a block.
    #[error("the file ends within a block {0:?}: it is cut short")]
    Unclosed(String),
    /// A block ends with another label, or another begins within it.
    #[error("a block {begun:?} is followed by {found:?} before its end")]
    Mismatch {
        /// The label of the block.
        begun: String,
        /// The line in its way.
        found: String,
    },
    /// The body is not base64.
    #[error("the block that begins here is not base64")]
    Base64,
    /// More than are read.
    #[error("more than {MAX_CERTIFICATES} certificates")]
    Many,
}

/// One certificate as it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    /// The line on which it begins, counted from 1.
    pub(super) line: usize,
    pub(super) der: Vec<u8>,
    pub(super) after: After,
}

/// What a file holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Blocks {
    pub(super) certificates: Vec<Block>,
    /// The labels of blocks of other kinds, each once.
    pub(super) others: Vec<String>,
}

/// Whether a file is PEM at all.
pub(super) fn is_pem(bytes: &[u8]) -> bool {
    lines(bytes).any(|(_, line)| begin(line).is_some())
}

/// The certificates of a file; the error comes with the line, counted from 1. Text between blocks is skipped.
pub(super) fn blocks(bytes: &[u8]) -> Result<Blocks, (usize, PemError)> {
    let mut blocks = Blocks::default();
    let mut lines = lines(bytes);
    while let Some((line, text)) = lines.next() {
        let Some(label) = begin(text) else {
            continue;
        };
        let after = match label {
            b"CERTIFICATE" | b"X509 CERTIFICATE" => Some(After::Nothing),
            b"TRUSTED CERTIFICATE" => Some(After::Trust),
            _ => None,
        };
        let mut body = Vec::new();
        loop {
            let Some((at, text)) = lines.next() else {
                return Err((line, PemError::Unclosed(words(label))));
            };
            if end(text) == Some(label) {
                break;
            }
            if text.starts_with(b"-----") {
                let (begun, found) = (words(label), words(text));
                return Err((at, PemError::Mismatch { begun, found }));
            }
            if after.is_some() {
                body.extend(text.iter().filter(|byte| !byte.is_ascii_whitespace()));
            }
        }
        let Some(after) = after else {
            let label = words(label);
            if blocks.others.len() < MAX_OTHERS && !blocks.others.contains(&label) {
                blocks.others.push(label);
            }
            continue;
        };
        if blocks.certificates.len() == MAX_CERTIFICATES {
            return Err((line, PemError::Many));
        }
        let der = BASE64.decode(&body);
        let der = der.map_err(|_| (line, PemError::Base64))?;
        blocks.certificates.push(Block { line, der, after });
    }
    Ok(blocks)
}

/// Lines without the blanks at their ends, counted from 1.
fn lines(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let lines = bytes.split(|&byte| byte == b'\n');
    (1..).zip(lines.map(<[u8]>::trim_ascii))
}

fn begin(line: &[u8]) -> Option<&[u8]> {
    line.strip_prefix(b"-----BEGIN ")?.strip_suffix(b"-----")
}

fn end(line: &[u8]) -> Option<&[u8]> {
    line.strip_prefix(b"-----END ")?.strip_suffix(b"-----")
}

fn words(bytes: &[u8]) -> String {
    shown(&String::from_utf8_lossy(bytes), LABEL_CHARS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, expected: &[(usize, &[u8])]) {
        let found = blocks(text.as_bytes()).unwrap().certificates;
        let found: Vec<_> = found.iter().map(|b| (b.line, b.der.as_slice())).collect();
        assert_eq!(found, expected, "{text}");
    }

    fn refused(text: &str, line: usize, problem: &str) {
        let (at, found) = blocks(text.as_bytes()).unwrap_err();
        assert_eq!((at, found.to_string().as_str()), (line, problem), "{text}");
    }

    #[test]
    fn certificates_are_found_between_other_things() {
        let text = "subject=CN = a\r\n-----BEGIN CERTIFICATE-----\r\naGVs\r\n bG8=\r\n-----END CERTIFICATE-----\r\n\
            -----BEGIN PRIVATE KEY-----\nnever decoded: !\n-----END PRIVATE KEY-----\n\
            -----BEGIN TRUSTED CERTIFICATE-----\naGk=\n-----END TRUSTED CERTIFICATE-----";
        check(text, &[(2, b"hello"), (9, b"hi")]);
        let others = blocks(text.as_bytes()).unwrap().others;
        assert_eq!(others, ["PRIVATE KEY"]);
        check("no block", &[]);
        check("", &[]);
    }

    #[test]
    fn errors_name_the_line() {
        refused(
            "\n-----BEGIN CERTIFICATE-----\naGVs",
            2,
            "the file ends within a block \"CERTIFICATE\": it is cut short",
        );
        refused(
            "-----BEGIN CERTIFICATE-----\naGVs\n-----BEGIN CERTIFICATE-----\n",
            3,
            "a block \"CERTIFICATE\" is followed by \"-----BEGIN CERTIFICATE-----\" before its end",
        );
        refused(
            "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
            1,
            "the block that begins here is not base64",
        );
        let one = "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n";
        refused(
            &one.repeat(MAX_CERTIFICATES + 1),
            1025,
            "more than 512 certificates",
        );
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = blocks(&bytes);
        }

        #[test]
        fn pieces_in_any_order_never_panic(pieces in proptest::collection::vec(prop_oneof![
            Just("-----BEGIN CERTIFICATE-----"), Just("-----END CERTIFICATE-----"), Just("\n"), Just("aGVsbG8="), Just("-----"),
            Just("-----BEGIN "), Just("-----END -----"), Just("\r"),
        ], 0..12)) {
            let _ = blocks(pieces.concat().as_bytes());
        }
    }
}
