//! The certificates of a file.

use std::path::{Path, PathBuf};

use super::parse::{self, After};
use super::pem::{self, Block};
use super::{Certificate, CertificateError, Chain, PemError};
use crate::ReadError;

/// The largest file that is read, in bytes: four times the bundle of all public authorities.
pub const MAX_FILE_BYTES: u64 = 1 << 20;

/// Why a file could not be read as certificates.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("reading {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: ReadError,
    },
    /// It is neither PEM nor DER.
    #[error("{}: no certificate in it: neither PEM nor DER", path.display())]
    Neither {
        /// The file.
        path: PathBuf,
    },
    /// It is PEM, and holds other things.
    #[error("{}: no certificate in it, only {}", path.display(), found.join(", "))]
    Other {
        /// The file.
        path: PathBuf,
        /// The labels of the first blocks, such as `PRIVATE KEY`.
        found: Vec<String>,
    },
    /// It is PEM, and damaged.
    #[error("{}:{line}: {problem}", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong.
        problem: PemError,
    },
    /// One of its certificates cannot be understood.
    #[error("{}:{line}: certificate {number}: {problem}", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// The line on which it begins, counted from 1; 1 in DER.
        line: usize,
        /// Which one, counted from 1.
        number: usize,
        /// What is wrong.
        problem: CertificateError,
    },
}

/// Describes the certificates of a PEM file, which may hold many, or of a DER file, which holds one.
///
/// At most [`MAX_FILE_BYTES`] and [`MAX_CERTIFICATES`](super::MAX_CERTIFICATES). Private keys in the file are neither
/// decoded nor kept. All certificates of the file must be sound: one that is not may be the one that a server shows.
///
/// # Errors
///
/// [`FileError`] names the path, and line and number of the certificate where there is one.
pub fn read_file(path: &Path) -> Result<Chain, FileError> {
    let path_buf = || path.to_owned();
    let (bytes, _) = crate::file::read(path, MAX_FILE_BYTES).map_err(|source| FileError::Read {
        path: path_buf(),
        source,
    })?;
    describe(path, bytes)
}

fn describe(path: &Path, bytes: Vec<u8>) -> Result<Chain, FileError> {
    let path_buf = || path.to_owned();
    // The first byte of every certificate: a sequence.
    const SEQUENCE: u8 = 0x30;
    let blocks = if pem::is_pem(&bytes) {
        let blocks = pem::blocks(&bytes).map_err(|(line, problem)| FileError::Pem {
            path: path_buf(),
            line,
            problem,
        })?;
        if blocks.certificates.is_empty() {
            return Err(FileError::Other {
                path: path_buf(),
                found: blocks.others,
            });
        }
        blocks.certificates
    } else if bytes.first() == Some(&SEQUENCE) {
        vec![Block {
            line: 1,
            der: bytes,
            after: After::Nothing,
        }]
    } else {
        return Err(FileError::Neither { path: path_buf() });
    };
    let certificates = (1..).zip(&blocks).map(|(number, block)| {
        parse::certificate(&block.der, block.after).map_err(|problem| FileError::Certificate {
            path: path_buf(),
            line: block.line,
            number,
            problem,
        })
    });
    let certificates = certificates.collect::<Result<Vec<Certificate>, _>>()?;
    Chain::new(certificates).ok_or_else(|| FileError::Neither { path: path_buf() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = describe(Path::new("f"), bytes);
        }

        #[test]
        fn der_like_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let length = u16::try_from(bytes.len()).unwrap().to_be_bytes();
            let der = [&[0x30, 0x82], &length[..], &bytes].concat();
            let _ = describe(Path::new("f"), der);
        }
    }
}
