//! One certificate out of its bytes.

use std::net::IpAddr;

use series::Timestamp;
use sha2::{Digest, Sha256};
use x509_parser::asn1_rs::{FromDer, Header, Tag};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::nom;
use x509_parser::time::ASN1Time;

use super::Certificate;
use crate::text::{hex, shown};

const MAX_NAMES: usize = 256;
/// Longer than any name of a host, which is 253.
const NAME_CHARS: usize = 256;
const ISSUER_CHARS: usize = 512;
/// RFC 5280, 4.1.2.2: a serial number has at most 20 bytes. Some have more; a hostile one has a megabyte.
const SERIAL_BYTES: usize = 64;

/// Why bytes are no certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// The end is missing.
    #[error("the certificate is cut short: {0} bytes are not all of it")]
    Truncated(usize),
    /// Not X.509.
    #[error("not an X.509 certificate: {0}")]
    Malformed(String),
    /// Something follows.
    #[error("{0} bytes after the end of the certificate")]
    Trailing(usize),
    /// A time beyond what a timestamp holds.
    #[error("{0} seconds since 1970 are out of range")]
    Time(i64),
}

/// What may follow a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    Nothing,
    /// OpenSSL writes what it is trusted for behind it.
    Trust,
}

pub(super) fn certificate(der: &[u8], after: After) -> Result<Certificate, CertificateError> {
    // The parser of the whole says "end of file" of this and of many other things.
    if let Ok((body, header)) = Header::from_der(der)
        && header.tag() == Tag::Sequence
        && header.length().definite().is_ok_and(|n| body.len() < n)
    {
        return Err(CertificateError::Truncated(der.len()));
    }
    let (rest, parsed) = X509Certificate::from_der(der).map_err(|error| {
        let why = match error {
            nom::Err::Incomplete(_) => "a part of it is cut short".to_owned(),
            nom::Err::Error(e) | nom::Err::Failure(e) => e.to_string(),
        };
        CertificateError::Malformed(shown(&why, 120))
    })?;
    if after == After::Nothing && !rest.is_empty() {
        return Err(CertificateError::Trailing(rest.len()));
    }
    let serial = parsed.raw_serial();
    let validity = parsed.validity();
    Ok(Certificate {
        common_name: common_name(&parsed),
        names: names(&parsed),
        issuer: shown(&parsed.issuer().to_string(), ISSUER_CHARS),
        serial: hex(&serial[..serial.len().min(SERIAL_BYTES)]),
        not_before: timestamp(validity.not_before)?,
        not_after: timestamp(validity.not_after)?,
        fingerprint: hex(&Sha256::digest(&der[..der.len() - rest.len()])),
        self_signed: is_self_signed(&parsed),
        authority: parsed.is_ca(),
    })
}

fn timestamp(time: ASN1Time) -> Result<Timestamp, CertificateError> {
    let seconds = time.timestamp();
    seconds
        .checked_mul(1_000_000)
        .map(Timestamp::from_micros)
        .ok_or(CertificateError::Time(seconds))
}

fn common_name(parsed: &X509Certificate<'_>) -> Option<String> {
    let attribute = parsed.subject().iter_common_name().next()?;
    // `as_str` knows fewer encodings; the rest is shown as it stands in the file.
    let text = match attribute.as_str() {
        Ok(text) => text.into(),
        Err(_) => String::from_utf8_lossy(attribute.as_slice()),
    };
    Some(shown(&text, NAME_CHARS))
}

/// An extension that cannot be read, or is there twice, leaves the list empty: when it expires can still be told.
fn names(parsed: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = parsed.subject_alternative_name() else {
        return Vec::new();
    };
    let names = extension.value.general_names.iter();
    names.take(MAX_NAMES).map(name).collect()
}

fn name(name: &GeneralName<'_>) -> String {
    let text = match name {
        GeneralName::DNSName(text) | GeneralName::RFC822Name(text) | GeneralName::URI(text) => {
            (*text).to_owned()
        }
        GeneralName::IPAddress(bytes) => address(bytes),
        GeneralName::DirectoryName(name) => name.to_string(),
        GeneralName::OtherName(..)
        | GeneralName::X400Address(_)
        | GeneralName::EDIPartyName(_)
        | GeneralName::RegisteredID(_)
        | GeneralName::Invalid(..) => name.to_string(),
    };
    shown(&text, NAME_CHARS)
}

fn address(bytes: &[u8]) -> String {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    let address = v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from));
    address.map_or_else(|_| hex(bytes), |address| address.to_string())
}

/// A certificate that an authority issues to itself under a new key has its own name as issuer too; the identifiers of
/// the keys tell the two apart where they are given (RFC 5280, 4.2.1.1).
fn is_self_signed(parsed: &X509Certificate<'_>) -> bool {
    if parsed.issuer().as_raw() != parsed.subject().as_raw() {
        return false;
    }
    let (mut own, mut issuer) = (None, None);
    for extension in parsed.iter_extensions() {
        if let ParsedExtension::SubjectKeyIdentifier(id) = extension.parsed_extension() {
            own = Some(id);
        } else if let ParsedExtension::AuthorityKeyIdentifier(id) = extension.parsed_extension() {
            issuer = id.key_identifier.as_ref();
        }
    }
    own.zip(issuer).is_none_or(|(own, issuer)| own == issuer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn der() -> Vec<u8> {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec!["a.example".into()]).unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn a_certificate_that_is_cut_short_is_told_from_garbage() {
        let der = der();
        let cut = certificate(&der[..der.len() - 1], After::Nothing);
        assert_eq!(cut, Err(CertificateError::Truncated(der.len() - 1)));
        let garbage = certificate(b"hello", After::Nothing).unwrap_err();
        assert!(
            matches!(garbage, CertificateError::Malformed(_)),
            "{garbage}"
        );
    }

    #[test]
    fn what_follows_is_an_error_unless_openssl_wrote_it() {
        let mut der = der();
        let alone = certificate(&der, After::Nothing).unwrap();
        der.extend([0x30, 0]);
        let strict = certificate(&der, After::Nothing);
        assert_eq!(strict, Err(CertificateError::Trailing(2)));
        assert_eq!(certificate(&der, After::Trust), Ok(alone));
    }

    #[test]
    fn addresses_read_as_people_write_them() {
        assert_eq!(address(&[127, 0, 0, 1]), "127.0.0.1");
        assert_eq!(address(&[0; 16]), "::");
        assert_eq!(address(&[1, 2, 3]), "010203");
    }

    proptest! {
        #[test]
        fn bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _ = certificate(&bytes, After::Nothing);
        }

        #[test]
        fn damaged_certificates_never_panic(damage in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..8)) {
            thread_local!(static DER: Vec<u8> = der());
            let mut bytes = DER.with(Clone::clone);
            for (at, byte) in damage {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            let _ = certificate(&bytes, After::Trust);
        }
    }
}
