//! Certificates: those in a file, and those that a server shows. They are described and not trusted: nobody here builds
//! a path to a root or asks whether a certificate is revoked.

mod endpoint;
mod error;
mod file;
mod parse;
mod pem;
mod probe;
mod recorder;
mod wire;

use series::Timestamp;

pub use endpoint::{EndpointError, check_endpoint};
pub use error::ProbeError;
pub use file::{FileError, MAX_FILE_BYTES, read_file};
pub use parse::CertificateError;
pub use pem::PemError;
pub use probe::{MAX_TIMEOUT, probe};

/// More than a bundle of all public authorities holds, which is about 150.
pub const MAX_CERTIFICATES: usize = 512;

/// What a certificate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The first common name of the subject, if it has one; many have only [`names`](Self::names).
    pub common_name: Option<String>,
    /// Whom else it is for: names of hosts, addresses, mail addresses, URIs, in the order of the certificate. At most 256.
    pub names: Vec<String>,
    /// Who issued it, as `C=…, O=…, CN=…`.
    pub issuer: String,
    /// The serial number in lower-case hexadecimal digits, without separators.
    pub serial: String,
    /// The first instant at which it holds.
    pub not_before: Timestamp,
    /// The last instant at which it holds; 9999-12-31T23:59:59Z says that there is none (RFC 5280, 4.1.2.5).
    pub not_after: Timestamp,
    /// SHA-256 of the whole certificate, in lower-case hexadecimal digits.
    pub fingerprint: String,
    /// Issuer and subject are the same name, and the identifiers of their keys do not contradict it. The signature itself
    /// is not checked.
    pub self_signed: bool,
    /// Whether it may sign others: basic constraints say so.
    pub authority: bool,
}

/// Whether a certificate holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    /// Its time has not begun.
    Early,
    /// It holds.
    Valid,
    /// Its time is over.
    Expired,
}

impl Certificate {
    /// Whether it holds at `now`.
    #[must_use]
    pub fn validity(&self, now: Timestamp) -> Validity {
        if now > self.not_after {
            Validity::Expired
        } else if now < self.not_before {
            Validity::Early
        } else {
            Validity::Valid
        }
    }

    /// Seconds from `now` until it expires; negative if it has.
    #[must_use]
    pub fn remaining_s(&self, now: Timestamp) -> f64 {
        self.not_after.seconds_since(now)
    }
}

/// Certificates as they stand in a file or come from a server: at least one, the first of a server being its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    certificates: Vec<Certificate>,
    first_to_expire: usize,
}

impl Chain {
    /// `None` without a certificate.
    fn new(certificates: Vec<Certificate>) -> Option<Self> {
        let ends = certificates.iter().map(|c| c.not_after).enumerate();
        let (first_to_expire, _) = ends.min_by_key(|&(i, end)| (end, i))?;
        Some(Self {
            certificates,
            first_to_expire,
        })
    }

    /// All of them, in the order in which they were found.
    #[must_use]
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// The first: what a server shows as its own.
    #[must_use]
    pub fn leaf(&self) -> &Certificate {
        &self.certificates[0]
    }

    /// The one that expires first, and its place in [`certificates`](Self::certificates); the earlier one of equals.
    #[must_use]
    pub fn first_to_expire(&self) -> (usize, &Certificate) {
        (
            self.first_to_expire,
            &self.certificates[self.first_to_expire],
        )
    }

    /// Seconds from `now` until the first of them expires; negative if one has.
    #[must_use]
    pub fn remaining_s(&self, now: Timestamp) -> f64 {
        self.first_to_expire().1.remaining_s(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(from: i64, until: i64) -> Certificate {
        Certificate {
            common_name: None,
            names: Vec::new(),
            issuer: String::new(),
            serial: String::new(),
            not_before: Timestamp::from_micros(from),
            not_after: Timestamp::from_micros(until),
            fingerprint: String::new(),
            self_signed: false,
            authority: false,
        }
    }

    #[test]
    fn both_ends_belong_to_the_time_in_which_it_holds() {
        let at = |now| certificate(10, 20).validity(Timestamp::from_micros(now));
        assert_eq!([9, 10, 20, 21].map(at), {
            use Validity::{Early, Expired, Valid};
            [Early, Valid, Valid, Expired]
        });
    }

    #[test]
    fn the_first_to_expire_need_not_be_the_first() {
        let ends = [30, 20, 40, 20].map(|end| certificate(0, end * 1_000_000));
        let chain = Chain::new(ends.to_vec()).unwrap();
        assert_eq!(chain.first_to_expire().0, 1);
        let remaining = chain.remaining_s(Timestamp::from_micros(25_000_000));
        assert!((remaining + 5.0).abs() < 1e-9, "{remaining}");
        assert_eq!(Chain::new(Vec::new()), None);
    }
}
