//! Learned state as bytes, and back; bytes of another engine are refused, never misread.
//!
//! All numbers little-endian. In order:
//!
//! | what | bytes |
//! |---|---|
//! | [`MAGIC`] | 8 |
//! | [`FORMAT`] | 4 |
//! | feature schema hash; digest of the detectors and their options | 8 + 8 |
//! | bytes of state per series | 4 |
//! | number of members; by member: length of its name, name | 2; 1 + n |
//! | number of series | 4 |
//! | by series: kind, length of its key, key as Prometheus writes it | 1 + 4 + n |
//! | by series: state | bytes of state |
//! | number of the next event | 8 |
//! | [`END`] | 8 |
//!
//! There is no checksum: whoever keeps the bytes checks them as a whole.

use std::io::{self, Read, Write};
use std::sync::Arc;

use series::{KeyError, Kind, MAX_LABELS, MAX_NAME_BYTES, MAX_VALUE_BYTES, SeriesKey};

const MAGIC: [u8; 8] = *b"forestal";
const END: [u8; 8] = *b"the end\n";

/// Version of the format *and* of what the states of features, detectors and ensemble mean. Raise it whenever either
/// changes: two layouts may have one size, and only this number tells them apart.
pub(crate) const FORMAT: u32 = 1;

/// Longest key in the text form: every byte of a label value may be written as two.
const MAX_KEY_BYTES: usize =
    MAX_NAME_BYTES + 2 + MAX_LABELS * (MAX_NAME_BYTES + 2 * MAX_VALUE_BYTES + 4);

/// Why a snapshot was not taken in. The engine is left as it was before, without series.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The input could not be read.
    #[error("reading a snapshot at byte {at}")]
    Io {
        /// Where.
        at: u64,
        /// Why.
        source: io::Error,
    },
    /// It ends too soon.
    #[error("the snapshot ends at byte {at}, within {what}")]
    Truncated {
        /// Where it ends.
        at: u64,
        /// What was being read.
        what: &'static str,
    },
    /// It does not begin as a snapshot does.
    #[error("not a snapshot: it begins with {0:02x?}")]
    Magic([u8; 8]),
    /// It was written by another version.
    #[error("the snapshot has format {snapshot}, this engine reads {engine}")]
    Format {
        /// Its format.
        snapshot: u32,
        /// Ours.
        engine: u32,
    },
    /// The features mean something else.
    #[error("the snapshot has feature schema {snapshot:#018x}, this engine has {engine:#018x}")]
    Schema {
        /// Its hash.
        snapshot: u64,
        /// Ours.
        engine: u64,
    },
    /// The ensemble has other members.
    #[error("the snapshot has the detectors {snapshot}; this engine has {engine}")]
    Members {
        /// Its detectors.
        snapshot: String,
        /// Ours.
        engine: String,
    },
    /// The detectors have other options.
    #[error(
        "profile, seed or detector options are not those of the snapshot (digest {snapshot:#018x}, here {engine:#018x})"
    )]
    Options {
        /// Its digest.
        snapshot: u64,
        /// Ours.
        engine: u64,
    },
    /// The state of a series has another size.
    #[error("the snapshot has {snapshot} bytes of state per series, this engine has {engine}")]
    StateBytes {
        /// Its size.
        snapshot: u32,
        /// Ours.
        engine: u32,
    },
    /// It holds more series than the engine may watch.
    #[error("the snapshot holds {snapshot} series, this engine watches at most {limit}")]
    SeriesLimit {
        /// How many it holds.
        snapshot: u32,
        /// How many we may.
        limit: usize,
    },
    /// A key is longer than any key can be.
    #[error("at byte {at}: a key of {bytes} bytes, at most {MAX_KEY_BYTES} are possible")]
    LongKey {
        /// Where its length stands.
        at: u64,
        /// What it claims.
        bytes: u32,
    },
    /// A key is not UTF-8.
    #[error("at byte {at}: a key that is not UTF-8")]
    NotText {
        /// Where the key begins.
        at: u64,
    },
    /// A key does not parse.
    #[error("at byte {at}: a malformed key")]
    Key {
        /// Where the key begins.
        at: u64,
        /// What is wrong with it.
        source: KeyError,
    },
    /// A key is there twice.
    #[error("{key} is in the snapshot twice")]
    Repeated {
        /// The key.
        key: Arc<SeriesKey>,
    },
    /// A series was taken for another kind.
    #[error("{key} has kind {snapshot} in the snapshot, this engine takes it for a {engine:?}")]
    Kind {
        /// The series.
        key: Arc<SeriesKey>,
        /// Its kind in the snapshot.
        snapshot: u8,
        /// Its kind here.
        engine: Kind,
    },
    /// It goes on after its end, or the end is not where it should be.
    #[error("the snapshot does not end at byte {at}, where it should")]
    NoEnd {
        /// Where it should.
        at: u64,
    },
    /// The engine knows series already.
    #[error(
        "the engine already watches {0} series; a snapshot is only restored into an empty engine"
    )]
    NotEmpty(usize),
    /// A shard broke off; see [`crate::Counters::shard_panics`].
    #[error("a shard broke off while it was taking in its state")]
    ShardBroke,
}

/// What must be equal in engine and snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) schema: u64,
    pub(crate) options: u64,
    pub(crate) state_bytes: u32,
    pub(crate) members: Vec<&'static str>,
}

impl Header {
    /// Writes everything that comes before the states.
    pub(crate) fn write(&self, keys: &[Arc<SeriesKey>], out: &mut dyn Write) -> io::Result<()> {
        out.write_all(&MAGIC)?;
        out.write_all(&FORMAT.to_le_bytes())?;
        out.write_all(&self.schema.to_le_bytes())?;
        out.write_all(&self.options.to_le_bytes())?;
        out.write_all(&self.state_bytes.to_le_bytes())?;
        out.write_all(&(self.members.len() as u16).to_le_bytes())?;
        for name in &self.members {
            out.write_all(&[name.len() as u8])?;
            out.write_all(name.as_bytes())?;
        }
        out.write_all(&(keys.len() as u32).to_le_bytes())?;
        for key in keys {
            let text = key.to_string();
            out.write_all(&[Kind::of_metric(key.metric()) as u8])?;
            out.write_all(&(text.len() as u32).to_le_bytes())?;
            out.write_all(text.as_bytes())?;
        }
        Ok(())
    }

    /// Reads what [`Header::write`] wrote, and holds it against `self`; returns the keys, at most `limit`.
    ///
    /// Memory grows with the bytes that are there, never with a length that is merely claimed.
    pub(crate) fn read(
        &self,
        input: &mut Input<'_>,
        limit: usize,
    ) -> Result<Vec<Arc<SeriesKey>>, RestoreError> {
        let magic = input.array("the first bytes")?;
        if magic != MAGIC {
            return Err(RestoreError::Magic(magic));
        }
        let format = input.u32("the format")?;
        if format != FORMAT {
            return Err(RestoreError::Format {
                snapshot: format,
                engine: FORMAT,
            });
        }
        let schema = u64::from_le_bytes(input.array("the feature schema")?);
        if schema != self.schema {
            return Err(RestoreError::Schema {
                snapshot: schema,
                engine: self.schema,
            });
        }
        let options = u64::from_le_bytes(input.array("the digest of the options")?);
        let state_bytes = input.u32("the size of the states")?;
        // The names come first in what is reported: they say most.
        self.check_members(input)?;
        if options != self.options {
            return Err(RestoreError::Options {
                snapshot: options,
                engine: self.options,
            });
        }
        if state_bytes != self.state_bytes {
            return Err(RestoreError::StateBytes {
                snapshot: state_bytes,
                engine: self.state_bytes,
            });
        }
        let n_series = input.u32("the number of series")?;
        if n_series as usize > limit {
            return Err(RestoreError::SeriesLimit {
                snapshot: n_series,
                limit,
            });
        }
        (0..n_series).map(|_| read_key(input)).collect()
    }

    fn check_members(&self, input: &mut Input<'_>) -> Result<(), RestoreError> {
        let n_members = u16::from_le_bytes(input.array("the number of detectors")?);
        let mut members = Vec::new();
        for _ in 0..n_members {
            let [length] = input.array("the length of a detector's name")?;
            let name = input.bytes(usize::from(length), "a detector's name")?;
            members.push(String::from_utf8_lossy(&name).into_owned());
        }
        if members == self.members {
            return Ok(());
        }
        Err(RestoreError::Members {
            snapshot: members.join(", "),
            engine: self.members.join(", "),
        })
    }
}

fn read_key(input: &mut Input<'_>) -> Result<Arc<SeriesKey>, RestoreError> {
    let [kind] = input.array("the kind of a series")?;
    let at = input.at;
    let length = input.u32("the length of a key")?;
    if length as usize > MAX_KEY_BYTES {
        return Err(RestoreError::LongKey { at, bytes: length });
    }
    let at = input.at;
    let text = String::from_utf8(input.bytes(length as usize, "a key")?)
        .map_err(|_| RestoreError::NotText { at })?;
    let key: Arc<SeriesKey> = Arc::new(
        text.parse()
            .map_err(|source| RestoreError::Key { at, source })?,
    );
    let engine = Kind::of_metric(key.metric());
    if kind == engine as u8 {
        Ok(key)
    } else {
        Err(RestoreError::Kind {
            key,
            snapshot: kind,
            engine,
        })
    }
}

/// Writes what comes after the states.
pub(crate) fn write_end(next_event: u64, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(&next_event.to_le_bytes())?;
    out.write_all(&END)
}

/// A reader that knows where it is.
pub(crate) struct Input<'a> {
    reader: &'a mut dyn Read,
    at: u64,
}

impl<'a> Input<'a> {
    pub(crate) fn new(reader: &'a mut dyn Read) -> Self {
        Self { reader, at: 0 }
    }

    /// Fills `buffer`.
    pub(crate) fn fill(
        &mut self,
        mut buffer: &mut [u8],
        what: &'static str,
    ) -> Result<(), RestoreError> {
        while !buffer.is_empty() {
            match self.reader.read(buffer) {
                Ok(0) => return Err(RestoreError::Truncated { at: self.at, what }),
                Ok(n) => {
                    self.at += n as u64;
                    buffer = &mut buffer[n..];
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => {
                    return Err(RestoreError::Io {
                        at: self.at,
                        source,
                    });
                }
            }
        }
        Ok(())
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], RestoreError> {
        let mut array = [0; N];
        self.fill(&mut array, what)?;
        Ok(array)
    }

    fn u32(&mut self, what: &'static str) -> Result<u32, RestoreError> {
        Ok(u32::from_le_bytes(self.array(what)?))
    }

    /// `length` bytes; the caller has bounded it.
    fn bytes(&mut self, length: usize, what: &'static str) -> Result<Vec<u8>, RestoreError> {
        let mut bytes = vec![0; length];
        self.fill(&mut bytes, what)?;
        Ok(bytes)
    }

    /// Reads what [`write_end`] wrote, and finds nothing after it; returns the number of the next event.
    pub(crate) fn end(mut self) -> Result<u64, RestoreError> {
        let next_event = u64::from_le_bytes(self.array("the number of the next event")?);
        let at = self.at;
        if self.array("its last bytes")? != END {
            return Err(RestoreError::NoEnd { at });
        }
        let at = self.at;
        match self.fill(&mut [0], "") {
            Err(RestoreError::Truncated { .. }) => Ok(next_event),
            Ok(()) => Err(RestoreError::NoEnd { at }),
            Err(other) => Err(other),
        }
    }
}
