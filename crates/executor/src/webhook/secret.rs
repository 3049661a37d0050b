//! What requests are signed with, and how.

use std::fmt;

use data_encoding::BASE64;
use ring::hmac;

/// Fewest bytes of a secret: 192 bits.
pub const MIN_SECRET_BYTES: usize = 24;
/// Most bytes of one: longer ones are hashed first, and gain nothing.
const MAX_SECRET_BYTES: usize = 512;
/// Most secrets at a time: the new one, the old one, and room for a second change.
pub const MAX_SECRETS: usize = 4;

/// A secret that is shared with a receiver. Never printed.
#[derive(Clone)]
pub struct Secret(hmac::Key);

/// Why a text is no secret. The text is not told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// What follows `whsec_` is not base64.
    #[error(
        "the secret begins with whsec_, but what follows is not base64 (standard alphabet, padded)"
    )]
    Base64,
    /// Too short, or too long.
    #[error("the secret has {bytes} bytes, expected {MIN_SECRET_BYTES} to {MAX_SECRET_BYTES}")]
    Length {
        /// Its length, decoded.
        bytes: usize,
    },
}

impl Secret {
    /// Reads `whsec_` and base64, or else takes the bytes as they are. White space around it is not part of it: files end
    /// with a line break.
    ///
    /// # Errors
    /// See [`SecretError`].
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let text = text.trim();
        let bytes = match text.strip_prefix("whsec_") {
            Some(coded) => BASE64
                .decode(coded.as_bytes())
                .map_err(|_| SecretError::Base64)?,
            None => text.as_bytes().to_vec(),
        };
        if !(MIN_SECRET_BYTES..=MAX_SECRET_BYTES).contains(&bytes.len()) {
            return Err(SecretError::Length { bytes: bytes.len() });
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What is signed of one request.
#[derive(Debug, Clone, Copy)]
pub struct Signature<'a> {
    /// The header `webhook-id`.
    pub id: &'a str,
    /// The header `webhook-timestamp`, as it stands there.
    pub timestamp: &'a str,
    /// The body, byte for byte.
    pub body: &'a [u8],
}

impl Signature<'_> {
    fn signed(&self) -> Vec<u8> {
        let mut signed = format!("{}.{}.", self.id, self.timestamp).into_bytes();
        signed.extend_from_slice(self.body);
        signed
    }

    /// The header `webhook-signature`: one signature for each secret, in their order.
    #[must_use]
    pub fn header(&self, secrets: &[Secret]) -> String {
        let signed = self.signed();
        let one = |secret: &Secret| {
            let tag = hmac::sign(&secret.0, &signed);
            format!("v1,{}", BASE64.encode(tag.as_ref()))
        };
        secrets.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    /// Whether one signature in the header was made with one of the secrets. In constant time for each pair. For receivers,
    /// who must check the timestamp too.
    #[must_use]
    pub fn is_in(&self, header: &str, secrets: &[Secret]) -> bool {
        let signed = self.signed();
        // More than a sender may have secrets are not looked at: each costs a pass over the body.
        let tags = header.split(' ').take(2 * MAX_SECRETS);
        let tags = tags.filter_map(|part| part.strip_prefix("v1,"));
        let mut tags = tags.filter_map(|coded| BASE64.decode(coded.as_bytes()).ok());
        tags.any(|tag| {
            let mut keys = secrets.iter().map(|secret| &secret.0);
            keys.any(|key| hmac::verify(key, &signed, &tag).is_ok())
        })
    }
}

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use sha2::{Digest, Sha256};

    use super::*;

    /// RFC 2104 as it is written, over another implementation of SHA-256.
    fn hmac_sha256(key: &[u8], text: &[u8]) -> Vec<u8> {
        let mut block = [0_u8; 64];
        if key.len() > 64 {
            block[..32].copy_from_slice(&Sha256::digest(key));
        } else {
            block[..key.len()].copy_from_slice(key);
        }
        let pad = |byte: u8| block.map(|key| key ^ byte);
        let inner = Sha256::digest([&pad(0x36)[..], text].concat());
        Sha256::digest([&pad(0x5c)[..], &inner[..]].concat()).to_vec()
    }

    const PUBLISHED: Signature = Signature {
        id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp: "1614265330",
        body: br#"{"test": 2432232314}"#,
    };

    /// From `libraries/javascript/src/webhook.test.ts` of the repository of Standard Webhooks: "sign function works".
    #[test]
    fn the_published_vector_is_met() {
        let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let header = PUBLISHED.header(from_ref(&secret));
        assert_eq!(header, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        // And "multi sig payload is valid", from the same place.
        let others = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc= v2,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=";
        assert!(PUBLISHED.is_in(&format!("{others} {header}"), from_ref(&secret)));
        for bad in [
            others,
            "",
            "v1,",
            "v1,g0hM9S",
            &header[3..],
            "v1,dawfeoifkpqwoekfpqoekf",
        ] {
            assert!(!PUBLISHED.is_in(bad, from_ref(&secret)), "{bad}");
        }
    }

    #[test]
    fn another_implementation_comes_to_the_same() {
        for key in [
            "k".repeat(24),
            "long ".repeat(40),
            "ümläut and spaces in the key".into(),
        ] {
            let secret = Secret::parse(&key).unwrap();
            let tag = hmac_sha256(key.trim().as_bytes(), &PUBLISHED.signed());
            assert_eq!(
                PUBLISHED.header(&[secret]),
                format!("v1,{}", BASE64.encode(&tag))
            );
        }
    }

    #[test]
    fn a_receiver_with_either_secret_is_content_while_they_change() {
        let [old, new] = ["o", "n"].map(|c| Secret::parse(&c.repeat(32)).unwrap());
        let header = PUBLISHED.header(&[new.clone(), old.clone()]);
        assert!(PUBLISHED.is_in(&header, &[old]) && PUBLISHED.is_in(&header, from_ref(&new)));
        let other = Signature {
            body: b"{}",
            ..PUBLISHED
        };
        assert!(!other.is_in(&header, &[new]));
    }

    #[test]
    fn a_bad_secret_is_refused_and_no_secret_is_printed() {
        let check = |text: &str, says: &str| {
            let error = Secret::parse(text).unwrap_err().to_string();
            assert!(error.contains(says) && !error.contains("hunter"), "{error}");
        };
        check("hunter2", "has 7 bytes");
        check("whsec_hunter2!", "not base64");
        check("whsec_aHVudGVy", "has 6 bytes");
        check(&"hunter2 ".repeat(100), "has 799 bytes");
        let secret = Secret::parse("hunter2 hunter2 hunter2 hunter2\n").unwrap();
        assert_eq!(format!("{secret:?}"), "Secret(…)");
    }
}
