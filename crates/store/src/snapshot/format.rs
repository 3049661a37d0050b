//! The bytes of a snapshot file.
//!
//! ```text
//! magic  "FORESTALL-SNAPSHOT"   18 bytes
//! format version                 2    little endian, as all numbers here
//! feature schema hash            8
//! time of writing, microseconds  8
//! payload                        …    the engine's own
//! payload length                 8
//! SHA-256 of all of the above   32
//! ```
//!
//! Length and digest stand at the end so that the payload can be written as it is made: a header that holds them would
//! need the whole payload in memory, or a second pass over the file.

use std::io::{self, Read, Write};

use series::Timestamp;
use sha2::{Digest, Sha256};

const MAGIC: &[u8; 18] = b"FORESTALL-SNAPSHOT";
pub(super) const HEADER_BYTES: u64 = 18 + 2 + 8 + 8;
const TRAILER_BYTES: u64 = 8 + 32;

/// The version of the file's own layout that this build writes and reads.
pub const FORMAT_VERSION: u16 = 1;

/// Why bytes are not a snapshot of ours.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// The system failed to read it.
    #[error("reading it")]
    Io(#[from] io::Error),
    /// It does not begin as a snapshot does.
    #[error("not a snapshot file")]
    Magic,
    /// Shorter than its parts, or of another length than it says.
    #[error("cut short or grown: {bytes} bytes")]
    Length {
        /// What it has.
        bytes: u64,
    },
    /// Some bytes have changed since it was written.
    #[error("corrupt: its SHA-256 does not match")]
    Digest,
    /// From a build that is older or newer.
    #[error("format version {found}, this build reads version {FORMAT_VERSION}")]
    Version {
        /// The file's version.
        found: u16,
    },
    /// Its features have other meanings.
    #[error("feature schema {found:016x}, this build has {expected:016x}")]
    Schema {
        /// The file's schema.
        found: u64,
        /// Ours.
        expected: u64,
    },
}

/// Writes a whole snapshot; `fill` writes the payload. Returns the file's length in bytes.
pub(super) fn write(
    out: &mut dyn Write,
    schema_hash: u64,
    created: Timestamp,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<u64> {
    let mut out = Hashed {
        inner: out,
        digest: Sha256::new(),
        bytes: 0,
    };
    out.write_all(MAGIC)?;
    out.write_all(&FORMAT_VERSION.to_le_bytes())?;
    out.write_all(&schema_hash.to_le_bytes())?;
    out.write_all(&created.micros().to_le_bytes())?;
    fill(&mut out)?;
    let payload = out.bytes - HEADER_BYTES;
    out.write_all(&payload.to_le_bytes())?;
    let Hashed {
        inner,
        digest,
        bytes,
    } = out;
    inner.write_all(&digest.finalize())?;
    Ok(bytes + 32)
}

/// Reads a file of `length` bytes from its start to its end and checks all of it.
///
/// Returns when it was written and the length of its payload, which begins at [`HEADER_BYTES`]. Damage is told apart
/// from a file of another version or schema: the digest is checked before the meaning of any field but the version,
/// since another version may well keep its digest elsewhere.
pub(super) fn verify(
    input: &mut dyn Read,
    length: u64,
    schema_hash: u64,
) -> Result<(Timestamp, u64), FormatError> {
    let mut magic = [0; 18];
    if length < 20 || input.read_exact(&mut magic).is_err() || &magic != MAGIC {
        return Err(FormatError::Magic);
    }
    let mut digest = Sha256::new();
    digest.update(magic);
    let mut next = |bytes: &mut [u8]| -> io::Result<()> {
        input.read_exact(bytes)?;
        digest.update(&*bytes);
        Ok(())
    };
    let mut version = [0; 2];
    next(&mut version)?;
    let found = u16::from_le_bytes(version);
    if found != FORMAT_VERSION {
        return Err(FormatError::Version { found });
    }
    let Some(payload) = length.checked_sub(HEADER_BYTES + TRAILER_BYTES) else {
        return Err(FormatError::Length { bytes: length });
    };
    let (mut schema, mut created) = ([0; 8], [0; 8]);
    next(&mut schema)?;
    next(&mut created)?;
    let mut chunk = vec![0; 64 << 10];
    let mut left = payload;
    while left > 0 {
        let n = usize::try_from(left).unwrap_or(usize::MAX).min(chunk.len());
        next(&mut chunk[..n])?;
        left -= n as u64;
    }
    let mut said = [0; 8];
    next(&mut said)?;
    if u64::from_le_bytes(said) != payload {
        return Err(FormatError::Length { bytes: length });
    }
    let mut sum = [0; 32];
    input.read_exact(&mut sum)?;
    if digest.finalize()[..] != sum {
        return Err(FormatError::Digest);
    }
    let found = u64::from_le_bytes(schema);
    if found != schema_hash {
        return Err(FormatError::Schema {
            found,
            expected: schema_hash,
        });
    }
    Ok((Timestamp::from_micros(i64::from_le_bytes(created)), payload))
}

/// A writer that keeps the digest of what passes.
struct Hashed<'a> {
    inner: &'a mut dyn Write,
    digest: Sha256,
    bytes: u64,
}

impl Write for Hashed<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let n = self.inner.write(buf)?;
        self.digest.update(&buf[..n]);
        self.bytes += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SCHEMA: u64 = 7;

    fn file(payload: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let n = write(&mut bytes, SCHEMA, Timestamp::from_millis(5), |out| {
            out.write_all(payload)
        })
        .unwrap();
        assert_eq!(n, bytes.len() as u64);
        bytes
    }

    fn check(bytes: &[u8], schema_hash: u64) -> Result<(Timestamp, u64), FormatError> {
        verify(&mut &*bytes, bytes.len() as u64, schema_hash)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_was_written_is_read(payload in prop::collection::vec(any::<u8>(), 0..300)) {
            let (created, n) = check(&file(&payload), SCHEMA).unwrap();
            prop_assert_eq!((created, n), (Timestamp::from_millis(5), payload.len() as u64));
        }

        #[test]
        fn any_cut_and_any_flipped_bit_is_noticed(payload in prop::collection::vec(any::<u8>(), 0..40), bit in 0..8_u8) {
            let whole = file(&payload);
            for at in 0..whole.len() {
                prop_assert!(check(&whole[..at], SCHEMA).is_err(), "cut at {}", at);
                let mut flipped = whole.clone();
                flipped[at] ^= 1 << bit;
                prop_assert!(check(&flipped, SCHEMA).is_err(), "flipped at {}", at);
            }
            let mut grown = whole;
            grown.push(0);
            prop_assert!(check(&grown, SCHEMA).is_err());
        }
    }

    #[test]
    fn another_version_or_schema_is_named() {
        let message =
            |bytes: &[u8], schema_hash: u64| check(bytes, schema_hash).unwrap_err().to_string();
        let bytes = file(b"state");
        let mut newer = bytes.clone();
        newer[18] = 9;
        assert_eq!(
            message(&newer, SCHEMA),
            "format version 9, this build reads version 1"
        );
        assert_eq!(
            message(&bytes, 8),
            "feature schema 0000000000000007, this build has 0000000000000008"
        );
        assert_eq!(
            message(b"#!/bin/sh and some more text", SCHEMA),
            "not a snapshot file"
        );
    }

    #[test]
    fn a_full_disk_at_any_byte_is_an_error() {
        struct Disk {
            room: usize,
        }
        impl Write for Disk {
            fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
                let n = buf.len().min(self.room);
                self.room -= n;
                if n == 0 {
                    Err(io::ErrorKind::StorageFull.into())
                } else {
                    Ok(n)
                }
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let length = file(b"learned").len();
        for room in 0..length {
            let full = write(&mut Disk { room }, SCHEMA, Timestamp::default(), |out| {
                out.write_all(b"learned")
            });
            assert_eq!(
                full.unwrap_err().kind(),
                io::ErrorKind::StorageFull,
                "room for {room} bytes"
            );
        }
        write(
            &mut Disk { room: length },
            SCHEMA,
            Timestamp::default(),
            |out| out.write_all(b"learned"),
        )
        .unwrap();
    }
}
